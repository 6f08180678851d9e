"""What becomes of a command which is not done: its text is the answer, its kind what is noted."""

from pathlib import Path

import pytest

from angarium.console.command import Command
from angarium.console.errors import CommandError, ConflictError, RefusedError
from angarium.console.result import Result
from angarium.console.session import FAILED, REFUSED, Session
from angarium.core.errors import Error
from helpers.consoles import OPERATOR, FakeServer


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (CommandError("no such binding"), FAILED),
        (ConflictError("somebody was faster"), FAILED),
        (RefusedError("you may not"), REFUSED),
        (Error("the disk is full"), FAILED),
    ],
)
async def test_the_reason_is_the_answer_and_only_a_refusal_is_noted_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Error, verdict: int
) -> None:
    def fail(session: Session) -> Result:
        raise error

    command = Command("sysinfo", fail, (), OPERATOR.rank, "", None)
    monkeypatch.setattr("angarium.console.session.find", lambda line: (command, ""))
    server = FakeServer(tmp_path, "")
    outcome = await Session(server, OPERATOR, server.node).ask("sysinfo")
    assert outcome.failed
    assert str(outcome.result) == str(error)
    assert outcome.result.plain() == {"error": str(error)}
    assert server.accounts == [("alice", "sysinfo", verdict)]


async def test_a_bug_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to who runs the session, which logs it; noted as failed it is all the same."""

    def fail(session: Session) -> Result:
        raise ZeroDivisionError

    command = Command("sysinfo", fail, (), OPERATOR.rank, "", None)
    monkeypatch.setattr("angarium.console.session.find", lambda line: (command, ""))
    server = FakeServer(tmp_path, "")
    with pytest.raises(ZeroDivisionError):
        await Session(server, OPERATOR, server.node).ask("sysinfo")
    assert server.accounts == [("alice", "sysinfo", FAILED)]


def test_whoever_expects_a_command_to_fail_expects_a_conflict_and_a_refusal() -> None:
    assert issubclass(ConflictError, CommandError)
    assert issubclass(RefusedError, CommandError)
