"""SCRAM-SHA-256 by the example of RFC 7677, and what each side has to refuse."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.sasl.errors import (
    MalformedError,
    OtherwiseError,
    RefusedError,
    SaslError,
)
from angarium.wire.sasl.exchange import (
    Challenge,
    Client,
    Credentials,
    Identity,
    ScramWanted,
    Server,
)
from angarium.wire.sasl.scram import NO_CHANNEL, Channel, ask, serve
from angarium.wire.sasl.secrets import ScramSecret

# Section 3.
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
THEIRS = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
ASKED = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
PROVED = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
SECRET = ScramSecret.of("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
TLS = Channel({"tls-server-end-point": b"hash of a certificate"})


def server(
    initial: bytes | None = FIRST, channel: Channel = NO_CHANNEL, *, plus: bool = False
) -> Server:
    return Server("SCRAM-SHA-256", serve(initial, THEIRS, b"key", channel, plus=plus))


def test_the_server_plays_the_example_of_rfc_7677() -> None:
    here = server()
    assert here.advance() == ScramWanted("user")
    assert here.advance(SECRET) == Challenge(ASKED)
    assert here.advance(FINAL) == Challenge(PROVED)
    assert here.advance(b"") == Identity("user")


def test_without_an_initial_response_it_is_asked_for() -> None:
    here = server(None)
    assert here.advance() == Challenge(b"")
    assert here.advance(FIRST) == ScramWanted("user")


def test_the_client_plays_the_example_of_rfc_7677() -> None:
    client = Client("SCRAM-SHA-256", ask(Credentials("user", "pencil"), "rOprNGfwEbeRWgbNEkqO"))
    assert client.initial() == FIRST
    assert client.respond(ASKED) == FINAL
    assert client.respond(PROVED) == b""
    client.finish()


def played(who: Credentials, channel: Channel, *, plus: bool, secret: ScramSecret | None) -> str:
    """Let both sides speak; return who it is."""
    client = Client("", ask(who, "ours", plus=plus))
    here = server(client.initial(), channel, plus=plus)
    here.advance()
    step = here.advance(secret)
    while isinstance(step, Challenge):
        step = here.advance(client.respond(step.data))
    client.finish()
    assert isinstance(step, Identity)
    return step.user


def test_with_a_channel_both_are_bound_to_it() -> None:
    who = Credentials("user", "pencil", binding=tuple(TLS.bindings.items()))
    assert played(who, TLS, plus=True, secret=SECRET) == "user"


def test_who_stands_between_is_found_by_the_channel() -> None:
    who = Credentials("user", "pencil", binding=(("tls-server-end-point", b"another"),))
    with pytest.raises(RefusedError):
        played(who, TLS, plus=True, secret=SECRET)


def test_a_client_which_was_talked_out_of_plus_is_refused() -> None:
    who = Credentials("user", "pencil", binding=tuple(TLS.bindings.items()))
    with pytest.raises(RefusedError):
        played(who, TLS, plus=False, secret=SECRET)
    assert played(who, NO_CHANNEL, plus=False, secret=SECRET) == "user"


@pytest.mark.parametrize(
    ("bound", "plus", "flag"),
    [
        (True, True, b"p=tls-server-end-point,,"),
        (True, False, b"y,,"),  # we could, and it was not offered
        (False, False, b"n,,"),
    ],
)
def test_a_client_says_whether_it_could_be_bound(bound: bool, plus: bool, flag: bytes) -> None:
    binding = tuple(TLS.bindings.items()) if bound else ()
    said = Client("", ask(Credentials("user", "x", binding=binding), "n", plus=plus)).initial()
    assert said == flag + b"n=user,r=n"


def test_a_client_which_cannot_be_bound_is_let_in_where_others_are_bound() -> None:
    assert played(Credentials("user", "pencil"), TLS, plus=False, secret=SECRET) == "user"


def test_a_server_which_binds_otherwise_is_told_from_one_that_is_wrong() -> None:
    binding = tuple(TLS.bindings.items())
    client = Client("", ask(Credentials("user", "x", binding=binding), "n", plus=True))
    client.initial()
    with pytest.raises(OtherwiseError):
        client.respond(b"e=unsupported-channel-binding-type")


def test_an_unknown_user_sees_the_same_as_one_with_a_wrong_password() -> None:
    here = server()
    here.advance()
    asked = here.advance(None)
    assert isinstance(asked, Challenge)
    assert asked.data.startswith(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=")
    assert asked.data.endswith(b",i=4096")
    with pytest.raises(RefusedError, match="wrong user or password"):
        here.advance(FINAL)
    here = server()
    here.advance()
    here.advance(ScramSecret.of("other", SECRET.salt))
    with pytest.raises(RefusedError, match="wrong user or password"):
        here.advance(FINAL)


@pytest.mark.parametrize(
    "first",
    [b"", b"n,,r=x,n=user", b"n,,m=x,n=user,r=x", b"x,,n=user,r=x", b"n,,n=,r=x", b"n,,n=a=b,r=x",
     b"p=tls-unique,,n=user,r=x", b"n,,n=user,r=", b"n,,n=us\xffer,r=x", b"n,n=user,r=x"],
)  # fmt: skip
def test_what_scram_does_not_say_is_malformed(first: bytes) -> None:
    with pytest.raises(MalformedError):
        server(first).advance()


def test_somebody_else_is_not_to_be_been() -> None:
    with pytest.raises(RefusedError):
        server(b"n,a=other,n=user,r=x").advance()
    assert server(b"n,a=user,n=user,r=x").advance() == ScramWanted("user")


def test_names_with_commas_and_signs_are_escaped() -> None:
    assert server(b"n,,n=a=2Cb=3D2C,r=x").advance() == ScramWanted("a,b=2C")
    client = Client("", ask(Credentials("a,b=2C", "x"), "n"))
    assert client.initial() == b"n,,n=a=2Cb=3D2C,r=n"


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (b"r=other,s=c2FsdA==,i=4096", "nonce"),
        (b"r=ours,s=c2FsdA==,i=4096", "nonce"),
        (b"r=oursx,s=c2FsdA==,i=1", "iterations"),
        (b"r=oursx,s=c2FsdA==,i=9999999", "iterations"),
        (b"nonsense", "not what"),
    ],
)
def test_a_client_leaves_a_server_which_asks_too_little_or_too_much(
    asked: bytes, what: str
) -> None:
    client = Client("", ask(Credentials("user", "pencil"), "ours"))
    client.initial()
    with pytest.raises(SaslError, match=what):
        client.respond(asked)


def test_a_server_without_the_password_is_not_believed() -> None:
    for signature in (b"v=" + base64.b64encode(bytes(32)), b"e=other-error"):
        client = Client("", ask(Credentials("user", "pencil"), "rOprNGfwEbeRWgbNEkqO"))
        client.initial()
        client.respond(ASKED)
        with pytest.raises(SaslError):
            client.respond(signature)
    client = Client("", ask(Credentials("user", "pencil"), "rOprNGfwEbeRWgbNEkqO"))
    client.initial()
    client.respond(ASKED)
    with pytest.raises(SaslError):
        client.finish()


SOME = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(SOME, SOME, SOME)
def test_only_the_password_opens(user: str, password: str, tried: str) -> None:
    secret = ScramSecret.of(password, b"salt")
    try:
        found = played(Credentials(user, tried), NO_CHANNEL, plus=False, secret=secret)
    except RefusedError:
        assert password != tried
    else:
        assert (found, password) == (user, tried)
