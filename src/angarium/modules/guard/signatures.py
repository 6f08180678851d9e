"""Which system sends such a SYN: what is generally known of how each one begins a connection.

    recognized(syn)       genre, detail and distance; None: no signature fits

A system is known by the first TTL it gives (64 or 128, of which each router takes one), by the
options and their order, and then, for the detail, by its window. The table is ours, from what the
systems' sources and documents say; it names families, and is right where nobody pretends: a
firewall or a proxy in between rewrites what it likes, and who wants to looks like another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from angarium.inbound.systems import System
from angarium.wire.syn import Syn

FIRST_TTLS: Final = (32, 64, 128, 255)
# Routers a path may have; what seems further away began with another TTL than we think.
FARTHEST: Final = 40


@dataclass(frozen=True, slots=True)
class Signature:
    """How a system begins.

    Attributes:
        ttl: its first one.
        layout: of its options, see `wire/syn`.
        detail: which version it is, by the rest.
    """

    genre: str
    ttl: int
    layout: str
    detail: Callable[[Syn], str]


def _linux(syn: Syn) -> str:
    """By its first window.

    It was 4 segments, 10 from 2.6.39 on, 20 from 3.11 on, and as many as go into 65535 octets from
    4.20 on, when the first buffer grew to 128 KiB.
    """
    mss = syn.mss or 1
    if syn.window == 65535 - 65535 % mss:
        return "4.20 and later"
    for segments, versions in ((20, "3.11 to 4.19"), (10, "2.6.39 to 3.10"), (4, "2.4 or 2.6")):
        if syn.window == segments * mss:
            return versions
    return "other, or Android" if syn.window == 65535 else "other"


def _windows(syn: Syn) -> str:
    return "Vista to 8.1" if syn.window == 8192 else "10, 11, Server 2016 and later"


def _windows_nt5(syn: Syn) -> str:
    return {16384: "2000", 64240: "XP or Server 2003", 65535: "XP or Server 2003"}.get(
        syn.window, "2000, XP or Server 2003"
    )


def _freebsd(syn: Syn) -> str:
    return "9 and later" if syn.scale >= 6 else "5 to 8"


def _macos(syn: Syn) -> str:
    return "10.9 and later, or iOS" if syn.scale >= 4 else "10.4 to 10.8, or iOS"


def _openbsd(syn: Syn) -> str:
    return {0: "3 or 4", 3: "4 or 5", 6: "5 and later"}.get(syn.scale, "other")


def _any(_syn: Syn) -> str:
    return ""


SIGNATURES: Final = (
    Signature("Linux", 64, "M,S,T,N,W", _linux),
    Signature("Linux", 64, "M,N,N,S,N,W", _linux),  # without timestamps
    Signature("Linux", 64, "M,S,T", _linux),  # without scaling
    Signature("Windows", 128, "M,N,W,N,N,S", _windows),
    Signature("Windows", 128, "M,N,W,S,T", _windows),  # with timestamps
    Signature("Windows", 128, "M,N,N,S", _windows_nt5),
    Signature("Windows", 128, "M,N,W,N,N,T,N,N,S", _windows_nt5),  # with timestamps
    Signature("FreeBSD", 64, "M,N,W,S,T", _freebsd),
    Signature("FreeBSD", 64, "M,N,W,S,E", _freebsd),  # without timestamps
    Signature("MacOS", 64, "M,N,W,N,N,T,S,E", _macos),
    Signature("OpenBSD", 64, "M,N,N,S,N,W,N,N,T", _openbsd),
    Signature("Solaris", 64, "M,N,W,N,N,S", _any),
)
_KNOWN: Final = {(each.ttl, each.layout): each for each in SIGNATURES}


def distance(syn: Syn) -> tuple[int, int]:
    """Return the first TTL which a SYN seems to have had, and how many routers took one."""
    first = next(each for each in FIRST_TTLS if syn.ttl <= each)
    return first, first - syn.ttl


def recognized(syn: Syn) -> System | None:
    """Return the system which begins like this."""
    first, away = distance(syn)
    found = _KNOWN.get((first, syn.layout))
    if found is None or away > FARTHEST or syn.quirks:
        return None
    if syn.version == 4 and not syn.df:  # All of these look for the path's largest packet.
        return None
    return System(found.genre, found.detail(syn), away)
