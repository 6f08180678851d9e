"""Signed requests: JSON Web Signature as ACME has it (RFC 8555 section 6.2, RFC 7515).

    key = generated()                                   an account is its key: ES256 (RFC 7518)
    body = signed(key, url=..., nonce=..., payload=..., account="")

A key of an account signs nothing but requests. `account` is its URL; without one the key itself
stands in the header, as only a new account may have it.
"""

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from angarium.wire.acme.errors import AcmeError

JOSE_TYPE: Final = "application/jose+json"
_OCTETS: Final = 32  # of a number of P-256
_ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

Key = ec.EllipticCurvePrivateKey


def encoded(octets: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """Return the octets of base64url; padding is no part of it. Raises ValueError."""
    octets = text.encode("ascii", "replace")
    if len(octets) % 4 == 1 or not _ALPHABET.issuperset(octets):
        raise ValueError("this is no base64url")
    return base64.urlsafe_b64decode(octets + b"=" * (-len(octets) % 4))


def generated() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: Key) -> bytes:
    """Return a key as it is kept."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def loaded(octets: bytes) -> Key:
    """Return the key which `pem` has written. Raises AcmeError."""
    try:
        key = serialization.load_pem_private_key(octets, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise AcmeError("this is no key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise AcmeError("the key of an account is one of P-256")
    return key


def public(key: Key) -> dict[str, str]:
    """Return the public half as a JSON Web Key, its members in the order of RFC 7638."""
    numbers = key.public_key().public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": encoded(numbers.x.to_bytes(_OCTETS, "big")),
        "y": encoded(numbers.y.to_bytes(_OCTETS, "big")),
    }


def thumbprint(key: Key) -> str:
    """Return what names the key (RFC 7638)."""
    return encoded(hashlib.sha256(_json(public(key))).digest())


def key_authorization(token: str, key: Key) -> str:
    """Return the proof which goes with the token of a challenge (RFC 8555 section 8.1)."""
    return f"{token}.{thumbprint(key)}"


def signed(key: Key, *, url: str, nonce: str, payload: bytes, account: str = "") -> bytes:
    """Return the body of a request; an empty payload is POST-as-GET."""
    who: dict[str, Any] = {"kid": account} if account else {"jwk": public(key)}
    head = encoded(_json({"alg": "ES256", **who, "nonce": nonce, "url": url}))
    body = encoded(payload)
    der = key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    signature = r.to_bytes(_OCTETS, "big") + s.to_bytes(_OCTETS, "big")
    return _json({"protected": head, "payload": body, "signature": encoded(signature)})


def bound(key: Key, *, url: str, name: str, secret: bytes) -> dict[str, str]:
    """Return what binds a new account to one that was had before (RFC 8555 section 7.3.4).

    Args:
        name, secret: as the authority has given them.
    """
    head = encoded(_json({"alg": "HS256", "kid": name, "url": url}))
    body = encoded(_json(public(key)))
    mac = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return {"protected": head, "payload": body, "signature": encoded(mac)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
