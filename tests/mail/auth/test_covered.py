"""Which fields are signed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.covered import RECOMMENDED, Covered, FieldListError
from angarium.mail.auth.fields import Fields

HEADER = (
    b"Received: 2\r\nReceived: 1\r\nFrom: a\r\nTo: b\r\nSubject: s\r\nX-Class: 1\r\n"
    b"DKIM-Signature: x\r\nReturn-Path: <a>\r\n"
)


def names(covered: Covered, header: bytes = HEADER) -> str:
    return b":".join(covered.names(Fields(header))).decode()


def test_all_fields_of_a_listed_name_are_signed_in_the_order_of_the_list() -> None:
    assert names(Covered.of("From To received Cc")) == "from:to:received:received"
    assert names(Covered.of(["to", "From", "TO"])) == "to:from"


def test_from_is_signed_whatever_is_listed() -> None:
    assert names(Covered.of("to")) == "from:to"
    assert names(Covered.of("to from", skipped="from")) == "from:to"
    assert names(Covered.marked("To")) == "from:to"


def test_signatures_and_return_path_are_never_signed() -> None:
    assert names(Covered.of("from return-path dkim-signature")) == "from"


def test_an_oversigned_field_is_named_once_more_than_it_is_there() -> None:
    assert names(Covered.of("from", "from subject cc received")) == (
        "from:from:subject:subject:cc:received:received:received"
    )


def test_skipped_fields_are_not_signed() -> None:
    assert names(Covered.of("from to subject", "to", skipped="to")) == "from:subject"


def test_without_a_list_the_fields_of_the_rfc_are_signed() -> None:
    assert names(Covered.of()) == "from:subject:to"
    assert b"list-unsubscribe-post" in RECOMMENDED


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("From:Subject:X", "from:subject:x"),
        ("From:Subject?:X?", "from:subject"),
        ("From:Received:Received:Received", "from:received:received:received"),
        ("From:Received*:X*", "from:received:received:x"),
        ("From:Received+:X+", "from:received:received"),
        # The manual's example of a list.
        ("Received+:X-Class*:From:Subject?:Received",
         "received:received:x-class:from:subject:received"),
    ],
)  # fmt: skip
def test_signs_say_how_often_a_field_is_signed(marked: str, expected: str) -> None:
    assert names(Covered.marked(marked)) == expected


def test_exactly_what_is_listed() -> None:
    assert names(Covered.exactly("from:to:to:x")) == "from:to:to:x"


@pytest.mark.parametrize("wrong", ["", "a::b", "a?*", "a b", "é", "a;b"])
def test_what_is_no_list_is_refused(wrong: str) -> None:
    with pytest.raises(FieldListError):
        Covered.marked(wrong)


@given(
    st.lists(st.sampled_from([b"From: x", b"To: y", b"X: 1", b"X: 2", b"Cc: z"])),
    st.lists(st.sampled_from(["from", "to", "x", "cc", "date"])),
    st.lists(st.sampled_from(["from", "x", "date"])),
)
def test_no_field_is_named_twice_and_oversigned_ones_leave_none(
    lines: list[bytes], listed: list[str], over: list[str]
) -> None:
    fields = Fields(b"".join([line + b"\r\n" for line in lines]))
    chosen = fields.chosen(Covered.of(listed, over).names(fields))
    rows = [row for row in chosen if row is not None]
    assert len(rows) == len(set(rows))
    for name in map(str.encode, over):
        assert Covered.of(listed, over).names(fields).count(name) == fields.count(name) + 1


def test_from_is_named_where_there_is_none() -> None:
    """A signature which covers nothing would be none (RFC 6376 section 5.4)."""
    for covered in (Covered.of(), Covered.of("from to"), Covered.of("to"), Covered.of("", "from")):
        assert b"from" in covered.names(Fields(b"Subject: a\r\n"))
