"""What a signature says of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.signature import (
    Outcome,
    Policy,
    SignatureError,
    read,
    timely,
    unsigned,
)

GOOD = b" v=1; a=rsa-sha256; d=Example.com; s=S1; h=From : to:x; bh=aGk=; b=eA==; c=relaxed; t=5"
POLICY = Policy()


def changed(**tags: str | None) -> bytes:
    known = dict(
        part.strip().split("=", 1) for part in GOOD.decode().split(";")
    ) | tags  # fmt: skip
    return "; ".join([f"{name}={value}" for name, value in known.items() if value is not None]).encode()  # noqa: E501  # fmt: skip


def test_a_signature_is_read() -> None:
    signature = read(GOOD, POLICY)
    assert (signature.domain, signature.selector) == ("example.com", "s1")
    assert signature.place == "s1._domainkey.example.com"
    assert signature.algorithm == "rsa-sha256"
    assert (signature.header_canon, signature.body_canon) == ("relaxed", "simple")
    assert signature.names == [b"from", b"to", b"x"]
    assert signature.identity == "@example.com"
    assert (signature.body_hash, signature.value) == (b"hi", b"x")
    assert signature.want == ("simple", "sha256", None)
    assert (signature.made, signature.expires, signature.length) == (5, None, None)


def test_an_identity_may_be_quoted_and_below_the_domain() -> None:
    assert read(changed(i="a=3Bb@Mail.Example.com"), POLICY).identity == "a;b@mail.example.com"
    assert read(changed(i="=40example.com"), POLICY).identity == "@example.com"


@pytest.mark.parametrize(
    ("tags", "outcome", "reason"),
    [
        ({"v": "2"}, "neutral", "version"),
        ({"v": None}, "neutral", "v= is missing"),
        ({"a": "rsa-md5"}, "neutral", "algorithm"),
        ({"a": "RSA-SHA256"}, "neutral", "algorithm"),
        ({"a": "rsa-sha1"}, "policy", "sha1"),
        ({"c": "relaxed/nofws"}, "neutral", "canonicalization"),
        ({"c": ""}, "neutral", "canonicalization"),
        ({"q": "http"}, "neutral", "place"),
        ({"d": None}, "neutral", "d= is missing"),
        ({"d": "a b"}, "neutral", "d= is no name"),
        ({"s": ""}, "neutral", "s= is missing"),
        ({"h": None}, "neutral", "h= is missing"),
        ({"h": "to:subject"}, "permerror", "From"),
        ({"h": ":".join(["from"] * 300)}, "policy", "many"),
        ({"bh": "*"}, "neutral", "base64"),
        ({"b": None}, "neutral", "b= is missing"),
        ({"l": "x"}, "neutral", "number"),
        ({"l": "9" * 77}, "neutral", "number"),
        ({"t": "1.5"}, "neutral", "number"),
        ({"x": "5"}, "neutral", "expires before"),
        ({"i": "joe@example.org"}, "permerror", "another domain"),
        ({"i": "joe@badexample.com"}, "permerror", "another domain"),
        ({"i": "joe"}, "neutral", "identity"),
        ({"z": "x" * 20_000}, "policy", "too long"),
    ],
)
def test_what_is_wrong_with_a_signature_is_said(
    tags: dict[str, str | None], outcome: str, reason: str
) -> None:
    with pytest.raises(SignatureError, match=reason) as fault:
        read(changed(**tags), POLICY)
    assert fault.value.outcome == Outcome(outcome)


def test_sha1_is_for_those_who_ask_for_it() -> None:
    assert read(changed(a="rsa-sha1"), Policy(sha1=True)).hash == "sha1"


def test_a_signature_has_its_time() -> None:
    signature = read(changed(t="1000", x="2000"), POLICY)
    for now in (700, 1000, 2000, 2300):
        timely(signature, now, POLICY)
    with pytest.raises(SignatureError, match="future"):
        timely(signature, 699, POLICY)
    with pytest.raises(SignatureError, match="expired"):
        timely(signature, 2301, POLICY)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" a=1; b=xyz\r\n abc ; c=2", b" a=1; b=; c=2"),
        (b"b=x", b"b="),
        (b" bh=b=1; \r\n\tb = x=", b" bh=b=1; \r\n\tb ="),
        (b" bb=1; cb=2", b" bb=1; cb=2"),
    ],
)
def test_only_the_value_of_b_is_taken_out(value: bytes, expected: bytes) -> None:
    assert unsigned(value) == expected


@given(st.binary(max_size=200) | st.integers(0, 90).map(lambda at: GOOD[:at]))
def test_any_octets_are_a_signature_or_a_reason(value: bytes) -> None:
    try:
        read(value, POLICY)
    except SignatureError as fault:
        assert fault.reason
        assert fault.outcome in (Outcome.NEUTRAL, Outcome.PERMERROR, Outcome.POLICY)
