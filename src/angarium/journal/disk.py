"""The disk, as the journal sees it: the only file operations of the mail path.

`FileDisk` is the operating system's. The tests put a model of the page cache in its place, which
loses at a power cut what was not synced (tests/helpers/disk.py), or one that fails on demand.
Every method but `lock` may raise OSError. Paths are absolute; a handle is a small number.
"""

import errno
import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

PIECES: Final = 1024  # IOV_MAX of Linux
ZEROS: Final = bytes(1 << 16)


@dataclass(frozen=True, slots=True)
class Space:
    """What is free on a file system: octets and inodes (0 of 0 where it has no count)."""

    octets: int
    inodes: int
    all_inodes: int


class Disk(Protocol):
    """What a journal needs of a file system."""

    def open(self, path: str, *, create: bool = False, readonly: bool = False) -> int: ...
    def close(self, handle: int) -> None: ...
    def write(self, handle: int, pieces: Sequence[bytes], offset: int) -> int:
        """Write at `offset`; return the octets written, which may be fewer than given."""
        ...

    def read(self, handle: int, size: int, offset: int) -> bytes:
        """Return at most `size` octets, fewer only at the end of the file."""
        ...

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        """As read, but return None where that would wait for the device."""
        ...

    def sync(self, handle: int) -> None:
        """Return when everything written to the file is on the device (fdatasync)."""
        ...

    def sync_dir(self, path: str) -> None: ...
    def size(self, handle: int) -> int: ...
    def allocate(self, handle: int, size: int) -> None:
        """Give the file blocks, so that it is `size` octets long and writing there finds room."""
        ...

    def truncate(self, handle: int, size: int) -> None: ...
    def rename(self, old: str, new: str) -> None: ...
    def unlink(self, path: str) -> None: ...
    def names(self, path: str) -> list[str]:
        """Return the names in a directory, in order; [] if there is no such directory."""
        ...

    def make_dir(self, path: str) -> None:
        """Make a directory, durable before this returns; an existing one is left as it is."""
        ...

    def lock(self, path: str) -> int | None:
        """Lock a file for this process and return its handle; None if another has it."""
        ...

    def space(self, path: str) -> Space: ...


def write_all(disk: Disk, handle: int, pieces: Sequence[bytes], offset: int) -> int:
    """Write all pieces, however often the disk takes only a part; return the offset behind."""
    at = 0
    while at < len(pieces):
        group = pieces[at : at + PIECES]
        written = disk.write(handle, group, offset)
        offset += written
        size = sum(map(len, group))
        if written < size:
            if written <= 0:
                raise OSError(errno.EIO, "nothing written")
            pieces = _behind(group, written) + list(pieces[at + len(group) :])
            at = 0
        else:
            at += len(group)
    return offset


def _behind(pieces: Sequence[bytes], written: int) -> list[bytes]:
    for index, piece in enumerate(pieces):
        if written < len(piece):
            return [piece[written:], *pieces[index + 1 :]]
        written -= len(piece)
    return []


class FileDisk:
    """The files of the operating system.

    Args:
        mode: of files; a directory may be searched by whom its files may be read by.
    """

    __slots__ = ("_dir_mode", "_mode", "_nowait")

    def __init__(self, mode: int = 0o640) -> None:
        self._mode = mode
        self._dir_mode = mode | 0o100 | (mode & 0o040) >> 2 | (mode & 0o004) >> 2 | 0o600
        self._nowait = getattr(os, "RWF_NOWAIT", 0)

    def open(self, path: str, *, create: bool = False, readonly: bool = False) -> int:
        flags = os.O_CLOEXEC | (os.O_RDONLY if readonly else os.O_RDWR)
        return os.open(path, flags | (os.O_CREAT if create else 0), self._mode)

    def close(self, handle: int) -> None:
        os.close(handle)

    def write(self, handle: int, pieces: Sequence[bytes], offset: int) -> int:
        return os.pwritev(handle, pieces, offset)

    def read(self, handle: int, size: int, offset: int) -> bytes:
        data = os.pread(handle, size, offset)
        while len(data) < size:  # a signal, or the end of the file
            more = os.pread(handle, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        if not self._nowait:
            return self.read(handle, size, offset)
        room = bytearray(size)
        try:
            got = os.preadv(handle, [room], offset, self._nowait)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
            self._nowait = 0  # This file system can't tell.
            return self.read(handle, size, offset)
        if got < size and offset + got < self.size(handle):
            return None  # A part is cached.
        return bytes(memoryview(room)[:got]) if got < size else bytes(room)

    def sync(self, handle: int) -> None:
        os.fdatasync(handle)

    def sync_dir(self, path: str) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def size(self, handle: int) -> int:
        return os.fstat(handle).st_size

    def allocate(self, handle: int, size: int) -> None:
        os.posix_fallocate(handle, 0, size)

    def truncate(self, handle: int, size: int) -> None:
        os.ftruncate(handle, size)

    def rename(self, old: str, new: str) -> None:
        os.rename(old, new)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def names(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(path))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def make_dir(self, path: str) -> None:
        if os.path.isdir(path):
            return
        above = os.path.dirname(path)
        if not os.path.isdir(above):
            self.make_dir(above)
        os.mkdir(path, self._dir_mode)
        self.sync_dir(above)

    def lock(self, path: str) -> int | None:
        handle = self.open(path, create=True)
        try:
            # Of the open file, not of the process: so that adopting a directory twice in one
            # process fails too. The kernel frees it when the process dies.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def space(self, path: str) -> Space:
        found = os.statvfs(path)
        return Space(found.f_bavail * found.f_frsize, found.f_favail, found.f_files)
