"""The ledger of a simulated node: the real table and the real rules, without sockets.

Wake-ups travel by the loops of the processes, late or never. A row may be found locked, as by
another process in the middle of a change. What is granted is counted here once more, by a reckoning
of its own, and must never be more than is allowed.
"""

import os
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from random import Random
from typing import Any, cast

from angarium.core.units import Rate
from angarium.queue.ledger import LedgerTable, SharedLedger
from angarium.queue.rooms import SHARED
from angarium.queue.rows import Table, digest_of, size_of
from angarium.queue.throttle import Grant, LocalLedger, burst
from helpers.sim.loop import Clock, Process

SLACK_SECONDS = 0.005  # readings of the clock between the decision and our note of it


class Reckoning:
    """What all workers hold, and when what has a rate is on schedule again."""

    def __init__(self, workers: int, fail: Callable[[str], None]) -> None:
        self._workers = workers
        self._fail = fail
        self.held: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.next: dict[str, float] = {}
        self.grants = self.denials = self.waits = 0

    def asked(self, name: str, key: str, cap: int, grant: Grant) -> None:
        if grant is not Grant.GRANTED:
            self.denials += 1
            return
        self.grants += 1
        held = self.held[key]
        held[name] += 1
        if held.total() > cap:
            self._fail(f"{key}: {dict(held)} hold {held.total()}, allowed are {cap}")

    def gave_back(self, name: str, key: str) -> None:
        held = self.held[key]
        held[name] -= 1
        if held[name] < 0:
            self._fail(f"{name} gives back {key} which it does not hold")

    def took(self, key: str, rate: Rate, n: int, now: float) -> None:
        """Note `n` events; each lease of a worker may bring what it holds a little later."""
        most = burst(rate)
        leases = self._workers * (most // 2) if self._workers > 1 else 0
        at = self.next.get(key, now)
        early = at - now - (most - 1 + leases) * rate.interval
        if early > SLACK_SECONDS:
            self._fail(f"{key}: {rate} is exceeded, {early:.3f} s too early")
        self.next[key] = max(at, now) + n * rate.interval

    def took_back(self, key: str, rate: Rate, n: int, now: float) -> None:
        """Note that `n` events did not happen. What is counted beyond the rate is not followed."""
        self.next[key] = max(self.next.get(key, now), now) - n * rate.interval

    def dead(self, name: str, *, shared: bool) -> None:
        """A worker is gone; a ledger of its own with it."""
        for held in self.held.values():
            del held[name]
        if not shared:
            self.next.clear()


class Ends:
    """Both ends of the wake-ups of one worker: what `SharedLedger` sends to and receives from."""

    def __init__(self, random: Random, lost: float) -> None:
        self._random = random
        self._lost = lost
        self.read: Callable[[], None] | None = None
        self.process: Process | None = None
        self.queue: deque[bytes] = deque()

    def send(self, digest: bytes) -> int:
        if self._random.random() < self._lost:
            raise BlockingIOError
        self.queue.append(digest)
        if self.process is not None and self.read is not None:
            self.process.call_later(self._random.random() * 0.002, self.read)
        return len(digest)

    def recv(self, _size: int) -> bytes:
        if not self.queue:
            raise BlockingIOError
        return self.queue.popleft()


class BusyTable(Table):
    """A table whose rows are found locked now and then."""

    def __init__(self, descriptor: int, workers: int, rows: int, random: Random, busy: float):
        super().__init__(descriptor, workers, rows)
        self._random = random
        self._busy = busy

    def lock(self, row: int, rows: int = 1) -> bool:
        return self._random.random() >= self._busy

    def unlock(self, row: int, rows: int = 1) -> None:
        """Nobody else is there."""


class Shared(LedgerTable):
    """The supervisor's side."""

    def __init__(self, workers: int, rows: int, random: Random, lost: float, busy: float) -> None:
        self.workers = workers
        self._descriptor = os.memfd_create("simulated-ledger", os.MFD_CLOEXEC)
        os.ftruncate(self._descriptor, size_of(workers, rows))
        self._table = BusyTable(self._descriptor, workers, rows, random, busy)
        self.ends = [Ends(random, lost) for _ in range(workers)]
        self._pairs = cast(Any, [(each, each) for each in self.ends])

    def column(self, worker: int) -> int:
        """Return how many connections the worker holds permits for, in all."""
        table = self._table
        row = table.find(digest_of(SHARED))
        kept = table.counts[worker][row] if row >= 0 else 0
        return sum(table.counts[worker]) - kept

    def close(self) -> None:
        self._table.close()
        os.close(self._descriptor)


class One(LocalLedger):
    """The ledger of a node with one worker."""

    __slots__ = ("dead", "name", "reckoning")

    def __init__(self, clock: Clock, name: str, reckoning: Reckoning) -> None:
        super().__init__(clock)
        self.name = name
        self.reckoning = reckoning
        self.dead = False

    def acquire(self, key: str, cap: int) -> Grant:
        if self.dead:
            return Grant.DENIED
        grant = super().acquire(key, cap)
        self.reckoning.asked(self.name, key, cap, grant)
        return grant

    def release(self, key: str) -> None:
        if not self.dead:
            self.reckoning.gave_back(self.name, key)
            super().release(key)

    def take(self, key: str, rate: Rate, n: int = 1) -> float:
        if self.dead:
            return 1.0
        seconds = super().take(key, rate, n)
        if seconds <= 0.0:
            self.reckoning.took(key, rate, n, cast(Clock, self._clock).now)
        else:
            self.reckoning.waits += 1
        return seconds

    def adjust(self, key: str, rate: Rate, n: int) -> None:
        if not self.dead:
            super().adjust(key, rate, n)
            if n < 0:
                self.reckoning.took_back(key, rate, -n, cast(Clock, self._clock).now)


class Many(SharedLedger):
    """A worker's side of the shared one. A worker that was killed changes nothing any more."""

    def __init__(
        self,
        shared: Shared,
        worker: int,
        clock: Clock,
        alarm: Callable[[str], None],
        name: str,
        reckoning: Reckoning,
    ) -> None:
        ends = cast(Any, shared.ends)
        super().__init__(shared._table, worker, ends[worker], ends, clock, alarm)
        self.name = name
        self.reckoning = reckoning
        self.dead = False

    def acquire(self, key: str, cap: int) -> Grant:
        if self.dead:
            return Grant.DENIED
        grant = super().acquire(key, cap)
        self.reckoning.asked(self.name, key, cap, grant)
        return grant

    def release(self, key: str) -> None:
        if not self.dead:
            self.reckoning.gave_back(self.name, key)
            super().release(key)

    def tick(self) -> None:
        # What is owed was given back already, for the reckoning.
        owed = list(self._owed)
        for key in owed:
            self.reckoning.held[key][self.name] += 1
        super().tick()

    def take(self, key: str, rate: Rate, n: int = 1) -> float:
        if self.dead:
            return 1.0
        seconds = super().take(key, rate, n)
        if seconds <= 0.0:
            self.reckoning.took(key, rate, n, cast(Clock, self._clock).now)
        else:
            self.reckoning.waits += 1
        return seconds

    def adjust(self, key: str, rate: Rate, n: int) -> None:
        if not self.dead:
            super().adjust(key, rate, n)
            if n < 0:
                self.reckoning.took_back(key, rate, -n, cast(Clock, self._clock).now)

    def forget(self, key: str) -> None:
        if not self.dead:
            super().forget(key)
