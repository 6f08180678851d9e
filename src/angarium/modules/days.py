"""What was seen of domains, on disk until its day is reported: one file a worker and day.

    days.add("example.com", text, row)        counted in memory, written within half a minute
    days.days()                               days of which there are files
    days.of(day)                              all of a day, of all workers

A row is any Struct or tuple which is alike for what is to be counted together; `text` is what the
domain published. A file is a train of pieces, each with its length and its sum: what a crash cut
off, or a disk spoilt, ends the reading there. What is counted twice is a row with a number, so a
day of a million alike is small; one of a million different ones ends at `MAX_FILE`, and is told.
"""

import asyncio
import errno
import os
import re
import struct
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from angarium.events.metrics import Metric
from angarium.modules.means import Means

R = TypeVar("R")

WRITE_SECONDS: Final = 30.0
MAX_ROWS: Final = 10_000  # counted before they are written
MAX_FILE: Final = 16 << 20  # octets of a worker's day
_HEAD: Final = struct.Struct("!II")  # length and CRC-32
_FILE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d+)\.rows")
_ENCODER: Final = msgspec.msgpack.Encoder()
Piece = list[tuple[str, str, R, int]]


def day_of(now: float) -> str:
    """Return the day of a Unix time, in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(now))


class Days(Generic[R]):
    """What one worker has seen, and the files of all.

    Args:
        row: the type of rows.
        lost: counts those there was no room for.
    """

    def __init__(self, folder: Path, means: Means, row: type[R], lost: Metric) -> None:
        self._folder = folder
        self._loop = means.loop
        self._clock = means.clock
        self._tell = means.tell
        self._number = means.number
        self._lost = means.metrics.cell(lost)
        self._decoder = msgspec.msgpack.Decoder(list[tuple[str, str, row, int]])  # type: ignore[valid-type]
        self._rows: Counter[tuple[str, str, str, R]] = Counter()  # with the day
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[str] | None = None

    def start(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._timer = self._loop.call_later(WRITE_SECONDS, self._look)

    def stop(self) -> None:
        """Write what is left, and end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._told(self._write(self._taken()))

    def add(self, domain: str, record: str, row: R) -> None:
        """Count a message."""
        if len(self._rows) >= MAX_ROWS:
            self.flush()
        if len(self._rows) < 2 * MAX_ROWS:  # The disk may be slower than who sends.
            self._rows[day_of(self._clock.time()), domain, record, row] += 1
        else:
            self._lost.value += 1

    def flush(self) -> None:
        """Begin to write what was counted, unless that is under way."""
        if self._rows and (self._writing is None or self._writing.done()):
            self._writing = self._loop.run_in_executor(None, self._write, self._taken())
            self._writing.add_done_callback(self._written)

    def _written(self, writing: "asyncio.Future[str]") -> None:
        if not writing.cancelled():
            self._told(writing.result())

    def _told(self, trouble: str) -> None:
        if trouble:
            self._tell("ERROR", f"what was seen cannot be written: {trouble}")

    def _look(self) -> None:
        self._timer = self._loop.call_later(WRITE_SECONDS, self._look)
        self.flush()

    def _taken(self) -> dict[str, Piece[R]]:
        rows, self._rows = self._rows, Counter()
        taken: dict[str, Piece[R]] = {}
        for (day, domain, record, row), count in rows.items():
            taken.setdefault(day, []).append((domain, record, row, count))
        return taken

    def _write(self, taken: dict[str, Piece[R]]) -> str:
        """Write pieces; return what went wrong, in any thread."""
        for day, piece in taken.items():
            octets = _ENCODER.encode(piece)
            path = self._folder / f"{day}.{self._number}.rows"
            try:
                added = _append(path, _HEAD.pack(len(octets), zlib.crc32(octets)) + octets)
            except OSError as error:
                self._lost.value += len(piece)
                return f"{path}: {error.strerror}"
            if not added:
                self._lost.value += len(piece)
        return ""

    # The files of all workers.

    def days(self) -> list[str]:
        """Return the days of which there are files, the oldest first."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        return sorted({found[1] for each in names if (found := _FILE.fullmatch(each))})

    def of(self, day: str) -> dict[str, tuple[str, Counter[R]]]:
        """Return what all workers saw in a day: by domain its record, as seen last, and rows."""
        seen: dict[str, tuple[str, Counter[R]]] = {}
        for path in self._files(day):
            for piece in self._pieces(path):
                for domain, record, row, count in piece:
                    rows = seen[domain][1] if domain in seen else Counter()
                    rows[row] += count
                    seen[domain] = record, rows
        return seen

    def forget(self, day: str) -> None:
        """Remove the files of a day."""
        for path in self._files(day):
            path.unlink(missing_ok=True)

    def _files(self, day: str) -> list[Path]:
        return sorted(self._folder.glob(f"{day}.*.rows"))

    def _pieces(self, path: Path) -> Iterator[Piece[R]]:
        """Yield the pieces of a file, up to the first which is spoilt."""
        try:
            octets = path.read_bytes()
        except OSError:
            return
        at = 0
        while at + _HEAD.size <= len(octets):
            length, checksum = _HEAD.unpack_from(octets, at)
            at += _HEAD.size
            piece = octets[at : at + length]
            if len(piece) < length or zlib.crc32(piece) != checksum:
                return
            try:
                yield self._decoder.decode(piece)
            except msgspec.MsgspecError:
                return
            at += length


def _append(path: Path, octets: bytes) -> bool:
    """Append octets, all or nothing; False: there is no room. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(handle).st_size
        if size + len(octets) > MAX_FILE:
            return False
        # In one call, so that two generations of this worker do not mix.
        if os.write(handle, octets) < len(octets):
            os.ftruncate(handle, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(handle)
    return True
