"""A text log: lines appended in batches to a file which others may rename under it.

What was written since the last checkpoint is undone after a crash (`restore`), and then written
again from the streams: so each line is there once. A batch that does not go to the disk stays
here and is tried again; nobody reads on before it is written, so there is never more than one.
"""

import contextlib
import glob
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from zlib import crc32

from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.events.checkpoint import File

WRITTEN: Final = point("logfile.written", "lines are in the page cache, no checkpoint knows them")
REOPENED: Final = point("logfile.reopened", "a log was opened anew, no checkpoint knows its file")

TAIL: Final = 64  # octets by which a file is known

Write = Callable[[int, bytes], int]


def path_of(destination: str, base: Path) -> Path:
    """Return the path of a destination.

    Raises:
        Error: a destination of a kind we do not have.
    """
    path = destination.removeprefix("file://")
    if "://" in path:
        raise Error("no file", destination=destination)
    return base / path


class LogFile:
    """One text log.

    Args:
        destination: a path, or file:// with one; a relative one is below `base`.
        mode: of a file that is made.
        write: as os.write; for tests of disks that fail.

    Raises:
        Error: a destination of a kind we do not have.
    """

    __slots__ = (
        "_file", "_inode", "_mode", "_nameless", "_size", "_tail", "_unsynced", "_waiting",
        "_write", "path",
    )  # fmt: skip

    def __init__(
        self, destination: str, base: Path, mode: int = 0o644, write: Write = os.write
    ) -> None:
        self.path = path_of(destination, base)
        self._mode = mode
        self._write = write
        self._file = -1
        self._inode = 0
        self._size = 0
        self._tail = b""  # the last octets of the file
        self._waiting = b""
        self._unsynced = False
        self._nameless = False  # its name may not be on the disk

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
        if octets := b"\n".join(lines):
            self._waiting += octets + b"\n"

    def flush(self) -> bool:
        """Write what waits; return whether there was something.

        Raises:
            OSError: not everything could be written; the rest waits.
        """
        if not self._waiting:
            return False
        if self._file < 0:
            self._open()
        while self._waiting:
            written = self._write(self._file, self._waiting)
            self._tail = (self._tail + self._waiting[:written][-TAIL:])[-TAIL:]
            self._waiting = self._waiting[written:]
            self._unsynced = True
        # Not the sum of what we wrote: somebody may have truncated the file (copytruncate).
        self._size = os.fstat(self._file).st_size
        FAULTS.hit(WRITTEN)
        return True

    def sync(self) -> None:
        """Bring what was written to the disk. Raises OSError."""
        if self._unsynced:
            os.fdatasync(self._file)
            self._unsynced = False
        if self._nameless:
            # Else a power cut could take the whole file, which the checkpoint says is there.
            for folder in (self.path.parent, self.path.parent.parent):
                _sync(folder)
            self._nameless = False

    @property
    def state(self) -> File | None:
        """Return what a checkpoint must know; None if the file was not opened yet."""
        if self._file < 0:
            return None
        return File(self._inode, self._size, _named(self._tail[-self._size :]))

    def restore(self, known: File) -> int:
        """Undo what was written after a checkpoint; return how many octets that was.

        The file may have been renamed since, so it is looked for by its inode; or the directory is
        a copy, and then it is known by what stands at its end.

        Raises:
            OSError: it could not be undone.
        """
        for candidate in (self.path, *_siblings(self.path)):
            with contextlib.suppress(FileNotFoundError):
                found = candidate.stat()
                same = found.st_ino == known.inode or (candidate == self.path and known.tail)
                if same and _is(candidate, known):
                    surplus = max(0, found.st_size - known.size)
                    if surplus:
                        os.truncate(candidate, known.size)
                    # Who wrote it may have been killed before it was synced.
                    _sync(candidate)
                    return surplus
        return 0

    def regained(self) -> None:
        """Go on as before: what is not known was cut off."""

    def open(self) -> None:
        """Open the file, if it is not; it is made, with its folders, when it is missing.

        Raises:
            OSError: it could not be opened.
        """
        if self._file < 0:
            self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(self.path, flags)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, flags | os.O_CREAT, self._mode)
            os.fchmod(self._file, self._mode)  # Whatever the umask is: the option says so.
        found = os.fstat(self._file)
        self._inode, self._size = found.st_ino, found.st_size
        self._tail = _end(self.path, self._size) if stat.S_ISREG(found.st_mode) else b""
        # Who made it, or wrote to it, may have been killed before it was synced.
        self._nameless = self._unsynced = True
        FAULTS.hit(REOPENED)

    def close(self) -> None:
        """Close the file. What waits is forgotten: the streams have it."""
        self._waiting = b""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _end(path: Path, size: int) -> bytes:
    """Return the last octets which a file of this size has."""
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL))
        return file.read(min(TAIL, size))


def _named(tail: bytes) -> str:
    return f"{crc32(tail):08x}" if tail else ""


def _is(path: Path, known: File) -> bool:
    """Say whether this is the file that is known, which may have grown since."""
    return not known.tail or _named(_end(path, known.size)) == known.tail


def _siblings(path: Path) -> list[Path]:
    """Return the files beside it whose names begin alike: where a rotation puts it."""
    return sorted(path.parent.glob(f"{glob.escape(path.name)}*"))
