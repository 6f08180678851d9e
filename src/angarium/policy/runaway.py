"""Stops a function of a script in Python that does not give the loop back.

A timer of the process is set again with each beat of the loop, so it runs out only where the loop
is stuck. Its signal is heard in the main thread, between two instructions of whatever runs there.
Is that a script, and for longer than it may, `Runaway` is raised in it: the call fails as by any
other fault, and the worker goes on. A call which does give the loop back costs nothing for this.

The rule: nothing is raised in code of ours. It is raised where the innermost function belongs to a
script, or to a library the script has called, and the script was called by who asks policy; while
something of ours runs, such as an edit of the header or the writing of mail, the next tick is
waited for. `except Exception` does not catch it, and what catches it is told again, line by line.
"""

import asyncio
import signal
import sys
from types import FrameType
from typing import Any, Final

# Between two looks at a loop that is stuck, and what a beat must not be late by.
TICK_SECONDS: Final = 0.25
BEAT_SECONDS: Final = 0.1
HURRY_SECONDS: Final = 0.005  # until the next look, where it was in code of ours at this one
# What a module of a script has among its globals: seconds one of its functions may take.
MARK: Final = "__policy_seconds__"
OURS: Final = "angarium"
LOOP: Final = "asyncio"  # below a task or a callback which a script has made itself
# Who may call a script: what is raised in it comes to them. Others are in the middle of something.
CALLERS: Final = frozenset(
    {
        "angarium.modules.python.script",
        "angarium.policy.chain",
        "angarium.policy.guard",
    }
)
# Of these there is one for all: what it has begun must be whole also where a script called it.
SHARED: Final = frozenset(
    {OURS, LOOP, "_frozen_importlib", "_weakrefset", "importlib", "logging", "weakref"}
)


class Runaway(BaseException):
    """A function of a script ran for longer than it may; as KeyboardInterrupt, not to be caught."""


class Watch:
    """Looks at what runs when the loop is stuck; one in a process, in its main thread.

    Args:
        loop: which is to beat; None: `progress` is called with each turn of it.
    """

    __slots__ = (
        "_before", "_hurried", "_insists", "_loop", "_seen", "_timer", "_told", "_traced",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._before: Any = None
        self._timer: asyncio.TimerHandle | None = None
        # Ticks at which a function was there, by its frame; the loop has not turned since.
        self._seen: dict[FrameType, int] = {}
        self._told: FrameType | None = None
        self._insists = self._hurried = False
        self._traced: Any = None  # who traced before: a debugger

    def start(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._tick)
        self._beat()

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        if self._timer is not None:
            self._timer.cancel()
        signal.signal(signal.SIGALRM, self._before or signal.SIG_DFL)
        self.progress()

    def _beat(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
        self.progress()
        if self._loop is not None:
            self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def progress(self) -> None:
        """The loop turns: what runs from now on has run for no time."""
        if self._seen:
            self._seen, self._told = {}, None
        if self._insists:
            self._insists = False
            sys.settrace(self._traced)

    def _tick(self, _number: int, frame: FrameType | None) -> None:
        # A look counts as much as it is apart from the one before: a process that was stopped, or
        # a machine that slept, has one look for all that time. One that was hurried counts nothing.
        more, self._hurried = (0 if self._hurried else 1), False
        entries = _entries(frame)
        self._seen = {entry: self._seen.get(entry, 0) + more for entry, _ in entries}
        late = [each for each in entries if self._is_late(each[0])]
        if not late:
            return
        entry, runs = late[0]
        if not runs:
            # It is in code of ours, and soon back.
            self._hurried = True
            signal.setitimer(signal.ITIMER_REAL, HURRY_SECONDS, TICK_SECONDS)
            return
        if self._told is entry:
            self._insist(frame, entry)
        self._told = entry
        seconds = entry.f_globals[MARK]
        raise Runaway(f"stopped: it ran for more than {seconds:g} s without a rest")

    def _is_late(self, entry: FrameType) -> bool:
        seconds: float = entry.f_globals[MARK]
        return bool(seconds) and (self._seen[entry] - 1) * TICK_SECONDS >= seconds

    def _insist(self, frame: FrameType | None, entry: FrameType) -> None:
        """It was caught, and the script goes on: from now on each line of it raises."""
        at = frame
        while at is not None:
            if MARK in at.f_globals:
                at.f_trace = _each_line
            at = None if at is entry else at.f_back
        if not self._insists:
            self._insists, self._traced = True, sys.gettrace()
        sys.settrace(_each_line)


def _each_line(_frame: FrameType, event: str, _argument: object) -> None:
    """Raise in the functions which are to be stopped; what they call is not traced."""
    if event == "line":
        raise Runaway("stopped: it went on although it was stopped")


def _entries(frame: FrameType | None) -> list[tuple[FrameType, bool]]:
    """Return the functions by which scripts were entered, from the inside out.

    With each: whether it runs itself, and was called by who asks policy, or by the loop.
    """
    found: list[tuple[FrameType, bool]] = []
    at, clear = frame, True
    while at is not None:
        if MARK not in at.f_globals:
            clear = clear and _root(at) not in SHARED
            at = at.f_back
            continue
        entry, by_loop = at, False
        while at is not None and _root(at) != OURS:
            if MARK in at.f_globals:
                entry, by_loop = at, False
            by_loop = by_loop or _root(at) == LOOP
            at = at.f_back
        asked = by_loop or (at is not None and at.f_globals.get("__name__") in CALLERS)
        found.append((entry, clear and asked))
        clear = False
    return found


def _root(frame: FrameType) -> str:
    """Return the package a function belongs to."""
    name = frame.f_globals.get("__name__")
    return name.partition(".")[0] if isinstance(name, str) else ""
