"""What is told of a handler which failed."""

import asyncio

import pytest

from angarium.core.ident import Idents, printed
from angarium.policy.context import Session
from angarium.policy.guard import Guard, Handler, PolicyError
from angarium.policy.hooks import Connect, DataSpool
from angarium.policy.mail import Mail, empty


def told(error: Exception, event: Connect | DataSpool, file: str = "") -> str:
    lines: list[str] = []
    guard = Guard(lambda module, line: lines.append(f"{module}: {line}"))

    def fail(_event: object) -> None:
        raise error

    handler = Handler(fail, "scriptlet", "policy connect", file=file)
    assert guard.call(handler, event) is None
    assert handler.tally.errors == 1
    return lines[0]


def test_a_failure_names_hook_handler_place_and_peer() -> None:
    ident = Idents(1).next(1_700_000_000.0)
    session = Session(peer=("192.0.2.1", 25), connection=ident)
    line = told(ValueError("oh"), Connect(session), file=__file__)
    assert line.startswith(f"scriptlet: validate_connect error: policy connect: {__file__}:")
    assert line.endswith(f"ValueError: oh (connection {printed(ident)} from 192.0.2.1)")


def test_a_failure_names_the_message() -> None:
    message = empty("a@x.test", now=0.0, protocol="esmtp")
    message.batch = Idents(1).next(1_700_000_000.0)
    line = told(ValueError("oh"), DataSpool(Mail(message, [])))
    assert line.endswith(f"(message {printed(message.batch)})")


def test_an_error_of_a_script_brings_its_own_place() -> None:
    error = PolicyError("attempt to index nil", file="p.lua", line=7)
    assert "p.lua:7: attempt to index nil" in told(error, Connect(Session()))


async def test_what_no_message_waits_for_is_only_told() -> None:
    lines: list[str] = []
    guard = Guard(lambda module, line: lines.append(f"{module}: {line}"), patience=0.01)

    def broken() -> None:
        raise ValueError("oh")

    assert guard.run("python", "timer", broken) is None
    await guard.wait("python", "timer", asyncio.Event().wait())
    assert "python: timer: " in lines[0]
    assert "policy_wait_limit" in lines[1]


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, RecursionError])
def test_a_handler_which_wants_to_end_the_program_has_only_failed(
    error: type[BaseException],
) -> None:
    said: list[str] = []
    session = Session()
    guard = Guard(lambda module, line: said.append(f"{module} {line}"))

    def leave(_event: Connect) -> None:
        raise error

    assert guard.call(Handler(leave, "python", "leave"), Connect(session)) is None
    assert session.reply is guard.failed
    assert error.__name__ in said[0]
