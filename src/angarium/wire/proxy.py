"""The PROXY header, versions 1 and 2: what a proxy says of a connection before its first octet.

    parse(octets)                      the header at their beginning, None while it is not whole
    encode(source, destination)        version 2, for proxies we send through
    encode_line(source, destination)   version 1

As HAProxy's proxy-protocol.txt has it. The rule: a header is right to the last octet or it is none
at all, for what comes behind it is taken for the client's own words, and its address for true.
"""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
LINE: Final = b"PROXY "
LONGEST_LINE: Final = 107  # octets of version 1, with its line end (section 2.1)
# Octets of version 2. It may have 65,551, but no proxy sends so many: what it adds to the
# addresses are names and certificates; HAProxy itself takes one buffer, which is as much.
LONGEST: Final = 16384

_HEAD: Final = struct.Struct("!12sBBH")
_TLV: Final = struct.Struct("!BH")
_LOCAL, _PROXY = 0x20, 0x21  # version 2, and the command
_TCP4, _TCP6 = 0x11, 0x21
# Octets of the addresses, for each family and transport there is (section 2.2).
_SIZES: Final = {0x00: 0, _TCP4: 12, 0x12: 12, _TCP6: 36, 0x22: 36, 0x31: 216, 0x32: 216}
_CRC32C, _NOOP = 0x03, 0x04

Place = tuple[str, int]  # an address in normal form, and a port


class HeaderError(Exception):
    """The octets begin with no PROXY header."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a proxy said.

    Attributes:
        octets: how many of those that came belong to it.
        source: the client; None: the proxy speaks for itself, or for who has no IP address.
        destination: where the client connected to, with `source`.
        notes: what stands behind the addresses, by type.
    """

    octets: int
    source: Place | None = None
    destination: Place | None = None
    notes: tuple[tuple[int, bytes], ...] = ()


def parse(octets: bytes) -> Header | None:
    """Return the header; None: the rest of it has not come yet.

    Raises HeaderError as soon as nothing can make a header of it.
    """
    if octets[:12] == SIGNATURE[: len(octets)]:
        return _binary(octets)
    if octets[:6] == LINE[: len(octets)]:
        return _line(octets)
    raise HeaderError("it begins otherwise")


def encode(source: Place, destination: Place) -> bytes:
    """Return version 2 for a connection of TCP. Raises ValueError: the families differ."""
    first, last = ipaddress.ip_address(source[0]), ipaddress.ip_address(destination[0])
    if first.version != last.version:
        raise ValueError("source and destination are of one family")
    kind = _TCP4 if first.version == 4 else _TCP6
    head = _HEAD.pack(SIGNATURE, _PROXY, kind, _SIZES[kind])
    return head + first.packed + last.packed + struct.pack("!HH", source[1], destination[1])


def encode_line(source: Place, destination: Place) -> bytes:
    """Return version 1. Raises ValueError: the families differ."""
    first, last = ipaddress.ip_address(source[0]), ipaddress.ip_address(destination[0])
    if first.version != last.version:
        raise ValueError("source and destination are of one family")
    return f"PROXY TCP{first.version} {first} {last} {source[1]} {destination[1]}\r\n".encode()


# Version 1.


def _line(octets: bytes) -> Header | None:
    end = octets.find(b"\r\n", 0, LONGEST_LINE)
    if end < 0:
        if len(octets) >= LONGEST_LINE:
            raise HeaderError("a line is longer than 107 octets")
        return None
    size = end + 2
    words = octets[:end].split(b" ")
    if len(words) > 1 and words[1] == b"UNKNOWN":
        return Header(size)  # Whatever stands behind it is to be ignored.
    version = {b"TCP4": 4, b"TCP6": 6}.get(words[1]) if len(words) == 6 else None
    if version is None:
        raise HeaderError("a line is PROXY TCP4 or TCP6, two addresses and two ports, or UNKNOWN")
    source, destination = (
        (_address(words[each], version), _port(words[each + 2])) for each in (2, 3)
    )
    return Header(size, source, destination)


def _address(word: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(word.decode("ascii"))
    except ValueError:
        raise HeaderError("a line has no two addresses") from None
    if address.version != version or b"%" in word:
        raise HeaderError("an address is of another family than the line says")
    return _plain(address)


def _port(word: bytes) -> int:
    # Without leading zeros; int() alone would take signs, spaces and digits of other scripts.
    if not word.isdigit() or len(word) > 5 or (word[:1] == b"0" and word != b"0"):
        raise HeaderError("a line has no two ports")
    port = int(word)
    if port > 65535:
        raise HeaderError("a port is more than 65535")
    return port


# Version 2.


def _binary(octets: bytes) -> Header | None:
    if len(octets) < _HEAD.size:
        _promising(octets)
        return None
    _, command, kind, size = _HEAD.unpack_from(octets)
    _promising(octets)
    whole = _HEAD.size + size
    if whole > LONGEST:
        raise HeaderError(f"a header has {whole} octets, more than {LONGEST}")
    if size < _SIZES[kind] and command == _PROXY:
        raise HeaderError("a header is too short for its addresses")
    if len(octets) < whole:
        return None
    if command == _LOCAL:
        # Family and what follows are to be ignored, says section 2.2; a checksum is the header's.
        _checked(octets[:whole], _notes(octets[:whole], _SIZES[kind], strict=False))
        return Header(whole)
    notes = _notes(octets[:whole], _SIZES[kind], strict=True)
    _checked(octets[:whole], notes)
    known = tuple((each, value) for each, value, _ in notes)
    if kind not in (_TCP4, _TCP6):
        return Header(whole, notes=known)
    source, destination = _addresses(octets[_HEAD.size : _HEAD.size + _SIZES[kind]])
    return Header(whole, source, destination, known)


def _promising(octets: bytes) -> None:
    """Refuse what cannot become a header, by its version, command, family and transport."""
    if octets[12:13] and octets[12] not in (_LOCAL, _PROXY):
        raise HeaderError("version or command of a header is unknown")
    if octets[13:14] and octets[13] not in _SIZES:
        raise HeaderError("family or transport of a header is unknown")


def _addresses(octets: bytes) -> tuple[Place, Place]:
    size = (len(octets) - 4) // 2
    ports = struct.unpack("!HH", octets[-4:])
    first, last = octets[:size], octets[size : 2 * size]
    return (_plain(_packed(first)), ports[0]), (_plain(_packed(last)), ports[1])


def _packed(octets: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.IPv4Address(octets) if len(octets) == 4 else ipaddress.IPv6Address(octets)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return it in normal form: what is IPv4 in IPv6 has the rights of the former."""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _notes(octets: bytes, skipped: int, *, strict: bool) -> list[tuple[int, bytes, int]]:
    """Return what stands behind the addresses: type, value, and where the value begins."""
    found: list[tuple[int, bytes, int]] = []
    at = _HEAD.size + skipped
    while at < len(octets):
        if len(octets) - at < _TLV.size:
            break
        kind, size = _TLV.unpack_from(octets, at)
        at += _TLV.size
        if at + size > len(octets):
            break
        if kind != _NOOP:
            found.append((kind, octets[at : at + size], at))
        at += size
    else:
        return found
    if strict:
        raise HeaderError("what stands behind the addresses is cut off")
    return []


def _checked(octets: bytes, notes: list[tuple[int, bytes, int]]) -> None:
    """Verify the checksum, where there is one (section 2.2.3)."""
    sums = [(value, at) for kind, value, at in notes if kind == _CRC32C]
    if not sums:
        return
    value, at = sums[0]
    zeroed = octets[:at] + bytes(len(value)) + octets[at + len(value) :]
    # One of them: thousands would be work, each over all of the header.
    if len(sums) > 1 or len(value) != 4 or int.from_bytes(value, "big") != crc32c(zeroed):
        raise HeaderError("the checksum of a header is wrong")


def _table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        left = octet
        for _ in range(8):
            left = (left >> 1) ^ (0x82F63B78 if left & 1 else 0)
        table.append(left)
    return tuple(table)


_TABLE: Final = _table()


def crc32c(octets: bytes) -> int:
    """Return the checksum of RFC 4960 appendix B (Castagnoli)."""
    checksum = 0xFFFFFFFF
    for octet in octets:
        checksum = (checksum >> 8) ^ _TABLE[(checksum ^ octet) & 0xFF]
    return checksum ^ 0xFFFFFFFF
