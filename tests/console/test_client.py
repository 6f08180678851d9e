"""The client: what an operator types goes out, what the server answers comes in."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from angarium.console.client import Client, ConsoleError, Name, command_of, converse, prompted
from angarium.wire.control import VERSION, Ask, Bye, End, Greeting, Message, Part, line, requests

HELLO = Greeting(VERSION, "0.1", "alice", 10.0)
Script = Callable[[Ask], list[Message]]


@contextmanager
def answering(folder: Path, script: Script, hello: Message | bytes = HELLO) -> Iterator[Client]:
    """A client of a server which answers by a script; it hangs up after a Bye."""
    listening = socket.socket(socket.AF_UNIX)
    with Name(folder) as name:
        listening.bind(name)
    listening.listen()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(hello if isinstance(hello, bytes) else line(hello))
            asked = requests()
            while octets := connection.recv(4096):
                for each in asked.feed(octets):
                    for answer in script(each):
                        connection.sendall(line(answer))
                        if isinstance(answer, Bye):
                            return

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    try:
        client = Client(folder)
        try:
            yield client
        finally:
            client.close()
    finally:
        listening.close()
        server.join(10.0)


def echo(asked: Ask) -> list[Message]:
    """Answer with the line, in two pieces; what begins with "bad" fails."""
    failed = asked.line.startswith("bad")
    return [Part(asked.line[:2]), Part(asked.line[2:] + "\n"), End(failed, asked.line == "begin")]


def spoken(folder: Path, lines: list[str], *, batch: bool) -> tuple[bool, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with answering(folder, echo) as client:
        failed = converse(client, iter(lines), out, err, batch=batch)
    return failed, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("batch", [True, False])
def test_lines_are_asked_one_by_one(tmp_path: Path, batch: bool) -> None:
    lines = ["one\n", "# a comment\n", "\n", " two \n", "quit\n", "three\n"]
    assert spoken(tmp_path, lines, batch=batch) == (False, "one\ntwo\n", "")


def test_a_batch_ends_with_the_first_command_that_fails(tmp_path: Path) -> None:
    assert spoken(tmp_path, ["one", "bad", "two"], batch=True) == (True, "one\n", "bad\n")


def test_a_person_goes_on_after_one_that_failed(tmp_path: Path) -> None:
    assert spoken(tmp_path, ["bad", "two"], batch=False) == (True, "two\n", "bad\n")


def test_the_prompt_tells_of_an_open_transaction(tmp_path: Path) -> None:
    shown: list[str] = []
    typed = iter(["begin"])

    def read(prompt: str) -> str:
        shown.append(prompt)
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    with answering(tmp_path, echo) as client:
        converse(client, prompted(client, "here", read), io.StringIO(), io.StringIO(), batch=False)
    assert [each.partition(" ")[2] for each in shown] == ["here> ", "here (transaction)> "]


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
    assert spoken(deep, ["one"], batch=True)[1] == "one\n"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["config set hostname x"], "config set hostname x"),
        (["config", "set", "hostname", "x"], "config set hostname x"),
        (["config", "set", "static_banner", "220 hi"], 'config set static_banner "220 hi"'),
        (["config", "set", "a", "=", "( b c )"], "config set a = ( b c )"),
        (["config", "set", "a", 'b "c"'], 'config set a "b \\"c\\""'),
        (["config", "set", "a", ""], 'config set a ""'),
    ],
)
def test_arguments_of_a_shell_are_a_line(arguments: list[str], meant: str) -> None:
    assert command_of(arguments) == meant


def test_what_is_no_text_is_not_sent(tmp_path: Path) -> None:
    with answering(tmp_path, echo) as client, pytest.raises(ConsoleError, match="UTF-8"):
        list(client.ask("config set hostname \udcff"))
