"""Signatures, made."""

import hashlib
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.asking import at_once
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.dkim import verify
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import BadKeyError
from angarium.mail.auth.sign import MAX_PLANS, Signer, Style, folded_list, folded_octets, quoted
from angarium.mail.auth.tags import parsed, unquoted
from helpers.signing import NOW, key, message, zone

LETTER = b"From: joe@example.com\r\nTo:  a;|b \r\n\tc\r\nSubject: \xc3\xa9\r\n\r\nHi  there\r\n"


def signed(signer: Signer, letter: bytes = LETTER) -> bytes:
    header, body = opened([letter])
    return signer.prepare(Fields(header), hashed({signer.want}, body), NOW).sign()


def tags(field: bytes) -> dict[bytes, bytes]:
    return parsed(Fields(field).value(0))


def test_tags_say_what_was_asked_for() -> None:
    style = Style(
        "simple", "relaxed", identity="a=b@x.example.com", lifetime_seconds=60,
        body_length=True, copy_fields=True,
    )  # fmt: skip
    known = tags(signed(Signer("example.com", "s1", key(), Covered.exactly("from:to:x"), style)))
    assert known[b"v"] == b"1"
    assert known[b"a"] == b"rsa-sha256"
    assert known[b"c"] == b"simple/relaxed"
    assert (known[b"d"], known[b"s"], known[b"i"]) == (
        b"example.com", b"s1", b"a=3Db@x.example.com",
    )  # fmt: skip
    assert (known[b"t"], known[b"x"]) == (b"1700000000", b"1700000060")
    assert known[b"l"] == b"10"
    assert known[b"h"] == b"from:to:x"
    copies = [unquoted(each) for each in known[b"z"].split(b"|")]
    assert copies == [b"From:joe@example.com", b"To:a;|b \r\n\tc"]


def test_only_what_is_asked_for_is_there() -> None:
    known = tags(signed(Signer("example.com", "s1", key(), style=Style(timed=False))))
    assert set(known) == set(b"v a c d s h bh b".split())


def test_who_signs_may_be_somebody_else() -> None:
    signer = Signer("example.com", "s1", key())
    header, body = opened([LETTER])
    work = signer.prepare(Fields(header), hashed({signer.want}, body), NOW)
    assert len(work.digest) == 32
    assert work.finish(key().sign(work.digest, "sha256")) == work.sign()


def test_sha1_is_signed_by_rsa_only() -> None:
    assert tags(signed(Signer("a.b", "s", key(), style=Style(hash="sha1"))))[b"a"] == b"rsa-sha1"
    for wrong in ("sha1", "md5"):
        with pytest.raises(BadKeyError):
            Signer("a.b", "s", key("ed25519"), style=Style(hash=wrong))


@pytest.mark.parametrize("wrong", ["joe@example.org", "joe@badexample.com", "example.com"])
def test_an_identity_of_another_domain_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="no identity"):
        Signer("example.com", "s", key(), style=Style(identity=wrong))


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@given(st.integers(0, 1 << 32), st.sampled_from(["simple", "relaxed"]), st.booleans())
def test_what_was_signed_passes_and_no_line_is_long(
    kind: str, seed: int, canon: str, much: bool
) -> None:
    letter = message(Random(seed))
    style = Style(
        canon, canon, copy_fields=much, body_length=much,  # type: ignore[arg-type]
        identity="@mail.example.com" if much else None,
    )  # fmt: skip
    field = signed(Signer("example.com", "s1", key(kind), Covered.of(oversigned="from x"), style), letter)  # noqa: E501  # fmt: skip
    lines = field.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 78
    assert all(re.match(rb"[ \t]+[^ \t]", line) for line in lines[1:])
    header, body = opened([field + letter])
    verdicts = at_once(verify(Fields(header), body, zone(s1=key(kind).record()), NOW))
    assert [each.outcome for each in verdicts] == ["pass"]


def test_the_digest_covers_the_field_itself() -> None:
    field = signed(Signer("example.com", "s1", key(), Covered.exactly("from"), Style("simple")))
    bare = field[: field.rindex(b"b=") + 2]
    digest = hashlib.sha256(b"From: joe@example.com\r\n" + bare).digest()
    header, body = opened([LETTER])
    signer = Signer("example.com", "s1", key(), Covered.exactly("from"), Style("simple"))
    work = signer.prepare(Fields(header), hashed({signer.want}, body), NOW)
    assert work.digest == digest


def test_a_signer_knows_only_so_many_kinds_of_headers() -> None:
    signer = Signer("example.com", "s1", key("ed25519"), Covered.of("from x"))
    hashes = hashed({signer.want}, ())
    for number in range(3 * MAX_PLANS):
        kind = number % (MAX_PLANS + 1)
        fields = Fields(b"From: joe@example.com\r\n" + b"X: 1\r\n" * kind)
        work = signer.prepare(fields, hashes, NOW)
        assert parsed(Fields(work.sign()).value(0))[b"h"].count(b"x") == kind
        assert len(signer._plans) <= MAX_PLANS


@given(st.binary(max_size=60))
def test_quoted_octets_are_read_back(octets: bytes) -> None:
    text = quoted(octets)
    assert re.fullmatch(rb"(?:[!-:<>-{}~]|=[0-9A-F]{2})*", text)
    assert unquoted(text) == octets


@given(st.lists(st.sampled_from([b"from", b"x" * 70, b"list-unsubscribe-post"]), min_size=1))
def test_a_folded_list_is_the_same_list(names: list[bytes]) -> None:
    text = folded_list(b"h=", names)
    assert [each.strip(b" \t\r\n") for each in text[2:].split(b":")] == names
    assert max(map(len, text.split(b"\r\n"))) <= 78


@given(st.integers(0, 500), st.integers(0, 20))
def test_a_folded_word_is_the_same_word(size: int, used: int) -> None:
    text = folded_octets(b"x" * size, used)
    assert text.count(b"x") == size
    lines = text.split(b"\r\n\t")
    assert len(lines[0]) + used <= 78
    assert all(0 < len(line) <= 75 for line in lines[1:])
