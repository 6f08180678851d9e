"""Certificates against TLSA records: which usages count, what each looks at (RFC 7672)."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.tlspolicy.dane import (
    MAX_RECORDS,
    Tlsa,
    Trust,
    Usage,
    judge,
    read,
    records,
    usage,
)

NOW = datetime(2026, 11, 26, tzinfo=UTC)
AT = NOW.timestamp()
NAMES = ("mx.example.com", "example.com")


@dataclass(frozen=True)
class Party:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def record(self, usage: int, selector: int, matching: int) -> Tlsa:
        data = self.der
        if selector:
            public = self.certificate.public_key()
            data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        hashed = {0: data, 1: hashlib.sha256(data).digest(), 2: hashlib.sha512(data).digest()}
        return Tlsa(usage, selector, matching, hashed[matching])


def party(
    name: str,
    by: Party | None = None,
    *,
    authority: bool = False,
    names: tuple[str, ...] = (),
    days: tuple[int, int] = (-1, 90),
) -> Party:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(alternatives, False)
    return Party(builder.sign(by.key if by else key, hashes.SHA256()), key)


ROOT = party("root", authority=True)
MIDDLE = party("middle", ROOT, authority=True)
HOST = party("mx", MIDDLE, names=("mx.example.com",))
OTHER = party("other", MIDDLE, names=("mx.example.org",))
OLD = party("old", MIDDLE, names=("mx.example.com",), days=(-90, -1))
STRANGER = party("root", authority=True)
CHAIN = [HOST.der, MIDDLE.der, ROOT.der]


def judged(*found: Tlsa, chain: list[bytes] = CHAIN, names: tuple[str, ...] = NAMES) -> Trust:
    return judge(found, chain, names, AT)


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_a_certificate_or_a_key_is_named_as_it_is_or_by_its_hash(
    selector: int, matching: int
) -> None:
    assert judged(HOST.record(3, selector, matching)) is Trust.NAMED
    assert judged(OTHER.record(3, selector, matching)) is Trust.UNNAMED


def test_usage_3_asks_for_no_name_and_no_date() -> None:
    assert judged(OLD.record(3, 1, 1), chain=[OLD.der], names=("a.b",)) is Trust.NAMED


@pytest.mark.parametrize("anchor", [MIDDLE, ROOT])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_usage_2_names_who_signed_it(anchor: Party, selector: int, matching: int) -> None:
    assert judged(anchor.record(2, selector, matching)) is Trust.NAMED


def test_an_anchor_which_is_not_shown_counts_when_the_record_has_it_whole() -> None:
    chain = [HOST.der, MIDDLE.der]
    assert judged(ROOT.record(2, 0, 0), chain=chain) is Trust.NAMED
    assert judged(ROOT.record(2, 0, 1), chain=chain) is Trust.UNNAMED


def test_usage_2_wants_the_name_of_the_host_or_of_the_domain() -> None:
    chain = [OTHER.der, MIDDLE.der]
    assert judged(MIDDLE.record(2, 1, 1), chain=chain) is Trust.OTHER_HOST
    assert judged(MIDDLE.record(2, 1, 1), chain=chain, names=("mx.example.org",)) is Trust.NAMED
    star = party("star", MIDDLE, names=("*.example.com",))
    assert judged(MIDDLE.record(2, 1, 1), chain=[star.der, MIDDLE.der]) is Trust.NAMED
    assert (
        judged(MIDDLE.record(2, 1, 1), chain=[star.der, MIDDLE.der], names=("a.mx.example.com",))
        is Trust.OTHER_HOST
    )


def test_usage_2_wants_a_certificate_that_holds_today() -> None:
    assert judged(MIDDLE.record(2, 1, 1), chain=[OLD.der, MIDDLE.der]) is Trust.EXPIRED


def test_who_only_has_the_name_of_the_anchor_is_not_it() -> None:
    forged = party("mx", STRANGER, names=("mx.example.com",))
    chain = [forged.der, STRANGER.der, ROOT.der]
    assert judged(ROOT.record(2, 1, 1), chain=chain) is Trust.UNNAMED
    assert judged(MIDDLE.record(2, 1, 1), chain=[forged.der, MIDDLE.der]) is Trust.UNNAMED


def test_who_is_no_authority_signs_for_nobody() -> None:
    below = party("below", HOST, names=("mx.example.com",))
    assert judged(HOST.record(2, 1, 1), chain=[below.der, HOST.der]) is Trust.UNNAMED


def test_the_certificate_itself_is_not_its_own_anchor() -> None:
    alone = party("mx", authority=True, names=("mx.example.com",))
    assert judged(alone.record(2, 1, 1), chain=[alone.der]) is Trust.UNNAMED


def test_one_record_that_names_it_is_enough() -> None:
    stale = Tlsa(3, 1, 1, bytes(32))
    assert judged(stale, HOST.record(3, 1, 1)) is Trust.NAMED
    assert judged(stale, OTHER.record(2, 0, 1)) is Trust.UNNAMED


@pytest.mark.parametrize(
    "record",
    [
        Tlsa(0, 1, 1, bytes(32)),
        Tlsa(1, 1, 1, bytes(32)),
        Tlsa(255, 1, 1, bytes(32)),
        Tlsa(3, 2, 1, bytes(32)),
        Tlsa(3, 1, 3, bytes(32)),
        Tlsa(3, 1, 1, bytes(31)),
        Tlsa(3, 1, 2, bytes(32)),
    ],
)
def test_records_for_others_or_of_a_later_time_cannot_be_used(record: Tlsa) -> None:
    assert usage([record]) is Usage.UNUSABLE
    assert judged(record) is Trust.UNNAMED


def test_no_records_ask_for_nothing() -> None:
    assert usage(records([])) is Usage.NONE
    assert usage(records([b"\x03\x01"])) is Usage.NONE


def test_the_usable_ones_of_too_many_are_kept() -> None:
    useless = bytes((0, 1, 1)) + bytes(32)
    useful = bytes((3, 1, 1)) + bytes(32)
    kept = records([useless] * 1000 + [useful])
    assert len(kept) == MAX_RECORDS
    assert usage(kept) is Usage.USABLE


def test_a_record_is_written_as_zone_files_have_it() -> None:
    assert str(read(b"\x03\x01\x01\xab\xcd")) == "3 1 1 abcd"


@given(st.lists(st.binary(max_size=40), max_size=4), st.lists(st.binary(max_size=200), max_size=3))
def test_any_octets_get_a_verdict(values: list[bytes], chain: list[bytes]) -> None:
    assert judge(records(values), chain, NAMES, AT) in Trust


@given(st.integers(0, len(HOST.der) - 1), st.integers(0, 255))
def test_a_changed_certificate_is_judged_and_not_a_fault(at: int, octet: int) -> None:
    changed = bytearray(HOST.der)
    changed[at] = octet
    chain = [bytes(changed), MIDDLE.der, ROOT.der]
    same = bytes(changed) == HOST.der
    assert (judged(HOST.record(3, 0, 1), chain=chain) is Trust.NAMED) is same
    assert judged(MIDDLE.record(2, 1, 1), chain=chain) in Trust
