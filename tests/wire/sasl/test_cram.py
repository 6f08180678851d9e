"""CRAM-MD5 by the example of RFC 2195."""

import pytest

from angarium.wire.sasl.cram import ask, proof, serve
from angarium.wire.sasl.errors import MalformedError, SaslError
from angarium.wire.sasl.exchange import Challenge, Claim, Client, Credentials, Identity, Server

CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"
ANSWER = b"tim b913a602c7eda7a495b4e6e7334d3890"


def asked() -> Server:
    server = Server("CRAM-MD5", serve(None, "1896.697170952", "postoffice.reston.mci.net"))
    assert server.advance() == Challenge(CHALLENGE)
    return server


def test_the_example_of_rfc_2195() -> None:
    server = asked()
    claim = server.advance(ANSWER)
    assert isinstance(claim, Claim)
    assert (claim.user, claim.crypt, claim.nonce) == ("tim", "hmac_md5", CHALLENGE.decode())
    assert claim.holds("tanstaaftanstaaf")
    assert not claim.holds("tanstaaftanstaa")
    assert server.advance("tim") == Identity("tim")


def test_the_client_plays_it_too() -> None:
    client = Client("CRAM-MD5", ask(Credentials("tim", "tanstaaftanstaaf")))
    assert client.initial() is None
    assert client.respond(CHALLENGE) == ANSWER
    client.finish()


def test_a_name_may_have_blanks() -> None:
    claim = asked().advance(b"tim of here " + b"0" * 32)
    assert isinstance(claim, Claim)
    assert claim.user == "tim of here"


@pytest.mark.parametrize("said", [b"", b"tim", b"tim 12", b" " + b"0" * 32, b"tim " + b"g" * 32])
def test_what_is_no_name_and_digest_is_malformed(said: bytes) -> None:
    with pytest.raises(MalformedError):
        asked().advance(said)


def test_it_has_no_initial_response() -> None:
    with pytest.raises(MalformedError):
        Server("CRAM-MD5", serve(ANSWER, "n", "h")).advance()


def test_a_server_which_asks_nothing_or_twice_is_left() -> None:
    client = Client("CRAM-MD5", ask(Credentials("tim", "x")))
    client.initial()
    with pytest.raises(SaslError):
        client.respond(b"")
    client = Client("CRAM-MD5", ask(Credentials("tim", "x")))
    client.initial()
    client.respond(CHALLENGE)
    with pytest.raises(SaslError):
        client.respond(CHALLENGE)


def test_another_challenge_has_another_proof() -> None:
    assert proof("x", b"<1@h>") != proof("x", b"<2@h>")
