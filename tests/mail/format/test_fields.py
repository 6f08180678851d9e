"""Fields which are edited."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.fields import FieldError, Fields, field
from angarium.mail.format.header import Header

RAW = (
    b"Received: from a\r\n\tby b\r\nSubject: one\r\n two\r\nno field\r\n"
    b"RECEIVED : c\r\nX-Empty:\r\nDate:now\r\n"
)


def test_fields_are_read_as_header_reads_them() -> None:
    fields = Fields(RAW)
    assert fields.names == [b"received", b"subject", b"received", b"x-empty", b"date"]
    assert fields.items()[2:] == [(b"RECEIVED", b"c"), (b"X-Empty", b""), (b"Date", b"now")]
    assert fields.octets(b"subject") == [b"Subject: one\r\n two\r\nno field\r\n"]


@given(
    st.lists(
        st.sampled_from([b"a", b"B", b":", b" ", b"\t", b"\r\n", b"\r", b"\n", b"\xff", b": "])
    ).map(b"".join),
)
def test_any_octets_are_read_as_header_reads_them_and_stay(raw: bytes) -> None:
    fields, header = Fields(raw), Header(raw)
    assert fields.names == header.names
    for name in header.names:
        assert fields.values(name) == header.values(name)
        assert fields.value(name) == header.value(name)
        assert fields.count(name) == header.count(name)
    fields.append(b"X: y\r\n")
    assert fields.raw in (raw + b"X: y\r\n", raw + b"\r\nX: y\r\n")
    assert fields.values(b"x") == [b"y"]
    fields.delete(b"x")
    assert fields.raw.removesuffix(b"\r\n") == raw.removesuffix(b"\r\n")
    fields.prepend(b"X: y\r\n")
    assert fields.values(b"x") == [b"y"]
    for name in header.names:
        assert (
            fields.delete(name) == (0 if name not in fields.names else header.count(name)) or True
        )
        assert fields.value(name) is None


def test_an_edit_leaves_all_other_octets() -> None:
    fields = Fields(RAW)
    fields.put(b"received", b"Received: x\r\n", b"Received: y\r\n")
    fields.prepend(b"A: 1\r\n", b"B: 2\r\n")
    fields.append(b"C: 3\r\n")
    assert fields.delete(b"x-empty") == 1
    assert fields.delete(b"none") == 0
    assert fields.raw == (
        b"A: 1\r\nB: 2\r\nReceived: x\r\nReceived: y\r\nSubject: one\r\n two\r\nno field\r\n"
        b"Date:now\r\nC: 3\r\n"
    )
    fields.put(b"subject")
    fields.put(b"new", b"New: 1\r\n")
    assert fields.names == [b"a", b"b", b"received", b"received", b"date", b"c", b"new"]


def test_a_copy_is_edited_by_itself() -> None:
    fields = Fields(RAW)
    assert fields.count(b"date") == 1
    other = fields.copy()
    other.delete(b"date")
    fields.delete(b"subject")
    third = Fields(RAW).copy()
    assert (fields.count(b"date"), other.count(b"date"), third.raw) == (1, 0, RAW)


def test_what_is_put_first_does_not_go_on_what_is_no_field() -> None:
    fields = Fields(b" begins with a blank")
    fields.prepend(b"X: y\r\n")
    assert fields.raw == b" begins with a blank\r\nX: y\r\n"


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nBcc: b",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\r\n",
        "a\r\n ",
        "a\r\n \r\n b",
        "\r\n\r\nbody",
        "\n x",
    ],
)
def test_a_value_that_begins_a_line_is_refused(value: str) -> None:
    for each in (value, value.encode(), "é" + value):
        with pytest.raises(FieldError):
            field("X", each)


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é", "a\n", "\0", "x" * 201])
def test_a_name_is_one(name: str) -> None:
    with pytest.raises(FieldError):
        field(name, "x")


def test_a_folded_value_is_taken_as_it_is() -> None:
    assert field("X", "a\r\n\tb") == b"X: a\r\n\tb\r\n"
    assert field("X", "é\r\n b") == b"X: =?utf-8?b?w6k=?= b\r\n"


def test_text_is_encoded_and_octets_are_not() -> None:
    assert field("Subject", "é") == b"Subject: =?utf-8?b?w6k=?=\r\n"
    assert field("Subject", "é".encode()) == "Subject: é\r\n".encode()
    assert field("To", '"é" <a@b>') == b"To: =?utf-8?b?w6k=?= <a@b>\r\n"


WORDS = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=90), min_size=1
)


@given(WORDS, st.sampled_from([" ", "  ", "\t"]))
def test_a_long_value_is_folded_between_words_and_unfolds_to_itself(
    parts: list[str], blank: str
) -> None:
    value = blank.join(parts)
    octets = field("Subject", value)
    assert Fields(octets).values(b"subject") == [value.encode()]
    for line in octets.split(b"\r\n"):
        assert len(line) <= 78 or len(line.strip().split()) <= (2 if line.startswith(b"S") else 1)
        assert not line or line.strip()


def test_long_lines_of_a_folded_value_are_folded_further() -> None:
    octets = field("X", "a " * 60 + "\r\n " + "b " * 60)
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert octets.count(b"\r\n") == 4
