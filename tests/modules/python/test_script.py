"""Scripts: loaded, checked, called with what their parameters name, told of with file and line."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from angarium.modules.python.script import ScriptError, load, unload
from angarium.policy.chain import Policy
from angarium.policy.guard import Guard
from angarium.policy.module import Policing
from angarium.policy.script import Moment, Server
from helpers.reception import Desk

HEAD = "from angarium.policy.script import *\nfrom angarium.policy.script import on, Moment\n"
CONTENT = b"Subject: hello\r\n\r\nbody\r\n"


class Bench:
    """A desk whose policy is a script."""

    def __init__(self, path: Path, text: str) -> None:
        path.write_text(HEAD + text)
        path.chmod(0o644)
        self.path = path
        self.script = load("test", path, 1)
        self.server = cast(Server, object())
        self.desk = Desk()
        guard = Guard(lambda module, line: self.desk.panics.append(f"{module}: {line}"))
        policy = Policy(self.script.handlers(self.server), guard)
        self.desk.services.policing = Policing(policy, ())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "policy.py"


def test_a_function_gets_what_its_parameters_name(path: Path) -> None:
    bench = Bench(
        path,
        """
from angarium.policy.hooks import RcptTo
seen = []
@on.recipient
def look(text: str, server: Server, message: Message, session: Session, event: RcptTo) -> None:
    seen.append((text, server, message.sender, session.address, type(event).__name__))
""",
    )
    bench.desk.greeted().deliver(CONTENT)
    (seen,) = bench.script.module.seen
    assert seen == ("b@mx.example", bench.server, "a@client.example", "192.0.2.9", "RcptTo")


def test_functions_say_no_and_drop_and_stop(path: Path) -> None:
    bench = Bench(
        path,
        """
@on.sender
def no(text: str) -> None:
    if text.startswith("no"):
        raise Refuse(550, "5.7.1 not you", hang_up=text.startswith("now"))
@on.message
def drop(message: Message) -> None:
    if "spam" in message.headers.get("Subject", ""):
        raise Discard("5.7.1 spam")
@on.message
def stop(message: Message) -> None:
    raise Stop
@on.message
def never(message: Message) -> None:
    raise Refuse(550, "never")
""",
    )
    talk = bench.desk.greeted()
    assert talk.say("MAIL FROM:<no@x.example>") == ["550 5.7.1 not you"]
    assert talk.deliver(CONTENT).startswith("250")
    assert talk.say("MAIL FROM:<now@x.example>") == ["550 5.7.1 not you"]
    assert talk.transport.over


async def test_a_function_may_wait(path: Path) -> None:
    bench = Bench(
        path,
        """
import asyncio
@on.message
async def drop(message: Message) -> None:
    await asyncio.sleep(0)
    raise Discard("5.7.1 spam")
""",
    )
    talk = bench.desk.greeted()
    talk.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n" + CONTENT)
    talk.send(b".\r\n")
    for _ in range(10):
        await asyncio.sleep(0)
    assert talk.heard()[-1].startswith("250 2.0.0 OK")
    assert bench.desk.admit.taken == []
    assert str(bench.desk.rejections[-1].text) == "spam"


def test_a_failure_is_told_with_its_line_in_the_script(path: Path) -> None:
    bench = Bench(
        path,
        """
@on.message
def fail(message: Message) -> None:
    message.headers["bad name"] = "x"
""",
    )
    assert bench.desk.greeted().deliver(CONTENT).startswith("451")
    assert f"test fail: {path}:6: FieldError" in bench.desk.panics[0]


def test_what_a_function_may_not_return_is_told(path: Path) -> None:
    bench = Bench(path, "\n@on.message\ndef odd(message: Message): return 7\n")
    assert bench.desk.greeted().deliver(CONTENT).startswith("451")
    assert "returns nothing, a Verdict" in bench.desk.panics[0]


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("def x(:\n", "invalid syntax", 3),
        ("import nothing_like_this\n", "ModuleNotFoundError", 3),
        ("1 / 0\n", "ZeroDivisionError", 3),
        ("@on.sender\ndef f(x) -> None: ...\n", "its parameter x is of no type", 3),
        ("@on.sender\ndef f(x: int) -> None: ...\n", "Session, Message, Server, MailFrom, str", 3),
        ("@on.message\ndef f(x: str) -> None: ...\n", "can give", 3),
        ("@on.binding\nasync def f(m: Message) -> None: ...\n", "may not be async", 3),
        ("@on.binding\ndef f(s: Session) -> None: ...\n", "Session | None", 3),
        ("@on.start\ndef f(s: Session) -> None: ...\n", "can give: Server", 3),
        ("@on.message\ndef f(m: 'Mesage') -> None: ...\n", "cannot be understood", 3),
    ],
)
def test_what_is_wrong_is_told_when_it_is_loaded(
    path: Path, text: str, said: str, line: int
) -> None:
    path.write_text(HEAD + text)
    path.chmod(0o644)
    server: Any = object()

    def use() -> None:
        loaded = load("test", path, 1)
        loaded.handlers(server)
        loaded.moments(Moment.START, server)

    with pytest.raises(ScriptError) as raised:
        use()
    assert said in raised.value.message
    assert raised.value.fields["line"] == line


def test_a_script_that_others_may_write_is_not_run(path: Path) -> None:
    path.write_text("")
    path.chmod(0o646)
    with pytest.raises(ScriptError, match="chmod o-w"):
        load("test", path, 1)
    with pytest.raises(ScriptError, match="cannot be read"):
        load("test", path.with_name("none.py"), 1)


def test_a_generation_has_its_own_module(path: Path) -> None:
    path.write_text(HEAD + "value = 1\n")
    path.chmod(0o644)
    first = load("test", path, 1)
    path.write_text(HEAD + "value = 2\n")
    second = load("test", path, 2)
    assert (first.module.value, second.module.value) == (1, 2)
    unload(first)
    unload(first)


def test_a_message_without_a_session_is_told_apart(path: Path) -> None:
    bench = Bench(
        path,
        """
@on.binding
def f(m: Message, s: Session | None, extra: int = 3) -> None: ...
""",
    )
    assert len(bench.script.handlers(bench.server)) == 1
