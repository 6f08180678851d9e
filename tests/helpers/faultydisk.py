"""A disk in memory of which one operation at one place fails, once or until it is healed.

    disk = FaultyDisk()
    disk.plan = Fault("sync", "data/segment", nth=3, error=errno.EIO)
    disk.met[("sync", "data/segment")]      how often that was done so far

An operation and a place are a *site*. After a sync that failed the pages which were not written
count as clean, as in Linux: they are read from the cache as if nothing were wrong, another sync
says that all is well, and a power cut takes them.
"""

import errno
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.disk import MemoryDisk

Site = tuple[str, str]
SHORT = 0  # no errno: half of the octets are written

_KINDS = (
    (re.compile(r"\d+\.seg$"), "segment"),
    (re.compile(r"spare-\d+$"), "spare"),
    (re.compile(r"\d+\.chk\.new$"), "draft"),
    (re.compile(r"\d+\.chk$"), "checkpoint"),
    (re.compile(r"^large/[0-9a-f]{16}$"), "large/body"),
)


def place(path: str) -> str:
    """Return where a path of a shard's directory is: "data/segment", "large/body" ..."""
    below = re.sub(r"^/spool(/\d+)?/?", "", path) or "directory"
    for pattern, kind in _KINDS:
        below = pattern.sub(kind, below)
    return below


@dataclass
class Fault:
    """What is to fail: the `nth` such operation from now on, or all from that one on."""

    operation: str
    place: str
    nth: int = 1
    error: int = errno.EIO
    lasting: bool = False

    def __str__(self) -> str:
        error = errno.errorcode.get(self.error, "short")
        lasts = "lasting" if self.lasting else "once"
        return f"{self.operation} {self.place} nth={self.nth} {error} {lasts}"


class FaultyDisk(MemoryDisk):
    """See above."""

    def __init__(self) -> None:
        super().__init__()
        self.met: Counter[Site] = Counter()
        self.plan: Fault | None = None
        self.failed = 0  # how often the plan's operation has failed

    def _meet(self, operation: str, path: str) -> bool:
        """Count an operation; fail if it is to. Returns whether it is to fall short."""
        site = (operation, place(path))
        self.met[site] += 1
        plan = self.plan
        if plan is None or site != (plan.operation, plan.place):
            return False
        plan.nth -= 1
        if plan.nth > 0 or (plan.nth < 0 and not plan.lasting):
            return False
        self.failed += 1
        if plan.error == SHORT:
            return True
        raise OSError(plan.error, f"injected at {plan}", path)

    def _path(self, handle: int) -> str:
        return self.handles[handle][0]

    def open(self, path: str, *, create: bool = False, readonly: bool = False) -> int:
        if create and path not in self.names_cached:
            self._meet("create", path)
        elif not readonly:
            self._meet("open", path)
        return super().open(path, create=create, readonly=readonly)

    def write(self, handle: int, pieces: Sequence[bytes], offset: int) -> int:
        if self._meet("write", self._path(handle)):
            octets = b"".join(pieces)
            pieces = [octets[: max(len(octets) // 2, 1)]]
        return super().write(handle, pieces, offset)

    def sync(self, handle: int) -> None:
        file = self.handles[handle][1]
        try:
            self._meet("sync", self._path(handle))
        except OSError as error:
            if error.errno == errno.EIO:
                file.pending.clear()
            raise
        lasting = file.apply(file.pending)
        super().sync(handle)
        file.durable = lasting

    def sync_dir(self, path: str) -> None:
        self._meet("syncdir", path)
        super().sync_dir(path)

    def allocate(self, handle: int, size: int) -> None:
        self._meet("allocate", self._path(handle))
        super().allocate(handle, size)

    def truncate(self, handle: int, size: int) -> None:
        self._meet("truncate", self._path(handle))
        super().truncate(handle, size)

    def rename(self, old: str, new: str) -> None:
        self._meet("rename", old)
        super().rename(old, new)

    def unlink(self, path: str) -> None:
        self._meet("unlink", path)
        super().unlink(path)

    def make_dir(self, path: str) -> None:
        if path not in self.directories:
            self._meet("mkdir", path)
        super().make_dir(path)
