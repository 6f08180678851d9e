"""Keys, private and public."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.keys import BadKeyError, made, private, published, unversioned
from helpers.signing import key

DIGEST = hashlib.sha256(b"x").digest()
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PLAIN = serialization.NoEncryption()


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_signature_holds_by_the_record_of_its_key(kind: str) -> None:
    signer = key(kind)
    known = published(signer.record())
    signature = signer.sign(DIGEST, "sha256")
    assert known.holds(signature, DIGEST, "sha256")
    assert not known.holds(signature, hashlib.sha256(b"y").digest(), "sha256")
    # Of Ed25519 the last octet is 0 once in sixteen times: a bit is turned, not an octet set.
    assert not known.holds(bytes([signature[0] ^ 1]) + signature[1:], DIGEST, "sha256")
    assert not known.holds(b"", DIGEST, "sha256")
    assert (known.kind, known.bits) == (signer.kind, signer.bits)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_private_key_is_read_as_it_was_written(kind: str) -> None:
    signer = key(kind)
    pem = signer.pem()
    assert private(pem).record() == signer.record()
    line = b"".join(pem.splitlines()[1:-1])
    assert private(line, prove=True).record() == signer.record()
    assert "PRIVATE" not in repr(signer)


def test_older_forms_of_private_keys_are_read() -> None:
    plain = rsa.generate_private_key(65537, 1024)
    traditional = plain.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, PLAIN)
    assert private(traditional).bits == 1024
    curve = Ed25519PrivateKey.generate()
    assert private(base64.b64encode(curve.private_bytes_raw())).kind == "ed25519"


def test_what_is_no_private_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN)
    locked = key().pem().replace(b"BEGIN PRIVATE KEY", b"BEGIN ENCRYPTED PRIVATE KEY")
    for wrong in (b"", b"x", b"-----BEGIN RSA PRIVATE KEY-----\n", pem, locked, b"AAAA"):
        with pytest.raises(BadKeyError):
            private(wrong)


def test_a_key_that_was_spoilt_is_found_out_when_it_is_proven() -> None:
    plain = rsa.generate_private_key(65537, 1024)
    numbers = plain.private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d, numbers.dmp1 ^ 2, numbers.dmq1, numbers.iqmp,
        numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)  # fmt: skip
    pem = wrong.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN)
    with pytest.raises(BadKeyError):
        private(pem, prove=True)


def test_flags_of_a_record_are_read() -> None:
    known = published(
        key().record() + b"; h=sha1 : SHA256; s = email:*; t=y:s; n=for people; g=joe"
    )
    assert known.hashes == frozenset((b"sha1", b"sha256"))
    assert known.services == {b"email", b"*"}
    assert known.testing
    assert known.strict
    plain = published(key().record())
    assert plain.hashes is None
    assert plain.services == {b"*"}
    assert not plain.testing
    assert not plain.strict


def test_a_record_may_have_the_bare_key_of_pkcs1() -> None:
    public = rsa.generate_private_key(65537, 1024).public_key()
    der = public.public_bytes(DER, serialization.PublicFormat.PKCS1)
    assert published(b"p=" + base64.b64encode(der)).bits == 1024


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"v=DKIM1; k=rsa; p=", "revoked"),
        (b"v=DKIM1; k=rsa", "no key"),
        (b"v=DKIM2; p=AAAA", "no record"),
        (b"k=rsa; v=DKIM1; p=AAAA", "no record"),
        (b"v=spf1 -all", "no record"),
        (b"v=DKIM1; p", "no name, or no value"),
        (b"", "no key"),
        (b"v=DKIM1; k=dsa; p=AAAA", "unknown"),
        (b"v=DKIM1; p=AAAA", "faulty"),
        (b"v=DKIM1; p=*", "base64"),
        (b"v=DKIM1; k=ed25519; p=AAAA", "faulty"),
        (b"v=DKIM1; k=rsa; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "faulty"),
        (b"v=DKIM1; p=A; p=B", "twice"),
    ],
)
def test_a_record_without_a_usable_key_says_why(record: bytes, reason: str) -> None:
    with pytest.raises(BadKeyError, match=reason):
        published(record)


def test_a_record_whose_key_is_of_another_kind_is_refused() -> None:
    der = Ed25519PrivateKey.generate().public_key()
    spki = der.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(BadKeyError, match="not of the kind"):
        published(b"v=DKIM1; k=rsa; p=" + base64.b64encode(spki))
    # RFC 8463 has the 32 octets, but some publish what a program wrote.
    assert published(b"v=DKIM1; k=ed25519; p=" + base64.b64encode(spki)).kind == "ed25519"


def test_a_key_that_is_too_long_to_check_is_refused() -> None:
    numbers = rsa.RSAPublicNumbers(65537, (1 << 8999) | 1)
    der = numbers.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(BadKeyError, match="too long"):
        published(b"p=" + base64.b64encode(der))


def test_records_of_domainkeys_need_no_version() -> None:
    record = key().record().replace(b"v=DKIM1; ", b"")
    assert unversioned(record) == published(record)


def test_new_keys_differ() -> None:
    assert made("ed25519").record() != made("ed25519").record()


@given(st.binary(max_size=100), st.sampled_from([b"", b"v=DKIM1; p=", b"k=ed25519; p="]))
def test_any_octets_are_a_key_or_a_reason(octets: bytes, begin: bytes) -> None:
    for text in (begin + octets, begin + base64.b64encode(octets)):
        try:
            published(text)
        except BadKeyError as fault:
            assert fault.message
