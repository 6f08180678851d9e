"""A disk that is read and never written: what is changed stays in memory.

So a tool does with a shard what a server would, recovery and all, and nothing of it happens.
"""

import errno
from collections.abc import Sequence
from typing import Final

from angarium.journal.disk import Disk, Space

PAGE: Final = 1 << 16


class _File:
    """A file: what it is below, and the pages that differ."""

    __slots__ = ("below", "changed", "pages", "path", "size")

    def __init__(self, path: str, below: int, size: int) -> None:
        self.path = path
        self.below = below  # handle there; -1: it is ours alone
        self.size = size
        self.changed = below < 0  # octets, size or name
        self.pages: dict[int, bytearray] = {}


class Overlay:
    """See above; a `journal.disk.Disk`. Locks are granted, for nobody is in the way of nobody."""

    def __init__(self, below: Disk) -> None:
        self._below = below
        self._files: dict[str, _File | None] = {}  # by path; None: it is gone
        self._directories: set[str] = set()
        self._handles: dict[int, _File] = {}
        self._next = 0

    def open(self, path: str, *, create: bool = False, readonly: bool = False) -> int:
        file = self._files.get(path)
        if file is None:
            file = self._enter(path, create=create)
        self._next += 1
        self._handles[self._next] = file
        return self._next

    def _enter(self, path: str, *, create: bool) -> _File:
        """Return a file that is not open. One that is unchanged is known only while it is."""
        if path not in self._files:
            try:
                handle = self._below.open(path, readonly=True)
            except FileNotFoundError:
                if not create:
                    raise
            else:
                file = self._files[path] = _File(path, handle, self._below.size(handle))
                return file
        if not create:
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        file = self._files[path] = _File(path, -1, 0)
        return file

    def close(self, handle: int) -> None:
        file = self._handles.pop(handle)
        if file.changed or file in self._handles.values():
            return
        self._below.close(file.below)
        del self._files[file.path]

    def write(self, handle: int, pieces: Sequence[bytes], offset: int) -> int:
        file, octets, at = self._handles[handle], b"".join(pieces), 0
        while at < len(octets):
            number, start = divmod(offset + at, PAGE)
            part = octets[at : at + PAGE - start]
            self._page(file, number)[start : start + len(part)] = part
            at += len(part)
        file.size = max(file.size, offset + len(octets))
        file.changed = True
        return len(octets)

    def _page(self, file: _File, number: int) -> bytearray:
        page = file.pages.get(number)
        if page is None:
            page = file.pages[number] = bytearray(self._under(file, PAGE, number * PAGE))
            page.extend(bytes(PAGE - len(page)))
        return page

    def _under(self, file: _File, size: int, offset: int) -> bytes:
        return b"" if file.below < 0 else self._below.read(file.below, size, offset)

    def read(self, handle: int, size: int, offset: int) -> bytes:
        file = self._handles[handle]
        size = min(size, file.size - offset)
        if size <= 0:
            return b""
        first, last = offset // PAGE, (offset + size - 1) // PAGE
        octets = bytearray(self._under(file, size, offset).ljust(size, b"\0"))
        for number in range(first, last + 1):
            if (page := file.pages.get(number)) is not None:
                begin, end = max(number * PAGE, offset), min((number + 1) * PAGE, offset + size)
                octets[begin - offset : end - offset] = page[
                    begin - number * PAGE : end - number * PAGE
                ]
        return bytes(octets)

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        return self.read(handle, size, offset)

    def sync(self, handle: int) -> None:
        """There is nothing to sync."""

    def sync_dir(self, path: str) -> None:
        """There is nothing to sync."""

    def size(self, handle: int) -> int:
        return self._handles[handle].size

    def allocate(self, handle: int, size: int) -> None:
        file = self._handles[handle]
        if size > file.size:
            file.size, file.changed = size, True

    def truncate(self, handle: int, size: int) -> None:
        file = self._handles[handle]
        if size < file.size:
            for number in range(size // PAGE, (file.size + PAGE - 1) // PAGE):
                page = self._page(file, number)
                start = max(size - number * PAGE, 0)
                page[start:] = bytes(PAGE - start)
        file.size, file.changed = size, True

    def rename(self, old: str, new: str) -> None:
        file = self._files.get(old)
        if file is None:
            file = self._enter(old, create=False)
        self._files[old], self._files[new] = None, file
        file.changed = True

    def unlink(self, path: str) -> None:
        if self._files.get(path) is None:
            self._enter(path, create=False)
        self._files[path] = None

    def names(self, path: str) -> list[str]:
        names = set(self._below.names(path))
        start = path.rstrip("/") + "/"
        for each, file in self._files.items():
            name = each.removeprefix(start)
            if each.startswith(start) and "/" not in name:
                (names.discard if file is None else names.add)(name)
        return sorted(names)

    def make_dir(self, path: str) -> None:
        self._directories.add(path)

    def lock(self, path: str) -> int | None:
        return self.open(path, create=True)

    def space(self, path: str) -> Space:
        return Space(1 << 60, 1 << 30, 1 << 30)
