"""The first packet of a TCP connection: what its headers say of the system that sent it.

    parse(octets)     of an IPv4 or IPv6 header and the TCP header behind it; None: it is no SYN

RFC 791, RFC 8200, RFC 9293; options of TCP: RFC 9293 (MSS), RFC 7323 (window scale, timestamps),
RFC 2018 (SACK permitted). The rule: every length is looked at before it is believed, and what
cannot be read makes no exception, for whoever connects has written it.
"""

from dataclasses import dataclass
from typing import Final

TCP: Final = 6
FIN, SYN, RST, ACK = 1, 2, 4, 16
# Headers of IPv6 which may stand before that of TCP: hop by hop, routing, destination options.
BETWEEN: Final = frozenset({0, 43, 60})
_END, _NOP, _MSS, _SCALE, _SACK, _STAMP = 0, 1, 2, 3, 4, 8
_LETTERS: Final = {_MSS: "M", _SCALE: "W", _SACK: "S", _STAMP: "T"}
_LENGTHS: Final = {_MSS: 4, _SCALE: 3, _SACK: 2, _STAMP: 10}
_MOST: Final = 40  # options of one header: no more octets are left for them


@dataclass(frozen=True, slots=True)
class Syn:
    """A SYN.

    Attributes:
        version: of IP.
        ttl: time to live, or hop limit, as it came here.
        df: it may not be fragmented; of IPv6, where routers never do that, false.
        size: octets of its headers.
        window: as it was sent, not scaled.
        mss: the largest segment it wants; 0: it does not say.
        scale: of the window; -1: it does not say.
        layout: kinds of its options in their order: M mss, W window scale, S SACK permitted,
            T timestamps, N nop, E end of the list, ?9 one of another kind.
        zero_stamp: its timestamp is 0.
        quirks: what is odd about it: "ipopt" it has options of IP, "flags" other flags than SYN
            and those of ECN, "broken" options which cannot be read to their end.
    """

    version: int
    ttl: int
    df: bool
    size: int
    window: int
    mss: int = 0
    scale: int = -1
    layout: str = ""
    zero_stamp: bool = False
    quirks: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as one word: 4:64:1460:64240,7:M,S,T,N,W:df."""
        scale = "" if self.scale < 0 else f",{self.scale}"
        marks = [*(["df"] if self.df else []), *self.quirks]
        return (
            f"{self.version}:{self.ttl}:{self.mss or '*'}:{self.window}{scale}"
            f":{self.layout}:{','.join(marks)}"
        )


def parse(octets: bytes) -> Syn | None:
    """Return what the headers say; None where they are not those of a SYN."""
    if not octets:
        return None
    version = octets[0] >> 4
    if version == 4:
        return _v4(octets)
    return _v6(octets) if version == 6 else None


def _v4(octets: bytes) -> Syn | None:
    if len(octets) < 20 or octets[9] != TCP:
        return None
    size = 4 * (octets[0] & 15)
    fragment = int.from_bytes(octets[6:8])
    if size < 20 or fragment & 0x1FFF:  # not the first piece of it: no header of TCP
        return None
    quirks = ("ipopt",) if size > 20 else ()
    return _tcp(octets, size, 4, octets[8], bool(fragment & 0x4000), quirks)


def _v6(octets: bytes) -> Syn | None:
    if len(octets) < 40:
        return None
    kind, at = octets[6], 40
    quirks: tuple[str, ...] = ()
    while kind in BETWEEN:
        if len(octets) < at + 8:
            return None
        quirks = ("ipopt",)
        kind, at = octets[at], at + 8 * (octets[at + 1] + 1)
    if kind != TCP:  # A fragment is none either: a SYN is small.
        return None
    return _tcp(octets, at, 6, octets[7], False, quirks)


def _tcp(
    octets: bytes, at: int, version: int, ttl: int, df: bool, quirks: tuple[str, ...]
) -> Syn | None:
    if len(octets) < at + 20:
        return None
    size, flags = 4 * (octets[at + 12] >> 4), octets[at + 13]
    if size < 20 or len(octets) < at + size or not flags & SYN or flags & (ACK | RST):
        return None
    if flags & 0x3F != SYN:  # The two above are those of ECN, RFC 3168.
        quirks = (*quirks, "flags")
    found = _options(octets[at + 20 : at + size])
    if found.broken:
        quirks = (*quirks, "broken")
    window = int.from_bytes(octets[at + 14 : at + 16])
    return Syn(
        version, ttl, df, at + size, window, found.mss, found.scale, ",".join(found.layout),
        found.zero_stamp, quirks,
    )  # fmt: skip


class _Options:
    """What the options say, as far as they can be read."""

    __slots__ = ("broken", "layout", "mss", "scale", "zero_stamp")

    def __init__(self) -> None:
        self.mss, self.scale = 0, -1
        self.layout: list[str] = []
        self.broken = self.zero_stamp = False

    def take(self, kind: int, value: bytes) -> None:
        self.layout.append(_LETTERS.get(kind, f"?{kind}"))
        if kind == _MSS:
            self.mss = int.from_bytes(value)
        elif kind == _SCALE:
            self.scale = value[0]
        elif kind == _STAMP:
            self.zero_stamp = not any(value[:4])


def _options(octets: bytes) -> _Options:
    found = _Options()
    at = 0
    while at < min(len(octets), _MOST):
        kind = octets[at]
        if kind == _END:
            found.layout.append("E")
            break
        if kind == _NOP:
            found.layout.append("N")
            at += 1
            continue
        length = octets[at + 1] if at + 1 < len(octets) else 0
        if length < 2 or at + length > len(octets) or length != _LENGTHS.get(kind, length):
            found.broken = True
            break
        found.take(kind, octets[at + 2 : at + length])
        at += length
    return found
