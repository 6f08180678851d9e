"""Addresses of this machine, and connections which leave from one of them.

We connect by ourselves, as the loop's `local_addr` binds a port at once: with
IP_BIND_ADDRESS_NO_PORT the system chooses it when the destination is known, so one source address
has 28,000 ports for each destination, not in all.
"""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from angarium.core.clock import Clock
from angarium.net.errors import NoRouteError, NotLocalError, ShortageError

P = TypeVar("P", bound=asyncio.BaseProtocol)

IP_BIND_ADDRESS_NO_PORT: Final = 24  # <linux/in.h>, since Linux 4.2; not in Python's socket
ANY: Final = "*"  # bind_address: whatever the system takes
# Nothing is sent to these; connecting a datagram socket only asks the routing table. They are
# for documentation (RFC 5737, 3849), hence never a route of their own.
_FAR: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
_SHORT: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN}
_NO_ROUTE: Final = {errno.ENETUNREACH, errno.EAFNOSUPPORT}


@dataclass(frozen=True, slots=True)
class Buffers:
    """Sizes of the system's buffers of a socket in octets; 0: it knows best, and grows them."""

    receive: int = 0
    send: int = 0

    def set(self, sock: socket.socket) -> None:
        if self.receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive)
        if self.send:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send)


BY_THE_SYSTEM: Final = Buffers()


def family(address: str) -> socket.AddressFamily:
    """Return the family of an address given as text. Raises ValueError if it is none."""
    version = ipaddress.ip_address(address.partition("%")[0]).version
    return socket.AF_INET if version == 4 else socket.AF_INET6


def is_local(address: str) -> bool:
    """Say whether a connection may leave from this address; "*" may always."""
    if address == ANY:
        return True
    try:
        with socket.socket(family(address), socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        # Short of descriptors, nothing is known; and no binding is suspended for that.
        return error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENODEV}
    return True


def reaches(wanted: socket.AddressFamily, source: str = ANY) -> bool:
    """Say whether the routing table has a way out to that family, from that source address."""
    if source != ANY and family(source) != wanted:
        return False
    try:
        with socket.socket(wanted, socket.SOCK_DGRAM) as probe:
            if source != ANY:
                probe.bind((source, 0))
            probe.connect((_FAR[wanted], 9))
    except OSError as error:
        return error.errno not in _NO_ROUTE | {errno.EADDRNOTAVAIL, errno.EHOSTUNREACH}
    return True


class Families:
    """The families each source address reaches, asked anew after a while.

    A machine gets and loses IPv6 while it runs; a name without IPv4 must not wait for a restart.
    """

    __slots__ = ("_clock", "_known")

    KEPT_SECONDS: Final = 30.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, tuple[socket.AddressFamily, ...]]] = {}

    def of(self, source: str = ANY) -> tuple[socket.AddressFamily, ...]:
        """Return the families, IPv4 first."""
        now = self._clock.monotonic()
        known = self._known.get(source)
        if known is None or known[0] <= now:
            wanted = (socket.AF_INET, socket.AF_INET6)
            found = tuple(each for each in wanted if reaches(each, source))
            known = self._known[source] = (now + self.KEPT_SECONDS, found)
        return known[1]


async def connect(
    factory: Callable[[], P],
    host: str,
    port: int,
    source: str = ANY,
    *,
    within: float,
    buffers: Buffers = BY_THE_SYSTEM,
) -> tuple[asyncio.Transport, P]:
    """Connect to an IP address from a local one.

    Raises:
        NotLocalError: `source` is not on this machine.
        NoRouteError: there is no way from `source`, or this machine, to that family.
        ShortageError: no descriptor, port or memory is left.
        TimeoutError: the peer did not answer in so many seconds (`within`).
        OSError: what else came of it: refused, unreachable, reset.
    """
    loop = asyncio.get_running_loop()
    sock = _open(host, source, buffers)
    try:
        # The time is for the handshake, which is all we wait for here.
        async with asyncio.timeout(within):
            await loop.sock_connect(sock, (host, port))
        transport, protocol = await loop.create_connection(factory, sock=sock)
    except OSError as error:
        sock.close()
        raise _judged(error, host, source) from error
    except asyncio.CancelledError:
        sock.close()
        raise
    return transport, protocol


def _open(host: str, source: str, buffers: Buffers) -> socket.socket:
    wanted = family(host)
    if source != ANY and family(source) != wanted:
        raise NoRouteError("the source address is of the other family", source=source, host=host)
    try:
        sock = socket.socket(wanted, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise _judged(error, host, source) from error
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffers.set(sock)
        if source != ANY:
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise NotLocalError(
                "the source address is not on this machine", source=source
            ) from error
        raise _judged(error, host, source) from error
    return sock


def _judged(error: OSError, host: str, source: str) -> Exception:
    """Return the error as it is to be taken: ours, or the peer's."""
    if error.errno in _NO_ROUTE:
        return NoRouteError("no route to addresses of this family", host=host, source=source)
    # The port is chosen while connecting, so here this means that none is free.
    if error.errno == errno.EADDRNOTAVAIL:
        return ShortageError("no local port is free", host=host, source=source)
    if error.errno in _SHORT:
        return ShortageError(f"no connection possible: {error.strerror}", host=host)
    return error
