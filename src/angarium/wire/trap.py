"""A trap of SNMP version 2c, as octets (RFC 3416 section 4.2.6, RFC 1901, X.690).

One trap with one variable, for who tells somebody of something without an engine of SNMP.
"""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Final

SYS_UPTIME: Final = (1, 3, 6, 1, 2, 1, 1, 3, 0)
TRAP_OID: Final = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_INTEGER, _OCTETS, _OID, _SEQUENCE, _TRAP = 0x02, 0x04, 0x06, 0x30, 0xA7
_ADDRESS, _COUNTER, _GAUGE, _TICKS = 0x40, 0x41, 0x42, 0x43
# Types of values, as scripts and alerts name them.
TYPES: Final[Mapping[str, int]] = {
    "string": _OCTETS, "counter": _COUNTER, "gauge": _GAUGE, "ip": _ADDRESS,
}  # fmt: skip
VERSION_2C: Final = 1


def oid(text: str) -> tuple[int, ...]:
    """Return an object identifier. Raises ValueError if it is none."""
    parts = text.strip().strip(".").split(".")
    if not all(part.isascii() and part.isdecimal() and len(part) < 11 for part in parts):
        raise ValueError(f"'{text}' is no object identifier")
    numbers = tuple(map(int, parts))
    if len(numbers) < 2 or numbers[0] > 2 or (numbers[0] < 2 and numbers[1] > 39):
        raise ValueError(f"'{text}' is no object identifier")
    return numbers


def trap(
    community: bytes,
    which: Sequence[int],
    variable: Sequence[int],
    kind: str,
    value: bytes | int,
    *,
    ticks: int,
    request: int,
) -> bytes:
    """Return the datagram.

    Args:
        which, variable: identifiers of the trap, and of what it tells.
        kind: of TYPES.
        value: octets of a string; dotted octets of an address; else a number of 32 bits.
        ticks: hundredths of seconds since we have been there.

    Raises:
        ValueError: the value is not of that type.
    """
    binds = [
        _bind(SYS_UPTIME, _number(_TICKS, ticks & 0xFFFFFFFF)),
        _bind(TRAP_OID, _tagged(_OID, _identifier(which))),
        _bind(variable, _value(kind, value)),
    ]
    pdu = [_number(_INTEGER, request & 0x7FFFFFFF), _number(_INTEGER, 0), _number(_INTEGER, 0)]
    pdu.append(_tagged(_SEQUENCE, b"".join(binds)))
    message = [_number(_INTEGER, VERSION_2C), _tagged(_OCTETS, community)]
    return _tagged(_SEQUENCE, b"".join([*message, _tagged(_TRAP, b"".join(pdu))]))


def _value(kind: str, value: bytes | int) -> bytes:
    tag = TYPES.get(kind)
    if tag is None:
        raise ValueError(f"'{kind}' is none of {', '.join(TYPES)}")
    if tag in (_COUNTER, _GAUGE):
        if not isinstance(value, int) or not 0 <= value < 1 << 32:
            raise ValueError(f"a {kind} is a number of 0 to 4294967295")
        return _number(tag, value)
    octets = value if isinstance(value, bytes) else None
    if octets is None:
        raise ValueError(f"the value of type {kind} is a string")
    if tag == _ADDRESS:
        try:
            octets = IPv4Address(octets.decode("ascii")).packed
        except ValueError:
            raise ValueError(f"{value!r} is no IPv4 address") from None
    return _tagged(tag, octets)


def _bind(name: Sequence[int], value: bytes) -> bytes:
    return _tagged(_SEQUENCE, _tagged(_OID, _identifier(name)) + value)


def _identifier(numbers: Sequence[int]) -> bytes:
    out = bytearray()
    for number in (40 * numbers[0] + numbers[1], *numbers[2:]):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(number & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return bytes(out)


def _number(tag: int, value: int) -> bytes:
    return _tagged(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _tagged(tag: int, octets: bytes) -> bytes:
    size = len(octets)
    if size < 128:
        return bytes((tag, size)) + octets
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + octets
