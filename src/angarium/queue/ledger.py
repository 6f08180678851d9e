"""The table of counts and rates which the workers of a node share (ARCHITECTURE.md, section 2).

It is one anonymous file, mapped by all (`rows`); a row belongs to a key while somebody counts under
it. Rules of who is served: among those who wait who holds the fewest is first, of these who was
denied first; a newcomer is refused what is free if those before him are enough to use it up, unless
they have not come for it within a second. Who begins to wait tells who holds some, and the one who
holds most gives one back for him (`give_way`).
"""

import itertools
import os
import socket
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, Self

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.core.units import Rate
from angarium.queue.rows import (
    BUCKET,
    DIGEST,
    FREE,
    HEAD,
    LAYOUT,
    ROWS,
    Table,
    digest_of,
    size_of,
    size_of_row,
)
from angarium.queue.throttle import BURST_SECONDS, BUSY_SECONDS, Grant, burst, nobody

FULL_SECONDS: Final = 1.0  # to wait where there is no row for a rate
STALE_NS: Final = 1_000_000_000  # an older waiter who does not come for what is free that long
_SIDES: Final = ("inbound", "dns")  # what keys of other rates than those of delivery begin with
_BUSY: Final = -1
_FULL: Final = -2
_SECOND: Final = 1_000_000_000  # ns
_FULL_NS: Final = 60 * _SECOND  # between two alarms
_DIGESTS: Final = 16384  # known at a time; one costs 1 us to find
_GIVEN: Final = 4096  # workers remembered for whom we gave one back
_LEASED: Final = 4096  # rates known of which we may hold a piece
_READ: Final = 256  # wake-ups and questions in one turn of the loop
_WAKE: Final = "ledger.wake"
_TABLE: Final = "ledger.table"


class LedgerTable:
    """The supervisor's side: makes the table and the sockets, clears the columns of the dead.

    Args:
        workers: columns; a worker's number is below that.
    """

    def __init__(
        self, workers: int, rows: int = ROWS, inherited: Sequence[int] | None = None
    ) -> None:
        self.workers = workers
        if inherited is None:
            self._descriptor = os.memfd_create("angarium-ledger", os.MFD_CLOEXEC)
            os.ftruncate(self._descriptor, size_of(workers, rows))
            os.pwrite(self._descriptor, HEAD.pack(LAYOUT, workers), 0)
            self._pairs = [
                socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(workers)
            ]
        else:
            self._descriptor, *ends = inherited
            made = [socket.socket(fileno=each) for each in ends]
            self._pairs = list(zip(made[::2], made[1::2], strict=True))
        self._table = Table(self._descriptor, workers, rows)
        for pair in self._pairs:
            for end in pair:
                end.setblocking(False)

    @classmethod
    def resumed(cls, descriptors: Sequence[int]) -> Self:
        """Go on with the table of the program before us, of the same LAYOUT."""
        size = os.fstat(descriptors[0]).st_size
        _, workers = HEAD.unpack(os.pread(descriptors[0], HEAD.size, 0))
        rows = (size - size_of(workers, 0)) // size_of_row(workers)
        return cls(workers, rows, descriptors)

    def keep(self) -> list[int]:
        """Return the descriptors of all there is, for `resumed`."""
        return [self._descriptor, *(end.fileno() for pair in self._pairs for end in pair)]

    def descriptors(self, worker: int) -> dict[str, int]:
        """Return what worker number `worker` needs, by label; see `SharedLedger`."""
        ends = {f"{_WAKE}.{number}": pair[0].fileno() for number, pair in enumerate(self._pairs)}
        return {_TABLE: self._descriptor, _WAKE: self._pairs[worker][1].fileno()} | ends

    def clear_worker(self, worker: int) -> None:
        """The worker is dead: what it held is free, and it waits for nothing."""
        table = self._table
        held = [row for row, count in enumerate(table.counts[worker].tolist()) if count]
        # Only its worker writes a column, so no lock is needed.
        table.counts[worker][:] = _zeros("I", table.rows)
        table.since[worker][:] = _zeros("q", table.rows)
        table.waits[worker] = 0
        for row in held:
            first = table.first(row)
            if first >= 0:
                wake(self._pairs[first][0], table.digest(row))

    def rows(self) -> int:
        """Return how many rows are in use."""
        return sum(self._table.digest(row) != FREE for row in range(self._table.rows))

    def close(self) -> None:
        self._table.close()
        os.close(self._descriptor)
        for pair in self._pairs:
            for end in pair:
                end.close()


def kind_of(key: str) -> str:
    """Return which limit a key of `acquire` belongs to."""
    return key.partition(" ")[0].partition(":")[0]


def _zeros(code: Literal["q", "I"], rows: int) -> "memoryview[int]":
    return memoryview(bytes(array(code).itemsize * rows)).cast(code)


def wake(end: socket.socket, digest: bytes) -> None:
    """Tell a worker that something it waits for may be free.

    Is its queue full, then it has enough to do; `tick` makes it ask again.
    """
    try:
        end.send(digest)
    except (BlockingIOError, ConnectionError):
        return


class SharedLedger:
    """A worker's side: a `throttle.Ledger`.

    Args:
        table: the shared table.
        worker: our column.
        inbox: where others tell us that something is free.
        ends: where we tell them, by worker.
        alarm: told when the table is full and what it would hold is refused.
    """

    def __init__(
        self,
        table: Table,
        worker: int,
        inbox: socket.socket,
        ends: Sequence[socket.socket],
        clock: Clock,
        alarm: Callable[[str], None],
    ) -> None:
        self._table = table
        self._worker = worker
        self._inbox = inbox
        self._ends = ends
        self._clock = clock
        self._alarm = alarm
        self._counts = table.counts[worker]
        self._since = table.since[worker]
        self._digests: dict[str, bytes] = {}
        self._names: dict[bytes, str] = {}  # and the other way round
        self._waiting: dict[bytes, str] = {}
        # For whom we gave one back: digest and worker to since when he waited, and when that was.
        self._given: dict[tuple[bytes, int], tuple[int, int]] = {}
        self._leases: dict[str, tuple[int, int]] = {}  # what is left of it, and until when
        self._owed: list[str] = []  # releases which found the row locked
        self._full_at = -_FULL_NS
        # How often a wait began, by the kind of key: what stands before its first blank or colon.
        self.denials: Counter[str] = Counter()
        self.on_free: Callable[[str], None] = nobody
        self.on_wanted: Callable[[str], None] = nobody

    @classmethod
    def opened(
        cls,
        descriptors: Mapping[str, int],
        worker: int,
        clock: Clock,
        alarm: Callable[[str], None],
    ) -> Self:
        """Return the ledger for what `LedgerTable.descriptors` gave; it keeps them."""
        descriptor = descriptors[_TABLE]
        magic, workers = HEAD.unpack(os.pread(descriptor, HEAD.size, 0))
        if magic != LAYOUT:
            raise Error("this is no ledger of this version", found=hex(magic))
        rows = (os.fstat(descriptor).st_size - size_of(workers, 0)) // size_of_row(workers)
        ends = [socket.socket(fileno=descriptors[f"{_WAKE}.{each}"]) for each in range(workers)]
        inbox = socket.socket(fileno=descriptors[_WAKE])
        for end in (inbox, *ends):
            end.setblocking(False)
        return cls(Table(descriptor, workers, rows), worker, inbox, ends, clock, alarm)

    def fileno(self) -> int:
        """For `loop.add_reader(ledger, ledger.read)`."""
        return self._inbox.fileno()

    def acquire(self, key: str, cap: int) -> Grant:
        digest = self._digest(key)
        row = self._enter(digest)
        if row < 0:
            if row == _BUSY:
                return Grant.BUSY
            self._wait_for(digest, key)  # Nobody can wake us: `tick` asks again.
            return Grant.DENIED
        table, now = self._table, self._now()
        free = cap - sum(column[row] for column in table.counts)
        if free <= self._ahead(row, now, free):
            begins = not self._since[row]
            if begins:
                self._since[row] = now
                self.denials[kind_of(key)] += 1
            self._wait_for(digest, key)
            self._leave(row)
            if begins:
                self._ask_holders(row, digest)
            return Grant.DENIED
        self._counts[row] += 1
        self._since[row] = 0
        following = table.first(row) if free > 1 else -1
        more = digest in self._waiting
        if more:
            # Another line of ours may wait still: behind the other workers, until `forget`.
            self._since[row] = now
        self._leave(row)
        if more:
            self._ask_holders(row, digest)
        if following >= 0:
            self._wake(following, digest)
        return Grant.GRANTED

    def _ahead(self, row: int, now: int, free: int) -> int:
        """Return how many workers wait and are to have what is free before us."""
        table = self._table
        mine = self._counts[row], self._since[row] or now + 1
        ahead = sum(
            (table.counts[worker][row], column[row]) < mine
            for worker, column in enumerate(table.since)
            if column[row] and worker != self._worker
        )
        if 0 < free <= ahead and now - table.freed[row] > STALE_NS:
            return 0
        return ahead

    def release(self, key: str) -> None:
        if not self._release(key):
            self._owed.append(key)

    def _release(self, key: str) -> bool:
        digest = self._digest(key)
        table = self._table
        row = table.find(digest)
        if row < 0 or not self._counts[row]:
            raise ValueError(f"released and not held: {key}")
        if not table.lock(row):
            return False
        self._counts[row] -= 1
        now = self._now()
        table.freed[row] = now
        first = table.first(row)
        if table.unused(row, now):
            table.name(row, FREE)
        self._leave(row)
        if first >= 0:
            self._wake(first, digest)
        return True

    def take(self, key: str, rate: Rate, n: int = 1) -> float:
        now = self._now()
        left, until = self._leases.get(key, (0, 0))
        if left >= n and now < until:
            self._leases[key] = (left - n, until)
            return 0.0
        row = self._enter(self._digest(key))
        if row < 0:
            return BUSY_SECONDS if row == _BUSY else FULL_SECONDS
        most = burst(rate)
        lease = max(n, most // 2, 1)
        interval = rate.seconds * _SECOND // rate.count
        at = self._table.next[row]
        early = at - now - max(most - lease, 0) * interval
        if early <= 0:
            self._table.next[row] = max(at, now) + lease * interval
        self._leave(row)
        if early > 0:
            kind = kind_of(key)
            self.denials[f"{kind if kind in _SIDES else 'outbound'}_rate"] += 1
            return early / _SECOND
        if lease > n:
            leases = self._leases
            if len(leases) >= _LEASED:
                self._leases = leases = {each: of for each, of in leases.items() if of[1] > now}
            leases[key] = (lease - n, now + int(BURST_SECONDS * _SECOND))
        return 0.0

    def adjust(self, key: str, rate: Rate, n: int) -> None:
        row = self._enter(self._digest(key))
        if row >= 0:  # Else it is lost: a few events more or fewer, once in a while.
            at = max(self._table.next[row], self._now())
            self._table.next[row] = max(at + n * (rate.seconds * _SECOND // rate.count), 0)
            self._leave(row)

    def _wait_for(self, digest: bytes, key: str) -> None:
        self._waiting[digest] = key
        self._table.waits[self._worker] = len(self._waiting)

    def _served(self, digest: bytes) -> bool:
        """We do not wait for it any more; say whether we did."""
        if self._waiting.pop(digest, None) is None:
            return False
        self._table.waits[self._worker] = len(self._waiting)
        return True

    @property
    def contended(self) -> bool:
        return any(self._table.waits)

    def wanted(self, key: str) -> bool:
        row = self._table.find(self._digest(key))
        if row < 0:
            return False
        return any(
            column[row] for worker, column in enumerate(self._table.since) if worker != self._worker
        )

    def give_way(self, key: str) -> bool:
        digest = self._digest(key)
        table, row = self._table, self._table.find(digest)
        if row < 0:
            return False
        held = [column[row] for column in table.counts]
        mine, now = held[self._worker], self._now()
        if mine < max(held):
            return False
        for worker, column in enumerate(table.since):
            since, asked = column[row], (digest, worker)
            # Who has none gets one; others only as long as we stay no poorer than they become.
            if not since or (held[worker] and held[worker] + 1 >= mine):
                continue
            given, at = self._given.get(asked, (0, 0))
            if given != since or now - at > STALE_NS:
                if len(self._given) >= _GIVEN:
                    self._given.clear()
                self._given[asked] = since, now
                return True
        return False

    def _ask_holders(self, row: int, digest: bytes) -> None:
        """Tell those who hold some that we wait: they may have one they do not need now."""
        for worker, column in enumerate(self._table.counts):
            if column[row] and worker != self._worker:
                wake(self._ends[worker], digest)

    def waits(self, key: str) -> bool:
        return self._digest(key) in self._waiting

    def forget(self, key: str) -> None:
        digest = self._digest(key)
        if not self._served(digest):
            return
        row = self._table.find(digest)
        if row >= 0:
            self._since[row] = 0
            # What was meant for us is for who comes next.
            first = self._table.first(row)
            if first >= 0:
                self._wake(first, digest)

    def held(self, key: str) -> int:
        row = self._table.find(self._digest(key))
        return self._counts[row] - self._owed.count(key) if row >= 0 else 0

    def share(self, key: str, cap: int, wanted: int) -> int:
        row = self._enter(self._digest(key))
        if row < 0:
            return self.held(key)
        others = sum(column[row] for column in self._table.counts) - self._counts[row]
        self._counts[row] = held = max(min(wanted, cap - others), 0)
        self._leave(row)
        return held

    def correct(self, key: str, count: int) -> None:
        digest = self._digest(key)
        row = self._enter(digest)
        if row < 0:
            return  # The next look finds it again.
        self._owed = [each for each in self._owed if each != key]
        self._counts[row] = count
        self._table.freed[row] = self._now()
        first = self._table.first(row)
        self._leave(row)
        if first >= 0:
            self._wake(first, digest)

    def count(self, key: str) -> int:
        """Return how many all workers hold."""
        row = self._table.find(self._digest(key))
        return sum(column[row] for column in self._table.counts) if row >= 0 else 0

    def read(self) -> None:
        """Take what others have told us."""
        for _ in range(_READ):
            try:
                digest = self._inbox.recv(DIGEST)
            except (BlockingIOError, InterruptedError):
                return
            key = self._waiting.get(digest)
            if key is not None:
                self.on_free(key)
            key = self._names.get(digest)
            if key is not None and self.wanted(key):
                self.on_wanted(key)

    def tick(self) -> None:
        """Do what was put off, and ask again for what we wait for: once a second.

        A wake-up can be lost where a queue is full; so it is only ever late by a second.
        """
        owed, self._owed = self._owed, []
        for key in owed:
            self.release(key)
        for digest, key in list(itertools.islice(self._waiting.items(), _READ)):
            # To the end of the row, so that all have their turn.
            if self._waiting.pop(digest, None) is not None:  # Not served by what came before it.
                self._waiting[digest] = key
                self.on_free(key)

    def close(self) -> None:
        for end in (self._inbox, *self._ends):
            end.close()
        self._table.close()
        os.close(self._table.descriptor)

    def _now(self) -> int:
        return int(self._clock.monotonic() * _SECOND)

    def _digest(self, key: str) -> bytes:
        digest = self._digests.get(key)
        if digest is None:
            if len(self._digests) >= _DIGESTS:
                self._digests.clear()
                self._names.clear()
            digest = self._digests[key] = digest_of(key)
            self._names[digest] = key
        return digest

    def _enter(self, digest: bytes) -> int:
        """Lock the row of a key and return it; _BUSY, or _FULL if there is none for it."""
        table = self._table
        row = table.find(digest)
        if row >= 0:
            if not table.lock(row):
                return _BUSY
            if table.find(digest) == row:
                return row
            table.unlock(row)
        first = table.bucket(digest)
        if not table.lock(first, BUCKET):
            return _BUSY
        row = table.find(digest)
        if row < 0:
            row = self._claim(first, digest)
            if row < 0:
                table.unlock(first, BUCKET)
                self._full()
        return row

    def _claim(self, first: int, digest: bytes) -> int:
        table, now = self._table, self._now()
        for row in range(first, first + BUCKET):
            if table.digest(row) == FREE or table.unused(row, now):
                table.next[row] = table.freed[row] = 0
                table.name(row, digest)
                return row
        return _FULL

    def _leave(self, row: int) -> None:
        self._table.unlock(row - row % BUCKET, BUCKET)

    def _full(self) -> None:
        now = self._now()
        if now - self._full_at >= _FULL_NS:
            self._full_at = now
            self._alarm("the ledger is full: what is limited is refused")

    def _wake(self, worker: int, digest: bytes) -> None:
        if worker != self._worker:
            wake(self._ends[worker], digest)
        elif digest in self._waiting:
            self.on_free(self._waiting[digest])
