"""Named fault points: no-ops, unless a test arms one.

    FAULTS.hit("spool.appended")        in the code, where a crash would be interesting

A test arms a point in this process with `FAULTS.arm(name, action)`, or in a server it starts by
the environment: ANGARIUM_FAULT="spool.appended:3=kill" kills the process with SIGKILL the third
time the point is reached. `=error` raises OSError(EIO) instead. A point which several things reach
may be armed for one of them: "journal.synced/data". With ANGARIUM_FAULT_ONCE=FOLDER each point
does what it does in one process only, which leaves a file of its name there. Points are declared,
so that a crash test can walk through all of them.
"""

import errno
import os
import signal
from collections.abc import Callable, Mapping
from typing import Final

POINTS: Final[dict[str, str]] = {}


def point(name: str, doc: str) -> str:
    """Declare a fault point, at import of the module which has it."""
    POINTS[name] = doc
    return name


def kill() -> None:
    """End this process as the kernel would, without any clean-up."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    """Fail as a broken disk would."""
    raise OSError(errno.EIO, "fault injected")


ACTIONS: Final[Mapping[str, Callable[[], None]]] = {"kill": kill, "error": fail}


class Faults:
    """The points of this process.

    Args:
        armed: as ANGARIUM_FAULT has it.
        once: a folder for the names of points which are spent, whoever did it.

    Attributes:
        armed: those which do something; empty outside of tests.
    """

    __slots__ = ("_once", "armed")

    def __init__(self, armed: str = "", once: str = "") -> None:
        self._once = once
        self.armed: dict[str, tuple[int, Callable[[], None]]] = {}
        for each in filter(None, armed.split(",")):
            where, _, action = each.partition("=")
            name, _, count = where.partition(":")
            self.arm(name, ACTIONS[action or "kill"], int(count or "1"))

    def arm(self, name: str, action: Callable[[], None], count: int = 1) -> None:
        """Run `action` at the `count`-th hit of the point `name`, counted from now."""
        self.armed[name] = (count, action)

    def disarm(self) -> None:
        self.armed.clear()

    def hit(self, name: str, which: str = "") -> None:
        if self.armed:
            for each in (name, f"{name}/{which}"):
                self._hit(each)

    def _hit(self, name: str) -> None:
        if name in self.armed:
            count, action = self.armed.pop(name)
            if count > 1:
                self.armed[name] = (count - 1, action)
            elif self._is_first(name):
                action()

    def _is_first(self, name: str) -> bool:
        if not self._once:
            return True
        path = os.path.join(self._once, name.replace("/", "-"))
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        return True


FAULTS: Final = Faults(
    os.environ.get("ANGARIUM_FAULT", ""), os.environ.get("ANGARIUM_FAULT_ONCE", "")
)
