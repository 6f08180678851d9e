"""Files with messages in a directory, on their way into a running server: which, and their octets.

    eml        a message each; a maildir is two directories of them, new and cur
    postcat    what `postcat -q` printed of a message each

Rule: **what others may write into is not trusted**. Only regular files are read, never through a
link, so nobody has mail made of a file which he could not read himself; and what is removed is the
file that was read, not another one which has got its name since.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

from angarium.core.errors import Error
from angarium.queue.spool.foreign import is_maildir

MAX_OCTETS: Final = 256 << 20  # of a file; the largest message other servers take is less
UNFINISHED: Final = (".tmp", ".part")  # ends of names of files which are still being written
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class SourceError(Error):
    """A file or a directory from which nothing can be brought in."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was read; `changed`: when, Unix time."""

    path: str
    inode: int
    changed: float
    octets: bytes


def folders(path: Path) -> list[Path]:
    """Return the directories in which the messages of a directory are.

    Raises:
        SourceError: it is none, or files cannot be removed from it.
    """
    if not path.is_absolute():
        raise SourceError("the whole path of a directory is needed", path=str(path))
    if not path.is_dir():
        raise SourceError("the server sees no such directory", path=str(path))
    found = [path / "new", path / "cur"] if is_maildir(path) else [path]
    for each in found:
        if not os.access(each, os.R_OK | os.W_OK | os.X_OK):
            raise SourceError(
                "the server may not read there and remove what it has brought in", path=str(each)
            )
    return found


def names(folder: Path, share: int = 0, of: int = 1) -> Iterator[str | None]:
    """Yield the names of one share of the files in a directory, and None for the others."""
    with os.scandir(folder) as entries:
        for each in entries:
            name = each.name
            mine = of == 1 or crc32(os.fsencode(name)) % of == share
            hidden = name.startswith(".") or name.endswith(UNFINISHED)
            yield name if mine and not hidden and each.is_file(follow_symlinks=False) else None


def read(path: str) -> Found:
    """Return a file. Raises SourceError, OSError."""
    descriptor = os.open(path, _FLAGS)
    try:
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode):
            raise SourceError("this is no file", path=path)
        if known.st_size > MAX_OCTETS:
            raise SourceError("this file is too large for a message", path=path)
        pieces = []
        while piece := os.read(descriptor, 1 << 20):
            pieces.append(piece)
        return Found(path, known.st_ino, known.st_mtime, b"".join(pieces))
    finally:
        os.close(descriptor)


def changed(path: str) -> float:
    """Return when a file was changed, Unix time; 0.0 if it is gone."""
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def remove(files: Sequence[tuple[str, int]]) -> list[str]:
    """Remove files, as path and inode, for good; return those which could not be.

    One of which only the name is there belongs to another file, and is left alone.
    """
    left, folders_ = [], set()
    for path, inode in files:
        try:
            if os.lstat(path).st_ino == inode:
                os.unlink(path)
                folders_.add(os.path.dirname(path))
        except FileNotFoundError:
            continue
        except OSError:
            left.append(path)
    for each in folders_:
        sync(each)
    return left


def sync(folder: str) -> None:
    """Make what was removed from a directory, or put into it, durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
