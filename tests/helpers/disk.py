"""A disk in memory which forgets what was not synced, and fails when it is told to.

It behaves as Linux with a journalling file system may: writes go to the page cache, `sync` makes
one file durable, `sync_dir` the names in one directory. Everything else may be on the device or
not when the power goes: any of the unsynced writes to a file, each perhaps torn, and any prefix
of the changes to the names of a directory, of which a rename is one, as with every journal. What
a sync failed to write is gone for good, though it can be read until then, and the next sync of the
file reports success.

    disk.power_cut(choose)   one disk as it might be found afterwards; `choose(n)` gives 0 .. n-1
    disk.images()            the telling ones among all of those
    disk.kill()              only the process died: the page cache is still there
    disk.fail_at(3)          the third write or sync from now on fails
    disk.capacity = 100000   and then there is no room
    disk.before = f          f(what, path) is called before each change: a moment to cut the power
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

from angarium.journal.disk import Space

SECTOR: Final = 128  # octets written whole or not at all: as few as hold a header, to tear much
Choose = Callable[[int], int]
Names = list[list[tuple[str, "File | None"]]]  # changes of names; each happens whole or not


def _least(_: int) -> int:
    return 0


class File:
    """An inode: what is cached, what is durable, and what was done since."""

    def __init__(self) -> None:
        self.cached = bytearray()
        self.durable = b""
        self.pending: list[tuple[int, bytes | None]] = []  # (offset, octets) or (size, None)

    def settle(self) -> None:
        """Everything pending is on the device."""
        self.durable = self.apply(self.pending)
        self.pending.clear()

    def apply(self, changes: Sequence[tuple[int, bytes | None]]) -> bytes:
        """Return the durable content with these changes."""
        content = bytearray(self.durable)
        for at, octets in changes:
            if octets is None:
                if at < len(content):
                    del content[at:]
                else:
                    content.extend(bytes(at - len(content)))
            else:
                if at > len(content):
                    content.extend(bytes(at - len(content)))
                content[at : at + len(octets)] = octets
        return bytes(content)


class MemoryDisk:
    """See above. Paths are only names; a directory exists when it was made."""

    def __init__(self) -> None:
        self.names_cached: dict[str, File] = {}
        self.names_durable: dict[str, File] = {}
        self.names_pending: dict[str, Names] = {}  # by directory
        self.directories: set[str] = {"/"}
        self.handles: dict[int, tuple[str, File]] = {}
        self.locked: dict[int, str] = {}
        self.capacity = 1 << 40
        self.inodes = 1 << 20
        self.operations = 0  # writes and syncs so far
        self.syncs = 0
        self.after_sync: Callable[[], None] | None = None
        self.before: Callable[[str, str], None] | None = None
        self.choose: Choose = _least  # what a failed sync has written all the same
        self._next = 3
        self._failing: dict[int, tuple[int, bool]] = {}  # operation: errno, short
        self._broken = 0
        self.cold = False  # nothing is in the page cache

    # -- what tests say -------------------------------------------------------------------

    def fail_at(self, n: int, error: int = errno.EIO, *, short: bool = False) -> None:
        """Let the `n`-th write or sync from now on fail; `short`: write one octet less."""
        self._failing[self.operations + n] = (error, short)

    def break_down(self, error: int = errno.EIO) -> None:
        """Let every write and sync fail until `repair`."""
        self._broken = error

    def repair(self) -> None:
        self._broken = 0
        self._failing.clear()

    def damage(self, path: str, offset: int, octets: bytes) -> None:
        """Let the medium hold something else, in the page cache and below."""
        file = self.names_cached[path]
        file.cached[offset : offset + len(octets)] = octets
        durable = bytearray(file.durable)
        durable[offset : offset + len(octets)] = octets
        file.durable = bytes(durable)

    def content(self, path: str) -> bytes:
        return bytes(self.names_cached[path].cached)

    def kill(self) -> None:
        """The process died: its handles and locks are gone, the page cache is not."""
        self.handles.clear()
        self.locked.clear()
        self.after_sync = self.before = None

    def power_cut(self, choose: Choose) -> "MemoryDisk":
        """Return the disk as it may be found when the power is back."""
        return self._image(
            lambda file: self._survivors(file, choose),
            lambda changes: changes[: choose(len(changes) + 1)],
        )

    def images(self) -> Iterator["MemoryDisk"]:
        """Yield what is left if nothing unsynced survives, all of it, or each single thing not."""
        yield self._image(lambda file: file.durable, lambda changes: [])
        yield self._image(lambda file: bytes(file.cached), list)
        yield self._image(lambda file: bytes(file.cached), lambda changes: [])
        yield self._image(lambda file: file.durable, list)
        most = max((len(file.pending) for file in self._files()), default=0)
        for index in range(most):
            yield self._image(lambda file, i=index: file.apply(file.pending[:i]), list)  # type: ignore[misc]
            yield self._image(
                lambda file, i=index: file.apply(file.pending[:i] + file.pending[i + 1 :]),  # type: ignore[misc]
                list,
            )

    def _files(self) -> list[File]:
        return list({id(file): file for file in self.names_cached.values()}.values())

    def _image(
        self,
        content: Callable[[File], bytes],
        changes: Callable[[Names], Names],
    ) -> "MemoryDisk":
        disk = MemoryDisk()
        disk.directories = set(self.directories)
        disk.capacity = self.capacity
        names = dict(self.names_durable)
        for pending in self.names_pending.values():
            for path, file in chain(*changes(pending)):
                if file is None:
                    names.pop(path, None)
                else:
                    names[path] = file
        copies: dict[int, File] = {}
        for path, file in names.items():
            copy = copies.get(id(file))
            if copy is None:
                copy = copies[id(file)] = File()
                copy.durable = content(file)
                copy.cached = bytearray(copy.durable)
            disk.names_cached[path] = disk.names_durable[path] = copy
        return disk

    def _survivors(self, file: File, choose: Choose) -> bytes:
        kind = choose(4)
        if kind == 0:
            return file.durable
        if kind == 1:
            return bytes(file.cached)
        if kind == 2:
            return file.apply(file.pending[: choose(len(file.pending) + 1)])
        survivors: list[tuple[int, bytes | None]] = []
        for at, octets in file.pending:
            if octets is None:
                survivors.append((at, octets))
                continue
            # The device writes sectors, in any order.
            begin = at
            while begin < at + len(octets):
                end = min((begin // SECTOR + 1) * SECTOR, at + len(octets))
                if choose(2):
                    survivors.append((begin, octets[begin - at : end - at]))
                begin = end
        return file.apply(survivors)

    # -- journal.disk.Disk ----------------------------------------------------------------

    def open(self, path: str, *, create: bool = False, readonly: bool = False) -> int:
        file = self.names_cached.get(path)
        if file is None:
            if not create:
                raise FileNotFoundError(errno.ENOENT, "no such file", path)
            self._check_directory(path)
            if len(self.names_cached) >= self.inodes:
                raise OSError(errno.ENOSPC, "no inode", path)
            self._begin("create", path)
            file = File()
            self._name(path, file)
        self._next += 1
        self.handles[self._next] = (path, file)
        return self._next

    def close(self, handle: int) -> None:
        self.handles.pop(handle, None)  # what a killed process held is gone already
        self.locked.pop(handle, None)

    def write(self, handle: int, pieces: Sequence[bytes], offset: int) -> int:
        self._begin("write", self.handles[handle][0])
        file = self._file(handle)
        octets = b"".join(pieces)
        if self._operation():
            octets = octets[: max(len(octets) - 1, 1)]
        room = self.capacity - self.used
        growth = offset + len(octets) - len(file.cached)
        if growth > room:
            octets = octets[: max(len(octets) - (growth - max(room, 0)), 0)]
            if not octets:
                raise OSError(errno.ENOSPC, "no room")
        if offset > len(file.cached):
            file.cached.extend(bytes(offset - len(file.cached)))
        file.cached[offset : offset + len(octets)] = octets
        file.pending.append((offset, octets))
        return len(octets)

    def read(self, handle: int, size: int, offset: int) -> bytes:
        return bytes(self._file(handle).cached[offset : offset + size])

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        return None if self.cold else self.read(handle, size, offset)

    def sync(self, handle: int) -> None:
        self._begin("sync", self.handles[handle][0])
        file = self._file(handle)
        try:
            self._operation()
        except OSError:
            # The pages are clean now, whether they were written or not; sizes are kept elsewhere.
            sizes = [each for each in file.pending if each[1] is None]
            file.durable = self._survivors(file, self.choose)
            file.pending = [each for each in sizes if each[0] > len(file.durable)]
            raise
        file.settle()
        self.syncs += 1
        if self.after_sync is not None:
            self.after_sync()

    def sync_dir(self, path: str) -> None:
        self._begin("sync", path)
        self._operation()
        for name, file in chain(*self.names_pending.pop(path, [])):
            if file is None:
                self.names_durable.pop(name, None)
            else:
                self.names_durable[name] = file

    def size(self, handle: int) -> int:
        return len(self._file(handle).cached)

    def allocate(self, handle: int, size: int) -> None:
        file = self._file(handle)
        if size - len(file.cached) > self.capacity - self.used:
            raise OSError(errno.ENOSPC, "no room")
        if size > len(file.cached):
            self.truncate(handle, size)

    def truncate(self, handle: int, size: int) -> None:
        self._begin("truncate", self.handles[handle][0])
        file = self._file(handle)
        if size < len(file.cached):
            del file.cached[size:]
        else:
            file.cached.extend(bytes(size - len(file.cached)))
        file.pending.append((size, None))

    def rename(self, old: str, new: str) -> None:
        file = self.names_cached.get(old)
        if file is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", old)
        self._begin("rename", new)
        del self.names_cached[old]
        self.names_cached[new] = file
        pending = self.names_pending.setdefault(os.path.dirname(new), [])
        pending.append([(new, file), (old, None)])

    def unlink(self, path: str) -> None:
        if path not in self.names_cached:
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        self._begin("unlink", path)
        del self.names_cached[path]
        self.names_pending.setdefault(os.path.dirname(path), []).append([(path, None)])

    def names(self, path: str) -> list[str]:
        start = path.rstrip("/") + "/"
        return sorted(
            name.removeprefix(start)
            for name in self.names_cached
            if name.startswith(start) and "/" not in name.removeprefix(start)
        )

    def make_dir(self, path: str) -> None:
        while path not in self.directories:
            self.directories.add(path)
            path = os.path.dirname(path)

    def lock(self, path: str) -> int | None:
        if path in self.locked.values():
            return None
        handle = self.open(path, create=True)
        self.locked[handle] = path
        return handle

    def space(self, path: str) -> Space:
        return Space(self.capacity - self.used, self.inodes - len(self.names_cached), self.inodes)

    @property
    def used(self) -> int:
        return sum(len(file.cached) for file in self._files())

    def _file(self, handle: int) -> File:
        return self.handles[handle][1]

    def _name(self, path: str, file: File) -> None:
        self.names_cached[path] = file
        self.names_pending.setdefault(os.path.dirname(path), []).append([(path, file)])

    def _check_directory(self, path: str) -> None:
        if os.path.dirname(path) not in self.directories:
            raise FileNotFoundError(errno.ENOENT, "no such directory", path)

    def _begin(self, what: str, path: str) -> None:
        if self.before is not None:
            self.before(what, path)

    def _operation(self) -> bool:
        """Count a write or sync; fail if it is to. Returns whether it is to fall short."""
        self.operations += 1
        if self._broken:
            raise OSError(self._broken, "the disk is broken")
        error, short = self._failing.pop(self.operations, (0, False))
        if short:
            return True
        if error:
            raise OSError(error, "the disk fails")
        return False
