"""Stands in front of a protocol while a proxy says who the client is: its PROXY header.

    connection -> Front (reads the header) -> the protocol, with a transport which names the client

What comes before anything else is read by something that is not there any more afterwards: the
protocol, be it TLS or SMTP or HTTP, is made when the header is whole, and finds in
`get_extra_info` the addresses which the proxy told. Without a header, or with a bad one, the
connection is closed without a word, and no protocol was ever made.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, cast

from angarium.wire.proxy import Header, HeaderError, parse

OUTCOMES: Final = ("client", "unnamed", "bad", "late", "closed", "crowded")
PROXIED: Final = "proxied"  # get_extra_info: the header, for who has to know that there was one


class Seat(Protocol):
    """A place among those which may connect; see `inbound/limits`."""

    def leave(self) -> None: ...


class Free:
    """A place which nobody counts."""

    def leave(self) -> None:
        """It was never taken."""


FREE: Final = Free()


def _free(_address: str) -> Seat:
    return FREE


def _ignored(_outcome: str) -> None:
    """Nobody counts what becomes of connections."""


class Proxied(asyncio.Transport):
    """The transport of a connection which a proxy brought.

    What came behind the header is given to the protocol when that reads.
    """

    _start_tls_compatible = True  # asyncio looks for it before it puts its own TLS on

    def __init__(self, transport: asyncio.Transport, header: Header, rest: bytes) -> None:
        super().__init__()
        self._transport = transport
        self._rest = rest
        told: dict[str, Any] = {PROXIED: header}
        if header.source is not None:
            told |= {"peername": header.source, "sockname": header.destination}
        self._told = told

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name in self._told:
            return self._told[name]
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._transport.get_protocol()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def is_reading(self) -> bool:
        return self._transport.is_reading()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()
        if self._rest:
            # Not from here: who resumes may be at work on something.
            asyncio.get_running_loop().call_soon(self.give_rest)

    def give_rest(self) -> None:
        """Give the protocol, whoever that is by now, what came behind the header."""
        if self._rest and self._transport.is_reading() and not self._transport.is_closing():
            rest, self._rest = self._rest, b""
            cast(asyncio.Protocol, self._transport.get_protocol()).data_received(rest)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high=high, low=low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._transport.get_write_buffer_limits()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self._transport.writelines(list_of_data)

    def can_write_eof(self) -> bool:
        return self._transport.can_write_eof()

    def write_eof(self) -> None:
        self._transport.write_eof()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


class Hall:
    """Where the connections of one listening socket wait until their headers are whole.

    Args:
        seconds: by the address of who connects: how long its header is waited for, 0 for ever;
            None, it sends none.
        most: of them at once; further ones are closed.
        seat: counts one which waits; None: there is no room for it.
        note: called with one of OUTCOMES for each which has waited.
    """

    def __init__(
        self,
        seconds: Callable[[str], float | None],
        *,
        most: int,
        seat: Callable[[str], Seat | None] = _free,
        note: Callable[[str], None] = _ignored,
    ) -> None:
        self.seconds = seconds
        self.most = most
        self.seat = seat
        self.note = note
        self.waiting: set[Front] = set()

    def fronted(
        self, factory: Callable[[], asyncio.BaseProtocol]
    ) -> Callable[[], asyncio.BaseProtocol]:
        """Return what makes the front of a protocol, for a factory of protocols."""
        return lambda: Front(self, factory)

    def close(self) -> None:
        """Close what waits: who has not said whom it brings goes to another worker."""
        for each in list(self.waiting):
            each.end("closed")


class Front(asyncio.Protocol):
    """One connection until its header is whole."""

    __slots__ = ("_factory", "_hall", "_octets", "_seat", "_timer", "_transport")

    def __init__(self, hall: Hall, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        self._hall = hall
        self._factory = factory
        self._octets = b""
        self._seat: Seat | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        hall = self._hall
        address = _address(transport.get_extra_info("peername"))
        seconds = hall.seconds(address)
        if seconds is None:
            self._make(self._transport)
            return
        hall.waiting.add(self)
        if len(hall.waiting) <= hall.most:
            self._seat = hall.seat(address)
        if self._seat is None:
            self.end("crowded")
        elif seconds:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self.end, "late")

    def data_received(self, data: bytes) -> None:
        if self not in self._hall.waiting:
            return
        self._octets += data
        try:
            header = parse(self._octets)
        except HeaderError:
            self.end("bad")
            return
        if header is None:
            return
        self._leave("unnamed" if header.source is None else "client")
        proxied = Proxied(self._transport, header, self._octets[header.octets :])
        self._make(proxied)
        proxied.give_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self._hall.waiting:
            self._leave("closed")

    def end(self, outcome: str) -> None:
        """Close it without a word."""
        self._leave(outcome)
        self._transport.close()

    def _leave(self, outcome: str) -> None:
        self._hall.waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._seat is not None:
            self._seat.leave()
        self._hall.note(outcome)

    def _make(self, transport: asyncio.Transport) -> None:
        """Let the protocol have the connection, as if it had just been made."""
        protocol = self._factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


def _address(name: object) -> str:
    """Return the address of a socket name, "" of a Unix socket."""
    if not isinstance(name, tuple):
        return ""
    host = str(name[0])
    # A client of IPv4 on a socket for both families; the zone of a link-local address.
    return host.removeprefix("::ffff:") if "." in host else host.partition("%")[0]
