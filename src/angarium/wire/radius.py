"""RADIUS (RFC 2865), the client's side, without I/O: a question with a password, and its answer.

    asked = request(7, authenticator, secret, [text(USER_NAME, "tim"), ...], password)
    answer = response(octets, 7, authenticator, secret)

An attribute Message-Authenticator (RFC 2869 section 5.14) is the first one of a question. An answer
which has one is made by who knows the secret; one which has none may be forged by who stands
between (CVE-2024-3596), so it is told which it is.
"""

import enum
import hashlib
import hmac
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from angarium.core.errors import Error

MAX_PACKET: Final = 4096  # RFC 2865 section 3
MAX_PASSWORD: Final = 128  # section 5.2
MAX_VALUE: Final = 253
_HEADER: Final = 20
_BLOCK: Final = 16

USER_NAME: Final = 1
USER_PASSWORD: Final = 2
NAS_IP_ADDRESS: Final = 4
SERVICE_TYPE: Final = 6
REPLY_MESSAGE: Final = 18
CALLING_STATION_ID: Final = 31
NAS_IDENTIFIER: Final = 32
MESSAGE_AUTHENTICATOR: Final = 80
NAS_IPV6_ADDRESS: Final = 95  # RFC 3162
AUTHENTICATE_ONLY: Final = 8  # a Service-Type

Attribute = tuple[int, bytes]


class Code(enum.IntEnum):
    REQUEST = 1
    ACCEPT = 2
    REJECT = 3
    CHALLENGE = 11


class RadiusError(Error):
    """Octets are no answer to what was asked, or something cannot be asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has said. `sealed`: it has a Message-Authenticator."""

    code: Code
    attributes: tuple[Attribute, ...]
    sealed: bool

    @property
    def message(self) -> str:
        """Return what it has to say to people."""
        said = [value for kind, value in self.attributes if kind == REPLY_MESSAGE]
        return b"".join(said).decode("utf-8", "replace")


def text(kind: int, value: str) -> Attribute:
    """Return an attribute. Raises RadiusError: it is too long, or empty."""
    octets = value.encode()
    if not 1 <= len(octets) <= MAX_VALUE:
        raise RadiusError("an attribute has 1 to 253 octets", attribute=kind)
    return kind, octets


def number(kind: int, value: int) -> Attribute:
    return kind, value.to_bytes(4, "big")


def address(value: str) -> Attribute:
    """Return the attribute of the address of this server, of either family."""
    found = ipaddress.ip_address(value)
    return (NAS_IP_ADDRESS if found.version == 4 else NAS_IPV6_ADDRESS), found.packed


def request(
    ident: int,
    authenticator: bytes,
    secret: bytes,
    attributes: Sequence[Attribute],
    password: str,
) -> bytes:
    """Return a question.

    Args:
        ident: 0 to 255; the answer has it.
        authenticator: 16 octets which nobody can guess, and which are never used again.

    Raises:
        RadiusError: the password is too long.
    """
    octets = password.encode()
    if len(octets) > MAX_PASSWORD:
        raise RadiusError("a password has 128 octets at most", attribute=USER_PASSWORD)
    hidden = (USER_PASSWORD, concealed(octets, authenticator, secret))
    body = _written([(MESSAGE_AUTHENTICATOR, bytes(_BLOCK)), *attributes, hidden])
    packet = _head(Code.REQUEST, ident, len(body)) + authenticator + body
    if len(packet) > MAX_PACKET:
        raise RadiusError("the question is too long")
    seal = hmac.digest(secret, packet, "md5")
    return packet[: _HEADER + 2] + seal + packet[_HEADER + 2 + _BLOCK :]


def concealed(password: bytes, authenticator: bytes, secret: bytes) -> bytes:
    """Return a password as it goes over the wire (RFC 2865 section 5.2)."""
    padded = password.ljust(max(_BLOCK, -(-len(password) // _BLOCK) * _BLOCK), b"\0")
    found, before = b"", authenticator
    for at in range(0, len(padded), _BLOCK):
        mask = _md5(secret + before)
        before = bytes(a ^ b for a, b in zip(padded[at : at + _BLOCK], mask, strict=True))
        found += before
    return found


def response(octets: bytes, ident: int, authenticator: bytes, secret: bytes) -> Answer:
    """Return what the server says.

    Raises:
        RadiusError: this is no answer to that question by who knows the secret.
    """
    size = int.from_bytes(octets[2:4], "big")
    if not _HEADER <= size <= min(len(octets), MAX_PACKET):
        raise RadiusError("no packet")
    packet = octets[:size]  # RFC 2865 section 3: what is beyond is padding
    if packet[1] != ident:
        raise RadiusError("the answer to another question")
    proof = _md5(packet[:4] + authenticator + packet[_HEADER:] + secret)
    if not hmac.compare_digest(proof, packet[4:_HEADER]):
        raise RadiusError("an answer by somebody else, or with another secret")
    try:
        code = Code(packet[0])
    except ValueError:
        raise RadiusError("an answer which is none", code=packet[0]) from None
    places = list(_places(packet))
    sealed = False
    for at in (at for at in places if packet[at] == MESSAGE_AUTHENTICATOR):
        _check_seal(packet, at, authenticator, secret)
        sealed = True
    found = tuple((packet[at], packet[at + 2 : at + packet[at + 1]]) for at in places)
    return Answer(code, found, sealed)


def _check_seal(packet: bytes, at: int, authenticator: bytes, secret: bytes) -> None:
    start, end = at + 2, at + packet[at + 1]
    unsealed = packet[:4] + authenticator + packet[_HEADER:start] + bytes(_BLOCK) + packet[end:]
    seal = hmac.digest(secret, unsealed, "md5")
    if end - start != _BLOCK or not hmac.compare_digest(seal, packet[start:end]):
        raise RadiusError("the Message-Authenticator is not that of the answer")


def _places(packet: bytes) -> Iterator[int]:
    """Yield where each attribute begins. Raises RadiusError."""
    at = _HEADER
    while at < len(packet):
        size = packet[at + 1] if at + 1 < len(packet) else 0
        if size < 2 or at + size > len(packet):
            raise RadiusError("an attribute which does not end")
        yield at
        at += size


def _written(attributes: Sequence[Attribute]) -> bytes:
    return b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)


def _head(code: Code, ident: int, size: int) -> bytes:
    return bytes((code, ident)) + (_HEADER + size).to_bytes(2, "big")


def _md5(octets: bytes) -> bytes:
    return hashlib.md5(octets, usedforsecurity=False).digest()
