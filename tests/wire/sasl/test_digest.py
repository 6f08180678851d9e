"""DIGEST-MD5 by the example of the RFC, and by what each side has to refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.sasl.digest import (
    Exchange,
    ask,
    directives,
    serve,
    stored,
)
from angarium.wire.sasl.errors import MalformedError, RefusedError, SaslError
from angarium.wire.sasl.exchange import (
    Challenge,
    Client,
    Credentials,
    DigestWanted,
    Identity,
    Server,
)
from angarium.wire.sasl.names import DIGEST_MD5

HA1 = stored("chris", "elwood.innosoft.com", "secret")
NONCE, CNONCE = "OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk"
# Section 4, with the service that is ours.
ANSWER = (
    'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",'
    'nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",'
    "response=d388dad90d4bbd760a152321f2143af7,qop=auth"
)


def at_the_answer() -> Server:
    server = Server(DIGEST_MD5, serve(None, NONCE, "elwood.innosoft.com", "imap"))
    asked = server.advance()
    assert isinstance(asked, Challenge)
    assert directives(asked.data) == {
        "realm": "elwood.innosoft.com", "nonce": NONCE, "qop": "auth", "charset": "utf-8",
        "algorithm": "md5-sess",
    }  # fmt: skip
    return server


def test_the_example_of_rfc_2831_comes_out() -> None:
    said = Exchange(NONCE, CNONCE, "imap/elwood.innosoft.com")
    assert said.response(HA1) == "d388dad90d4bbd760a152321f2143af7"
    assert said.proof(HA1) == "ea40f60335c427b5527b84dbabcdfffd"


def test_the_server_plays_the_example() -> None:
    server = at_the_answer()
    wanted = server.advance(ANSWER.encode())
    assert wanted == DigestWanted("chris", "elwood.innosoft.com", "imap/elwood.innosoft.com", NONCE)
    assert server.advance(HA1) == Challenge(b"rspauth=ea40f60335c427b5527b84dbabcdfffd")
    assert server.advance(b"") == Identity("chris")


def test_the_client_plays_the_example() -> None:
    who = Credentials("chris", "secret", "imap", "elwood.innosoft.com")
    client = Client(DIGEST_MD5, ask(who, CNONCE))
    assert client.initial() is None
    said = client.respond(
        b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,'
        b"charset=utf-8"
    )
    assert directives(said) == directives(ANSWER.encode())
    assert client.respond(b"rspauth=ea40f60335c427b5527b84dbabcdfffd") == b""
    client.finish()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("OA6MG9tEQGm2hh", "another"),
        ('realm="elwood', 'realm="other'),
        ("nc=00000001", "nc=00000002"),
        ("qop=auth", "qop=auth-int"),
        ("imap/", "smtp/"),
        ('cnonce="OA6MHXh6VqTrRk"', 'cnonce=""'),
        ("response=d3", "response=zz"),
        ('username="chris"', 'username=""'),
        ("charset=utf-8,", "charset=utf-8,nc=00000001,"),
    ],
)
def test_what_answers_another_question_is_refused(before: str, after: str) -> None:
    with pytest.raises(MalformedError):
        at_the_answer().advance(ANSWER.replace(before, after, 1).encode())


@pytest.mark.parametrize("secret", [None, stored("chris", "elwood.innosoft.com", "other")])
def test_a_wrong_password_and_an_unknown_user_are_refused_alike(secret: str | None) -> None:
    server = at_the_answer()
    server.advance(ANSWER.encode())
    with pytest.raises(RefusedError, match="wrong user or password"):
        server.advance(secret)


def test_a_server_which_proves_nothing_is_not_believed() -> None:
    who = Credentials("chris", "secret", "imap", "elwood.innosoft.com")
    for last in (b"rspauth=" + b"0" * 32, b""):
        client = Client(DIGEST_MD5, ask(who, CNONCE))
        client.initial()
        client.respond(b'realm="elwood.innosoft.com",nonce="x",qop="auth"')
        with pytest.raises(RefusedError):
            client.respond(last)
    client = Client(DIGEST_MD5, ask(who, CNONCE))
    client.initial()
    client.respond(b'realm="elwood.innosoft.com",nonce="x",qop="auth"')
    with pytest.raises(RefusedError):
        client.finish()


@given(st.text(max_size=8), st.text(max_size=8))
def test_another_password_has_another_answer(one: str, two: str) -> None:
    said = Exchange("n", "c", "console/here")
    first, second = (said.response(stored("u", "r", each)) for each in (one, two))
    assert (first == second) is (one == two)


@given(st.binary(max_size=200))
def test_any_octets_are_directives_or_malformed(octets: bytes) -> None:
    try:
        found = directives(octets)
    except SaslError:
        return
    assert all(name == name.lower() for name in found)


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.text(max_size=20), max_size=5)
)
def test_what_is_quoted_comes_back(pairs: dict[str, str]) -> None:
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in pairs.items()
    }
    written = ",".join(f'{name}="{value}"' for name, value in escaped.items())
    assert directives(written.encode()) == pairs
