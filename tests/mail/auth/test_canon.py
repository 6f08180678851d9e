"""Canonical forms, against slow ones which follow the RFCs line by line."""

import re
import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.canon import BODY, relaxed_field
from helpers.signing import cut

BITS = st.sampled_from(
    [b"a", b"bc", b" ", b"  ", b"\t", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b" \r\n", b"\xff"]
)
BODIES = st.lists(BITS, max_size=24).map(b"".join)


def lines_of(body: bytes) -> list[bytes]:
    """Return the lines without their ends, and without the empty ones at the end."""
    lines = body.split(b"\r\n")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def slowly(canon: str, body: bytes) -> bytes:
    if canon == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line) for line in body.split(b"\r\n")]
        body = b"\r\n".join([line.rstrip(b" ") for line in lines])
    if canon == "nofws":
        body = b"\r\n".join([re.sub(rb"[ \t\r\n]", b"", each) for each in body.split(b"\r\n")])
    whole = b"".join([line + b"\r\n" for line in lines_of(body)])
    return whole or (b"\r\n" if canon == "simple" else b"")


def fed(canon: str, pieces: list[bytes]) -> bytes:
    out: list[bytes] = []
    canonical = BODY[canon](out.append)
    for piece in pieces:
        canonical.feed(piece)
    canonical.end()
    return b"".join(out)


@pytest.mark.parametrize("canon", sorted(BODY))
@given(BODIES, st.integers(0, 1000))
def test_a_body_is_canonical_however_it_is_cut(canon: str, body: bytes, seed: int) -> None:
    expected = slowly(canon, body)
    assert fed(canon, [body]) == expected
    assert fed(canon, [body[at : at + 1] for at in range(len(body))]) == expected
    assert fed(canon, cut(Random(seed), body)) == expected
    assert fed(canon, [expected]) == expected


@pytest.mark.parametrize(
    ("canon", "body", "expected"),
    [
        # RFC 6376 section 3.4.5.
        ("relaxed", b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        ("simple", b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n"),
        ("simple", b"", b"\r\n"),
        ("relaxed", b"", b""),
        ("relaxed", b" \r\n\t\r\n", b""),
        ("simple", b"x", b"x\r\n"),
        ("relaxed", b"x \t", b"x\r\n"),
        ("relaxed", b"\r\n\r\nx", b"\r\n\r\nx\r\n"),
        ("relaxed", b"x\r", b"x\r\r\n"),
        ("plain", b"\r\n\r\n", b""),
        ("nofws", b"\r \na\r\t\n", b"a\r\n"),
        ("nofws", b"a b\t\r\n \r\n c \r\n\r\n", b"ab\r\n\r\nc\r\n"),
    ],
)
def test_bodies_of_the_rfc(canon: str, body: bytes, expected: bytes) -> None:
    assert fed(canon, [body]) == expected
    assert slowly(canon, body) == expected


def test_line_ends_without_words_take_little_memory_at_once() -> None:
    out: list[bytes] = []
    canonical = BODY["relaxed"](out.append)
    for _ in range(100):
        canonical.feed(b" \r\n" * 10_000)
    assert not out
    canonical.feed(b"x")
    canonical.end()
    assert sum(map(len, out)) == 2_000_003
    assert max(map(len, out)) <= 8192


def test_blanks_without_end_take_linear_time() -> None:
    begin = time.process_time()
    fed("relaxed", [b" \t" * 500_000, b" " * 1_000_000, b"\t\r\n" * 300_000, b"\r" * 500_000])
    fed("relaxed", [b"a  " * 500_000, b"a \r\n" * 500_000])
    assert time.process_time() - begin < 5


FIELD_BITS = st.sampled_from([b"a", b" ", b"\t", b"\r\n ", b"\r\n\t", b"  ", b":", b"\xe9"])


@given(st.lists(FIELD_BITS, max_size=20).map(b"".join))
def test_a_relaxed_field_is_one_line_with_single_blanks(value: bytes) -> None:
    expected = re.sub(rb"[ \t]+", b" ", re.sub(rb"\r\n(?=[ \t])", b"", value)).strip(b" ")
    assert relaxed_field(b"subject", value + b"\r\n") == b"subject:" + expected


def test_fields_of_the_rfc() -> None:
    assert relaxed_field(b"a", b" X\r\n") == b"a:X"
    assert relaxed_field(b"b", b" Y\t\r\n\tZ  \r\n") == b"b:Y Z"
