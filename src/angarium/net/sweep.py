"""Timers of connections: one timer for all of them, in slots of a second.

A connection restarts its idle timer with every read. So nothing is moved when a timer is restarted:
the connection stays in the slot of the earliest time it may be due, is looked at then, and says
when to look again. A connection which reads a thousand times a minute is looked at once in its
timeout. What is gone is taken out at once, so no slot holds the dead.
"""

import asyncio
import math
from typing import Final, Protocol

from angarium.core.clock import Clock

SLOT_SECONDS: Final = 1.0
# A look may write an answer and close, some 20 us: a burst of timeouts is worked off in pieces
# of 2 ms (ARCHITECTURE section 3), the next piece after a breath for the rest of the loop.
PIECE: Final = 100
BREATH_SECONDS: Final = 0.008
NEVER: Final = math.inf


class Watched(Protocol):
    """What has timers."""

    slot: int  # kept by the sweep; 0: in none

    def look(self, now: float) -> float:
        """Act on what is over; return the monotonic time to look again, or NEVER."""
        ...


class Sweep:
    """The timers of all connections of one loop; times are `clock.monotonic()`."""

    __slots__ = ("_reached", "_slots", "_timer", "now")

    def __init__(self, clock: Clock) -> None:
        self.now = clock.monotonic  # read with every read of a connection, hence not wrapped
        self._slots: dict[int, dict[Watched, None]] = {}
        self._reached = int(clock.monotonic())
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watched: Watched, at: float) -> None:
        """Look at it at the time `at`, at the latest a second after; an earlier look stays."""
        # At least one slot on: what is due in this second is not looked at twice in one pass.
        slot = max(int(at) + 1, self._reached + 1) if at < NEVER else 0
        if slot == 0 or 0 < watched.slot <= slot:
            return
        self.remove(watched)
        watched.slot = slot
        self._slots.setdefault(slot, {})[watched] = None

    def remove(self, watched: Watched) -> None:
        if watched.slot:
            slot = self._slots[watched.slot]
            del slot[watched]
            if not slot:
                del self._slots[watched.slot]
            watched.slot = 0

    def tick(self, now: float, at_most: int = PIECE) -> bool:
        """Look at what is due, at most at so many; return whether some is left."""
        while True:
            current = self._slots.get(self._reached)
            while current:
                if at_most == 0:
                    return True
                at_most -= 1
                watched = next(iter(current))
                self.remove(watched)
                self.add(watched, watched.look(now))
            if self._reached >= int(now):
                return False
            self._reached += 1

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tick from now on, until `stop`."""
        left = self.tick(self.now())
        self._timer = loop.call_later(BREATH_SECONDS if left else SLOT_SECONDS, self.start, loop)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))
