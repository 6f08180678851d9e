"""Shorter lines, and 8BITMIME made 7 bit."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.rewrite import Breaker

LINES = st.lists(st.text("ab é", max_size=25).map(str.encode), max_size=6)


@given(LINES, st.integers(4, 12), st.lists(st.integers(1, 20), max_size=10))
def test_no_line_is_too_long_and_nothing_gets_lost(
    lines: list[bytes], limit: int, cuts: list[int]
) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    breaker, out, at = Breaker(limit), b"", 0
    for size in [*cuts, len(content)]:
        end = at + size
        # Pieces cut no CRLF and, for this test, no sequence of UTF-8.
        while (
            content[end - 1 : end] == b"\r" or 0x80 <= int.from_bytes(content[end : end + 1]) < 0xC0
        ):
            end += 1
        piece, at = content[at:end], end
        out += breaker.feed(piece)
    assert all(len(line) <= limit for line in out.split(b"\r\n"))
    assert out.replace(b"\r\n", b"") == content.replace(b"\r\n", b"")
    assert breaker.broken is any(len(line) > limit for line in lines)
    out.decode()  # no sequence of UTF-8 was broken


def test_lines_are_broken_at_a_blank_if_one_is_near() -> None:
    assert Breaker(10).feed(b"one two three\r\n") == b"one two \r\nthree\r\n"
    assert Breaker(10, fold=True).feed(b"A: one two three\r\n") == b"A: one two\r\n three\r\n"


def test_a_header_without_blanks_is_folded_all_the_same() -> None:
    assert Breaker(10, fold=True).feed(b"A:xxxxxxxxxxxxx\r\n") == b"A:xxxxxxxx\r\n xxxxx\r\n"
