"""What the rules find in a header."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format import conform
from angarium.mail.format.conform import Rules, Survey


def test_a_survey_sees_what_we_would_add() -> None:
    header = b"return-path: <>\r\nReceived: a\r\n b\r\nRECEIVED: c\r\nDate : x\r\nMessage-Id: y\r\n"
    assert conform.survey(header) == Survey(True, True, True, True, True, 2)
    assert conform.survey(b"X-Date: x\r\nDated: y\r\n") == Survey(
        True, True, False, False, False, 0
    )


@pytest.mark.parametrize(
    ("header", "begins", "valid"),
    [
        (b"A: b\r\n", True, True),
        (b"A: b\r\n c\r\n\td\r\n", True, True),
        (b"A: b\r\nno field\r\n", True, False),
        (b"no field\r\nA: b\r\n", False, False),
        (b" A: b\r\n", False, True),
        (b"", False, True),
        (b"A: b", True, True),
        (b": b\r\n", False, False),
        (b"A\xe9: b\r\n", False, False),
        (b"From x@y Mon\r\nA: b\r\n", False, False),
    ],
)
def test_lines_which_are_no_fields(header: bytes, begins: bool, valid: bool) -> None:
    found = conform.survey(header)
    assert (found.begins, found.valid) == (begins, valid)


def test_where_rules_ask_for_nothing_everything_passes() -> None:
    rules = Rules(require_header=False, date="ignore", received_limit=0, header_limit=0)
    for header in (b"", b"x", b"Received: a\r\n" * 500):
        assert conform.judge(header, conform.survey(header), rules) is None


@pytest.mark.parametrize(
    ("content", "size", "start"),
    [
        (b"\nx", 0, 1),
        (b"\r\nx", 0, 2),
        (b"A: b\n\nx", 5, 6),
        (b"A: b\r\n\nx", 6, 7),
        (b"A: b\r\rx", 5, 6),
        (b"A: b\r\n\r\nx", 6, 8),
        (b"A: b\r\nx", 7, 7),
    ],
)
def test_headers_with_any_line_ends(content: bytes, size: int, start: int) -> None:
    assert conform.lenient_limits(content) == (size, start)


PIECES = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"ab", b"."]), max_size=12).map(b"".join)


@given(PIECES)
def test_lone_line_ends_are_seen_and_mended(content: bytes) -> None:
    lone = re.search(rb"\r(?!\n)|(?<!\r)\n", content) is not None
    assert conform.has_lone(content) is lone
    mended = conform.with_crlf(content)
    assert not conform.has_lone(mended)
    assert (mended == content) is not lone
    assert mended == re.sub(rb"\r\n|\r|\n", b"\r\n", content)


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 10))
def test_long_lines_are_seen(sizes: list[int], limit: int) -> None:
    content = b"".join(b"x" * size + b"\r\n" for size in sizes)
    assert conform.has_long_line(content, limit) is any(size > limit for size in sizes)
