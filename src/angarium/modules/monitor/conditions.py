"""When a trap is due: a start, a stop, and queues which are too long, as long as they are.

At each look a number that has reached its limit asks for a trap: at once when it was below before,
and then again after each trap_interval while it stays there. That it is below again is no trap.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from angarium.modules.monitor.mib import GROUPS, INDEX, MTA, TRAPS, Object, Oid, counter, gauge

START: Final[Oid] = (*TRAPS, 1)
SHUTDOWN: Final[Oid] = (*TRAPS, 2)
# Name of a watched variable to its trap, and to the object which goes with it.
WATCHED: Final[Mapping[str, tuple[Oid, Oid]]] = {
    "GlobalMailQueue": ((*TRAPS, 3), (*MTA, 2, INDEX)),
    "ActiveQueue": ((*TRAPS, 4), (*GROUPS, 1, 1)),
    "DelayedQueue": ((*TRAPS, 5), (*GROUPS, 2, 1)),
    "FailedMessages": ((*TRAPS, 6), (*GROUPS, 3, 1)),
}


@dataclass(frozen=True, slots=True)
class Trap:
    """What is told: its number, and the objects with it."""

    oid: Oid
    objects: tuple[tuple[Oid, Object], ...] = ()


class Conditions:
    """The watched variables.

    Args:
        limits: name of a variable to the number from which on there is a trap.
        again: seconds between two traps about a condition which lasts.
    """

    def __init__(self, limits: Mapping[str, int], again: float) -> None:
        self._limits = limits
        self._again = again
        self._told: dict[str, float] = {}

    def look(self, values: Mapping[str, int], now: float) -> list[Trap]:
        """Return the traps which are due; `now` is monotonic."""
        traps = []
        for name, limit in self._limits.items():
            value = values.get(name)
            if value is None:
                continue
            if value < limit:
                self._told.pop(name, None)
            elif now - self._told.get(name, float("-inf")) >= self._again:
                self._told[name] = now
                trap, shown = WATCHED[name]
                number = gauge(value) if shown[:-2] == MTA else counter(value)
                traps.append(Trap(trap, ((shown, number),)))
        return traps
