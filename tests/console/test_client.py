"""The client: what an operator types goes out, what the server answers comes in."""

from pathlib import Path

import pytest

from angarium.console.client import Access, Client, ConsoleError
from angarium.console.endpoint import Endpoint
from angarium.wire.control import (
    VERSION,
    Ask,
    Bye,
    Denied,
    End,
    Greeting,
    Login,
    Message,
    Note,
    Part,
    Stop,
    Welcome,
)
from angarium.wire.sasl.digest import Exchange, stored
from helpers.answering import answering, echo


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([Bye("enough")], "enough"),
        ([Greeting(VERSION, "", "", 0.0)], "no answer"),
        ([Part("half"), Bye("it stops")], "it stops"),
    ],
)
def test_what_ends_the_conversation_is_told(
    tmp_path: Path, answers: list[Message], why: str
) -> None:
    with (
        answering(tmp_path, lambda asked: answers) as client,
        pytest.raises(ConsoleError, match=why),
    ):
        list(client.ask("one"))


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        (Bye("not you"), "not you"),
        (Greeting(VERSION + 1, "9", "alice", 1.0), "another version"),
        (b"SSH-2.0\n", "not a message"),
    ],
)
def test_who_is_not_greeted_is_told_why(tmp_path: Path, hello: Message | bytes, why: str) -> None:
    with pytest.raises(ConsoleError, match=why), answering(tmp_path, echo, hello):
        pass


@pytest.mark.effect("control_client_timeout")
def test_an_answer_is_waited_for_as_long_as_the_server_says(tmp_path: Path) -> None:
    hello = Greeting(VERSION, "0.1", "alice", 0.01)
    with (
        answering(tmp_path, lambda asked: [], hello) as client,
        pytest.raises(ConsoleError, match="control_client_timeout"),
    ):
        list(client.ask("one"))


def test_where_nobody_listens_there_is_no_server(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConsoleError, match="no server answers there"):
            Client(folder)


def test_a_socket_may_lie_deeper_than_an_address_is_long(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    with answering(deep, echo) as client:
        assert "".join(client.ask("one")) == "one\n"


def test_what_is_no_text_is_not_sent(tmp_path: Path) -> None:
    with answering(tmp_path, echo) as client, pytest.raises(ConsoleError, match="UTF-8"):
        list(client.ask("config set hostname \udcff"))


ASKING = Greeting(VERSION, "0.1", "", 10.0, ["DIGEST-MD5", "LOGIN"], True, "Momentum Console", "n0")


class Porter:
    """Knows one password, and answers logins."""

    def __init__(self, password: str = "secret") -> None:
        self.password = password
        self.heard: list[Login] = []

    def __call__(self, said: Ask | Login) -> list[Message]:
        if isinstance(said, Ask):
            return echo(said)
        self.heard.append(said)
        if said.mechanism == "LOGIN":
            return [Welcome(said.user) if said.password == self.password else Denied("wrong")]
        secret = stored(said.user, "Momentum Console", self.password)
        exchange = Exchange("n0", said.cnonce, said.uri)
        if exchange.response(secret) != said.response:
            return [Denied("wrong")]
        return [Welcome(said.user, exchange.proof(secret))]


def test_a_password_is_proved_and_not_sent(tmp_path: Path) -> None:
    porter = Porter()
    with answering(tmp_path, porter, ASKING, Access(lambda: "secret"), "john") as client:
        assert client.user == "john"
        assert "".join(client.ask("one")) == "one\n"
    [login] = porter.heard
    assert (login.user, login.password) == ("john", "")
    assert "secret" not in repr(Login("john", "LOGIN", password="secret"))


def test_a_wrong_password_is_told(tmp_path: Path) -> None:
    access = Access(lambda: "guess")
    with (
        pytest.raises(ConsoleError, match="wrong"),
        answering(tmp_path, Porter(), ASKING, access, "john"),
    ):
        pass


def test_a_server_which_does_not_know_the_password_is_another_one(tmp_path: Path) -> None:
    with (
        pytest.raises(ConsoleError, match="it is another one"),
        answering(tmp_path, lambda said: [Welcome("john", "x")], ASKING, Access(lambda: "s"), "j"),
    ):
        pass


def test_without_somebody_to_ask_there_is_no_password(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match="there is none"), answering(tmp_path, echo, ASKING):
        pass


def test_who_wants_tls_says_nothing_without_it(tmp_path: Path) -> None:
    with (
        pytest.raises(ConsoleError, match="does not speak TLS"),
        answering(tmp_path, echo, access=Access(tls=True)),
    ):
        pass


def test_a_password_in_clear_goes_over_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    client = object.__new__(Client)
    client._where = Endpoint("john", host="192.0.2.1", port=2025)
    client._access = Access(lambda: "secret")
    with pytest.raises(ConsoleError, match="in clear, over a network"):
        client._known(Greeting(VERSION, "", "", 0.0, ["LOGIN"], True), secure=False)


def test_notes_are_no_part_of_the_answer(tmp_path: Path) -> None:
    notes: list[str] = []
    with answering(tmp_path, lambda asked: [Note("half"), Part("all"), End()]) as client:
        assert "".join(client.ask("one", note=notes.append)) == "all"
    assert notes == ["half"]


def test_ctrl_c_stops_the_command_and_its_answer_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(said: Ask | Stop) -> list[Message]:
        if isinstance(said, Stop):
            return [Part("stopped\n"), End(failed=True)]
        return [Note("begun")]

    def pressed(_: str) -> None:
        heard = client._next

        def once() -> object:
            monkeypatch.setattr(client, "_next", heard)
            raise KeyboardInterrupt

        monkeypatch.setattr(client, "_next", once)

    with answering(tmp_path, script) as client:
        assert "".join(client.ask("one", note=pressed)) == "stopped\n"
        assert client.failed
