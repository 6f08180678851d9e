"""The policy of a worker: made with a generation, kept where nothing changed, shut if faulty."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.core.message import context_of
from angarium.policy.hooks import Connect
from angarium.run import policing
from angarium.run.stage.play import play
from angarium.run.stage.stage import Stage
from angarium.run.stage.transcript import parse
from angarium.run.stage.virtual import VirtualLoop

HEAD = 'esmtp_listener { listen "127.0.0.1:2525" { } }\n'
STANZA = 'python { script "p" { source = "p.py" } }\n'
SCRIPT = """
from angarium.policy.script import Server, Session, on
@on.connect
def c(session: Session) -> None: ...
@on.stop
def end(server: Server) -> None: server.log("stop")
"""


class Bench:
    """A stage, and a configuration which may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script(SCRIPT)
        self.loop = VirtualLoop()
        self.stage: Any = None

    def script(self, text: str) -> None:
        path = self.folder / "p.py"
        path.write_text(text)
        path.chmod(0o644)

    def text(self, stanza: str, generation: int = 1) -> Any:
        return load_text(HEAD + stanza, generation, path=str(self.folder / "c.conf"))

    def run(self, work: Any) -> None:
        async def all_of_it() -> None:
            self.stage = Stage(self.text(STANZA), self.loop)
            work(self.stage._ruling)
            await self.stage.quiet()
            self.stage.close()
            await self.stage.quiet()

        self.loop.run_until_complete(all_of_it())
        self.loop.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_where_nothing_of_it_changes_policy_goes_on(bench: Bench) -> None:
    def work(ruling: Any) -> None:
        before = ruling.policing
        same = bench.text(STANZA + "max_retries = 3\n", 2)
        ruling.enforce(ruling.prepare(same), same, reload=False)
        assert ruling.policing is before
        ruling.enforce(ruling.prepare(same), same, reload=True)
        assert ruling.policing is not before

    bench.run(work)


def test_variables_are_forgotten_as_a_change_says_though_policy_goes_on(bench: Bench) -> None:
    def work(ruling: Any) -> None:
        admit = bench.stage.admit
        assert admit.forgetting is None
        for stanza, forgets in (
            (STANZA + 'exclude_vctx_mess = ( "^tmp" )\n', True),
            (STANZA, False),
            (STANZA + 'domain "y.test" { exclude_vctx_conn = ( "^tmp" ) }\n', True),
            ('exclude_vctx_mess = ( "^tmp" )\n', True),  # and no policy
        ):
            configuration = bench.text(stanza, 2)
            ruling.enforce(ruling.prepare(configuration), configuration, reload=False)
            assert (admit.forgetting is not None) is forgets

    bench.run(work)


def test_another_stanza_is_another_policy_and_the_old_one_is_stopped(bench: Bench) -> None:
    def work(ruling: Any) -> None:
        other = bench.text('python { script "p" { source = "p.py" n = 1 } }\n', 2)
        before = ruling.policing
        ruling.enforce(ruling.prepare(other), other, reload=False)
        assert ruling.policing is not before
        none = bench.text("", 3)
        ruling.enforce(ruling.prepare(none), none, reload=False)
        assert not ruling.policing.policy

    bench.run(work)
    assert bench.stage.panics.count("python: p: stop") == 2


WAITING = """
import asyncio
from angarium.policy.script import Server, Session, on
@on.hello
async def h(session: Session) -> None: await asyncio.sleep(9)
@on.sender
def s(session: Session) -> None: session.variables["by"] = "old"
@on.stop
def end(server: Server) -> None: server.log("stop old")
"""


RELAY = 'relay_hosts = ("0.0.0.0/0")\n'
BINDS = """
from angarium.policy.script import Message, Session, on

@on.sender
def sender(session: Session) -> None:
    session.variables["sender"] = "%s"

@on.binding
def binding(message: Message) -> None:
    message.variables["binding"] = "%s"
"""


def test_a_reload_does_not_come_between_two_hooks_of_one_message(bench: Bench) -> None:
    async def all_of_it() -> None:
        bench.script(BINDS.replace("%s", "old"))
        stage = Stage(bench.text(RELAY + STANZA), bench.loop)
        ruling, client = stage._ruling, stage.connect("192.0.2.1")
        client.send(b"EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\n")
        await stage.quiet()
        bench.script(BINDS.replace("%s", "new"))
        other = bench.text(RELAY + STANZA, 2)
        ruling.enforce(ruling.prepare(other), other, reload=True)
        client.send(b"DATA\r\n")
        await stage.quiet()
        client.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
        await stage.quiet()
        ((message, recipient),) = stage.spool.put_down
        assert message.session_variables["sender"] == "old"
        assert context_of(message, recipient)["binding"] == "old"
        stage.close()
        await stage.quiet()

    bench.loop.run_until_complete(all_of_it())
    bench.loop.close()


def test_the_old_policy_lives_as_long_as_sessions_which_wait_in_it(bench: Bench) -> None:
    async def all_of_it() -> None:
        bench.script(WAITING)
        stage = Stage(bench.text(STANZA), bench.loop)
        ruling = stage._ruling
        before = ruling.policing
        waits, leaves = stage.connect("192.0.2.1"), stage.connect("192.0.2.2")
        await stage.quiet()
        for client in (waits, leaves):
            client.send(b"EHLO x.test\r\nMAIL FROM:<a@x.test>\r\n")
        await stage.quiet()
        bench.script(SCRIPT)
        other = bench.text(STANZA, 2)
        ruling.enforce(ruling.prepare(other), other, reload=True)
        assert (before.sessions, stage.panics) == (2, [])
        leaves.leave()
        await stage.quiet()
        assert (before.sessions, stage.panics) == (1, [])
        await asyncio.sleep(10)
        assert waits.heard()[-1].startswith("250")
        assert waits.session.context.variables["by"] == "old"  # type: ignore[attr-defined]
        waits.leave()
        await stage.quiet()
        assert (before.sessions, stage.panics) == (0, ["python: p: stop old"])
        assert before._modules == ()
        stage.close()
        await stage.quiet()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    bench.loop.run_until_complete(all_of_it())
    bench.loop.close()


def test_a_fault_refuses_the_generation_and_leaves_the_old_one(bench: Bench) -> None:
    def work(ruling: Any) -> None:
        before = ruling.policing
        bench.script("1 / 0\n")
        with pytest.raises(Error, match="ZeroDivisionError"):
            ruling.prepare(bench.text(STANZA, 2))
        assert ruling.policing is before

    bench.run(work)


def test_a_worker_whose_policy_is_faulty_takes_no_mail_and_lives(bench: Bench) -> None:
    told: list[str] = []

    def work(ruling: Any) -> None:
        bench.script("1 / 0\n")
        ruling.begin(bench.text(STANZA, 2), told.append)
        assert ruling.policing.policy.chain(Connect) is not None
        client = bench.stage.connect("192.0.2.1")
        assert client.heard() == ["421 4.3.0 policy cannot be used"]
        assert client.closed

    bench.run(work)
    assert "no mail is taken in" in told[0]


@pytest.mark.effect(
    "python.debug_level",
    "mail_loop.debug_level",
    "alias.debug_level",
    "static_routes.debug_level",
    "scriptlet.debug_level",
)
def test_a_module_tells_what_is_as_serious_as_its_level() -> None:
    told: list[str] = []
    for level in ("DEBUG", "NOTICE", "WARNING", "ERROR"):
        policing._tell(lambda module, text: told.append(f"{module} {text}"), "m", 3, level, level)
    assert told == ["m WARNING", "m ERROR"]


@pytest.mark.effect("mail_loop.enabled", "static_routes.enabled", "scriptlet.enabled")
def test_a_module_which_is_off_is_not_asked(bench: Bench) -> None:
    def work(ruling: Any) -> None:
        for state, asked in (("true", True), ("false", False)):
            text = f"mail_loop {{ enabled = {state} }}\n"
            configuration = bench.text(text, 2)
            assert bool(ruling.prepare(configuration).policy) is asked
        off = bench.text('static_routes { enabled = false target = "192.0.2.1:25" }\n', 3)
        ruling.prepare(off).start()
        assert ruling._means(off).router.everywhere is None
        on = bench.text('static_routes { target = "192.0.2.1:25" }\n', 4)
        ruling.prepare(on).start()
        assert ruling._means(on).router.everywhere is not None

    bench.run(work)


@pytest.mark.effect("policy_error_code", "policy_wait_limit", "policy_session_limit")
def test_the_guard_is_what_the_options_say() -> None:
    text = "policy_error_code = 550\npolicy_wait_limit = 5\npolicy_session_limit = 7\n"
    guard = policing.guard_of(load_text(text), lambda _module, _text: None)
    assert (str(guard.failed), guard.patience, guard.budget) == ("550 5.3.0 policy failed", 5, 7)
    guard = policing.guard_of(load_text(""), lambda _module, _text: None)
    assert (guard.failed.code, guard.patience, guard.budget) == (451, 60, 300)


@pytest.mark.parametrize(
    ("options", "kept"),
    [("", True), ('exclude_vctx_mess = ( "^rfc2822_" )', False), ('exclude_vctx_mess = "x"', True)],
)
def test_variables_are_forgotten_without_any_policy_too(options: str, kept: bool) -> None:
    lines = f"config {options}\n" if options else ""
    text = lines + (
        "connect 192.0.2.1\n< 220\n> EHLO x\n< 250\n> MAIL FROM:<a@x.test>\n< 250\n"
        "> RCPT TO:<b@y.test>\n< 250\nmessage\n    Subject: x\n\n    y\n< 250\n"
        "expect to b@y.test\n    variable rfc2822_date_missing = true\n"
    )
    outcome = play(parse(text, Path("x.test")))
    assert outcome.held is kept, outcome.why
