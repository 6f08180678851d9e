"""Encoded words."""

import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.words import decoded, encoded, structured, word_of

LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?J=C3=B6rg?= <j@a.example>", "Jörg <j@a.example>"),
        (b"=?ISO-8859-1?Q?a_b?=", "a b"),
        (b"=?utf-8*de?B?w6k=?=", "é"),
        (b"=?utf-8?b?w6k?=", "é"),  # without its padding
        (b"=?utf-8?b?w6k!?=", "é"),
        (b"=?utf-8?b?w6kA?=", "é\0"),
        # Blanks between two words are not shown; a character may be spread over both.
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?=C3?=\t=?utf-8?q?=A9?=", "é"),
        (b"=?utf-8?q?=C3?= x =?utf-8?q?=A9?=", "� x �"),
        (b"=?utf-8?q?a?= =?iso-8859-1?q?=E9?= b", "aé b"),
        (b"=?no-such?q?=C3=A9?=", "é"),
        (b"(=?utf-8?q?a?=)", "(a)"),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"caf\xc3\xa9 \xff", "café \udcff"),
        (b"=?utf-8?q?=ZZ=4?=", "=ZZ=4"),
        (b"=?utf-8?q?=ZZ=4=41_=?=", "=ZZ=4A ="),
        (b"=?utf-8?q?==41_=4_=5F?=", "=A =4 _"),
    ],
)
def test_encoded_words_become_text_and_all_else_stays(value: bytes, text: str) -> None:
    assert decoded(value) == text


@given(LINE)
def test_text_survives_being_encoded(text: str) -> None:
    if "=?" in text or text != text.strip():
        return
    octets = encoded(text).encode("ascii")
    assert decoded(octets) == text


@given(LINE)
def test_others_read_our_words(text: str) -> None:
    word = word_of(text)
    # They want the padding, and the blanks between words away.
    assert str(make_header(decode_header(word))) == text


@given(st.text(min_size=1, max_size=300))
def test_no_word_is_longer_than_it_may_be_nor_cuts_a_character(text: str) -> None:
    if any("\ud800" <= each <= "\udfff" for each in text):
        return
    out = []
    for word in word_of(text).split(" "):
        assert len(word) <= 75
        assert re.fullmatch(r"=\?utf-8\?[qb]\?[!->@-~]*\?=", word)
        out.append(decoded(word.encode()))
        assert "\ufffd" not in out[-1] or "\ufffd" in text
    assert "".join(out) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Jörg <j@a.example>", "=?utf-8?q?J=C3=B6rg?= <j@a.example>"),
        ('"Jörg, Dr." <j@a.example>', "=?utf-8?q?J=C3=B6rg=2C_Dr=2E?= <j@a.example>"),
        ('"A, B" <a@b>, Jö Mü <c@d>', '"A, B" <a@b>, =?utf-8?b?SsO2IE3DvA==?= <c@d>'),
        ("Jörg (büro) <j@a>", "=?utf-8?q?J=C3=B6rg?= (=?utf-8?q?b=C3=BCro?=) <j@a>"),
        ('"ö', "=?utf-8?b?w7Y=?="),
        ("x <a@b> (c)", "x <a@b> (c)"),
    ],
)
def test_of_a_field_of_addresses_only_names_are_encoded(text: str, value: str) -> None:
    assert structured(text) == value


def test_an_international_address_cannot_be_encoded_and_stays() -> None:
    assert (
        structured("Ö <ö@a.example>, ü@b.example") == "=?utf-8?b?w5Y=?= <ö@a.example>, ü@b.example"
    )


@given(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"=?", b"?=", b"?q?", b"?b?", b"utf-8", b" "])),
)
def test_any_octets_are_some_text(octets: bytes, bits: list[bytes]) -> None:
    decoded(octets + b"".join(bits) + octets)


@given(LINE)
def test_any_text_of_addresses_is_encoded(text: str) -> None:
    structured(text)
