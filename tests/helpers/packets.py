"""First packets of connections, as systems send them."""

import struct
from typing import Final

MSS, SCALE, SACK, STAMP = 2, 3, 4, 8
_KINDS: Final = {"M": MSS, "W": SCALE, "S": SACK, "T": STAMP}


def options(layout: str, mss: int = 1460, scale: int = 7, stamp: int = 99) -> bytes:
    """Return options of TCP in the order of the letters of `wire/syn`, filled up to four octets."""
    values = {
        "M": struct.pack("!BBH", MSS, 4, mss),
        "W": struct.pack("!BBB", SCALE, 3, scale),
        "S": bytes((SACK, 2)),
        "T": struct.pack("!BBII", STAMP, 10, stamp, 0),
        "N": b"\x01",
        "E": b"\x00",
    }
    made = b"".join(values[each] for each in layout.split(",") if each)
    return made + bytes(-len(made) % 4)


def tcp(opts: bytes, window: int = 64240, flags: int = 2) -> bytes:
    """Return a header of TCP."""
    length = (20 + len(opts)) // 4
    return struct.pack("!HHIIBBHHH", 40000, 25, 1, 0, length << 4, flags, window, 0, 0) + opts


def v4(segment: bytes, ttl: int = 64, *, df: bool = True, ip_options: bytes = b"") -> bytes:
    """Return it behind a header of IPv4."""
    length = 5 + len(ip_options) // 4
    total = 4 * length + len(segment)
    head = struct.pack(
        "!BBHHHBBH4s4s", 64 + length, 0, total, 7, 0x4000 * df, ttl, 6, 0,
        bytes((192, 0, 2, 9)), bytes((127, 0, 0, 1)),
    )  # fmt: skip
    return head + ip_options + segment


def v6(segment: bytes, ttl: int = 64, between: bytes = b"", following: int = 6) -> bytes:
    """Return it behind a header of IPv6, and others between the two."""
    head = struct.pack("!IHBB", 6 << 28, len(between) + len(segment), following, ttl)
    return head + bytes(32) + between + segment


def syn(layout: str, window: int = 64240, ttl: int = 64, scale: int = 7, mss: int = 1460) -> bytes:
    """Return a whole packet."""
    return v4(tcp(options(layout, mss, scale), window), ttl)
