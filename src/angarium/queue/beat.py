"""When the queues of a worker work: a tick each second, long jobs in slices between the rest.

Rule: **a job yields every millisecond or sooner**, and all jobs together have a quarter of the loop
at most.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from angarium.core.clock import Clock
from angarium.queue.schedule import CallLater

TICK_SECONDS: Final = 1.0
SLICE_SECONDS: Final = 0.002  # of work on many entries at a time (ARCHITECTURE section 3),
BREATH_SECONDS: Final = 0.006  # and this long the loop has for the rest: a quarter of it at most

Steps = Iterator[None]
_DONE: Final = object()


class Beat:
    """Runs what the queues have to do.

    Args:
        piece: does a piece of what is always to be done; says whether there was some.
        tick: lets a second pass; says whether there is more to do.

    Attributes:
        call_later: of the loop; None: no loop runs this, who calls `tick` and `work` does.
    """

    __slots__ = (
        "_clock", "_elsewhere", "_jobs", "_piece", "_tick", "call_later", "slice_seconds",
    )  # fmt: skip

    def __init__(self, piece: Callable[[], bool], tick: Callable[[], bool], clock: Clock) -> None:
        self._piece = piece
        self._tick = tick
        self._clock = clock
        self._jobs: deque[Steps] = deque()
        self._elsewhere = 0
        self.call_later: CallLater | None = None
        self.slice_seconds = SLICE_SECONDS

    @property
    def busy(self) -> bool:
        """Whether there are jobs which have not ended: they may hold entries."""
        return bool(self._jobs or self._elsewhere)

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Say that entries are worked on by somebody who has a pace of his own."""
        self._elsewhere += 1
        try:
            yield
        finally:
            self._elsewhere -= 1

    @property
    def waiting(self) -> int:
        """Return how many jobs have not ended."""
        return len(self._jobs)

    def begin(self, job: Steps) -> None:
        """Let `work` do a job: an iterator that yields every millisecond or sooner."""
        self._jobs.append(job)

    def work(self) -> bool:
        """Work on what is to be done for a slice of time; say whether there is more."""
        until = self._clock.monotonic() + self.slice_seconds
        while True:
            busy = self._piece()
            if self._jobs:
                busy = True
                job = self._jobs.popleft()
                if next(job, _DONE) is not _DONE:
                    self._jobs.append(job)
            if not busy:
                return False
            if self._clock.monotonic() >= until:
                return True

    def start(self, call_later: CallLater) -> None:
        """Run by timers of a loop from now on."""
        self.call_later = call_later
        self._second()

    def stop(self) -> None:
        self.call_later = None

    def _second(self) -> None:
        if self.call_later is not None:
            self.call_later(TICK_SECONDS, self._second)
            if self._tick():
                self.call_later(BREATH_SECONDS, self._again)

    def _again(self) -> None:
        if self.call_later is not None and self.work():
            self.call_later(BREATH_SECONDS, self._again)
