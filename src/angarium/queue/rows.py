"""The memory of the ledger: a mapped file of counts and rates, by row, as typed columns.

    digest            128 bits of the key; zero: the row is free
    next              a rate: when its next event is on schedule, ns of the monotonic clock
    freed             when the count last went down, or its first waiter was woken, ns
    counts[worker]    how many the worker holds; only it writes there
    since[worker]     when the worker was first denied and began to wait, ns; 0: it does not

Beside the rows stands for each worker how many keys it waits for, so that the common case, nobody
waits for anything, is seen at a glance.

Rules. A change is made under an fcntl lock on the byte of the row, taken without waiting: the
kernel frees it when its holder dies, and a change is single numbers, so there is nothing to roll
back. A column is written by its worker alone, and cleared by the supervisor when that is dead.
"""

import errno
import fcntl
import mmap
import struct
from hashlib import blake2b
from typing import Final, Literal

ROWS: Final = 1 << 16  # 5 MB with four workers; a server has at most some 20,000 connections
BUCKET: Final = 16  # rows a key may be in: one lock covers the choice among them
DIGEST: Final = 16  # octets
FREE: Final = bytes(DIGEST)
TRIES: Final = 3  # a change takes 3 us: a lock that is held is tried again at once first
HEAD: Final = struct.Struct("<QI")  # magic and version, workers
LAYOUT: Final = 0x414E4741_00000001  # workers of different versions may share a table of the same
_HEAD_SIZE: Final = 64
_LOCKED: Final = (errno.EAGAIN, errno.EACCES)


def digest_of(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=DIGEST).digest()


class Table:
    """The mapped file, as typed columns. `descriptor` stays the caller's."""

    def __init__(self, descriptor: int, workers: int, rows: int) -> None:
        self.descriptor = descriptor
        self.workers = workers
        self.rows = rows
        size = size_of(workers, rows)
        self._map = mmap.mmap(descriptor, size)
        view = memoryview(self._map)
        self._parts: list[memoryview[int]] = [view]
        self._at = _HEAD_SIZE
        self.digests_at = self._at
        self._at += DIGEST * rows
        self.next = self._column("q", 8)
        self.freed = self._column("q", 8)
        self.since = [self._column("q", 8) for _ in range(workers)]
        self.counts = [self._column("I", 4) for _ in range(workers)]
        self.waits = self._cells("I", 4, workers)

    def _column(self, code: Literal["q", "I"], width: int) -> "memoryview[int]":
        return self._cells(code, width, self.rows)

    def _cells(self, code: Literal["q", "I"], width: int, count: int) -> "memoryview[int]":
        part = self._parts[0][self._at : self._at + width * count].cast(code)
        self._parts.append(part)
        self._at += width * count
        return part

    def find(self, digest: bytes) -> int:
        """Return the row of a key, or -1."""
        first = self.bucket(digest)
        begin = self.digests_at + DIGEST * first
        at = self._map.find(digest, begin, begin + DIGEST * BUCKET)
        # A match across two rows is possible in theory, and no row.
        return first + (at - begin) // DIGEST if at >= 0 and not (at - begin) % DIGEST else -1

    def bucket(self, digest: bytes) -> int:
        """Return the first row of the bucket a key belongs to."""
        return int.from_bytes(digest[:4], "little") % (self.rows // BUCKET) * BUCKET

    def digest(self, row: int) -> bytes:
        at = self.digests_at + DIGEST * row
        return self._map[at : at + DIGEST]

    def name(self, row: int, digest: bytes) -> None:
        at = self.digests_at + DIGEST * row
        self._map[at : at + DIGEST] = digest

    def lock(self, row: int, rows: int = 1) -> bool:
        """Lock the rows against other processes; never waits."""
        for _ in range(TRIES):
            try:
                fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, rows, row)
            except OSError as error:
                if error.errno not in _LOCKED:
                    raise
            else:
                return True
        return False

    def unlock(self, row: int, rows: int = 1) -> None:
        fcntl.lockf(self.descriptor, fcntl.LOCK_UN, rows, row)

    def unused(self, row: int, now: int) -> bool:
        return (
            self.next[row] <= now
            and not any(column[row] for column in self.counts)
            and not any(column[row] for column in self.since)
        )

    def first(self, row: int) -> int:
        """Return the worker which is served next: of those who wait, or -1."""
        waiting = [
            (self.counts[worker][row], column[row], worker)
            for worker, column in enumerate(self.since)
            if column[row]
        ]
        return min(waiting)[2] if waiting else -1

    def close(self) -> None:
        for part in reversed(self._parts):
            part.release()
        self._map.close()


def size_of_row(workers: int) -> int:
    return DIGEST + 8 + 8 + workers * (8 + 4)


def size_of(workers: int, rows: int) -> int:
    return _HEAD_SIZE + 4 * workers + rows * size_of_row(workers)
