"""Lists of tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth import tags
from angarium.mail.auth.tags import TagError, parsed


def test_tags_are_found_with_blanks_and_folds_around_them() -> None:
    assert parsed(b" a = 1 ;\r\n\tb=x\r\n y; c=;") == {b"a": b"1", b"b": b"x\r\n y", b"c": b""}


@pytest.mark.parametrize(
    "text",
    [b"", b"a", b"=1", b"a=1;;b=2", b"a=1;a=2", b"1a=2", b"a-b=1", b"a=\x01", b"a b=1", b"a=1;b"],
)
def test_what_is_no_list_of_tags_is_refused(text: bytes) -> None:
    if text == b"":
        assert parsed(text) == {}
        return
    with pytest.raises(TagError):
        parsed(text)


def test_names_of_tags_differ_by_case() -> None:
    assert parsed(b"A=1; a=2") == {b"A": b"1", b"a": b"2"}


def test_more_tags_than_any_signature_has_are_refused() -> None:
    with pytest.raises(TagError):
        parsed(b"".join([b"t%d=1;" % number for number in range(tags.MAX_TAGS + 1)]))


def test_base64_may_have_folds_and_lack_its_padding() -> None:
    assert tags.octets(b"aGV\r\n sbG8=", "b") == b"hello"
    assert tags.octets(b"aGVsbG8", "b") == b"hello"
    for wrong in (b"aGV*bG8=", b"a", b"=aGVs", b"aGVsbG8=x"):
        with pytest.raises(TagError):
            tags.octets(wrong, "b")


def test_numbers_have_digits_only_and_not_too_many() -> None:
    known = {b"t": b"12", b"x": b"-1", b"l": b"123", b"e": b""}
    assert tags.number(known, b"t", 2) == 12
    assert tags.number(known, b"none", 2) is None
    for name in (b"x", b"l", b"e"):
        with pytest.raises(TagError):
            tags.number(known, name, 2)


def test_names_are_lower_case_and_what_dns_can_have() -> None:
    assert tags.name_of(b"Example.COM.", "d") == "example.com"
    assert tags.name_of("müller.example".encode(), "d") == "xn--mller-kva.example"
    for wrong in (b"", b".", b"a..b", b"a b.c", b"a" * 64, b"a." * 128, b"a/b", b"\xff.x"):
        with pytest.raises(TagError):
            tags.name_of(wrong, "d")


def test_quoted_octets_are_read_and_lower_case_is_no_quoting() -> None:
    assert tags.unquoted(b"a=3Db=\r\n 3d=E9") == b"a=b=3d\xe9"


@given(st.binary(max_size=200))
def test_any_octets_are_tags_or_refused(text: bytes) -> None:
    try:
        known = parsed(text)
    except TagError:
        return
    for name, value in known.items():
        assert name.isascii()
        assert value == value.strip(tags.WSP)
        assert parsed(name + b"=" + value) == {name: value}
