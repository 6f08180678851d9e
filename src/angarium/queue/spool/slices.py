"""Long work in slices: some of it now, the rest when others have had their turn.

The work is a generator. It yields None where it may be interrupted, a function where that must
run on the disk's thread, and an `Until` where it waits for something on the loop: the result
comes back from the yield, a failure is raised there.
"""

import time
from collections.abc import Callable, Generator
from typing import Any, Final

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.journal.commit import Executor, Failure, Job, Scheduler

SLICE: Final = 0.002  # seconds on the loop at once,
REST: Final = 0.006  # and between: a quarter of the loop at most (ARCHITECTURE section 3),
BREATH: Final = 0.0005  # unless the loop has nothing else to do: then this, to look whether it has
# ... of a rest in which the loop's thread did not compute: then it has not. And of a slice in which
# it did: else others want the processor.
IDLE: Final = 0.5

Done = Callable[[Failure | None], None]


class Until:
    """Something to wait for: `start` gets what to call with its result."""

    __slots__ = ("start",)

    def __init__(self, start: Callable[[Callable[[Any], None]], object]) -> None:
        self.start = start


Work = Generator[Job | Until | None, Any, Any]


class Slices:
    """Runs such work; several pieces of it take turns.

    Args:
        steps: yields in a slice at most; the tests set it, so that others get between.
        cpu: processor seconds of the loop's thread.
    """

    __slots__ = ("_clock", "_cpu", "_executor", "_loop", "_rested_at", "_stopped", "_used", "steps")

    def __init__(
        self,
        loop: Scheduler,
        clock: Clock,
        executor: Executor,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._executor = executor
        self._cpu = cpu
        self._rested_at = 0.0  # when the last slice ended,
        self._used = 0.0  # and the processor time by then
        self._stopped = False
        self.steps = 1 << 30

    def run(self, work: Work, done: Done) -> None:
        """Start the work; `done` is called when it has ended, with its failure if it failed."""
        self._loop.call_soon(self._slice, work, done)

    def stop(self) -> None:
        """Begin no further slice; what is under way is left where it is."""
        self._stopped = True

    def _slice(self, work: Work, done: Done) -> None:
        self._advance(work, done, None, None)

    def _advance(self, work: Work, done: Done, result: Any, failure: Failure | None) -> None:
        if self._stopped:
            work.close()
            return
        now, cpu = self._clock.monotonic(), self._cpu()
        rested, used = now - self._rested_at, cpu - self._used
        until = now + SLICE
        steps = self.steps
        try:
            job = work.throw(failure) if failure is not None else work.send(result)
            while job is None:
                steps -= 1
                if steps <= 0 or self._clock.monotonic() >= until:
                    self._rested_at, self._used = self._clock.monotonic(), self._cpu()
                    alone = self._used - cpu >= IDLE * (self._rested_at - now)
                    idle = alone and used < (1.0 - IDLE) * rested
                    self._loop.call_later(BREATH if idle else REST, self._slice, work, done)
                    return
                job = work.send(None)
        except StopIteration:
            done(None)
        except (OSError, Error) as error:
            done(error)
        else:
            if isinstance(job, Until):
                job.start(lambda result: self._advance(work, done, result, None))
            else:
                self._executor.submit(job, lambda *back: self._advance(work, done, *back))
