"""DomainKeys."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.asking import Ask, at_once
from angarium.mail.auth.domainkeys import Check, DomainKeysSigner, Form, responsible
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import BadKeyError
from angarium.mail.auth.tags import parsed
from helpers.signing import cut, key, message, zone
from helpers.zones import Records

RECORD = key().record().replace(b"v=DKIM1; ", b"")
ASK = zone(s1=RECORD)
LETTER = b"From: joe@example.com\r\nSubject: a  b\r\n\tc\r\n\r\nHi  there. \r\n\r\n\r\n"


def check(letter: bytes, ask: Ask = ASK, pieces: list[bytes] | None = None) -> Check:
    header, body = opened([letter])
    found = Check.of(Fields(header))
    for piece in pieces or body:
        found.feed(piece)
    at_once(found.judged(ask))
    return found


def signed(letter: bytes = LETTER, form: Form = "nofws", names: tuple[str, ...] = ()) -> bytes:
    header, body = opened([letter])
    signer = DomainKeysSigner("example.com", "s1", key(), form, names)
    return signer.prepare(Fields(header), body).sign() + letter


@pytest.mark.parametrize("form", ["simple", "nofws"])
@given(st.integers(0, 1 << 32))
def test_what_was_signed_is_good_however_it_is_cut(form: Form, seed: int) -> None:
    random = Random(seed)
    letter = signed(b"Sender: joe@example.com\r\n" + message(random), form)
    _, body = opened([letter])
    pieces = cut(random, b"".join(body))
    assert check(letter, pieces=pieces).status == "good"
    assert max(map(len, letter[: letter.index(b"b=")].split(b"\r\n"))) <= 78


def test_nofws_forgives_blanks_and_simple_does_not() -> None:
    for changed in ((b"a  b", b"a b"), (b"\r\n\tc", b" c"), (b"Hi  t", b"Hit"), (b". ", b".")):
        assert check(signed().replace(*changed)).status == "good"
        assert check(signed(form="simple").replace(*changed)).status == "bad"


def test_empty_lines_at_the_end_do_not_count() -> None:
    for form in ("simple", "nofws"):
        letter = signed(form=form)
        assert check(letter + b"\r\n\r\n").status == "good"
        assert check(letter.removesuffix(b"\r\n\r\n")).status == "good"
        empty = signed(b"From: joe@example.com\r\n\r\n", form)
        assert check(empty + b"\r\n").status == "good"
        assert check(empty[:-2]).status == "good"


def test_what_was_changed_is_bad() -> None:
    assert check(signed() + b"x").status == "bad"
    assert check(signed().replace(b"a  b", b"a  x")).status == "bad"
    assert check(LETTER).status == ""


def test_what_stands_above_the_signature_is_not_signed() -> None:
    assert check(b"Received: x\r\nSubject: y\r\n" + signed()).status == "good"
    without_list = signed().replace(b"h=from:subject;", b"")
    assert without_list != signed()
    assert check(b"Subject: y\r\n" + without_list).status == "good"


def test_only_the_listed_fields_are_signed_and_the_sender_always() -> None:
    letter = signed(names=("to",))
    assert parsed(Fields(letter).value(0))[b"h"] == b"from:to"
    assert check(letter.replace(b"a  b", b"x")).status == "good"
    assert check(letter.replace(b"From: joe", b"From: jim")).status == "bad"
    listed = signed(names=("from", "subject"))
    assert check(listed.replace(b"a  b", b"x")).status == "bad"


def test_a_name_which_is_listed_once_means_all_fields_of_it() -> None:
    letter = b"X: 1\r\nX: 2\r\n" + LETTER
    once = signed(letter, names=("from", "x"))
    assert check(once).status == "good"
    assert check(once.replace(b"X: 1", b"X: 3")).status == "bad"


def test_sender_comes_before_from() -> None:
    header = b'From: a@b.example\r\nSender: "J" <Joe@Example.com> (x)\r\n'
    assert responsible(Fields(header)) == ("Joe", "example.com")
    assert responsible(Fields(b"Subject: x\r\n")) == ("", "")
    assert check(b"Sender: x@other.example\r\n" + signed()).status == "bad (malformed signature)"
    assert check(signed(LETTER.replace(b"@", b"@mail."))).status == "good"


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (b"k=rsa; p=", "bad (key revoked)"),
        (b"k=dsa; p=AAAA", "bad (key type)"),
        (b"k=rsa; p=AAAA", "bad (public key)"),
        (b"k=rsa", "bad (public key)"),
        (b"junk", "bad (public key)"),
        (b"g=jim; " + RECORD, "bad"),
        (b"g=joe; " + RECORD, "good"),
        (b"g=j*e; " + RECORD, "good"),
        (b"g=jo*oe; " + RECORD, "bad"),
        (b"g=; " + RECORD, "good"),
    ],
)
def test_the_key_decides(record: bytes, status: str) -> None:
    assert check(signed(), zone(s1=record)).status == status


def test_dns_may_know_no_key_or_nothing_now() -> None:
    assert check(signed(), zone()).status == "bad (no key)"
    trouble = check(signed(), Records({"s1._domainkey.example.com": [("TIMEOUT", "")]}))
    assert (trouble.status, trouble.status.word) == ("error", "error")
    assert check(signed(), zone(s1=b"t=y; " + RECORD)).testing


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"q=dns", b"q=http"), "bad (unsupported query type)"),
        ((b"c=nofws", b"c=relaxed"), "bad (malformed signature)"),
        ((b"a=rsa-sha1", b"a=rsa-sha256"), "bad (malformed signature)"),
        ((b"d=example.com", b"d=example.org"), "bad (malformed signature)"),
        ((b"s=s1", b"s="), "bad (malformed signature)"),
        ((b"h=from:subject", b"h=subject"), "bad (malformed signature)"),
        ((b"b=", b"b=*"), "bad (malformed signature)"),
        ((b"q=dns;", b"z=%b;" % (b"x" * 20_000)), "bad (malformed signature)"),
    ],
)
def test_a_signature_that_cannot_be_read_is_told(change: tuple[bytes, bytes], status: str) -> None:
    letter = signed().replace(*change, 1)
    assert letter != signed()
    found = check(letter)
    assert found.status == status
    assert found.status.word == "bad"


def test_there_is_rsa_only() -> None:
    with pytest.raises(BadKeyError):
        DomainKeysSigner("example.com", "s1", key("ed25519"))


@given(st.binary(max_size=120))
def test_any_octets_are_a_status(value: bytes) -> None:
    letter = b"DomainKey-Signature: " + value + b"\r\n" + LETTER
    assert check(letter).status != "good"
