"""What stands between us and a handler: its failures, its time, and what it has cost so far.

The one place beside a process' outermost loop where `Exception` is caught: whatever a handler does
wrong is told with its file and line, and answered with `policy_error_code`; no mail is lost.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final, TypeVar

from angarium.core.errors import Error
from angarium.core.ident import printed
from angarium.core.reply import Reply
from angarium.policy import runaway
from angarium.policy.hooks import Answer, Hook

T = TypeVar("T")

# What a handler may do wrong. `sys.exit` in a script ends the script, not the server.
FAULTS: Final = (Exception, SystemExit, runaway.Runaway)
FAILED: Final = Reply(451, "policy failed", "4.3.0")
TIRED: Final = Reply(421, "policy has taken too long", "4.3.0")


class PolicyError(Error):
    """A handler failed in a way it can tell: `file`, `line` in the fields where they are known."""


@dataclass(slots=True)
class Tally:
    """What the calls of one handler have cost; seconds of our own time, waiting left out."""

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


@dataclass(slots=True)
class Handler:
    """One handler of a hook.

    Attributes:
        call: what is asked.
        module: the stanza's name, for `__bypass_`.
        name: of script and function, for people.
        file: of the script, where it has one.
    """

    call: Callable[[Any], Answer]
    module: str
    name: str
    file: str = ""
    tally: Tally = field(default_factory=Tally)
    bypass: str = field(init=False)

    def __post_init__(self) -> None:
        self.bypass = f"__bypass_{self.module}"


@dataclass(slots=True)
class Guard:
    """Who calls handlers.

    Args:
        panic: writes a line to paniclog, of a module.
        failed: is answered where a handler failed.
        patience: seconds which one call may wait.
        budget: seconds which all calls of a session may take, waiting included.
    """

    panic: Callable[[str, str], None]
    failed: Reply = FAILED
    patience: float = 60.0
    budget: float = 300.0

    def call(self, handler: Handler, event: Hook) -> Answer:
        """Ask a handler. None is CONT, as is a failure, of which the event then knows."""
        began = perf_counter()
        try:
            return handler.call(event)
        except (*FAULTS, asyncio.CancelledError) as error:
            self.fail(handler, event, error)
            return None
        finally:
            spent, tally = perf_counter() - began, handler.tally
            tally.calls += 1
            tally.seconds += spent
            tally.slowest = max(tally.slowest, spent)

    def run(self, module: str, name: str, call: Callable[[], Any]) -> Any:
        """Call what no message waits for, such as a timer's function; a failure is only told."""
        try:
            return call()
        except FAULTS as error:
            self.panic(module, f"{name}: {_said(error, '')}")
            return None

    async def wait(self, module: str, name: str, answer: Awaitable[T]) -> T | None:
        """Wait for what such a call returned; None where it failed."""
        try:
            async with asyncio.timeout(self.patience):
                return await answer
        except FAULTS as error:
            self.panic(module, f"{name}: {_said(error, '')}")
            return None

    def fail(self, handler: Handler, event: Hook, error: BaseException) -> None:
        """Tell of a failure and refuse what was asked."""
        handler.tally.errors += 1
        said = f"{type(event).name} error: {handler.name}: {_said(error, handler.file)}"
        said += _about(event)
        self.panic(handler.module, said)
        event.refuse(self.failed)


def _said(error: BaseException, script: str) -> str:
    """Return what is known of a failure: where, and what."""
    if isinstance(error, PolicyError):
        file, line = error.fields.get("file"), error.fields.get("line")
        return f"{file}:{line}: {error.message}" if file else error.message
    if isinstance(error, TimeoutError) and not str(error):
        return "it waited longer than policy_wait_limit allows"
    every = traceback.extract_tb(error.__traceback__)
    frames = [each for each in every if each.filename != runaway.__file__]
    own = [each for each in frames if each.filename == script] or frames
    where = f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
    kind = "" if isinstance(error, runaway.Runaway) else f"{type(error).__name__}: "
    return f"{where}{kind}{error}"


def _about(event: Hook) -> str:
    session, mail = event.about
    known = []
    if mail is not None and mail.message.batch:
        known.append(f"message {printed(mail.message.batch)}")
    if session is not None:
        known.append(f"connection {printed(session.connection)} from {session.address}")
    return f" ({', '.join(known)})" if known else ""
