"""Keys, requests, and what must hold of what comes back."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from angarium.net.acme import certificates
from angarium.wire.acme.errors import AcmeError
from helpers.certificates import authority, server

NAMES = ("mx.b.test", "mail.b.test")
SOON = datetime.datetime(2027, 3, 1, tzinfo=datetime.UTC)
NOW = SOON.timestamp() - 86400


def granted(key: certificates.Key, names: tuple[str, ...] = NAMES) -> bytes:
    request = x509.load_der_x509_csr(certificates.request(names, key))
    return authority().granted(request, SOON)


@pytest.mark.parametrize("kind", certificates.KINDS)
def test_what_was_asked_for_is_taken(kind: str) -> None:
    key = certificates.made(kind)
    chain = granted(key)
    held, pem = certificates.checked(chain, NAMES, key, NOW)
    assert pem == chain
    assert held.names == set(NAMES)
    assert (certificates.day(held.ends), held.issuer) == ("2027-03-01", "CN=Test Authority")
    kept = certificates.key_in(certificates.pem(key) + chain)
    assert kept is not None
    assert certificates.public(kept) == held.public
    assert certificates.kind_of(kept) == kind


def test_a_request_is_for_its_names_in_order_and_signed() -> None:
    key = certificates.made("ecdsa")
    request = x509.load_der_x509_csr(certificates.request(NAMES, key))
    assert request.is_signature_valid
    found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert tuple(found.value.get_values_for_type(x509.DNSName)) == NAMES
    assert isinstance(request.public_key(), ec.EllipticCurvePublicKey)
    assert isinstance(certificates.made("rsa"), rsa.RSAPrivateKey)


def test_what_was_not_asked_for_is_refused() -> None:
    key = certificates.made("ecdsa")
    chain = granted(key)
    for match, names, of, now, found in (
        ("not for the key", NAMES, certificates.made("ecdsa"), NOW, chain),
        ("is not for a.test", ("a.test", *NAMES), key, NOW, chain),
        ("has expired", NAMES, key, SOON.timestamp() + 1, chain),
        ("no chain of", NAMES, key, NOW, b"-----BEGIN CERTIFICATE-----\nx"),
        (
            "no chain of",
            NAMES,
            key,
            NOW,
            b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n" + chain,
        ),
        ("more than 20", NAMES, key, NOW, chain + authority().pem * 20),
    ):
        with pytest.raises(AcmeError, match=match):
            certificates.checked(found, names, of, now)


def test_what_an_authority_sends_beside_certificates_is_not_kept() -> None:
    key = certificates.made("ecdsa")
    chain = granted(key)
    more = certificates.pem(certificates.made("ecdsa"))
    for sent in (chain + more, more + chain, b"# hello\n" + chain):
        assert certificates.checked(sent, NAMES, key, NOW)[1] == chain


def test_a_key_which_nobody_here_makes_is_none() -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for octets in (b"", b"x", pem, authority().pem, b"-----BEGIN PRIVATE KEY-----\nx"):
        assert certificates.key_in(octets) is None


def test_what_is_on_the_disk_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    assert certificates.on_disk(path) is None
    path.write_bytes(b"x")
    assert certificates.on_disk(path) is None
    path.write_bytes(server().whole)
    held = certificates.on_disk(path)
    assert held is not None
    assert "localhost" in held.names


def test_a_new_one_is_wanted_at_a_third_of_a_short_life() -> None:
    long = certificates.Held(0.0, 90.0, frozenset(), "", b"")
    assert (long.due(30.0), long.due(5.0), long.due(80.0)) == (60.0, 85.0, 60.0)
