"""XOAUTH2 as its maker's page has it, OAUTHBEARER by the example of RFC 7628."""

import pytest

from angarium.wire.sasl.bearer import ask, serve
from angarium.wire.sasl.errors import MalformedError, RefusedError
from angarium.wire.sasl.exchange import Challenge, Claim, Client, Credentials, Identity, Server
from angarium.wire.sasl.names import OAUTHBEARER, XOAUTH2

TOKEN = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
GOOGLE = f"user=someuser@example.com\1auth=Bearer {TOKEN}\1\1".encode()
# Section 4.1, with the host and port of its example.
RFC = (
    b"n,a=user@example.com,\1host=server.example.com\1port=143\1"
    b"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"
)


def claim_of(server: Server) -> Claim:
    claim = server.advance()
    assert isinstance(claim, Claim)
    return claim


def test_xoauth2() -> None:
    server = Server(XOAUTH2, serve(GOOGLE, XOAUTH2))
    claim = claim_of(server)
    assert (claim.user, claim.crypt, claim.password) == ("someuser@example.com", "token", TOKEN)
    assert server.advance("someuser@example.com") == Identity("someuser@example.com")


def test_oauthbearer() -> None:
    server = Server(OAUTHBEARER, serve(RFC, OAUTHBEARER))
    claim = claim_of(server)
    assert claim.user == "user@example.com"
    assert claim.password == "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    assert server.advance("user@example.com") == Identity("user@example.com")


def test_a_token_alone_may_say_who_it_is() -> None:
    server = Server(OAUTHBEARER, serve(b"n,,\1auth=Bearer abc\1\1", OAUTHBEARER))
    assert claim_of(server).user == ""
    assert server.advance("somebody") == Identity("somebody")


@pytest.mark.parametrize("mechanism", [XOAUTH2, OAUTHBEARER])
def test_a_refused_token_is_told_of_and_then_it_is_over(mechanism: str) -> None:
    server = Server(mechanism, serve(GOOGLE if mechanism == XOAUTH2 else RFC, mechanism))
    server.advance()
    told = server.advance(None)
    assert isinstance(told, Challenge)
    assert told.data.startswith(b"{")
    with pytest.raises(RefusedError):
        server.advance(b"\1")


@pytest.mark.parametrize(
    ("mechanism", "said"),
    [
        (XOAUTH2, b""),
        (XOAUTH2, b"auth=Bearer abc\1\1"),
        (XOAUTH2, b"user=u\1\1"),
        (XOAUTH2, b"user=u\1auth=Bearer abc\1"),
        (XOAUTH2, b"user=u\1auth=Basic abc\1\1"),
        (XOAUTH2, b"user=u\1auth=Bearer a b\1\1"),
        (OAUTHBEARER, b"y\1auth=Bearer abc\1\1"),
        (OAUTHBEARER, b"n,b=c,\1auth=Bearer abc\1\1"),
        (OAUTHBEARER, b"n,,\1auth=Bearer abc\1auth=Bearer abc\1\1"),
        (OAUTHBEARER, b"n,,\1auth\1\1"),
    ],
)
def test_what_they_do_not_say_is_malformed(mechanism: str, said: bytes) -> None:
    with pytest.raises(MalformedError):
        Server(mechanism, serve(said, mechanism)).advance()


def test_the_clients_say_what_the_servers_hear() -> None:
    client = Client(XOAUTH2, ask(Credentials("someuser@example.com", TOKEN), XOAUTH2))
    assert client.initial() == GOOGLE
    client.finish()
    who = Credentials("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
                      host="server.example.com", port=143)  # fmt: skip
    client = Client(OAUTHBEARER, ask(who, OAUTHBEARER))
    assert client.initial() == RFC
    assert client.respond(b'{"status":"invalid_token"}') == b"\1"
    with pytest.raises(RefusedError):
        client.finish()


def test_what_is_no_token_is_not_sent() -> None:
    with pytest.raises(MalformedError):
        Client(XOAUTH2, ask(Credentials("u", "no token\1"), XOAUTH2)).initial()
