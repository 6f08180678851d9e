"""Real files which a power cut takes back to what was synced: for what writes with `os`.

    pages = PageCache(monkeypatch, modules, folders)
    pages.left = 17             the 17th sync or new name from now on raises `Cut` instead
    pages.power_cut(choose)     the folders are now as they might be found

The modules see an `os` which notes what is synced. What was not may be there or not: each name of
a folder by itself, the end of a file torn, or nothing but zeros.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpers.disk import Choose
from helpers.power import Cut


class PageCache:
    """See above. Nothing else may write to these folders."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        modules: Sequence[ModuleType],
        folders: Sequence[Path],
    ) -> None:
        self.left = 0  # 0: never
        self._folders = folders
        self._names: dict[Path, dict[str, int]] = {}  # durable: inode by name
        self._contents: dict[int, bytes] = {}  # durable, by inode
        self._held: list[int] = []  # so that the number of an inode is not given again
        for module in modules:
            patch.setattr(module, "os", self)

        def replace(old: Path, new: Path) -> Path:
            self._step()
            os.replace(old, new)
            return new

        patch.setattr(Path, "replace", replace)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            self._names[folder] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def close_all(self) -> None:
        while self._held:
            os.close(self._held.pop())

    # -- what the modules call ------------------------------------------------------------

    def fsync(self, file: int) -> None:
        self._step()
        path = Path(os.readlink(f"/proc/self/fd/{file}"))
        if path.is_dir():
            if path in self._names:
                self._names[path] = _inodes(path)
            return
        inode = os.fstat(file).st_ino
        if inode not in self._contents:
            self._held.append(os.open(f"/proc/self/fd/{file}", os.O_RDONLY))
        self._contents[inode] = Path(f"/proc/self/fd/{file}").read_bytes()

    fdatasync = fsync

    def truncate(self, path: Path, size: int) -> None:
        self._step()
        os.truncate(path, size)

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Cut

    # -- what becomes of it ---------------------------------------------------------------

    def power_cut(self, choose: Choose) -> None:
        for folder in self._folders:
            self._cut_folder(folder, choose)

    def _cut_folder(self, folder: Path, choose: Choose) -> None:
        now, durable = _inodes(folder), self._names[folder]
        found: dict[str, tuple[int, bytes]] = {}
        for name in sorted(now.keys() | durable.keys()):
            inode = (now if choose(2) else durable).get(name)
            if inode is not None:
                cached = (folder / name).read_bytes() if now.get(name) == inode else None
                found[name] = inode, self._survivors(inode, cached, choose)
        for name in now.keys() - found.keys():
            (folder / name).unlink()
        for name, (inode, content) in found.items():
            path = folder / name
            if now.get(name) != inode:
                path.unlink(missing_ok=True)
            path.write_bytes(content)  # in place, where it is the same file
            self._contents[path.stat().st_ino] = content
        self._names[folder] = _inodes(folder)

    def _survivors(self, inode: int, cached: bytes | None, choose: Choose) -> bytes:
        durable = self._contents.get(inode, b"")
        if cached is None:
            return durable  # Its name was taken by another: only what was synced is known.
        if not cached.startswith(durable):
            return durable if choose(2) else cached  # It was cut back, and written again.
        tail = cached[len(durable) :]
        match choose(4):
            case 0:
                return durable
            case 1:
                return cached
            case 2:
                return durable + tail[: choose(len(tail) + 1)]
        return durable + bytes(len(tail))


def _inodes(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_ino for each in folder.iterdir() if each.is_file()}
