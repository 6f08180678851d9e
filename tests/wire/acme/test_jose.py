"""Signed requests, checked by a key of RFC 7515 and an authority which shares no line."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.acme import jose
from angarium.wire.acme.errors import AcmeError
from helpers.acme import Known, RefusedError, canonical, octets, text

# RFC 7515 appendix A.3.
X, Y = (
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
)
D = int.from_bytes(octets("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"), "big")
KEY = ec.derive_private_key(D, ec.SECP256R1())
URL = "https://ca.test/order"


def test_a_public_key_is_as_rfc_7515_has_it() -> None:
    assert jose.public(KEY) == {"crv": "P-256", "kty": "EC", "x": X, "y": Y}


def test_a_thumbprint_is_the_hash_of_the_members_in_order() -> None:
    members = canonical({"kty": "EC", "crv": "P-256", "y": Y, "x": X})
    assert jose.thumbprint(KEY) == text(hashlib.sha256(members).digest())
    assert jose.key_authorization("tok", KEY) == f"tok.{jose.thumbprint(KEY)}"


@given(st.binary(max_size=200), st.text(max_size=20))
def test_a_request_is_signed_so_that_others_find_it_right(payload: bytes, nonce: str) -> None:
    body = json.loads(jose.signed(KEY, url=URL, nonce=nonce, payload=payload))
    head = json.loads(octets(body["protected"]))
    assert head == {"alg": "ES256", "jwk": jose.public(KEY), "nonce": nonce, "url": URL}
    assert octets(body["payload"]) == payload
    signed = f"{body['protected']}.{body['payload']}".encode()
    Known(head["jwk"], []).verify(signed, octets(body["signature"]))
    with pytest.raises(RefusedError):
        Known(head["jwk"], []).verify(signed + b"x", octets(body["signature"]))


def test_who_has_an_account_is_named_by_it_and_not_by_his_key() -> None:
    body = json.loads(
        jose.signed(KEY, url=URL, nonce="n", payload=b"", account="https://ca.test/1")
    )
    head = json.loads(octets(body["protected"]))
    assert (head["kid"], "jwk" in head) == ("https://ca.test/1", False)


@given(st.binary(max_size=100))
def test_base64url_is_read_as_it_is_written(found: bytes) -> None:
    assert jose.decoded(jose.encoded(found)) == found == octets(jose.encoded(found))


@pytest.mark.parametrize("wrong", ["a", "ab+d", "ab/d", "abc=", "ab d", "äbcd", "ab\n"])
def test_what_is_no_base64url_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        jose.decoded(wrong)


def test_a_key_is_kept_and_others_are_refused() -> None:
    kept = jose.loaded(jose.pem(KEY))
    assert jose.public(kept) == jose.public(KEY)
    other = ec.generate_private_key(ec.SECP384R1())
    for wrong in (b"", b"x", jose.pem(other), _rsa()):
        with pytest.raises(AcmeError):
            jose.loaded(wrong)


def _rsa() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
