"""A log in a jlog: each line a message, with its line end, as a file would have it.

Nothing that is written is ever taken back, for readers may have it: after a crash what the
checkpoint does not know is remembered (`restore`), and is not written a second time when it comes
from the streams again. That ends when the streams are read to their end (`regained`).
"""

import contextlib
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path

from angarium.events.checkpoint import File
from angarium.events.jlog import JlogError, Writer, whole


class JlogLog:
    """One log in a jlog.

    Args:
        subscriber: made with the jlog, if it has none.
        clock: the time which records get.
    """

    __slots__ = ("_clock", "_known", "_unsynced", "_waiting", "_writer", "path")

    def __init__(
        self, path: Path, subscriber: str, mode: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self._writer = Writer(path, subscriber, mode)
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._known: Counter[bytes] = Counter()  # messages which are there and may come again
        self._unsynced = False

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def slow(self) -> bool:
        return False

    def add(self, lines: Iterable[bytes]) -> None:
        """Add lines to what the next flush writes; they have no line ends."""
        if not self._known:
            self._waiting.extend([line + b"\n" for line in lines])
            return
        for line in lines:
            message = line + b"\n"
            if self._known[message]:
                self._known[message] -= 1
            else:
                self._waiting.append(message)

    def flush(self) -> bool:
        """Write what waits; return whether there was something.

        Raises:
            OSError: not everything could be written; the rest waits.
            JlogError: somebody has damaged the jlog.
        """
        if not self._waiting:
            return False
        while self._waiting:
            taken = self._writer.append(list(self._waiting), self._clock())
            for _ in range(taken):
                self._waiting.popleft()
            self._unsynced = True
        return True

    def sync(self) -> None:
        """Bring what was written to the disk. Raises OSError."""
        if self._unsynced and self._writer.file >= 0:
            os.fdatasync(self._writer.file)
            folder = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            self._unsynced = False

    @property
    def state(self) -> File | None:
        """Return what a checkpoint must know; None if it was not opened yet."""
        if (place := self._writer.place) is None:
            return None
        segment, inode, size = place
        return File(inode, size, f"{segment:08x}")

    def restore(self, known: File) -> int:
        """Remember what was written after a checkpoint; return how many messages that is.

        Raises:
            OSError: it could not be read.
        """
        self._known.clear()
        with contextlib.suppress(FileNotFoundError, JlogError, ValueError):
            first, jlog = int(known.tail, 16), self._writer.jlog
            for number in jlog.segments():
                if number >= first:
                    octets = jlog.segment(number).read_bytes()
                    after = known.size if number == first else 0
                    for start, end in whole(octets):
                        if end > after:
                            self._known[octets[start:end]] += 1
        return self._known.total()

    def regained(self) -> None:
        """Everything came again that will."""
        self._known.clear()

    def open(self) -> None:
        """Open it, if it is not; it is made when it is missing.

        Raises:
            OSError: it could not be opened.
            JlogError: what is there is no jlog.
        """
        self._writer.open()

    def close(self) -> None:
        """Close it. What waits is forgotten: the streams have it."""
        self._waiting.clear()
        self._writer.close()
