"""What works in a process: its loop, and the threads beside it."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from angarium.console.question import Of, question
from angarium.console.sums import Counts, Table

if TYPE_CHECKING:
    from angarium.console.parts import Parts

_TASKS: Final = Path("/proc/self/task")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12  # fields of stat, counted from behind the name: proc(5)
LOOP: Final = "event loop"
OTHER: Final = "other"


class Threads(msgspec.Struct, frozen=True):
    """Threads of one name: how many, and the seconds of a processor they have used."""

    count: int
    seconds: float

    def __add__(self, other: "Threads") -> "Threads":
        return Threads(self.count + other.count, self.seconds + other.seconds)


@question("threads", of=Of.ALL)
def threads(_process: Any) -> Table[Threads]:
    """Return the threads of this process, by what they are for."""
    return Table(working())


def working(tasks: Path = _TASKS) -> dict[str, Threads]:
    """Return the threads of the process which calls."""
    names = {each.native_id: each.name for each in threading.enumerate()}
    found: dict[str, Threads] = {}
    for number, seconds in _used(tasks):
        if number == os.getpid():
            name = LOOP
        else:
            name = names.get(number, OTHER).rstrip("0123456789").rstrip("_-") or OTHER
        found[name] = found.get(name, Threads(0, 0.0)) + Threads(1, seconds)
    return found


def _used(tasks: Path) -> Iterator[tuple[int, float]]:
    for each in tasks.iterdir():
        try:
            fields = (each / "stat").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue  # It has ended meanwhile.
        after = fields.rpartition(") ")[2].split()
        yield int(each.name), (int(after[_USER]) + int(after[_SYSTEM])) / _TICKS


@question("jobs")
def jobs(worker: "Parts") -> Counts:
    """Return what waits: messages for the disk, jobs of the queues for their turns."""
    return Counts({"io": worker.admit.submitted, "cpu": worker.board.beat.waiting})
