"""How much memory this worker uses, and how much there is for it.

    what there is   of the machine, or less by a control group (version 2 or 1), over the workers
    what is used    what is resident of this process; of a control group with a limit all that the
                    kernel could not take back at once, by whichever process

Of the two shares the larger one counts: a group which is nearly full is killed by the kernel,
whoever filled it. The page cache is not counted, active or not: most of it is the spool, which is
on the disk.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_GROUPS: Final = Path("/sys/fs/cgroup")
# Octets of the smallest object which there are many of: no packing can be better.
_BLOCK: Final = 48
_ENOUGH: Final = 25_000  # objects, some 4 MB, from which on the packing can be told
_NO_LIMIT: Final = 1 << 60  # version 1 says "none" by a number near 2 ** 63
# What counts in memory.stat as the kernel's own to take back, in both versions.
_RECLAIMABLE: Final = frozenset(
    ("inactive_file", "active_file", "slab_reclaimable", "total_inactive_file", "total_active_file")
)


class Reading(NamedTuple):
    """Octets which this worker uses, and which it may use.

    `hollow` of those used are free inside of this process: they do not go back, but are used again
    before more is asked for.
    """

    used: int
    limit: int
    hollow: int = 0

    @property
    def percent(self) -> float:
        return 100.0 * self.used / self.limit

    @property
    def packed(self) -> float:
        """As `percent`, without what is hollow."""
        return 100.0 * (self.used - self.hollow) / self.limit


class Group(NamedTuple):
    """A control group which has a limit: its files."""

    limit: int
    usage: Path
    stat: Path

    def used(self) -> int:
        """Return what cannot be taken back at once. Raises OSError."""
        used = int(self.usage.read_text())
        # In version 1 the words without "total_" leave the groups below it out.
        old = self.usage.name == "memory.usage_in_bytes"
        for line in self.stat.read_text().splitlines():
            name, _, octets = line.partition(" ")
            if name in _RECLAIMABLE and name.startswith("total_") == old:
                used -= int(octets)
        return max(used, 0)


class Footprint:
    """Measures; call it.

    Args:
        workers: which share the memory of the machine, or of our control group.
        inside: tells what is in use inside of this process.
    """

    __slots__ = ("_group", "_hollow", "_inside", "_limit", "_statm", "_workers")

    def __init__(
        self,
        workers: int,
        root: Path = Path("/"),
        groups: Path = _GROUPS,
        inside: "Callable[[], Inside | None] | None" = None,
    ) -> None:
        self._workers = max(workers, 1)
        self._group = group_of(root / "proc", groups)
        most = total(root / "proc")
        if self._group is not None:
            most = min(most, self._group.limit)
        self._limit = max(most // self._workers, 1)
        self._statm = root / "proc/self/statm"
        self._inside = inside or in_use
        self._hollow = Hollow()

    def __call__(self) -> Reading:
        resident = int(self._statm.read_bytes().split()[1]) * _PAGE
        own = Reading(resident, self._limit, self._hollow.of(resident, self._inside()))
        if self._group is None:
            return own
        try:
            used = self._group.used()
        except OSError:
            return own  # We were moved to another group, or may not look any more.
        if used // self._workers <= resident:
            return own
        return Reading(used // self._workers, self._group.limit // self._workers, own.hollow)


class Inside(NamedTuple):
    """What is in use inside of this process: objects of Python, and octets of the C library."""

    blocks: int
    octets: int


class Hollow:
    """Tells how much of what is resident nobody uses.

    Python gives memory back by arenas of 1 MiB, when nothing is left in one. Of a million slots of
    which one in twenty is left it gives back nothing (measured: 165 MB before and after), but what
    comes next finds room there. How much that is it does not say. So we keep account: what is freed
    and does not go back becomes hollow, what is used again or goes back is not. An object counts
    as what one took when there were most of them. Where more is used than objects explain, it
    is in use.
    """

    __slots__ = ("_first", "_hollow", "_last", "_most", "_size")

    def __init__(self) -> None:
        self._first: Inside | None = None  # at the start: objects, and octets beside C's
        self._last = Inside(0, 0)
        self._most = _ENOUGH  # objects there were at most, more than at the start
        self._size = 0.0  # octets each of them took; 0: unknown
        self._hollow = 0.0

    def of(self, resident: int, inside: Inside | None) -> int:
        """Return octets; 0 where it cannot be told."""
        if inside is None:
            return 0
        now = Inside(inside.blocks, resident - inside.octets)
        if self._first is None:
            self._first = self._last = now
        more, blocks = now.octets - self._first.octets, now.blocks - self._first.blocks
        if blocks >= self._most:
            self._most = blocks
            self._size = max(more / blocks, _BLOCK)
        grown, objects = now.octets - self._last.octets, now.blocks - self._last.blocks
        self._last = now
        if self._size:
            change = grown - objects * self._size
            self._hollow += change if objects < 0 else min(change, 0.0)
            self._hollow = max(min(self._hollow, more), 0.0)
        return int(self._hollow)


def total(proc: Path) -> int:
    """Return the octets of memory of the machine."""
    line = (proc / "meminfo").read_text().partition("\n")[0]
    return int(line.split()[1]) * 1024


def group_of(proc: Path, groups: Path) -> Group | None:
    """Return the control group with the least limit that holds for us; None: there is none."""
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return None
    found: list[Group] = []
    for line in lines:
        number, _, rest = line.partition(":")
        kinds, _, own = rest.partition(":")
        if number == "0" and not kinds:
            found += _limited(groups, own, ("memory.max", "memory.high"), "memory.current")
        elif "memory" in kinds.split(","):
            place = groups / "memory"
            found += _limited(place, own, ("memory.limit_in_bytes",), "memory.usage_in_bytes")
    return min(found, key=lambda each: each.limit, default=None)


def _limited(groups: Path, own: str, limits: tuple[str, ...], usage: str) -> list[Group]:
    """Return the groups from `own` up which have a limit. Above `high` the kernel slows us down."""
    found = []
    folder = groups / own.lstrip("/")
    for each in (folder, *folder.parents):
        if not each.is_relative_to(groups):
            break
        for name in limits:
            limit = _number(each / name)
            if limit is not None and (each / usage).exists():
                found.append(Group(limit, each / usage, each / "memory.stat"))
    return found


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None  # There is no such limit here, or none we may read.
    return int(text) if text.isdigit() and 0 < int(text) < _NO_LIMIT else None


class _MallInfo(ctypes.Structure):
    """struct mallinfo2 of glibc, malloc.h."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _no_trim(_pad: int) -> int:
    return 0


_LIBC: Final = ctypes.CDLL(None)
# Another C library than glibc gives memory back by itself, and does not tell what it has.
_TRIM: Final[Callable[[int], int]] = getattr(_LIBC, "malloc_trim", _no_trim)
_MALLINFO: Final = getattr(_LIBC, "mallinfo2", None)  # since glibc 2.33
if _MALLINFO is not None:
    _MALLINFO.restype = _MallInfo


def in_use() -> Inside | None:
    """Return what is in use inside of this process; None where the C library does not tell."""
    if _MALLINFO is None:
        return None
    found: _MallInfo = _MALLINFO()
    return Inside(sys.getallocatedblocks(), found.uordblks + found.hblkhd)


def trim() -> None:
    """Give freed memory back to the system.

    glibc keeps what was freed between two pieces that are not: of 300 MB of contents, 95 % of
    them let go, it gave nothing back before this, and all of it in 40 ms (0.1 ms a megabyte).
    """
    _TRIM(0)
