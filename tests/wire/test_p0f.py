"""The query protocol of p0f 2.0.8, by hand: offsets as its structures of C have them."""

import struct
import sys

import pytest

from angarium.wire import p0f


def said(
    kind: int = 0,
    ident: int = 7,
    genre: bytes = b"Linux",
    detail: bytes = b"2.6",
    distance: int = 3,
) -> bytes:
    """Return an answer of 144 octets."""
    octets = bytearray(144)
    struct.pack_into("=IIB", octets, 0, 0x0DEFACED, ident, kind)
    octets[9 : 9 + len(genre)] = genre
    octets[29 : 29 + len(detail)] = detail
    struct.pack_into("=b", octets, 69, distance)
    struct.pack_into("=hH", octets, 134, -100, 0)
    struct.pack_into("=i", octets, 140, -1)
    return bytes(octets)


def test_a_question_has_the_ends_of_the_connection_and_24_octets() -> None:
    octets = p0f.question(7, ("192.0.2.9", 40000), ("198.51.100.1", 25))
    assert len(octets) == 24
    assert int.from_bytes(octets[:4], sys.byteorder) == 0x0DEFACED
    assert octets[4] == 1
    assert int.from_bytes(octets[8:12], sys.byteorder) == 7
    assert octets[12:20] == bytes((192, 0, 2, 9, 198, 51, 100, 1))
    assert int.from_bytes(octets[20:22], sys.byteorder) == 40000
    assert int.from_bytes(octets[22:24], sys.byteorder) == 25


def test_an_answer_names_the_system_and_how_far_away_it_is() -> None:
    assert p0f.SIZE == 144
    assert p0f.answer(said(), 7) == p0f.Known("Linux", "2.6", 3)
    assert p0f.answer(said(distance=-1), 7) == p0f.Known("Linux", "2.6", -1)
    assert p0f.answer(said(detail=b"a\x07\xe9"), 7) == p0f.Known("Linux", "a?\xe9", 3)


def test_what_it_does_not_know_is_none() -> None:
    assert p0f.answer(said(kind=2), 7) is None
    assert p0f.answer(said(genre=b""), 7) is None


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (said()[:-1], "143 octets"),
        (said(ident=8), "another question"),
        (b"\0" * 144, "another question"),
        (said(kind=1), "version 2.0.8"),
    ],
)
def test_what_is_no_answer_is_told(octets: bytes, why: str) -> None:
    with pytest.raises(p0f.NoAnswerError, match=why):
        p0f.answer(octets, 7)
