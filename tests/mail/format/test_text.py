"""The text of parts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.draft import Draft
from angarium.mail.format.text import (
    octets_of,
    rewrite,
    set_text,
    text_matches,
    text_of,
    text_parts,
    text_replace,
)
from angarium.mail.format.tree import MimeError, tree

MIXED = (
    b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nplain \xe9\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"PGI+w6k8L2I+\r\n"
    b"--b\r\nContent-Type: image/png\r\n\r\nplain\r\n--b--\r\n"
)


def test_texts_are_those_of_type_text() -> None:
    top = tree(Draft(MIXED))
    assert [text_of(part) for part in text_parts(top)] == ["plain é", "<b>é</b>"]
    assert [octets_of(part).decode() for part in text_parts(top)] == ["plain é", "<b>é</b>"]
    assert [
        found[0] for found in text_matches(top, re.compile("é".encode().decode("latin-1")))
    ] == ["Ã©"] * 2


def test_a_replacement_is_written_as_the_part_was() -> None:
    draft = Draft(MIXED)
    top = tree(draft, readonly=False)
    assert text_replace(top, re.compile("é"), lambda _: "ü", "utf-8")
    assert draft.whole() == MIXED.replace(b"\xe9", b"\xfc").replace(
        b"PGI+w6k8L2I+", b"PGI+w7w8L2I+\r\n"
    )
    assert not text_replace(top, re.compile("nothing"), lambda _: "x")
    assert [text_of(part) for part in text_parts(tree(draft))] == ["plain ü", "<b>ü</b>"]


def test_what_changes_nothing_edits_nothing() -> None:
    draft = Draft(MIXED)
    assert not text_replace(tree(draft), re.compile("x*"), lambda _: "")
    with pytest.raises(MimeError):
        text_replace(tree(draft), re.compile("plain"), lambda _: "x")
    assert not draft.body_changed


def one(header: bytes, body: bytes) -> Draft:
    return Draft(header + b"\r\n" + body)


def test_what_the_charset_has_not_is_written_in_utf8() -> None:
    draft = one(b"Content-Type: text/plain; charset=iso-8859-1; x=y\r\n", b"a\r\n")
    rewrite(tree(draft, readonly=False), "日\r\n".encode())
    assert draft.whole() == (
        b"Content-Type: text/plain; charset=utf-8; x=y\r\n"
        b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n5pelDQo=\r\n"
    )


def test_what_was_seven_bit_gets_an_encoding() -> None:
    draft = one(b"A: b\r\n", b"a caf\r\n")
    assert text_replace(tree(draft, readonly=False), re.compile("caf"), lambda _: "caf\xc3\xa9")
    assert draft.whole() == (
        b"A: b\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\na caf=C3=A9\r\n"
    )
    draft = one(b"Content-Transfer-Encoding: 8bit\r\n", b"a caf\r\n")
    text_replace(tree(draft, readonly=False), re.compile("caf"), lambda _: "\xc3\xa9")
    assert draft.body_octets == "a é\r\n".encode()


def test_octets_which_are_no_text_are_kept_where_another_is_replaced() -> None:
    draft = one(b"Content-Transfer-Encoding: 8bit\r\n", b"a \xff\xe9 b\r\n")
    assert text_of(tree(draft)) == "a \ufffd\ufffd b\r\n"
    text_replace(tree(draft, readonly=False), re.compile("a"), lambda _: "x")
    assert draft.body_octets == b"x \xff\xe9 b\r\n"


def test_a_script_appends_by_the_end_of_the_data() -> None:
    end = re.compile("\r\n.\r\n")
    draft = one(b"A: b\r\n", b"text\r\n")
    assert text_replace(tree(draft, readonly=False), end, lambda _: "\r\nmore\r\n.\r\n")
    assert draft.body_octets == b"text\r\nmore\r\n"
    draft = Draft(MIXED)
    assert not text_replace(tree(draft, readonly=False), end, lambda _: "\r\nmore\r\n.\r\n")


def test_a_text_takes_the_place_of_all_parts() -> None:
    draft = Draft(MIXED)
    set_text(tree(draft, readonly=False), "new\ntext é", "text/html", "iso-8859-1")
    assert draft.whole() == (
        b"Subject: x\r\nContent-Type: text/html; charset=iso-8859-1\r\nMIME-Version: 1.0\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nnew\r\ntext =E9"
    )
    set_text(tree(draft, readonly=False), "ascii")
    assert draft.whole().endswith(b"quoted-printable\r\n\r\nascii")
    draft = Draft(MIXED)
    set_text(tree(draft, readonly=False), "é")
    assert draft.value("content-type") == b"text/plain; charset=utf-8"
    assert draft.value("content-transfer-encoding") == b"base64"


def test_the_text_of_one_part_is_set() -> None:
    draft = Draft(MIXED)
    top = tree(draft, readonly=False)
    set_text(top.parts[0], "ö")
    set_text(top.parts[2], "x", "text/x-new; charset=utf-8; a=b")
    assert draft.whole().startswith(
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n9g==\r\n\r\n--b\r\n"
    )
    assert b"Content-Type: text/x-new; charset=utf-8; a=b\r\n\r\nx\r\n--b--" in draft.whole()


def test_charsets_which_have_nul_go_in_base64() -> None:
    draft = one(b"Content-Type: text/plain\r\n", b"")
    set_text(tree(draft, readonly=False), "é", charset="utf-16")
    assert draft.value("content-transfer-encoding") == b"base64"
    assert text_of(tree(draft)) == "é"


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=60)
ENCODINGS = st.sampled_from(["7bit", "8bit", "base64", "quoted-printable", "", "x-other"])


@given(
    st.lists(TEXT).map("\r\n".join),
    st.sampled_from(
        ["utf-8", "us-ascii", "iso-8859-1", "Shift_JIS", "utf-16", "koi8-r", "none", ""]
    ),
    ENCODINGS,
)
def test_any_text_comes_back_from_any_part(text: str, charset: str, encoding: str) -> None:
    header = f"Content-Type: text/plain; charset={charset}\r\n"
    header += f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    draft = one(header.encode(), b"before")
    rewrite(tree(draft, readonly=False), text.encode())
    assert octets_of(tree(draft)).decode() == text
    if draft.value("content-transfer-encoding") in (b"7bit", None):
        assert draft.body_octets.isascii()


@given(
    st.binary(max_size=100),
    st.sampled_from(["utf-8", "utf-7", "gb2312", "iso-2022-jp", "x"]),
    ENCODINGS,
)
def test_any_part_has_some_text(body: bytes, charset: str, encoding: str) -> None:
    header = (
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    )
    draft = one(header.encode(), body)
    part = tree(draft, readonly=False)
    text_of(part)
    rewrite(part, octets_of(part))
    assert not draft.body_changed
