"""The framing of bodies, and what is seen in them; attacks and cuts first of all."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.message import Trait
from angarium.wire.framing import END, ChunkReader, DotReader, stuff

# What smuggling is made of.
PIECES = st.lists(
    st.sampled_from([b".", b"..", b"a", b"\n", b"\r", b"\r\n", b"\r\n.", b"\xe9", b"\r\n.\r\n"])
    | st.binary(max_size=4),
    max_size=20,
).map(b"".join)
CUTS = st.lists(st.integers(1, 9), max_size=30)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in cuts:
        pieces.append(data[at : at + size])
        at += size
    return [piece for piece in [*pieces, data[at:]] if piece]


def read(reader: DotReader, wire: bytes, cuts: list[int]) -> tuple[bytes, bytes | None]:
    """Return the body, and what followed it."""
    body, pieces = b"", cut(wire, cuts)
    for index, piece in enumerate(pieces):
        part, rest = reader.feed(piece)
        body += part
        if rest is not None:
            return body, rest + b"".join(pieces[index + 1 :])
    return body, None


def traits_of(content: bytes) -> int:
    """Return what the octets have, found in the plainest way."""
    lone = re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    return (
        (Trait.NONE if content.isascii() else Trait.EIGHT_BIT)
        | (Trait.DOTS if (b"\r\n" + content).find(b"\r\n.") >= 0 else Trait.NONE)
        | (Trait.LONE if lone else Trait.NONE)
    )


def forbidden(wire: bytes) -> bool:
    """Say whether a dot stands alone between line ends of which one is not CRLF."""
    for found in re.finditer(rb"(?=[\r\n]\.[\r\n])", wire):
        if wire[max(0, found.start() - 1) :][:5] != END:
            return True
    return False


@given(PIECES, CUTS)
def test_a_body_survives_framing_whatever_the_cuts(content: bytes, cuts: list[int]) -> None:
    body = content + b"\r\n"
    wire = stuff(body) + b"QUIT\r\n"
    assert read(DotReader(), wire, cuts) == (body, b"QUIT\r\n")


@given(PIECES, CUTS)
def test_the_traits_are_those_of_the_body_whatever_the_cuts(
    content: bytes, cuts: list[int]
) -> None:
    body = content + b"\r\n"
    reader = DotReader()
    read(reader, stuff(body) + b"QUIT\r\n", cuts)
    assert reader.traits == traits_of(body)


@given(PIECES, CUTS)
def test_whatever_comes_the_body_ends_at_the_first_end_and_smuggling_is_seen(
    wire: bytes, cuts: list[int]
) -> None:
    reader = DotReader()
    whole = b"\r\n" + wire
    end = whole.find(END)
    body, rest = read(reader, wire, cuts)
    if end < 0:
        assert rest is None
    else:
        assert rest == whole[end + len(END) :]
        assert body == whole[: end + 2].replace(b"\r\n.", b"\r\n")[2:]
        assert reader.smuggled == forbidden(whole[: end + 2])
        assert reader.traits & ~Trait.DOTS == traits_of(wire[: max(0, end)]) & ~Trait.DOTS


@given(PIECES, CUTS)
def test_chunks_give_their_octets_and_the_same_traits(content: bytes, cuts: list[int]) -> None:
    reader = ChunkReader()
    got = b"".join(map(reader.feed, cut(content, cuts))) + reader.finish()
    assert got == content
    final = Trait.NONE if not content or content.endswith(b"\r\n") else Trait.NO_FINAL_CRLF
    if not content:
        final = Trait.NO_FINAL_CRLF
    assert reader.traits == traits_of(content) | final
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    assert reader.smuggled == forbidden(b"\r\n" + ended)


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\r\n.\r\r\n",
        b"\n.\r",
        b"\r.\n",
        b"\r\r\n.\r\r\n",
        b"\n\n.\n\n",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_only_crlf_dot_crlf_ends_a_body_and_the_rest_is_told(end: bytes, size: int) -> None:
    smuggled = b"MAIL FROM:<evil@client.example>\r\nDATA\r\nFrom: evil\r\n"
    wire = b"text" + end + smuggled + b".\r\n"
    reader = DotReader()
    body, rest = read(reader, wire, [size] * len(wire))
    assert rest == b""
    assert smuggled in body
    assert reader.smuggled


@pytest.mark.parametrize(
    "content",
    [b"lone\nin the text\r\n", b"a\rb\r\n", b"\r\n..\n\r\n", b"x.\n\r\n", b"\n\r\n..\r\n", b"\n"],
)
def test_lone_line_ends_away_from_dots_are_content(content: bytes) -> None:
    reader = DotReader()
    read(reader, content + b"\r\n.\r\n", [])
    assert reader.traits & Trait.LONE
    assert not reader.smuggled


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b".\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"\r\n.\r\n", b"\r\n"),
        (b"\0\xff\r\n.\r\n", b"\0\xff\r\n"),
    ],
)
def test_bodies_at_the_edges(wire: bytes, body: bytes) -> None:
    assert read(DotReader(), wire, []) == (body, b"")
    assert read(DotReader(), wire, [1] * len(wire)) == (body, b"")


def test_what_was_read_is_not_kept() -> None:
    reader = DotReader()
    for _ in range(100):
        reader.feed(b"\r\n\r\n.." * 100)
    assert len(reader._held) <= 4
