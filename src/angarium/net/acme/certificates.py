"""Certificates of servers, from the key to the date on which a new one is wanted.

key = made("ecdsa")
request(names, key)             in DER, for the authority
checked(chain, names, key, now) raises AcmeError where what came is not what was asked for
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from angarium.wire.acme.errors import AcmeError

KINDS: Final = ("ecdsa", "rsa")
RSA_BITS: Final = 2048
# A certificate of a few days is renewed when a third of them is left, whatever renew_before says.
SHARE: Final = 3
MOST_CERTIFICATES: Final = 20  # in a chain; there are two to four

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate which is there.

    Attributes:
        begins, ends: Unix time.
        names: in lower case.
    """

    begins: float
    ends: float
    names: frozenset[str]
    issuer: str
    public: bytes

    def due(self, renew_before: float) -> float:
        """Return when a new one is wanted, as Unix time."""
        return self.ends - min(renew_before, (self.ends - self.begins) / SHARE)


def made(kind: str) -> Key:
    """Return a new key."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_in(octets: bytes) -> Key | None:
    """Return the key in a file, which may hold certificates too; None: there is none we know."""
    try:
        key = serialization.load_pem_private_key(_key_of(octets), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) else None


def _key_of(octets: bytes) -> bytes:
    begin = octets.find(b"-----BEGIN ")
    while begin >= 0:
        label = octets[begin + 11 : octets.find(b"\n", begin)]
        if b"PRIVATE KEY" in label:
            return octets[begin:]
        begin = octets.find(b"-----BEGIN ", begin + 1)
    return b""


def kind_of(key: Key) -> str:
    return "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa"


def request(names: Iterable[str], key: Key) -> bytes:
    """Return what asks for a certificate, in DER (RFC 2986); names are alternative names only."""
    wanted = [x509.DNSName(each) for each in names]
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def _public(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


def public(key: Key) -> bytes:
    return _public(key.public_key())


def held(octets: bytes) -> Held:
    """Return what the first certificate in PEM says. Raises AcmeError."""
    try:
        leaf = x509.load_pem_x509_certificate(octets)
        key = leaf.public_key()
        begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        issuer = leaf.issuer.rfc4514_string()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AcmeError(f"this is no certificate in PEM: {error}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise AcmeError("the certificate has a key which nobody here makes")
    return Held(begins.timestamp(), ends.timestamp(), _names(leaf), issuer, _public(key))


def _names(leaf: x509.Certificate) -> frozenset[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return frozenset()
    return frozenset(each.lower() for each in found.get_values_for_type(x509.DNSName))


def on_disk(path: Path) -> Held | None:
    """Return what is in a file; None: nothing that is a certificate."""
    try:
        return held(path.read_bytes())
    except (OSError, AcmeError):
        return None


def checked(chain: bytes, names: Iterable[str], key: Key, now: float) -> tuple[Held, bytes]:
    """Look whether a chain is what was asked for. Raises AcmeError.

    Returns what its first certificate says, and the chain anew, with nothing else in it: what an
    authority sends beside certificates, such as a key, is not to be in a file we read keys from
    (RFC 8555 section 11).
    """
    try:
        found = x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        raise AcmeError(f"what comes is no chain of certificates in PEM: {error}") from None
    if len(found) > MOST_CERTIFICATES:
        raise AcmeError(f"a chain of more than {MOST_CERTIFICATES} certificates")
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in found)
    leaf = held(pem)
    if leaf.public != public(key):
        raise AcmeError("the certificate is not for the key which we have")
    missing = sorted(set(names) - leaf.names)
    if missing:
        raise AcmeError(f"the certificate is not for {', '.join(missing)}")
    if leaf.ends <= now:
        raise AcmeError(f"the certificate has expired on {day(leaf.ends)}: is our clock right?")
    return leaf, pem


def day(at: float) -> str:
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d}"
