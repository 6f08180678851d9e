"""Charsets of messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format import charset
from angarium.mail.format.charset import codec_of, decoded, encoded, utf8


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf_8"),
        ("utf8", "utf_8"),
        ("US-ASCII", "ascii"),
        ("iso-8859-1", "latin_1"),
        ("ISO_8859-15", "iso8859_15"),
        ("windows-1252", "cp1252"),
        ("KOI8-R", "koi8_r"),
        ("ks_c_5601-1987", "euc_kr"),
        ("x-sjis", "shift_jis"),
        ("macintosh", "mac_roman"),
        (" Big5 ", "big5"),
        ("zip", None),
        ("idna", None),
        ("unicode_escape", None),
        ("rot13", None),
        ("", None),
    ],
)
def test_a_charset_is_known_by_its_names_and_what_is_none_is_not(
    name: str, codec: str | None
) -> None:
    assert codec_of(name) == codec


def test_text_is_read_as_what_is_meant_by_the_name() -> None:
    assert decoded(b"\x80 \x81", "iso-8859-1") == "€ \x81"
    assert decoded("é".encode(), "us-ascii") == "é"
    assert decoded("é".encode(), "no-such") == "é"
    assert decoded(b"\xe9", "no-such") == "�"
    assert decoded("日本".encode("cp932"), "Shift_JIS") == "日本"


def test_what_a_charset_has_not_cannot_be_written_in_it() -> None:
    assert encoded("é", "iso-8859-1") == b"\xe9"
    assert encoded("日", "iso-8859-1") is None
    assert encoded("x", "no-such") is None
    assert encoded("\x80", "iso-8859-1") is None  # it would be read as an euro sign
    assert encoded("é") == b"\xc3\xa9"


@given(st.sampled_from(sorted(charset._CODECS)), st.binary(max_size=40))
def test_any_octets_are_some_text_in_any_charset(name: str, octets: bytes) -> None:
    encoded(decoded(octets, name), name)


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_some_utf8(text: str) -> None:
    octets = utf8(text)
    try:
        assert octets == text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        assert len(octets) >= len(text)


@given(st.binary())
def test_octets_survive_as_surrogates(octets: bytes) -> None:
    assert utf8(octets.decode("utf-8", "surrogateescape")) == octets
