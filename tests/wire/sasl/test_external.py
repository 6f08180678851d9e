"""EXTERNAL: the certificate says who it is."""

import pytest

from angarium.wire.sasl.errors import RefusedError
from angarium.wire.sasl.exchange import Challenge, Client, Credentials, Identity, Server
from angarium.wire.sasl.external import ask, serve

NAMES = ("a.example", "a@a.example")


def test_the_first_name_of_the_certificate_counts() -> None:
    assert Server("EXTERNAL", serve(b"", NAMES)).advance() == Identity("a.example")


def test_another_name_of_it_may_be_chosen() -> None:
    server = Server("EXTERNAL", serve(None, NAMES))
    assert server.advance() == Challenge(b"")
    assert server.advance(b"a@a.example") == Identity("a@a.example")


@pytest.mark.parametrize(("said", "names"), [(b"", ()), (b"b.example", NAMES), (b"x", ())])
def test_what_it_does_not_say_is_refused(said: bytes, names: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError):
        Server("EXTERNAL", serve(said, names)).advance()


def test_the_client_says_a_name_or_none() -> None:
    assert Client("EXTERNAL", ask(Credentials(""))).initial() == b""
    client = Client("EXTERNAL", ask(Credentials("a.example")))
    assert client.initial() == b"a.example"
    client.finish()
