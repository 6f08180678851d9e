"""What stays in memory, and what we do when it gets short.

The memory of this worker is measured once a second against its part of the machine's (or of the
control group's). Each stage contains the ones before it:

    SHRINK      above memory_goal: contents of waiting mail are let go, caches made small
    NO_SESSIONS halfway to memory_hwm: new sessions are answered 421 at the banner
    NO_MAIL     above memory_hwm: MAIL is answered 452 in all sessions

A stage is left only well below where it was entered, so that none flickers.
"""

import enum
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from angarium.queue.admit import Admit
from angarium.queue.board import Board
from angarium.queue.bulk import destage
from angarium.queue.options import Residence

SLACK: Final = 2.0  # percent of the memory below a stage's threshold at which it is left
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_GROUPS: Final = Path("/sys/fs/cgroup")


class Stage(enum.IntEnum):
    NORMAL = 0
    SHRINK = 1
    NO_SESSIONS = 2
    NO_MAIL = 3


class Reading(NamedTuple):
    """Octets which this worker uses, and which it may use."""

    used: int
    limit: int

    @property
    def percent(self) -> float:
        return 100.0 * self.used / self.limit


Changed = Callable[[Stage, Reading], None]


class Memory:
    """Watches the memory and acts on the queues.

    Args:
        read: measures; see `Proc`.
        changed: told of each change of the stage, for the event and the metric.

    Attributes:
        stage: the present one; who has a cache to shrink asks `changed` for it.
    """

    __slots__ = ("_admit", "_board", "_changed", "_read", "reading", "stage")

    def __init__(
        self, board: Board, admit: Admit, read: Callable[[], Reading], changed: Changed
    ) -> None:
        self._board = board
        self._admit = admit
        self._read = read
        self._changed = changed
        self.stage = Stage.NORMAL
        self.reading = read()

    def may_greet(self) -> bool:
        """Say whether a new session is taken; else it is answered 421 at the banner."""
        return self.stage < Stage.NO_SESSIONS

    def sample(self) -> Stage:
        """Measure and act; called once a second."""
        self.reading = self._read()
        stage = self._judge(self.reading.percent)
        if stage is not self.stage:
            self.stage = stage
            self._act()
            self._changed(stage, self.reading)
        return stage

    def _judge(self, percent: float) -> Stage:
        options = self._board.configuration.top(Residence)
        goal, most = options.memory_goal, max(options.memory_hwm, options.memory_goal)
        stage = Stage.NORMAL
        for each, threshold in zip(
            (Stage.SHRINK, Stage.NO_SESSIONS, Stage.NO_MAIL),
            (goal, (goal + most) / 2.0, most),
            strict=True,
        ):
            if percent >= threshold - (SLACK if each <= self.stage else 0.0):
                stage = each
        return stage

    def _act(self) -> None:
        board, short = self._board, self.stage >= Stage.SHRINK
        board.resident_limit = 0 if short else board.most_resident
        self._admit.roomy = self.stage < Stage.NO_MAIL
        if short:
            board.begin(destage(board))


class Proc:
    """Reads from /proc what this process has resident.

    Args:
        workers: which share the memory of the machine, or of our control group.
    """

    __slots__ = ("_limit",)

    def __init__(self, workers: int, root: Path = Path("/"), groups: Path = _GROUPS) -> None:
        self._limit = max(total(root / "proc", groups) // max(workers, 1), 1)

    def __call__(self) -> Reading:
        resident = int(Path("/proc/self/statm").read_bytes().split()[1])
        return Reading(resident * _PAGE, self._limit)


def total(proc: Path, groups: Path) -> int:
    """Return the octets of memory there are for us: of the machine, or less by control group."""
    line = (proc / "meminfo").read_text().partition("\n")[0]
    most = int(line.split()[1]) * 1024
    try:
        own = (proc / "self/cgroup").read_text().strip().rpartition("::")[2]
        for folder in (groups / own.lstrip("/"), *(groups / own.lstrip("/")).parents):
            limit = folder / "memory.max"
            if limit.exists() and (text := limit.read_text().strip()).isdigit():
                most = min(most, int(text))
    except OSError:
        return most  # No control groups of version 2 here, or none we may read.
    return most
