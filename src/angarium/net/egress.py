"""Connections which leave by a proxy: HAProxy's protocol, or SOCKS 5.

    transport, session = await connect_by(factory, ("192.0.2.10", 1080), Socks(host), within=30.0)

The protocol of `factory` is made when the way to the host is open, and finds a transport as if it
had connected by itself. What is the proxy's doing is a ProxyError, which is no fault of the host;
what the proxy says of the host is the error which connecting to it would have raised.
"""

import asyncio
import errno
import os
from collections.abc import Callable
from typing import Final, Protocol, TypeVar, cast

from angarium.net import address
from angarium.net.address import BY_THE_SYSTEM, Buffers
from angarium.net.errors import AddressError, NoRouteError, ProxyError, ShortageError
from angarium.wire.socks import Blame, Fault

P = TypeVar("P", bound=asyncio.Protocol)

CLOSED: Final = Fault(Blame.PROXY, "the proxy closed the connection")
SLOW: Final = Fault(Blame.PROXY, "the proxy does not answer")
_ERRORS: Final = {Blame.REFUSED: errno.ECONNREFUSED, Blame.UNREACHABLE: errno.EHOSTUNREACH}


class Opening(Protocol):
    """What is said to a proxy before the connection is that to the host; `wire/socks.Socks`."""

    done: bool
    asking: bool
    fault: Fault | None
    rest: bytes

    def data_to_send(self) -> bytes: ...

    def receive(self, data: bytes) -> None: ...


class Told:
    """A proxy which is told where to connect, and answers nothing: HAProxy's protocol."""

    fault: Fault | None = None
    asking = True
    done = True

    def __init__(self, header: bytes) -> None:
        self._header = header
        self.rest = b""

    def data_to_send(self) -> bytes:
        header, self._header = self._header, b""
        return header

    def receive(self, data: bytes) -> None:
        """Take what comes: it is the host's."""
        self.rest += data


class _Guide(asyncio.Protocol):
    """Speaks with the proxy until the way is open."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self.opened: asyncio.Future[Fault | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._go_on()

    def data_received(self, data: bytes) -> None:
        self._opening.receive(data)
        self._go_on()

    def _go_on(self) -> None:
        opening = self._opening
        if out := opening.data_to_send():
            self._transport.write(out)
        if opening.done and not self.opened.done():
            # Whoever waits runs later than this; until then what comes has nobody to go to.
            self._transport.pause_reading()
        if (opening.done or opening.fault is not None) and not self.opened.done():
            self.opened.set_result(opening.fault)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(CLOSED)


async def connect_by(
    factory: Callable[[], P],
    proxy: tuple[str, int],
    opening: Opening,
    *,
    within: float,
    buffers: Buffers = BY_THE_SYSTEM,
) -> tuple[asyncio.Transport, P]:
    """Connect to the host which `opening` names by a proxy at an address and port.

    Raises:
        ProxyError: the proxy cannot be reached, or does not do its part.
        NoRouteError: it has no way to the host's family of addresses.
        ShortageError: no descriptor, port or memory is left here.
        TimeoutError: the host did not answer in so many seconds (`within`), all in all.
        OSError: what else the proxy says of the host.
    """
    deadline = asyncio.get_running_loop().time() + within
    transport, guide = await _reached(opening, proxy, within, buffers)
    try:
        fault = await _outcome(guide, opening, deadline)
    except BaseException:  # Who gives up, too; it is raised again.
        transport.abort()
        raise
    if fault is not None or transport.is_closing():
        transport.abort()
        raise _error(fault or CLOSED, proxy)
    protocol = factory()
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    if opening.rest and not transport.is_closing():
        protocol.data_received(opening.rest)
    transport.resume_reading()
    return transport, protocol


async def _outcome(guide: _Guide, opening: Opening, deadline: float) -> Fault | None:
    try:
        async with asyncio.timeout_at(deadline):
            return await guide.opened
    except TimeoutError:
        if opening.asking:
            raise  # It is the host who is slow.
        return SLOW


async def reachable(proxy: tuple[str, int], within: float) -> None:
    """Look whether a proxy takes connections. Raises ProxyError, ShortageError."""
    transport, _ = await _reached(Told(b""), proxy, within, BY_THE_SYSTEM)
    transport.abort()


async def _reached(
    opening: Opening, proxy: tuple[str, int], within: float, buffers: Buffers
) -> tuple[asyncio.Transport, _Guide]:
    try:
        return await address.connect(
            lambda: _Guide(opening), *proxy, within=within, buffers=buffers
        )
    except ShortageError:
        raise
    except TimeoutError as error:
        raise _error(SLOW, proxy) from error
    except AddressError as error:
        raise _error(Fault(Blame.PROXY, error.message), proxy) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise _error(Fault(Blame.PROXY, reason), proxy) from error


def _error(fault: Fault, proxy: tuple[str, int]) -> Exception:
    host, port = proxy
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if fault.blame is Blame.PROXY:
        return ProxyError(f"proxy {place}: {fault.reason}")
    if fault.blame is Blame.FAMILY:
        return NoRouteError(fault.reason, proxy=place)
    if fault.blame is Blame.SLOW:
        return TimeoutError(fault.reason)
    number = _ERRORS[fault.blame]
    return OSError(number, os.strerror(number))
