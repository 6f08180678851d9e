"""RADIUS by the example of RFC 2865, and answers by others than who was asked."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.radius import (
    AUTHENTICATE_ONLY,
    CALLING_STATION_ID,
    MESSAGE_AUTHENTICATOR,
    NAS_IP_ADDRESS,
    NAS_IPV6_ADDRESS,
    REPLY_MESSAGE,
    SERVICE_TYPE,
    USER_NAME,
    Answer,
    Code,
    RadiusError,
    address,
    concealed,
    number,
    request,
    response,
    text,
)

# RFC 2865 section 7.1.
AUTHENTICATOR = bytes.fromhex("0f403f9473978057bd83d5cb98f4227a")
SECRET = b"xyzzy5461"
ACCEPT = bytes.fromhex(
    "02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103"
)


def answer(
    code: int,
    attributes: bytes = b"",
    *,
    ident: int = 7,
    sealed: bool = True,
    secret: bytes = SECRET,
) -> bytes:
    """Return what a server says to the question with this authenticator."""
    body = (b"\x50\x12" + bytes(16) if sealed else b"") + attributes
    head = bytes((code, ident)) + (20 + len(body)).to_bytes(2, "big")
    if sealed:
        seal = hmac.digest(secret, head + AUTHENTICATOR + body, "md5")
        body = b"\x50\x12" + seal + body[18:]
    return head + hashlib.md5(head + AUTHENTICATOR + body + secret).digest() + body


def test_a_password_goes_as_in_the_example_of_the_rfc() -> None:
    assert concealed(b"arctangent", AUTHENTICATOR, SECRET) == bytes.fromhex(
        "0dbe708d93d413ce3196e43f782a0aee"
    )


def test_the_answer_of_the_example_is_one() -> None:
    found = response(ACCEPT, 0, AUTHENTICATOR, SECRET)
    assert found.code is Code.ACCEPT
    assert [kind for kind, _ in found.attributes] == [6, 15, 14]
    assert not found.sealed


def test_a_question_is_sealed_and_has_what_it_was_given() -> None:
    given = [text(USER_NAME, "nemo"), number(SERVICE_TYPE, AUTHENTICATE_ONLY)]
    asked = request(9, AUTHENTICATOR, SECRET, [*given, address("192.0.2.1")], "arctangent")
    assert asked[:2] == b"\x01\x09"
    assert int.from_bytes(asked[2:4], "big") == len(asked)
    assert asked[4:20] == AUTHENTICATOR
    assert asked[20:22] == bytes((MESSAGE_AUTHENTICATOR, 18))
    unsealed = asked[:22] + bytes(16) + asked[38:]
    assert asked[22:38] == hmac.digest(SECRET, unsealed, "md5")
    assert b"\x01\x06nemo" in asked
    assert bytes.fromhex("0dbe708d93d413ce3196e43f782a0aee") in asked
    assert b"arctangent" not in asked


def test_addresses_of_both_families() -> None:
    assert address("192.0.2.1") == (NAS_IP_ADDRESS, bytes((192, 0, 2, 1)))
    assert address("2001:db8::1")[0] == NAS_IPV6_ADDRESS


def test_what_does_not_fit_is_not_asked() -> None:
    with pytest.raises(RadiusError):
        request(1, AUTHENTICATOR, SECRET, [], "p" * 129)
    with pytest.raises(RadiusError):
        text(CALLING_STATION_ID, "x" * 254)
    with pytest.raises(RadiusError):
        text(USER_NAME, "")


def test_an_answer_says_something_to_people() -> None:
    said = answer(Code.REJECT, b"\x12\x05no!" + b"\x12\x06 bye")
    found = response(said, 7, AUTHENTICATOR, SECRET)
    assert (found.code, found.message, found.sealed) == (Code.REJECT, "no! bye", True)
    assert REPLY_MESSAGE in dict(found.attributes)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        answer(2)[:19],
        answer(2, ident=8),
        answer(2, secret=b"other"),
        answer(99),
        answer(2, b"\x12\x01"),
        answer(2, b"\x12\xff"),
        answer(2, b"\x12"),
        answer(2, b"\x50\x12" + bytes(16)),
        answer(2, b"\x50\x03\x00"),
        answer(2)[:2] + b"\xff\xff" + answer(2)[4:],
    ],
)
def test_what_is_no_answer_is_refused(octets: bytes) -> None:
    with pytest.raises(RadiusError):
        response(octets, 7, AUTHENTICATOR, SECRET)


def test_a_reject_made_an_accept_on_its_way_is_refused() -> None:
    with pytest.raises(RadiusError):
        response(b"\x02" + answer(3)[1:], 7, AUTHENTICATOR, SECRET)


def test_padding_is_not_looked_at() -> None:
    assert response(answer(2) + b"padding", 7, AUTHENTICATOR, SECRET).code is Code.ACCEPT


@given(st.binary(max_size=300))
def test_any_octets_are_an_answer_or_the_one_error(octets: bytes) -> None:
    try:
        found = response(octets, 7, AUTHENTICATOR, SECRET)
    except RadiusError:
        return
    assert isinstance(found, Answer)


@given(st.binary(max_size=128), st.binary(min_size=1, max_size=40))
def test_a_server_reads_the_password(password: bytes, secret: bytes) -> None:
    hidden = concealed(password, AUTHENTICATOR, secret)
    found, before = b"", AUTHENTICATOR
    for at in range(0, len(hidden), 16):
        block = hidden[at : at + 16]
        mask = hashlib.md5(secret + before).digest()
        found += bytes(a ^ b for a, b in zip(block, mask, strict=True))
        before = block
    assert found.rstrip(b"\0") == password.rstrip(b"\0")
    assert len(hidden) % 16 == 0
