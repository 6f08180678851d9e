"""Records of keys, and what is wrong with those which are published."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.asking import at_once
from angarium.mail.auth.keys import BadKeyError, PrivateKey, published
from angarium.mail.auth.publishing import MAX_STRING, Fault, faults, record_of, strings, zone_line
from angarium.mail.auth.zonefile import Zone
from helpers.signing import key

RSA, OTHER, LONG, CURVE = key(), key(number=1), key(bits=2048), key("ed25519")


@pytest.mark.parametrize("made", [RSA, LONG, CURVE])
def test_a_line_for_the_zone_is_read_back_as_the_record(made: PrivateKey) -> None:
    text = record_of(made, testing=True, strict=True)
    line = zone_line("s1", "example.com", text)
    assert line.startswith('s1._domainkey.example.com. IN TXT "v=DKIM1; k=')
    assert all(len(each) <= MAX_STRING for each in strings(text))
    assert at_once(Zone(line)("s1._domainkey.example.com", "TXT")) == (text,)
    there = published(text)
    assert (there.testing, there.strict, there.bits) == (True, True, made.bits)


def test_without_flags_it_is_the_record_of_the_key() -> None:
    assert record_of(RSA) == RSA.record()


def test_a_good_record_has_no_fault() -> None:
    assert faults([LONG.record()], LONG) == []
    assert faults([CURVE.record()], CURVE) == []


def record(*more: bytes, of: bytes = LONG.record()) -> bytes:
    return b"; ".join([of, *more])


@pytest.mark.parametrize(
    ("record", "fatal", "text"),
    [
        (b"v=spf1 -all", True, "this is no record of a DKIM key"),
        (b"k=rsa; v=DKIM1; p=", True, "this is no record of a DKIM key"),
        (b"hello", True, "the key record is faulty"),
        (b"v=DKIM1; k=rsa", True, "the key record has no key"),
        (b"v=DKIM1; p=", True, "the key is revoked"),
        (b"v=DKIM1; k=ecc; p=AAAA", True, "the kind of the key is unknown"),
        (b"v=DKIM1; p=*", True, "the key record is faulty"),
        (b"v=DKIM1; p=AAAA", True, "the key in the record is faulty"),
        (LONG.record()[:-30], True, "the key in the record is faulty"),
        (record(b"h=sha1"), True, "h= does not have sha256"),
        (record(b"s=tlsrpt"), True, "s= does not have email"),
        (record(b"t=y"), False, "t=y: the domain says it tests"),
        (record(b"g=joe"), False, "it has g="),
        (LONG.record().removeprefix(b"v=DKIM1; "), False, "it does not begin with v=DKIM1"),
        (RSA.record(), False, "the key has 1024 bits; it should have 2048"),
        (CURVE.record(), True, "DNS has a key of ed25519, and who signs has one of rsa"),
        (OTHER.record(), True, "DNS has another key than the one which signs"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",  # keys differ by process
)
def test_each_fault_is_said_in_words(record: bytes, fatal: bool, text: str) -> None:
    found = [each for each in faults([record], LONG) if each.text.startswith(text)]
    assert [each.fatal for each in found] == [fatal]


def test_a_short_key_is_none() -> None:
    short = RSAPublicNumbers(65537, 2**511 + 111).public_key()
    der = short.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = faults([b"v=DKIM1; p=" + base64.b64encode(der)])
    assert found == [Fault(True, "the key has 512 bits: receivers want 1024")]


def test_all_faults_are_told_and_there_must_be_one_record() -> None:
    assert faults([]) == [Fault(True, "there is no record")]
    both = faults([LONG.record() + b"; t=y; h=sha1", b"v=DKIM1; p="], LONG)
    assert len(both) == 4
    assert both[0].text == "there are 2 records; receivers take any of them"


@given(st.lists(st.binary(max_size=80) | st.builds(LONG.record().__add__, st.binary(max_size=20))))
def test_whatever_dns_has_is_judged(records: list[bytes]) -> None:
    found = faults(records, LONG)
    holds = []
    for record in records:
        try:
            holds.append(published(record).key == published(LONG.record()).key)
        except BadKeyError:
            holds.append(False)
    if holds != [True]:
        assert any(each.fatal for each in found)
