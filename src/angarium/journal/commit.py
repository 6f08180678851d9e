"""Group commit: one trip to the disk for all that waits, off the loop.

While a trip is under way, whatever is appended waits and goes with the next one; all that a trip
made durable is told by one call into the loop. A trip takes the logs in the order given (data,
state, streams), so what is derived from a record is never written before it. An eager log starts
a trip at the end of the loop's tick; the others ride along, or wait for
`linger` at most; those which are not synced by each trip are within `sync_within`.

A log that fails goes on in a new segment at once. If that fails too, or the disk is full, it
rests until `probe` finds the disk well again.
"""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, Protocol

from angarium.core.errors import Error
from angarium.core.fault import FAULTS
from angarium.journal.errors import FULL
from angarium.journal.log import Landed, Log, Part
from angarium.journal.ring import LONGEST, Ended, Sync, Write

LINGER: Final = 0.002  # seconds; what a kill can send twice, against a trip for each delivery
# A trip costs 100 us of processor time whatever it carries. Where trips of late carried several
# appends, the next one waits so long for company, or until enough have come. A lonely client, who
# waits for each answer, brings none, and is never kept waiting.
COMPANY: Final = 0.002  # seconds
ENOUGH: Final = 8  # appends somebody waits for
SEVERAL: Final = 1.5
GATHERED: Final = 512  # pieces to a record

Work = Sequence[tuple[list[Part], bool]]
Job = Callable[[], Any]
Failure = OSError | Error


class Scheduler(Protocol):
    """What is needed of an event loop."""

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Any: ...
    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Any: ...
    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> Any: ...


class Executor(Protocol):
    """Runs jobs one after the other, somewhere else."""

    def submit(self, job: Job, done: Callable[[Any, Failure | None], None]) -> None:
        """Run `job`, then `done(result, None)` or `done(None, failure)` on the loop."""
        ...

    def stop(self) -> None:
        """Run what was submitted, and no more."""
        ...


class Chains(Protocol):
    """Does steps in their order without a thread of ours: `journal/ring`."""

    def submit(self, chain: Sequence[Write | Sync], done: Ended) -> None: ...


def attempt(job: Job) -> tuple[Any, Failure | None]:
    """Run a job; failures which are foreseen become a value."""
    try:
        return job(), None
    except (OSError, Error) as failure:
        return None, failure


class ThreadExecutor:
    """An executor with a thread of its own.

    Args:
        died: called on the loop if a job raised what no job may raise; nothing runs after it.
    """

    __slots__ = ("_died", "_loop", "_queue", "_thread")

    def __init__(self, loop: Scheduler, name: str, died: Callable[[], None]) -> None:
        self._loop = loop
        self._died = died
        self._queue: SimpleQueue[tuple[Job, Callable[[Any, Failure | None], None]] | None]
        self._queue = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job, done: Callable[[Any, Failure | None], None]) -> None:
        self._queue.put((job, done))

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        stopped = False
        try:
            while (work := self._queue.get()) is not None:
                self._loop.call_soon_threadsafe(work[1], *attempt(work[0]))
            stopped = True
        finally:
            if not stopped:
                self._loop.call_soon_threadsafe(self._died)


class Lane:
    """A log in the group commit.

    Args:
        landed: learns, on the loop, what became of a trip.
        eager: somebody waits for what is appended: start a trip at the end of the tick.
        sync: sync with each trip.
        sync_within: seconds after which what a trip wrote without sync must be synced.
        kind: of the records that `gather` becomes.

    Attributes:
        gather: pieces which wait for a trip to become one record.
    """

    __slots__ = (
        "_kind",
        "_timer",
        "due",
        "eager",
        "failures",
        "full",
        "gather",
        "landed",
        "log",
        "resting",
        "sync",
        "sync_within",
    )  # fmt: skip

    def __init__(
        self,
        log: Log,
        landed: Callable[[Landed], None],
        *,
        eager: bool = False,
        sync: bool = False,
        sync_within: float = 0.1,
        kind: int = 0,
    ) -> None:
        self._kind = kind
        self.gather: list[bytes] = []
        self.log = log
        self.landed = landed
        self.eager = eager
        self.sync = sync
        self.sync_within = sync_within
        self.due = False
        self.failures = 0  # since the last success
        self.resting = False
        self.full = False  # the last failure was want of room
        self._timer = False

    @property
    def waiting(self) -> bool:
        return bool(self.gather) or self.log.waiting > 0

    def take(self, *, even_nothing: bool) -> list[Part]:
        """Take what waits; what was gathered is made one record, or a few."""
        if self.gather:
            pieces, self.gather = self.gather, []
            for at in range(0, len(pieces), GATHERED):
                self.log.append(self._kind, b"".join(pieces[at : at + GATHERED]))
        return self.log.take(even_nothing=even_nothing)

    def learn(self, landed: Landed) -> None:
        self.log.landed(landed)
        if landed.error is None:
            self.failures = 0
            self.resting = False
        else:
            self.failures += 1
            self.full = landed.error.errno in FULL
            self.resting = self.failures > 1 or self.full

    def arm(self, loop: Scheduler, expired: Callable[["Lane"], None]) -> None:
        """See to it that what is written is synced in time."""
        if not self._timer and self.log.unsynced:
            self._timer = True
            loop.call_later(self.sync_within, expired, self)

    def expire(self) -> None:
        self._timer = False
        self.due = self.log.unsynced


class Commit:
    """The trips of a shard's logs.

    Args:
        after: called on the loop when a trip has landed and the next one, if any, is on its way.
        chains: does what it can of a trip; the executor does the rest. None: there is none here.
    """

    __slots__ = (
        "_after", "_asked", "_chains", "_crowd", "_executor", "_flushes", "_flying", "_lanes",
        "_linger", "_loop", "_planned", "_timer", "trips",
    )  # fmt: skip

    def __init__(
        self,
        executor: Executor,
        loop: Scheduler,
        lanes: Sequence[Lane],
        after: Callable[[], None],
        *,
        linger: float = LINGER,
        chains: Chains | None = None,
    ) -> None:
        self._chains = chains
        self._asked = 0  # appends somebody waits for, since the last trip began
        self._crowd = 1.0  # how many of them a trip carried, of late
        self._executor = executor
        self._loop = loop
        self._lanes = lanes
        self._after = after
        self._linger = linger
        self._flushes: list[Callable[[bool], None]] = []
        self._flying = False
        self._planned = 0  # 0: nothing, 1: a trip within the linger, 2: one somebody waits for
        self._timer: Any = None  # of a trip that waits for company
        self.trips = 0

    def soon(self) -> None:
        """Something was appended for which somebody waits."""
        self._asked += 1
        if self._flying:
            return
        if self._planned < 2:
            self._plan()
        elif self._asked == ENOUGH and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._loop.call_soon(self._start)

    def _plan(self) -> None:
        self._planned = 2
        if self._crowd >= SEVERAL and self._asked < ENOUGH:
            self._timer = self._loop.call_later(COMPANY, self._start)
        else:
            self._loop.call_soon(self._start)

    def later(self) -> None:
        """Something was appended that may wait a little for company."""
        if not self._planned and not self._flying:
            self._planned = 1
            self._loop.call_later(self._linger, self._start_late)

    def flush(self, done: Callable[[bool], None]) -> None:
        """Make all that was appended until now durable; `done(False)` if that failed."""
        self._flushes.append(done)
        self.soon()

    def probe(self) -> None:
        """Try whether the logs that rest can be written again."""
        if not self._flying and any(lane.resting for lane in self._lanes):
            self._start(probing=True)

    def _start_late(self) -> None:
        if self._planned == 1:
            self._start()

    def _start(self, *, probing: bool = False) -> None:
        self._planned = 0
        self._timer = None
        if self._flying:
            return
        flushes, self._flushes = self._flushes, []
        work = [self._of(lane, probing, bool(flushes)) for lane in self._lanes]
        if not (flushes or any(parts for parts, _ in work)):
            return
        if self._asked:
            self._crowd += (self._asked - self._crowd) / 8
            self._asked = 0
        self._flying = True
        self.trips += 1
        if self._chains is None or FAULTS.armed or not self._chain(self._chains, work, flushes):
            self._executor.submit(partial(_trip, self._lanes, work), partial(self._landed, flushes))

    def _chain(self, chains: Chains, work: Work, flushes: list[Callable[[bool], None]]) -> bool:
        """Begin the trip as one chain, if all of it can be."""
        writes: list[Write | Sync] = []
        syncs: list[Write | Sync] = []
        whose: list[int] = []  # lanes, by sync
        for at, (parts, sync) in enumerate(work):
            if parts:
                steps = self._lanes[at].log.steps(parts, sync=sync)
                if steps is None:
                    return False
                for step in steps:
                    if isinstance(step, Sync):
                        syncs.append(step)
                        whose.append(at)
                    else:
                        writes.append(step)
        chain = writes + syncs
        if not 0 < len(chain) <= LONGEST:
            return False
        try:
            chains.submit(chain, partial(self._chained, work, flushes, chain, whose))
        except OSError:
            self._chains = None  # What it has begun writes the same octets to the same places.
            return False
        return True

    def _chained(
        self,
        work: Work,
        flushes: list[Callable[[bool], None]],
        chain: Sequence[Write | Sync],
        whose: Sequence[int],
        step: int,
        result: int,
    ) -> None:
        """A chain has ended, with its last step or with one that failed."""
        last = chain[step]
        failing: Sequence[int] = ()
        if isinstance(last, Sync):
            if result < 0:
                # Those behind it are not to be believed either: nobody has told of them.
                failing = whose[step - len(chain) :]
        elif step < len(chain) - 1 or result != sum(map(len, last.pieces)):
            # The thread writes all of it again, to the same places, and meets what there is to.
            self._executor.submit(partial(_trip, self._lanes, work), partial(self._landed, flushes))
            return
        results = [
            None
            if not parts
            else lane.log.wrote(parts, sync=sync)
            if at not in failing
            else Landed(0, 0, OSError(-result, os.strerror(-result)))
            for at, (lane, (parts, sync)) in enumerate(zip(self._lanes, work, strict=True))
        ]
        self._landed(flushes, results, None)

    def _of(self, lane: Lane, probing: bool, flushing: bool) -> tuple[list[Part], bool]:
        if lane.resting and not (probing or flushing):
            return [], False
        sync = lane.sync or lane.due or flushing or lane.resting
        nothing = lane.resting or bool(lane.failures) or (sync and lane.log.unsynced)
        parts = lane.take(even_nothing=nothing)
        if parts:
            lane.due = False
        return parts, sync

    def _landed(
        self,
        flushes: list[Callable[[bool], None]],
        results: list[Landed | None],
        failure: Failure | None,
    ) -> None:
        if failure is not None:
            raise failure  # no trip raises: each log keeps its own failure
        self._flying = False
        sound = True
        for lane, landed in zip(self._lanes, results, strict=True):
            if landed is not None:
                lane.learn(landed)
                lane.landed(landed)
            sound = sound and not lane.failures
            lane.arm(self._loop, self._expired)
        self._next()
        for done in flushes:
            done(sound)
        self._after()

    def _next(self) -> None:
        """Plan the next trip: soon if somebody waits, or if a log has just failed."""
        urgent = bool(self._flushes)
        waiting = False
        for lane in self._lanes:
            if lane.resting:
                continue
            waiting = waiting or lane.waiting
            urgent = urgent or lane.due or lane.failures > 0
            urgent = urgent or (lane.eager and lane.waiting)
        if urgent and self._planned < 2:
            self._plan()
        elif waiting and not urgent:
            self.later()

    def _expired(self, lane: Lane) -> None:
        lane.expire()
        if lane.due:
            self.soon()


def _trip(lanes: Sequence[Lane], work: Work) -> list[Landed | None]:
    return [
        lane.log.write(parts, sync=sync) if parts else None
        for lane, (parts, sync) in zip(lanes, work, strict=True)
    ]
