"""What is said to p0f 2 on its socket, and what it answers: its query protocol, version 2.0.8.

    question(ident, peer, local)       octets of a question; IPv4 only, as p0f 2 knows nothing else
    answer(octets, ident)              what it says; None: it knows nothing of this connection

Both are structures of C in the order of octets of this machine, with the gaps its compiler makes
(`p0f-query.h`). One question for each connection to the socket.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

MAGIC: Final = 0x0DEFACED
FINGERPRINT: Final = 1  # the kind of question
OK, BAD_QUERY, NO_MATCH = 0, 1, 2
_QUESTION: Final = struct.Struct("=IB3xI4s4sHH")
# genre, detail, distance, link, kind of traffic, three flags; then score, flags, hours since boot.
_ANSWER: Final = struct.Struct("=IIB20s40sb30s30s3sxhH2xi")
SIZE: Final = _ANSWER.size  # octets of an answer


@dataclass(frozen=True, slots=True)
class Known:
    """What p0f knows of a client; `distance` -1: not how far away it is."""

    genre: str
    detail: str
    distance: int


class NoAnswerError(Exception):
    """What came is no answer of p0f 2 to this question."""


def question(ident: int, peer: tuple[str, int], local: tuple[str, int]) -> bytes:
    """Return the question about a connection. Raises ValueError for what is no IPv4 address."""
    return _QUESTION.pack(
        MAGIC, FINGERPRINT, ident & 0xFFFFFFFF, IPv4Address(peer[0]).packed,
        IPv4Address(local[0]).packed, peer[1], local[1],
    )  # fmt: skip


def answer(octets: bytes, ident: int) -> Known | None:
    """Return what it knows. Raises NoAnswerError."""
    if len(octets) != SIZE:
        raise NoAnswerError(f"{len(octets)} octets, an answer has {SIZE}")
    magic, of, kind, genre, detail, distance, *_ = _ANSWER.unpack(octets)
    if magic != MAGIC or of != ident & 0xFFFFFFFF:
        raise NoAnswerError("this is the answer to another question, or none")
    if kind == BAD_QUERY:
        raise NoAnswerError("p0f does not understand the question; is it version 2.0.8?")
    name = _text(genre)
    return Known(name, _text(detail), distance) if kind == OK and name else None


def _text(octets: bytes) -> str:
    text = octets.partition(b"\0")[0].decode("latin-1")
    return "".join(each if each.isprintable() else "?" for each in text)
