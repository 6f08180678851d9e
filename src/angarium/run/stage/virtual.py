"""A loop whose time passes only while everybody waits, and the clock that goes with it.

Sleeping for an hour takes no time; what takes time is work. So a transcript says "wait 300" and a
greylist opens. Where nobody waits for anything and nothing is due, the loop says so instead of
hanging.
"""

import asyncio
import selectors
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Executor
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

from angarium.core.errors import Error
from angarium.policy.runaway import Watch

T = TypeVar("T")
Given = TypeVarTuple("Given")

BEGIN: Final = 1_800_000_000.0  # Unix time when a stage opens: the same in each run
# Seconds for which a thread (a file that is read, a database in memory) is waited for in earnest.
THREAD_SECONDS: Final = 0.05


class StuckError(Error):
    """Everybody waits, for nothing that could happen."""


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: it moves the clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads = 0
        self.turned: Callable[[], None] | None = None

    def select(self, timeout: float | None = None) -> Any:
        if self.turned is not None:
            self.turned()
        ready = super().select(THREAD_SECONDS if self.threads and timeout != 0 else 0)
        if ready or self.threads or timeout == 0:
            return ready
        if timeout is None:
            raise StuckError("everybody waits, and nothing is due any more")
        self.now += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time."""

    def __init__(self) -> None:
        self._seen = _Selector()
        super().__init__(self._seen)
        # Sums of many waits are no rounder than this, and a timer must not be missed by a rounding.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._seen.now

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """As any loop; a script which runs away is stopped, as in a worker."""
        if threading.current_thread() is not threading.main_thread():
            return super().run_until_complete(future)
        watch = Watch()
        self._seen.turned = watch.progress
        watch.start()
        try:
            return super().run_until_complete(future)
        finally:
            watch.stop()
            self._seen.turned = None

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Given]], T], *args: *Given
    ) -> "asyncio.Future[T]":
        future = super().run_in_executor(executor, func, *args)
        self._seen.threads += 1
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _future: object) -> None:
        self._seen.threads -= 1


class VirtualClock:
    """The clock of a loop; a `core/clock.Clock`."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def time(self) -> float:
        return BEGIN + self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()
