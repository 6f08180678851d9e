"""PLAIN by the examples of RFC 4616, and LOGIN as clients speak it."""

import pytest

from angarium.wire.sasl.errors import MalformedError, RefusedError, SaslError
from angarium.wire.sasl.exchange import Challenge, Claim, Client, Credentials, Identity, Server
from angarium.wire.sasl.plain import ask_login, ask_plain, serve_login, serve_plain


def plain(initial: bytes | None) -> Server:
    return Server("PLAIN", serve_plain(initial))


def login(initial: bytes | None = None) -> Server:
    return Server("LOGIN", serve_login(initial))


def test_the_first_example_of_rfc_4616() -> None:
    server = plain(b"\0tim\0tanstaaftanstaaf")
    assert server.advance() == Claim("PLAIN", "tim", "clear", "tanstaaftanstaaf")
    assert server.advance("tim") == Identity("tim")


def test_the_second_example_of_rfc_4616_wants_to_be_somebody_else() -> None:
    with pytest.raises(RefusedError):
        plain(b"Ursel\0Kurt\0xipj3plmq").advance()


def test_without_an_initial_response_it_is_asked_for() -> None:
    server = plain(None)
    assert server.advance() == Challenge(b"")
    claim = server.advance(b"tim\0tim\0pass")
    assert isinstance(claim, Claim)
    assert (claim.user, claim.password) == ("tim", "pass")


@pytest.mark.parametrize(
    "said",
    [b"", b"\0", b"\0tim", b"\0\0pass", b"\0tim\0a\0b", b"\0ti\nm\0pass", b"\0\xff\0pass",
     b"\0" + b"u" * 256 + b"\0p", b"\0tim\0" + b"p" * 1025],
)  # fmt: skip
def test_what_plain_does_not_say_is_malformed(said: bytes) -> None:
    with pytest.raises(MalformedError):
        plain(said).advance()


def test_an_empty_password_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(RefusedError):
        plain(b"\0tim\0").advance()


def test_who_is_not_known_is_refused() -> None:
    server = plain(b"\0tim\0pass")
    server.advance()
    with pytest.raises(RefusedError):
        server.advance(None)


def test_login_asks_for_name_and_password() -> None:
    server = login()
    assert server.advance() == Challenge(b"Username:")
    assert server.advance(b"tim") == Challenge(b"Password:")
    claim = server.advance(b"pass")
    assert isinstance(claim, Claim)
    assert (claim.mechanism, claim.user, claim.password) == ("LOGIN", "tim", "pass")
    assert server.advance("tim") == Identity("tim")


def test_login_takes_a_name_with_the_command() -> None:
    assert login(b"tim").advance() == Challenge(b"Password:")


def test_no_password_is_shown() -> None:
    server = plain(b"\0tim\0tanstaaf")
    assert "tanstaaf" not in repr(server.advance())
    assert "tanstaaf" not in repr(Credentials("tim", "tanstaaf"))


def test_the_clients_say_what_the_servers_hear() -> None:
    who = Credentials("tim", "pass")
    client = Client("PLAIN", ask_plain(who), clear=True)
    assert client.initial() == b"\0tim\0pass"
    client.finish()
    client = Client("LOGIN", ask_login(who), clear=True)
    assert client.initial() is None
    assert client.respond(b"User Name\0") == b"tim"
    assert client.respond(b"Password\0") == b"pass"
    client.finish()


def test_a_client_which_is_asked_for_more_gives_up() -> None:
    client = Client("PLAIN", ask_plain(Credentials("tim", "pass")))
    client.initial()
    with pytest.raises(SaslError):
        client.respond(b"more?")
