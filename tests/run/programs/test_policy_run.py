"""angarium policy run: one message, and what becomes of it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.run.programs.policy_run import command

SCRIPT = """
from angarium.policy.script import Message, Refuse, Server, on

@on.recipient
def no(address: str) -> None:
    if address.startswith("no"):
        raise Refuse(550, "5.7.1 no such luck")

@on.each_recipient
def tag(message: Message, server: Server) -> None:
    message.headers["X-Tag"] = message.recipient
    message.variables["tenant"] = "7"
    message.priority = 1
    server.log("tagged")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "p.py"
    path.write_text(SCRIPT)
    path.chmod(0o644)
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_all_that_becomes_of_a_message_is_said(script: Path, tmp_path: Path) -> None:
    message = tmp_path / "m.eml"
    message.write_bytes(b"Subject: mine\n\n.dot\n")
    result = run(script, "--to", "b@y.test", "--to", "no@y.test", "--message", message)
    assert result.exit_code == 0, result.output
    for line in (
        "> RCPT TO:<no@y.test>\n< 550 5.7.1 no such luck",
        "queued for b@y.test",
        "  leaves   by default/default to y.test",
        "  priority 1, key ''",
        "  variable tenant = 7",
        "  Subject: mine",
        "  X-Tag: b@y.test",
        "refused: 550 no such luck",
        "paniclog: python: p: tagged",
    ):
        assert line in result.output


def test_a_script_that_fails_is_an_exit_code(script: Path) -> None:
    script.write_text(SCRIPT + "\n@on.message\ndef bad(m: Message) -> None: 1 / 0\n")
    result = run(script)
    assert result.exit_code == 1
    assert "451 4.3.0 policy failed" in result.output
    script.write_text("import nothing_like_this")
    result = run(script)
    assert result.exit_code == 1
    assert f"{script}:1: script p: ModuleNotFoundError" in result.output


LOOPS = """
from angarium.policy.script import Message, Server, on

@on.signing
async def again(message: Message, server: Server) -> None:
    await server.send("a@x.example", ["b@y.example"], b"Subject: x\\r\\n\\r\\nx\\r\\n")
"""


def test_a_script_which_sends_mail_about_its_own_mail_is_told(tmp_path: Path) -> None:
    script = tmp_path / "loops.py"
    script.write_text(LOOPS)
    script.chmod(0o644)
    result = CliRunner().invoke(command, [str(script)])
    assert result.exit_code == 1
    assert "policy sends mail about mail that it has sent, 10 times over" in result.output


def test_a_script_which_runs_away_is_stopped(tmp_path: Path) -> None:
    script = tmp_path / "away.py"
    head = "from angarium.policy.script import on\n@on.connect\n"
    text = f"{head}def f() -> None:\n    while True: ...\n"
    script.write_text(text)
    script.chmod(0o644)
    result = CliRunner().invoke(command, [str(script)])
    assert result.exit_code == 1
    assert f"{script}:4: stopped: it ran for more than 2 s without a rest" in result.output
