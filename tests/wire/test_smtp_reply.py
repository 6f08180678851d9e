"""Replies of peers are read the same whatever the cuts, and never raise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply
from angarium.wire.smtp_reply import MAX_LINE, MAX_LINES, ReplyReader

PIECES = st.lists(
    st.sampled_from(
        [b"250 ok", b"250-a", b"550 5.1.1 no", b"4", b"21 ", b"\r", b"\n", b"\r\n", b"\xff", b"2"]
    )
    | st.binary(max_size=8)
).map(b"".join)


def read(data: bytes) -> list[Reply]:
    return ReplyReader().feed(data)


def test_a_line_is_a_reply_and_its_enhanced_code_is_no_text() -> None:
    (reply,) = read(b"550 5.1.1 <bob@example.com>: no such user\r\n")
    assert (reply.code, reply.enhanced, reply.text) == (
        550,
        "5.1.1",
        "<bob@example.com>: no such user",
    )


def test_lines_of_one_reply_are_joined() -> None:
    (reply,) = read(b"550-5.7.1 first\r\n550-5.7.1\r\n550 5.7.1 last\r\n")
    assert (reply.enhanced, reply.text) == ("5.7.1", "first\n\nlast")


def test_where_the_codes_of_the_lines_disagree_the_last_counts() -> None:
    (reply,) = read(b"250-yes\r\n451 4.3.0 no\r\n")
    assert (reply.code, reply.enhanced) == (451, "4.3.0")


def test_an_enhanced_code_of_another_class_is_text() -> None:
    (reply,) = read(b"250 5.1.1 odd\r\n")
    assert (reply.enhanced, reply.text) == ("", "5.1.1 odd")


@pytest.mark.parametrize("line", [b"250\r\n", b"250 \r\n", b"250\n"])
def test_text_is_optional_and_lf_ends_a_line(line: bytes) -> None:
    (reply,) = read(line)
    assert (reply.code, reply.text) == (250, "")


def test_control_characters_and_broken_utf8_are_cleaned() -> None:
    (reply,) = read(b"550 a\x00b\tc\xff\r\n")
    assert reply.text == "a b c\ufffd"


def test_a_known_line_inside_a_longer_reply_is_not_a_reply() -> None:
    first, second = read(b"250 ok\r\n250-more\r\n250 ok\r\n")
    assert (first.text, second.text) == ("ok", "more\nok")


@pytest.mark.parametrize("line", [b"hello\r\n", b"199 x\r\n", b"2500 x\r\n", b"\r\n", b"600 x\r\n"])
def test_what_is_no_reply_ends_the_reading(line: bytes) -> None:
    reader = ReplyReader()
    assert len(reader.feed(b"250 ok\r\n" + line + b"250 ok\r\n")) == 1
    assert reader.fault == "malformed reply"
    assert reader.feed(b"250 ok\r\n") == []


def test_size_is_bounded_with_and_without_a_line_end() -> None:
    for data in (b"250 " + b"x" * MAX_LINE, b"250 " + b"x" * MAX_LINE + b"\r\n"):
        reader = ReplyReader()
        assert reader.feed(data) == []
        assert reader.fault == "reply line too long"
    reader = ReplyReader()
    assert reader.feed(b"250-x\r\n" * MAX_LINES) == []
    assert reader.fault == "reply has too many lines"
    reader = ReplyReader(2)
    assert reader.feed(b"250-x\r\n" * 2) == []
    assert reader.fault == "reply has too many lines"


@given(PIECES, st.integers(1, 5))
def test_the_cuts_of_the_network_change_nothing(data: bytes, cut: int) -> None:
    whole, cutting = ReplyReader(), ReplyReader()
    expected = whole.feed(data)
    got = [r for n in range(0, len(data), cut) for r in cutting.feed(data[n : n + cut])]
    assert (got, cutting.fault, cutting.inside) == (expected, whole.fault, whole.inside)


@given(st.integers(200, 599), st.text(st.characters(codec="utf-8", exclude_categories=["C"])))
def test_a_reply_we_write_is_read_as_it_was(code: int, text: str) -> None:
    # Text which looks like a code of ours is one; that is the other test's.
    reply = Reply(code, "x" + text, f"{code // 100}.1.2")
    if code < 300 or code >= 400:
        assert read(reply.encode()) == [reply]
