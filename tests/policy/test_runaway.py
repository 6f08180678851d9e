"""What stops a script in Python that does not give the loop back, and what it never touches."""

import asyncio
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
import uvloop

from angarium.policy import guard
from angarium.policy.context import Session
from angarium.policy.guard import Guard, Handler
from angarium.policy.hooks import Connect
from angarium.policy.runaway import MARK, Runaway, Watch

LOOP = "def run():\n    while True:\n        pass\n"
LOOPS = [asyncio.SelectorEventLoop, uvloop.new_event_loop]


def script(text: str, **known: Any) -> Callable[..., Any]:
    """Return `run` of a script whose functions may take no time."""
    names = {"__name__": "angarium_policy_x", MARK: 0.01, **known}
    exec(compile(text, "p.py", "exec"), names)  # noqa: S102 - as a script is loaded
    run: Callable[..., Any] = names["run"]
    return run


def of_module(name: str, text: str, **known: Any) -> Callable[..., Any]:
    """Return `run` of a module which is no script."""
    names = {"__name__": name, **known}
    exec(compile(text, f"{name}.py", "exec"), names)  # noqa: S102 - as a script is loaded
    run: Callable[..., Any] = names["run"]
    return run


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Any:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


def asked(loop: Any, run: Callable[..., Any]) -> list[str]:
    """Let a handler be asked on a loop which is watched; return what paniclog has."""
    lines: list[str] = []
    asking = Guard(lambda _module, line: lines.append(line))
    handler = Handler(lambda _event: run(), "python", "p run", file="p.py")

    async def all_of_it() -> None:
        watch = Watch(asyncio.get_running_loop())
        watch.start()
        try:
            event = Connect(Session())
            assert asking.call(handler, event) is None
            assert event.session.reply is asking.failed
        finally:
            watch.stop()

    loop.run(all_of_it())
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    return lines


SWALLOWS = """
import time
def run():
    while True:
        try:
            time.sleep(0.001)
        except %s:
            pass
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LOOP, "23"),
        (SWALLOWS % "Exception", "56"),
        (SWALLOWS % "BaseException", "678"),
        ("import time\ndef run():\n    time.sleep(60)\n", "3"),
        ("import re\ndef run():\n    re.match('(a*)*b', 'a' * 40)\n", "3"),
        ("import json\ndef run():\n    while True:\n        json.loads('[]')\n", "34"),
    ],
    ids=["loop", "Exception", "BaseException", "sleep", "pattern", "library"],
)
def test_a_function_that_runs_away_is_stopped_with_its_line(
    loop: Any, text: str, line: str
) -> None:
    (said,) = asked(loop, script(text))
    place, _, why = said.removeprefix("validate_connect error: p run: p.py:").partition(": ")
    assert place in line
    assert why.startswith("stopped: it ")


def test_an_async_function_that_does_not_wait_is_stopped(loop: Any) -> None:
    lines: list[str] = []
    asking = Guard(lambda _module, line: lines.append(line))
    run = script("async def run():\n    while True:\n        pass\n")

    async def all_of_it() -> None:
        watch = Watch(asyncio.get_running_loop())
        watch.start()
        await asking.wait("python", "p", run())
        watch.stop()

    loop.run(all_of_it())
    assert lines[0].startswith("p: p.py:")
    assert "without a rest" in lines[0]


def test_a_task_of_the_scripts_own_is_stopped_too(loop: Any) -> None:
    run = script("async def run():\n    while True:\n        pass\n")

    async def all_of_it() -> None:
        watch = Watch(asyncio.get_running_loop())
        watch.start()
        task = asyncio.create_task(run())
        await asyncio.wait([task])
        watch.stop()
        assert isinstance(task.exception(), Runaway)

    loop.run(all_of_it())


# Without a signal: what it makes of a stack.


def looked(at: Callable[[Callable[[], None]], Any], times: int = 3) -> int:
    """Let it look so often while `at` runs what it is given; return how often it raised."""
    watch, raised = Watch(), 0

    def look() -> None:
        nonlocal raised
        for _ in range(times):
            try:
                watch._tick(signal.SIGALRM, caller(sys._getframe()))
            except Runaway:
                raised += 1

    asking = Guard(lambda _module, line: pytest.fail(line))
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        asking.call(Handler(lambda _event: at(look), "python", "p"), Connect(Session()))
        watch.progress()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return raised


def caller(frame: FrameType) -> FrameType:
    assert frame.f_back is not None
    return frame.f_back


def by_guard(run: Callable[..., Any]) -> Callable[[Callable[[], None]], Any]:
    """As a handler which the guard itself calls, without a lambda of ours in between."""
    names: dict[str, Any] = {"__name__": guard.__name__, "run": run}
    exec("def at(look):\n    return run(look)", names)  # noqa: S102
    at: Callable[[Callable[[], None]], Any] = names["at"]
    return at


IN_SCRIPT = script("def run(look):\n    look()\n")
THROUGH = "def run(look):\n    through(look)\n"
PLAIN = "def run(look):\n    look()\n"


def test_a_script_is_stopped_at_the_second_look_and_again() -> None:
    assert looked(by_guard(IN_SCRIPT), 1) == 0
    assert looked(by_guard(IN_SCRIPT), 4) == 3


def test_a_library_which_a_script_calls_is_the_script() -> None:
    assert looked(by_guard(script(THROUGH, through=of_module("json.decoder", PLAIN)))) == 2


@pytest.mark.parametrize(
    "name", ["angarium.mail.format.draft", "asyncio.tasks", "logging", "weakref", "importlib.x"]
)
def test_what_a_script_calls_and_must_be_whole_is_let_alone(name: str) -> None:
    assert looked(by_guard(script(THROUGH, through=of_module(name, PLAIN)))) == 0


def test_a_script_which_ours_calls_in_the_middle_of_something_is_let_alone() -> None:
    ours = of_module("angarium.queue.admit", THROUGH, through=IN_SCRIPT)
    assert looked(by_guard(script(THROUGH, through=ours))) == 0


def test_ours_alone_is_let_alone() -> None:
    assert looked(by_guard(of_module("angarium.queue.admit", PLAIN))) == 0


def test_a_script_within_a_script_has_a_time_of_its_own() -> None:
    inner = by_guard(IN_SCRIPT)
    outer = script("def run(look):\n    look()\n    through(look)\n", through=inner)
    # Once while the outer one runs by itself, and of the inner one not before its second look.
    assert looked(by_guard(outer), 1) == 0


def test_where_the_loop_turns_nothing_is_counted() -> None:
    watch = Watch()

    def look() -> None:
        for _ in range(5):
            watch._tick(signal.SIGALRM, caller(sys._getframe()))
            watch.progress()

    by_guard(IN_SCRIPT)(look)


def test_without_a_limit_nothing_is_stopped() -> None:
    assert looked(by_guard(script(PLAIN, **{MARK: 0}))) == 0
