"""Patterns over large bodies."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.mail.format import search
from angarium.mail.format.search import matches, replaced


def cut(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds within reach of the tests."""
    monkeypatch.setattr(search, "BOUND", 16)
    monkeypatch.setattr(search, "LOOK", 4)


PATTERNS = [
    r"ab", r"a+", r"\Aa", r"^b", r"b$", r"(?m)^a", r"a\r\nb", r"(?<=a)b", r"\bab\b", r"a(?=b)", r"",
    r"(?=a)", r"b*", r"(a)|b", r"[ab]{3,9}", r"\Z", r"\r\n",
]  # fmt: skip
OCTETS = st.lists(st.sampled_from([b"a", b"b", b"\r\n", b" ", b"\xe9", b"ab" * 4])).map(b"".join)


@given(OCTETS, st.sampled_from(PATTERNS), st.integers(1, 40), st.integers(8, 40))
def test_a_window_shows_what_the_whole_shows(
    octets: bytes, source: str, size: int, window: int
) -> None:
    pattern = re.compile(source, re.ASCII)
    text = octets.decode("latin-1")
    if max((len(each) for each in re.findall("a+|b+|[ab]+", text)), default=0) > 12:
        return  # longer than the bound promises
    pieces = cut(octets, size)
    found = [each[0] for each in matches(pattern, pieces, window=window)]
    assert found == [each[0] for each in pattern.finditer(text)]
    body = replaced(pattern, MemoryBody(*pieces), lambda each: f"<{each[0]}>", window=window)
    want = pattern.sub(lambda each: f"<{each[0]}>", text).encode("latin-1")
    assert octets == want if body is None else body.whole() == want
    if body is not None:
        assert body.size == len(want)
        assert b"".join(body.pieces()) == want


def test_what_changes_nothing_makes_no_body() -> None:
    for body in (MemoryBody(b"ab"), MemoryBody(*cut(b"ab" * 100, 7))):
        assert replaced(re.compile("x"), body, lambda _: "y", window=32) is None
        assert replaced(re.compile("a"), body, lambda _: "a", window=32) is None
        assert replaced(re.compile("a"), body, lambda _: "b", window=32) is not None
        assert replaced(re.compile("x"), body, lambda _: "y", window=32, ended=True) is None


def test_characters_may_be_those_of_utf8() -> None:
    octets = ("é" * 100 + "\udcff").encode("utf-8", "surrogateescape")
    body = MemoryBody(*cut(octets, 3))
    made = replaced(re.compile("é{2}"), body, lambda _: "ü", "utf-8", window=40)
    assert made is not None
    assert made.whole() == ("ü" * 50).encode() + b"\xff"
    assert len(list(matches(re.compile("é"), body.pieces(), "utf-8"))) == 100


class Endless:
    """A large body which is made as it is read."""

    size = 1 << 30

    def __init__(self) -> None:
        self.given = 0

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        while self.given < self.size:
            self.given += 1 << 10
            yield b"needle " + b"x" * ((1 << 10) - 7)


def test_no_more_is_read_than_is_asked_for() -> None:
    body = Endless()
    found = matches(re.compile("needle"), body.pieces(), window=1 << 14)
    assert [next(found)[0] for _ in range(3)] == ["needle"] * 3
    assert body.given <= 1 << 15


@pytest.mark.parametrize(
    ("octets", "source", "new", "want"),
    [
        # The line with the dot can be matched, and need not be in what is put there.
        (b"text\r\n", r"\r\n\.\r\n", "\r\nmore\r\n.\r\n", b"text\r\nmore\r\n"),
        (b"text\r\n", r"\r\n\.\r\n", "\r\nmore\r\n", b"text\r\nmore\r\n"),
        (b"text", r"\r\n\.\r\n", "\r\nmore\r\n.\r\n", b"text\r\nmore\r\n"),
        (b"text\r\n", "\r\n.\r\n", "\r\nmore\r\n.\r\n", b"text\r\nmore\r\n"),
        (b"text\r\n", r"t\r\n\.\r\n\Z", "!\r\n", b"tex!\r\n"),
        # A part of it cannot.
        (b"text\r\n", r"\.", "!", None),
        (b"text\r\n", r"\.\r\n", "!", None),
        (b"text\r\n", r"\r\n\.", "!", None),
        (b"a.b\r\n", r"\.", "!", b"a!b\r\n"),
        (b"text\r\n", r"\s+", "!", b"text!"),
        (b"", r"\r\n\.\r\n", "x", b"x"),
    ],
)  # fmt: skip
def test_the_end_of_the_data_is_matched_as_a_whole(
    octets: bytes, source: str, new: str, want: bytes | None
) -> None:
    for window in (2, 1 << 10):
        body = replaced(
            re.compile(source), MemoryBody(octets), lambda _: new, window=window, ended=True
        )
        assert (None if body is None else body.whole()) == want
    body = replaced(re.compile(r"\r\n\.\r\n"), MemoryBody(b"x\r\n"), lambda _: "y")
    assert body is None
