"""The client's side of SOCKS version 5 (RFC 1928), with user name and password (RFC 1929).

    socks = Socks(("192.0.2.1", 25), ("user", "password"))
    socks.data_to_send()       octets for the proxy, once
    socks.receive(octets)      what it said
    socks.done                 the connection is there; `rest` are the first octets of the host
    socks.fault                there will be none, and why: the proxy's doing, or the host's

Only CONNECT, and only to addresses: names are looked up here, as who is connected to is policy.
The rule of progress: one answer is awaited at a time, and what it says decides what is said next.
"""

import enum
import ipaddress
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 255  # octets of a user name, and of a password
_VERSION: Final = 5
_PLAIN, _BY_NAME, _NOTHING = 0x00, 0x02, 0xFF  # methods of authentication
_CONNECT: Final = 1
_V4, _NAME, _V6 = 1, 3, 4


class Blame(enum.Enum):
    """Whose doing it is that there is no connection."""

    PROXY = "proxy"
    FAMILY = "family"  # the proxy has no way to addresses of that kind
    REFUSED = "refused"  # by the host
    UNREACHABLE = "unreachable"  # the host
    SLOW = "slow"  # the host


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no connection."""

    blame: Blame
    reason: str


# RFC 1928 section 6. What may be the doing of either is taken for the proxy's, as the words say.
REPLIES: Final = {
    1: Fault(Blame.PROXY, "general failure of the proxy"),
    2: Fault(Blame.PROXY, "not allowed by the rules of the proxy"),
    3: Fault(Blame.FAMILY, "the proxy has no route to the network"),
    4: Fault(Blame.UNREACHABLE, "host unreachable"),
    5: Fault(Blame.REFUSED, "connection refused"),
    6: Fault(Blame.SLOW, "time to live expired"),
    7: Fault(Blame.PROXY, "the proxy knows no CONNECT"),
    8: Fault(Blame.FAMILY, "the proxy does not know addresses of this family"),
}
BROKEN: Final = Fault(Blame.PROXY, "what answers does not speak SOCKS 5")


class Socks:
    """One connection to be opened.

    Args:
        host: address and port.
        user: name and password; None: it is not told who we are. Raises ValueError if either is
            too long, or the name is empty.
    """

    __slots__ = ("_next", "_octets", "_out", "_request", "_user", "asking", "done", "fault", "rest")

    def __init__(self, host: tuple[str, int], user: tuple[str, str] | None = None) -> None:
        address = ipaddress.ip_address(host[0])
        kind = _V4 if address.version == 4 else _V6
        self._request = struct.pack("!BBBB", _VERSION, _CONNECT, 0, kind) + address.packed
        self._request += struct.pack("!H", host[1])
        self._user = None if user is None else _named(*user)
        methods = bytes([_PLAIN] if user is None else [_PLAIN, _BY_NAME])
        self._out = bytes([_VERSION, len(methods)]) + methods
        self._octets = b""
        self._next: Callable[[], bool] = self._method
        self.done = False
        self.asking = False  # the proxy connects to the host: from here on it is that which is slow
        self.fault: Fault | None = None
        self.rest = b""

    def data_to_send(self) -> bytes:
        """Return, once, what is to be sent now."""
        out, self._out = self._out, b""
        return out

    def receive(self, data: bytes) -> None:
        """Take octets of the proxy. Whatever they are, nothing is raised."""
        self._octets += data
        while self.fault is None and not self.done and self._next():
            pass
        if self.done:
            self.rest += self._octets
            self._octets = b""

    # Each returns whether its answer was whole.

    def _method(self) -> bool:
        if not self._begins(_VERSION) or len(self._octets) < 2:
            return False
        method, self._octets = self._octets[1], self._octets[2:]
        if method == _BY_NAME and self._user is not None:
            self._out += self._user
            self._next = self._known
        elif method == _PLAIN:
            self._ask()
        elif method == _NOTHING:
            wants = "wants to know who we are" if self._user is None else "knows no way to log in"
            self.fault = Fault(Blame.PROXY, f"the proxy {wants}")
        else:
            self.fault = BROKEN
        return True

    def _known(self) -> bool:
        if not self._begins(1) or len(self._octets) < 2:
            return False
        status, self._octets = self._octets[1], self._octets[2:]
        if status:
            self.fault = Fault(Blame.PROXY, "the proxy refuses our name and password")
        else:
            self._ask()
        return True

    def _ask(self) -> None:
        self._out += self._request
        self._next = self._answer
        self.asking = True

    def _answer(self) -> bool:
        if not self._begins(_VERSION) or len(self._octets) < 5:
            return False
        _, code, _, kind, first = self._octets[:5]
        sizes = {_V4: 4, _V6: 16, _NAME: 1 + first}
        if code:
            # What follows is of no use, and some proxies leave it out.
            unknown = Fault(Blame.PROXY, f"the proxy says {code}, which means nothing")
            self.fault = REPLIES.get(code, unknown)
        elif kind not in sizes:
            self.fault = BROKEN
        elif len(self._octets) >= (size := 4 + sizes[kind] + 2):
            self._octets = self._octets[size:]
            self.done = True
        else:
            return False
        return True

    def _begins(self, version: int) -> bool:
        if self._octets[:1] not in (b"", bytes([version])):
            self.fault = BROKEN
        return self.fault is None


def _named(name: str, password: str) -> bytes:
    octets = name.encode(), password.encode()
    if not octets[0] or any(len(each) > LONGEST for each in octets):
        raise ValueError(f"a name has 1 to {LONGEST} octets, a password {LONGEST} at most")
    return b"\1" + b"".join(bytes([len(each)]) + each for each in octets)
