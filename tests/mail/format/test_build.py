"""Messages which are made."""

import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.build import (
    Attachment,
    BuildError,
    Enclosed,
    boundary_beside,
    container,
    forward,
    leaf,
    message,
)
from angarium.mail.format.draft import Draft
from angarium.mail.format.fields import FieldError
from angarium.mail.format.text import content_of
from angarium.mail.format.tree import tree


def read(octets: bytes) -> EmailMessage:
    found = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not any(part.defects for part in found.walk())
    return found


def test_contents_are_alternatives_and_attachments_go_beside() -> None:
    octets = message(
        [("Subject", "Grüße"), ("From", b"a@b.example"), ("Content-Type", "text/plain")],
        [("text/plain", b"plain\r\n"), ("text/html; charset=utf-8", "<b>é</b>".encode())],
        [
            Attachment(
                "text/x-log", "./dir/a.log", b"line\r\n", "quoted-printable", b"A: b\r\nC: d"
            ),
            Attachment("application/x-b", "é.bin", bytes(range(256))),
            Enclosed(b"Subject: in\r\n\r\ntext\r\n"),
        ],
        "token",
    )
    found = read(octets)
    assert found["Subject"] == "Grüße"
    assert found["MIME-Version"] == "1.0"
    assert [part.get_content_type() for part in found.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/x-log",
        "application/x-b", "message/rfc822", "text/plain",
    ]  # fmt: skip
    parts = list(found.walk())
    assert [part["Content-Transfer-Encoding"] for part in parts[2:6]] == [
        "quoted-printable", "base64", "quoted-printable", "base64",
    ]  # fmt: skip
    assert parts[2].get_content_disposition() == "inline"
    assert parts[3].get_content() == "<b>é</b>"
    assert parts[4]["A"] == "b"
    assert parts[4]["C"] == "d"
    assert parts[4].get_filename() == "a.log"
    assert parts[5].get_payload(decode=True) == bytes(range(256))
    assert parts[5].get_filename() == "é.bin"
    assert parts[7].get_content() == "text\r\n"


def test_a_text_without_a_charset_which_needs_one_is_utf8() -> None:
    found = read(message([], [("text/plain", "é".encode())], [], "t"))
    part = next(part for part in found.walk() if not part.is_multipart())
    assert part["Content-Type"] == 'text/plain; charset="utf-8"'
    assert part["Content-Transfer-Encoding"] == "quoted-printable"


def test_what_is_encoded_already_is_not_encoded_again() -> None:
    octets = message([], [], [Attachment("a/b", "", b"AAAA\r\n", encoded=True)], "t")
    assert b"Content-Disposition: attachment\r\n\r\nAAAA\r\n" in octets


def test_a_message_is_forwarded_as_it_is() -> None:
    original = b"Subject: in\r\n\r\ncaf\xe9\r\n--=_t--\r\n"
    octets = forward([("Subject", "Fwd")], b"see \xe9", "iso-8859-1", original, "t")
    parts = list(read(octets).walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/mixed", "text/plain", "message/rfc822", "text/plain",
    ]  # fmt: skip
    assert parts[1].get_content() == "see é"
    assert parts[2]["Content-Transfer-Encoding"] == "8bit"
    assert original in octets
    with pytest.raises(BuildError):
        forward([], b"\xe9", "", original, "t")


@pytest.mark.parametrize(
    "refused",
    [
        lambda: message([("a b", "c")], [], [], "t"),
        lambda: message([("X", "a\r\nB: c")], [], [], "t"),
        lambda: message([], [("text/plain\r\nX: y", b"")], [], "t"),
        lambda: message([], [], [Attachment("a/b", "x", b"", fields=b"X: y\r\n\r\nbody")], "t"),
        lambda: message([], [], [Attachment("a/b", "x", b"", fields=b"no field")], "t"),
        lambda: message([], [], [Attachment("a/b", "x", b"", "7bit")], "t"),
        lambda: leaf("a/b", b"", "8bit\r\nX: y"),
        lambda: container("multipart/x\r\nX: y", "b"),
    ],
)  # fmt: skip
def test_what_would_break_the_message_is_refused(refused: object) -> None:
    assert callable(refused)
    with pytest.raises((FieldError, BuildError)):
        refused()


def test_a_boundary_is_no_part_of_anything() -> None:
    one = leaf("a/b", b"--=_t\r\n=_4t")
    two = container("multipart/x", "_6")
    boundary = boundary_beside("t", one, two)
    assert boundary.encode() not in one.raw
    assert "_6" not in boundary


@given(
    st.lists(
        st.tuples(st.sampled_from(["text/plain", "text/html; charset=utf-8", "a/b"]), st.binary())
    ),
    st.lists(
        st.builds(
            Attachment,
            st.just("a/b"),
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
            st.binary(max_size=100),
            st.sampled_from(["base64", "quoted-printable"]),
        )
        | st.builds(Enclosed, st.binary(max_size=60)),
        max_size=4,
    ),
)
def test_all_contents_come_out_as_they_were(
    contents: list[tuple[str, bytes]], attachments: list[Attachment | Enclosed]
) -> None:
    octets = message([("Subject", "x")], contents, attachments, "=_t")
    first, *others = tree(Draft(octets)).parts
    assert [content_of(part) for part in first.parts] == [octets for _, octets in contents]
    for part, given_one in zip(others, attachments, strict=True):
        assert (content_of(part) if isinstance(given_one, Attachment) else part.body) == (
            given_one.content
        )


@pytest.mark.parametrize("theirs", ["b", "=", "=_", "t"])
def test_a_boundary_is_found_beside_one_which_begins_or_is_in_all_of_ours(theirs: str) -> None:
    inner = container("multipart/mixed", theirs)
    inner.add_last(leaf("text/plain", b"x"))
    boundary = boundary_beside("tb" * 8, inner)
    assert not boundary.startswith(theirs)
    outer = container("multipart/mixed", boundary)
    outer.add_last(inner)
    assert [part.kind.mimetype for part in tree(Draft(b"A: b\r\n" + outer.raw)).walk()] == [
        "multipart/mixed", "multipart/mixed", "text/plain",
    ]  # fmt: skip
