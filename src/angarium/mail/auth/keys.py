"""Keys of signatures: private ones as files have them, public ones as DNS has them.

    key = private(pem)                          RSA or Ed25519
    key.record()                                b"v=DKIM1; k=rsa; p=..." for DNS
    published(record).holds(signature, digest, "sha256")

Both sides sign and check a digest of 20 or 32 octets: RSA as PKCS #1 has it, Ed25519 over the
digest as its message (RFC 8463 section 3). Arithmetic is cryptography's alone.

To validate a private key of RSA takes 30 ms, so it is done where one is imported (`prove`);
what is loaded to sign is trusted to be what was imported.
"""

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from angarium.core.errors import Error
from angarium.mail.auth.tags import TagError, octets, parsed, words

_PADDING: Final = padding.PKCS1v15()
_HASHES: Final = {"sha256": Prehashed(hashes.SHA256()), "sha1": Prehashed(hashes.SHA1())}
# A check with more takes longer than a mail server has for it; OpenSSL takes up to 16384.
MAX_BITS: Final = 8192
_KNOWN: Final = 4096  # records whose key is kept parsed


class BadKeyError(Error):
    """What is no key, or none that can be used."""


class PrivateKey:
    """A key to sign with."""

    __slots__ = ("_key", "bits", "kind")

    def __init__(self, key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._key = key
        self.kind: Final = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ed25519"
        self.bits: Final = key.key_size if isinstance(key, rsa.RSAPrivateKey) else 256

    def sign(self, digest: bytes, hash_name: str) -> bytes:
        """Return the signature of a digest. Takes 0.2 ms with RSA, and may run in any thread."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(digest, _PADDING, _HASHES[hash_name])
        return self._key.sign(digest)

    def public(self) -> bytes:
        """Return the public key as p= has it, before base64 (RFC 6376 3.6.1, RFC 8463 4)."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        return self._key.public_key().public_bytes_raw()

    def record(self) -> bytes:
        """Return the record that DNS must have at SELECTOR._domainkey.DOMAIN."""
        return b"v=DKIM1; k=%b; p=%b" % (self.kind.encode(), base64.b64encode(self.public()))

    def pem(self) -> bytes:
        """Return the key as a file has it (PKCS #8, not encrypted)."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def __repr__(self) -> str:
        return f"<PrivateKey {self.kind} of {self.bits} bits>"


def private(text: bytes, *, prove: bool = False) -> PrivateKey:
    """Return the private key which a PEM file has, or one line of base64 without the PEM around it.

    In one line a key of Ed25519 may be its 32 octets alone. With `prove` RSA is validated.
    Raises BadKeyError.
    """
    try:
        if b"-----BEGIN" in text:
            key: object = serialization.load_pem_private_key(
                text, None, unsafe_skip_rsa_key_validation=not prove
            )
        else:
            key = _bare(text, prove=prove)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        raise BadKeyError("this is no private key, or one that is encrypted") from None
    if not isinstance(key, rsa.RSAPrivateKey | Ed25519PrivateKey):
        raise BadKeyError("the key is neither RSA nor Ed25519")
    return PrivateKey(key)


def _bare(text: bytes, *, prove: bool) -> object:
    der = binascii.a2b_base64(text.translate(None, b" \t\r\n"), strict_mode=True)
    if len(der) == 32:
        return Ed25519PrivateKey.from_private_bytes(der)
    return serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=not prove)


def made(kind: str = "rsa", bits: int = 2048) -> PrivateKey:
    """Return a new key, `rsa` or `ed25519`."""
    if kind == "ed25519":
        return PrivateKey(Ed25519PrivateKey.generate())
    return PrivateKey(rsa.generate_private_key(65537, bits))


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a key record says (RFC 6376 section 3.6.1)."""

    kind: str
    bits: int
    hashes: frozenset[bytes] | None  # h=; None: all
    services: frozenset[bytes]  # s=
    testing: bool  # t=y
    strict: bool  # t=s: no subdomains in i=
    key: rsa.RSAPublicKey | Ed25519PublicKey

    def holds(self, signature: bytes, digest: bytes, hash_name: str) -> bool:
        """Say whether a signature is one of this digest by this key."""
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, digest, _PADDING, _HASHES[hash_name])
            else:
                self.key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


@lru_cache(_KNOWN)
def published(record: bytes) -> PublicKey:
    """Return the key of a record in DNS. Raises BadKeyError, which says why there is none."""
    try:
        tags = parsed(record)
    except TagError as fault:
        raise BadKeyError(f"the key record is faulty: {fault}") from None
    version = tags.get(b"v")
    if version is not None and (version != b"DKIM1" or next(iter(tags)) != b"v"):
        raise BadKeyError("this is no record of a DKIM key")
    return unversioned(record)


def unversioned(record: bytes) -> PublicKey:
    """Return the key of a record, of whatever version: those of DomainKeys have none.

    Raises BadKeyError.
    """
    try:
        tags = parsed(record)
        if b"p" not in tags:
            raise BadKeyError("the key record has no key")
        if not tags[b"p"]:
            raise BadKeyError("the key is revoked")
        kind = tags.get(b"k", b"rsa").lower()
        key = _public(kind, octets(tags[b"p"], "p"))
    except TagError as fault:
        raise BadKeyError(f"the key record is faulty: {fault}") from None
    flags = words(tags.get(b"t", b""))
    return PublicKey(
        kind.decode(),
        key.key_size if isinstance(key, rsa.RSAPublicKey) else 256,
        frozenset(words(tags[b"h"])) if b"h" in tags else None,
        frozenset(words(tags.get(b"s", b"*"))),
        b"y" in flags,
        b"s" in flags,
        key,
    )


def _public(kind: bytes, der: bytes) -> rsa.RSAPublicKey | Ed25519PublicKey:
    try:
        if kind == b"ed25519":
            if len(der) == 32:
                return Ed25519PublicKey.from_public_bytes(der)
        elif kind != b"rsa":
            raise BadKeyError("the kind of the key is unknown")
        # RFC 6376 says RSAPublicKey, its example and everybody have SubjectPublicKeyInfo:
        # both are read.
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyError("the key in the record is faulty") from None
    if isinstance(key, rsa.RSAPublicKey) and kind == b"rsa":
        if key.key_size > MAX_BITS:
            raise BadKeyError("the key is too long")
        return key
    if isinstance(key, Ed25519PublicKey) and kind == b"ed25519":
        return key
    raise BadKeyError("the key is not of the kind the record says")
