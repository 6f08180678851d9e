"""Text logs put aside by renaming: mainlog.ec becomes mainlog.ec.1, that one mainlog.ec.2.

A rename takes no line from a file; whoever has it open writes on, into what is called .1 now, until
he is told to reopen. So a file is compressed only when nobody writes to it any more and nobody
would go back to it after a crash. Until that is known it stays as it is, for the next rotation.

No step writes over a name that is there: after a crash in the middle the next rotation goes on.
"""

import bz2
import errno
import fcntl
import lzma
import os
import re
import stat
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from angarium.config.durable import sync_folder
from angarium.core.errors import Error

_PIECE: Final = 1 << 20
_NUMBER: Final = re.compile(r"\.([1-9][0-9]{0,5})(?:\.(?:bz2|gz|xz))?")
_DRAFT: Final = ".rotating"


class RotationError(Error):
    """A log stays as it is."""


@dataclass(frozen=True, slots=True)
class Compressor:
    """How old logs are made smaller.

    Attributes:
        suffix: added to the name.
        begin: makes an object with `compress` and `flush`.
    """

    suffix: str
    begin: Callable[[], Any]


# By the names of the programs they stand for; the octets are of the same form.
COMPRESSORS: Final = {
    "bzip2": Compressor(".bz2", bz2.BZ2Compressor),
    "gzip": Compressor(".gz", lambda: zlib.compressobj(6, zlib.DEFLATED, 31)),
    "xz": Compressor(".xz", lzma.LZMACompressor),
}


@contextmanager
def only(folder: Path) -> Iterator[None]:
    """Be the only one who rotates in a directory, and be its owner if we are root.

    Root would follow whatever link its owner has put there.

    Raises:
        RotationError: somebody else does.
        OSError: the directory cannot be used.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    owner = os.fstat(handle)
    root = os.geteuid() == 0 and owner.st_uid != 0
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RotationError("another rotation is under way", folder=str(folder)) from error
        if root:
            os.setegid(owner.st_gid)
            os.seteuid(owner.st_uid)
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)
        os.close(handle)


def generations(log: Path) -> dict[int, list[str]]:
    """Return the names of old logs by their number."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    with suppress(FileNotFoundError), os.scandir(log.parent) as entries:
        for each in entries:
            if each.name.startswith(log.name):
                number = _NUMBER.fullmatch(each.name, len(log.name))
                if number is not None:
                    found[int(number[1])].append(each.name)
    return dict(found)


def rotate(log: Path, retention: int) -> bool:
    """Rename a log and its old ones, and remove those beyond the retention.

    Returns whether there was something to rotate: a file that is not empty.

    Raises:
        OSError: a step failed; those before it were done.
    """
    try:
        found = log.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return False
    old = generations(log)
    free = next(number for number in range(1, len(old) + 2) if number not in old)
    for number in range(free - 1, 0, -1):
        for name in old[number]:
            rest = name[len(log.name) + 1 + len(str(number)) :]
            _rename(log.parent, name, f"{log.name}.{number + 1}{rest}")
    _rename(log.parent, log.name, f"{log.name}.1")
    sync_folder(str(log.parent))
    prune(log, retention)
    return True


def _rename(folder: Path, old: str, new: str) -> None:
    if (folder / new).is_symlink() or (folder / new).exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / new))
    os.rename(folder / old, folder / new)


def prune(log: Path, retention: int) -> None:
    """Remove old logs with numbers above the retention. Raises OSError."""
    for number, names in generations(log).items():
        if number > retention:
            for name in names:
                os.unlink(log.parent / name)


def waiting(log: Path) -> list[Path]:
    """Return the old logs which are not compressed, the newest first.

    One that is compressed too was given up between two steps: the copy is whole, and it goes.

    Raises:
        OSError: it could not go.
    """
    found = []
    for number, names in sorted(generations(log).items()):
        plain = f"{log.name}.{number}"
        if plain in names and stat.S_ISREG((log.parent / plain).lstat().st_mode):
            if len(names) > 1:
                os.unlink(log.parent / plain)
            else:
                found.append(log.parent / plain)
    return found


def at_rest(path: Path, written: Callable[[], set[int]]) -> bool:
    """Say whether nobody writes to a file, as far as can be proved.

    Args:
        written: the inodes of files which a reader of event streams would go back to.

    Raises:
        OSError: it cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if os.fstat(handle).st_ino in written():
            return False
        # The kernel gives a lease for reading to nobody while a file is open for writing.
        try:
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError:
            return False
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return True
    finally:
        os.close(handle)


def compress(path: Path, by: Compressor) -> Path:
    """Put a compressed copy in the place of a file that is at rest; return its path.

    Raises:
        RotationError: it is no plain file, or has changed meanwhile; it stays.
        OSError: the copy could not be written; it stays.
    """
    target = path.with_name(path.name + by.suffix)
    draft = path.with_name(path.name + by.suffix + _DRAFT)
    source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(source, "rb") as file:
        before = os.fstat(source)
        if not stat.S_ISREG(before.st_mode) or target.is_symlink() or target.exists():
            raise RotationError("cannot be compressed", file=str(path))
        with suppress(FileNotFoundError):
            draft.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(draft, flags, 0o600), "wb") as copy:
            try:
                _copy(file, copy, by, before.st_size)
                os.fchmod(copy.fileno(), stat.S_IMODE(before.st_mode))
                os.fsync(copy.fileno())
                os.utime(copy.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
            except OSError:
                draft.unlink()
                raise
        after = os.fstat(source)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        draft.unlink()
        raise RotationError("it was written to meanwhile", file=str(path))
    draft.rename(target)
    sync_folder(str(path.parent))
    path.unlink()
    return target


def _copy(file: IO[bytes], copy: IO[bytes], by: Compressor, size: int) -> None:
    made = by.begin()
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        copy.write(made.compress(piece))
        size -= len(piece)
    copy.write(made.flush())
    copy.flush()
