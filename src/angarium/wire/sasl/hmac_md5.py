"""What may be kept for CRAM-MD5 in the place of a password: the two states of HMAC-MD5.

RFC 2104 section 4: a key is used by two blocks alone, so the states of MD5 after them are as good
as the key. They are written as Dovecot writes them: the outer, then the inner one, 64 digits.
"""

import math
import struct
from typing import Final

_BLOCK: Final = 64
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
# RFC 1321 section 3.4.
_SINES: Final = tuple(int(abs(math.sin(i + 1)) * 2**32) for i in range(64))
_TURNS: Final = (7, 12, 17, 22) * 4 + (5, 9, 14, 20) * 4 + (4, 11, 16, 23) * 4 + (6, 10, 15, 21) * 4
_MASK: Final = 0xFFFFFFFF
State = tuple[int, int, int, int]


def contexts(password: str) -> str:
    """Return what is kept of a password."""
    key = password.encode()
    if len(key) > _BLOCK:
        key = _finished(_START, key, 0)
    key = key.ljust(_BLOCK, b"\0")
    outer, inner = (_block(_START, bytes(each ^ pad for each in key)) for pad in (0x5C, 0x36))
    return (struct.pack("<4I", *outer) + struct.pack("<4I", *inner)).hex()


def proof(kept: str, challenge: bytes) -> str:
    """Return what proves the password of which this is kept; "" if it is no such thing."""
    try:
        octets = bytes.fromhex(kept)
    except ValueError:
        return ""
    if len(octets) != 32:
        return ""
    outer, inner = struct.unpack("<4I", octets[:16]), struct.unpack("<4I", octets[16:])
    return _finished(outer, _finished(inner, challenge, _BLOCK), _BLOCK).hex()


def _finished(state: State, data: bytes, before: int) -> bytes:
    """Return the hash, from a state after so many octets."""
    data += (
        b"\x80" + b"\0" * ((55 - len(data)) % _BLOCK) + struct.pack("<Q", 8 * (before + len(data)))
    )
    for at in range(0, len(data), _BLOCK):
        state = _block(state, data[at : at + _BLOCK])
    return struct.pack("<4I", *state)


def _block(state: State, block: bytes) -> State:
    words = struct.unpack("<16I", block)
    a, b, c, d = state
    for i in range(64):
        if i < 16:
            f, word = (b & c) | (~b & d), i
        elif i < 32:
            f, word = (d & b) | (~d & c), 5 * i + 1
        elif i < 48:
            f, word = b ^ c ^ d, 3 * i + 5
        else:
            f, word = c ^ (b | (~d & _MASK)), 7 * i
        turned = (a + f + _SINES[i] + words[word % 16]) & _MASK
        turned = (turned << _TURNS[i] | turned >> (32 - _TURNS[i])) & _MASK
        a, d, c, b = d, c, b, (b + turned) & _MASK
    first, second, third, fourth = state
    return (first + a) & _MASK, (second + b) & _MASK, (third + c) & _MASK, (fourth + d) & _MASK
