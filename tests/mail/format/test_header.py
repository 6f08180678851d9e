"""Headers by offset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.header import Header, limits

RAW = (
    b"Received: from a\r\n\tby b\r\nSubject: one\r\n two\r\nno field\r\n"
    b"RECEIVED : c\r\nX-Empty:\r\nDate:now\r\n"
)


def test_fields_are_found_whatever_their_case_and_unfolded() -> None:
    header = Header(RAW)
    assert header.names == [b"received", b"subject", b"received", b"x-empty", b"date"]
    assert header.count(b"received") == 2
    assert header.value(b"received") == b"from a\tby b"
    assert header.values(b"received") == [b"from a\tby b", b"c"]
    # What is no field stays with the field before it.
    assert header.value(b"subject") == b"one two\r\nno field"
    assert header.value(b"x-empty") == b""
    assert header.value(b"date") == b"now"
    assert header.value(b"from") is None


def test_fields_can_be_left_out_and_all_else_stays() -> None:
    header = Header(RAW)
    assert header.without(b"from") == RAW
    assert header.without(b"received") == (
        b"Subject: one\r\n two\r\nno field\r\nX-Empty:\r\nDate:now\r\n"
    )
    assert header.without(b"date", b"x-empty", b"subject", b"received") == b""


@pytest.mark.parametrize(
    ("content", "size", "start"),
    [
        (b"", 0, 0),
        (b"\r\nbody", 0, 2),
        (b"A: b\r\n\r\nbody", 6, 8),
        (b"A: b\r\n", 6, 6),
        (b"A: b\r\n\r\n", 6, 8),
        (b"A: b", 4, 4),
    ],
)
def test_where_the_header_ends(content: bytes, size: int, start: int) -> None:
    assert limits(content) == (size, start)


PARTS = st.lists(
    st.sampled_from([b"A: b", b"\r\n", b" c", b":", b"X", b"\n"]) | st.binary(max_size=3)
)


@given(PARTS.map(b"".join))
def test_any_octets_are_a_header_and_nothing_gets_lost(raw: bytes) -> None:
    header = Header(raw)
    assert header.without() == raw
    assert len(header.values(b"a")) == header.count(b"a")
    left = Header(header.without(b"a"))
    assert left.count(b"a") == 0 or b"a" in header.names
    size, start = limits(raw)
    assert 0 <= size <= start <= len(raw)
