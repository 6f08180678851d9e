"""Messages while policy works on them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.mail.format.draft import Draft, Rest
from angarium.mail.format.fields import FieldError

FRONT = b"Received: from a\r\n\tby mx\r\n"
CONTENT = b"From: =?utf-8?q?J=C3=B6rg?= <j@a>\r\nSubject: x\r\nsubject: y\r\n\r\nbody\r\n"


class Once:
    """A body which says what was read of it."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.size = sum(map(len, parts))
        self.read = 0

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        for part in self.parts:
            self.read += 1
            yield part

    def whole(self) -> bytes:
        return b"".join(self.pieces())


def made(draft: Draft) -> bytes:
    """What is kept of it; all ways to it agree."""
    octets = draft.front + draft.content().whole()
    assert b"".join(draft.pieces()) == draft.whole() == octets
    assert draft.size == len(octets)
    return octets


def test_fields_are_those_of_front_and_content() -> None:
    draft = Draft(CONTENT, FRONT)
    assert draft.names == [b"received", b"from", b"subject", b"subject"]
    assert draft.values("SUBJECT") == [b"x", b"y"]
    assert draft.value("subject") == b"x"
    assert draft.value("received") == b"from a\tby mx"
    assert draft.value("none") is None
    assert draft.text("none") is None
    assert draft.text("from") == draft.texts("From")[0] == "Jörg <j@a>"
    assert draft.items()[1] == (b"From", b"=?utf-8?q?J=C3=B6rg?= <j@a>")
    assert draft.header_octets == FRONT + CONTENT.partition(b"\r\n\r\n")[0] + b"\r\n"
    assert draft.body_octets == b"body\r\n"
    assert made(draft) == FRONT + CONTENT


def test_what_is_put_first_needs_no_look_at_the_body() -> None:
    body = Once(CONTENT, b"more" * 5)
    draft = Draft(body, FRONT)
    draft.prepend("X-A", "1", "2")
    assert draft.front == b"X-A: 1\r\nX-A: 2\r\n" + FRONT
    assert draft.content() is body
    assert (draft.front_changed, draft.header_changed, draft.body_changed) == (True, False, False)
    assert body.read <= 1


def test_a_field_behind_the_others_changes_the_header_and_not_the_body() -> None:
    draft = Draft(CONTENT, FRONT)
    draft.append("X-A", "1", "2")
    assert draft.front == FRONT
    assert draft.content().whole() == CONTENT.replace(b"\r\n\r\n", b"\r\nX-A: 1\r\nX-A: 2\r\n\r\n")
    assert (draft.front_changed, draft.header_changed, draft.body_changed) == (False, True, False)
    made(draft)


def test_replace_goes_behind_and_set_stays_where_it_is() -> None:
    draft = Draft(CONTENT, FRONT)
    draft.replace("subject", "z")
    assert draft.items()[-1] == (b"subject", b"z")
    assert draft.names == [b"received", b"from", b"subject"]
    draft.set("From", "a@b")
    draft.set("X", "new")
    draft.set("Received", "r")
    assert draft.names == [b"received", b"from", b"subject", b"x"]
    assert draft.front == b"Received: r\r\n"
    assert draft.front_changed
    assert made(draft) == (b"Received: r\r\nFrom: a@b\r\nsubject: z\r\nX: new\r\n\r\nbody\r\n")


def test_a_field_in_front_and_in_the_content_is_one() -> None:
    draft = Draft(b"Received: old\r\nX: y\r\n\r\nbody", FRONT)
    draft.set("received", "new")
    assert made(draft) == b"received: new\r\nX: y\r\n\r\nbody"
    draft = Draft(b"Received: old\r\nX: y\r\n\r\nbody", FRONT)
    assert draft.delete("Received") == 2
    assert draft.front_changed
    assert draft.header_changed
    assert made(draft) == b"X: y\r\n\r\nbody"
    assert draft.delete("x") == 1
    assert draft.delete("x") == 0
    assert made(draft) == b"\r\nbody"
    draft.append("A", "b")
    assert made(draft) == b"A: b\r\n\r\nbody"


def test_nothing_is_removed_for_a_value_which_is_refused() -> None:
    draft = Draft(CONTENT)
    for edit in (draft.replace, draft.set, draft.append, draft.prepend):
        with pytest.raises(FieldError):
            edit("Subject", "good", "bad\r\nBcc: x")
    assert made(draft) == CONTENT
    assert (draft.front_changed, draft.header_changed, draft.body_changed) == (False,) * 3


def test_a_large_body_is_neither_read_nor_copied_for_a_field() -> None:
    body = Once(CONTENT, *[b"x" * 65536] * 20)
    draft = Draft(body)
    draft.append("X", "y")
    content = draft.content()
    assert body.read == 1
    assert isinstance(content, Rest)
    assert content.size == body.size + len(b"X: y\r\n")
    assert content.whole() == CONTENT.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n") + b"x" * 65536 * 20


def test_a_header_may_come_in_any_pieces() -> None:
    for size in range(1, 7):
        cut = [CONTENT[at : at + size] for at in range(0, len(CONTENT), size)]
        draft = Draft(MemoryBody(*cut))
        assert draft.value("subject") == b"x"
        assert draft.body_octets == b"body\r\n"


def test_another_body_leaves_the_header() -> None:
    draft = Draft(CONTENT, FRONT)
    draft.set_body(b"new\r\n")
    assert draft.body_changed
    assert not draft.header_changed
    assert made(draft) == FRONT + CONTENT.replace(b"body", b"new")
    draft.append("X", "y")
    assert made(draft).endswith(b"X: y\r\n\r\nnew\r\n")
    assert draft.body_octets == b"new\r\n"


@pytest.mark.parametrize("content", [b"A: b\r\n", b"A: b", b"A: b\r\n\r\n"])
def test_a_message_without_a_body_gets_one(content: bytes) -> None:
    draft = Draft(content)
    assert draft.body_octets == b""
    draft.set_body(b"x")
    assert made(draft) == b"A: b\r\n\r\nx"


@pytest.mark.parametrize("content", [b"no header\r\nA: b\r\n", b" x\r\n", b"\r\nbody"])
def test_what_has_no_header_is_all_body(content: bytes) -> None:
    draft = Draft(content)
    assert draft.names == []
    assert made(draft) == content
    draft.append("X", "y")
    assert made(draft) == b"X: y\r\n\r\n" + content.removeprefix(b"\r\n")
    draft = Draft(content)
    draft.prepend("X", "y")
    assert made(draft) == b"X: y\r\n\r\n" + content.removeprefix(b"\r\n")
    draft = Draft(content)
    draft.set_body(b"Subject: no")
    assert Draft(made(draft)).body_octets == b"Subject: no"


def test_front_may_end_the_header_of_what_has_none() -> None:
    draft = Draft(b"Looks: like a field\r\n", FRONT + b"\r\n")
    assert draft.names == [b"received"]
    assert made(draft) == FRONT + b"\r\nLooks: like a field\r\n"
    draft.append("X", "y")
    assert made(draft) == FRONT + b"X: y\r\n\r\nLooks: like a field\r\n"
    assert draft.delete("received") == draft.delete("x") == 1
    assert made(draft) == b"\r\nLooks: like a field\r\n"


def test_another_message_takes_the_place_of_all() -> None:
    draft = Draft(CONTENT, FRONT)
    draft.prepend("X", "y")
    draft.set_raw(b"A: b\r\n\r\nc")
    assert draft.names == [b"a"]
    assert made(draft) == b"A: b\r\n\r\nc"
    assert draft.front_changed
    assert draft.header_changed
    assert draft.body_changed


def test_copies_are_edited_by_themselves() -> None:
    body = MemoryBody(CONTENT)
    draft = Draft(body, FRONT)
    early = draft.copy()
    draft.append("X", "1")
    late = draft.copy()
    late.set_body(b"z")
    early.delete("subject")
    assert draft.value("subject") == b"x"
    assert late.value("x") == b"1"
    assert draft.body_octets == b"body\r\n"
    assert early.value("x") is None
    assert Draft(body).copy().content() is body


CHUNKS = st.lists(
    st.sampled_from([b"A: b", b"\r\n", b" c", b"\r", b"\n", b"B:", b"text", b"\xe9", b"C : d"]),
    max_size=12,
).map(b"".join)


@given(CHUNKS, st.sampled_from([b"", FRONT]))
def test_any_content_is_given_back_and_can_be_edited(content: bytes, front: bytes) -> None:
    draft = Draft(content, front)
    names = draft.names
    body = draft.body_octets
    assert made(draft) == front + content
    draft.append("X-New", "z")
    again = Draft(made(draft))
    assert again.value("x-new") == b"z"
    assert again.body_octets == body
    draft.delete("x-new")
    again = Draft(made(draft))
    assert again.names == names
    assert again.body_octets == body
    draft.set_body(b"other: body")
    assert Draft(made(draft)).body_octets == b"other: body"
    assert Draft(made(draft)).names == names


def test_fields_are_removed_by_their_value_where_they_came_with_it() -> None:
    draft = Draft(b"A: one\r\nB: x\r\nA: two\r\n three\r\nA: one\r\n\r\nbody", b"A: one\r\n")
    assert draft.delete_where("a", b"one".__eq__) == 2
    assert draft.whole() == b"A: one\r\nB: x\r\nA: two\r\n three\r\n\r\nbody"
    assert not draft.delete_where("a", b"four".__eq__)
    assert draft.delete_where("a", b"two three".__eq__) == 1
    assert draft.header_changed
