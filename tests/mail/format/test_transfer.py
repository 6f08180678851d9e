"""Base64 and quoted-printable."""

import base64 as theirs
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.transfer import (
    base64,
    decoded,
    encoded,
    from_base64,
    from_quoted_printable,
    quoted_printable,
)

LINES = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b" ", b"\t", b".", b"=", b"=3D", b"x" * 50])
    | st.binary(max_size=30)
).map(b"".join)


@given(st.binary(max_size=500))
def test_base64_comes_back(octets: bytes) -> None:
    text = base64(octets)
    assert from_base64(text) == theirs.decodebytes(text) == octets
    assert all(len(line) <= 76 for line in text.split(b"\r\n"))
    assert not octets or text.endswith(b"\r\n")


@given(LINES)
def test_quoted_printable_comes_back(octets: bytes) -> None:
    text = quoted_printable(octets)
    assert from_quoted_printable(text) == octets
    lines = text.split(b"\r\n")
    assert all(len(line) <= 76 and not line.endswith((b" ", b"\t")) for line in lines)
    assert b"." not in lines
    assert all(0x20 <= each < 0x7F or each == 9 for line in lines for each in line)
    assert quopri.decodestring(text) == octets


def test_blanks_at_the_limit_of_a_line_do_not_make_it_too_long() -> None:
    """The standard library puts 77 and 78 characters in these."""
    assert quoted_printable(b"\0" * 24 + b"   \n") == b"=00" * 24 + b"   =\r\n=0A"
    text = quoted_printable(b"\0" * 24 + b"  \t\r\nx")
    assert text == b"=00" * 24 + b"  =\r\n=09\r\nx"


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        (b"w6k=", "é".encode()),
        (b"w6k", "é".encode()),
        (b"w 6\r\nk=!*", "é".encode()),
        (b"YQ==Yg==", b"ab"),
        (b"YWJ", b"ab"),
        (b"Y", b""),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_broken_base64_is_read_as_far_as_it_goes(text: bytes, octets: bytes) -> None:
    assert from_base64(text) == octets


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        (b"=C3=a9", "é".encode()),
        (b"a=\r\nb=\nc= \t\r\nd", b"abcd"),
        (b"a  \r\nb \t", b"a\r\nb"),
        (b"a=ZZ=", b"a=ZZ"),
        (b"\xe9", b"\xe9"),
    ],
)
def test_broken_quoted_printable_is_read_as_far_as_it_goes(text: bytes, octets: bytes) -> None:
    assert from_quoted_printable(text) == octets


@given(LINES, st.sampled_from(["base64", "quoted-printable", "7bit", "x-other", ""]))
def test_any_octets_are_decoded(octets: bytes, encoding: str) -> None:
    content = decoded(octets, encoding)
    assert decoded(encoded(content, encoding), encoding) == content


@pytest.mark.parametrize("bit", [b" ", b" \t", b"=", b"\r", b" \r"])
def test_a_long_body_takes_time_in_proportion(bit: bytes) -> None:
    from_quoted_printable(bit * 500_000 + b"x")
    from_base64(bit * 500_000 + b"x")
