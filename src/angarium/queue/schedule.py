"""Whose turn it is: which lines wait for a time or for a permit, and whom to ask when it is there.

A line which may not send now waits here, in one of two ways: until a time (a throttle says its
exact next time, a pause its end), or for a key of the ledger of which none is free. So nobody asks
again and again. Those who wait for one key have their turns (`parking`).
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from angarium.core.clock import Clock
from angarium.queue.line import Line
from angarium.queue.parking import Parking

NEVER: Final = float("inf")
_SAME_SECONDS: Final = 0.01  # times so close to an earlier one are one


def _none(line: Line) -> int:
    return 0


class Schedule:
    """The lines that wait. Times are monotonic seconds.

    Attributes:
        held: says how many connections a line has; set by outbound.
    """

    __slots__ = ("_count", "_keys", "_shares", "_times", "_weights", "alarm", "held")

    def __init__(self) -> None:
        self._times: list[tuple[float, int, Line]] = []
        self._count = 0
        self._keys: dict[str, Parking] = {}
        self.held: Callable[[Line], int] = _none
        self._shares: Sequence[float] = (1,)
        self._weights: Mapping[int, float] = {}
        self.alarm: Callable[[float], None] | None = None  # told of each new earliest time

    def configure(self, shares: Sequence[float], weights: Mapping[int, float]) -> None:
        """Let lines have their turns by these from now on, see `turns`."""
        self._shares, self._weights = shares, weights

    def wait(self, line: Line, until: float) -> None:
        """Wake the line at `until`; who waits for several times is woken at each of them."""
        if 0.0 <= until - line.wake_at < _SAME_SECONDS:
            return
        line.wake_at = min(line.wake_at, until)
        self._count += 1
        heapq.heappush(self._times, (until, self._count, line))
        if self.alarm is not None and self._times[0][1] == self._count:
            self.alarm(until)

    def due(self, now: float) -> Iterator[Line]:
        """Take out and yield the lines whose time has come."""
        times = self._times
        while times and times[0][0] <= now:
            at, _, line = heapq.heappop(times)
            if line.wake_at <= at:
                line.wake_at = NEVER
            yield line

    @property
    def next(self) -> float:
        """The earliest time somebody waits for."""
        return self._times[0][0] if self._times else NEVER

    def awaits(self, line: Line) -> bool:
        """Say whether a time is set for the line; looks through all times."""
        return any(each is line for _, _, each in self._times)

    def park(self, line: Line, key: str) -> None:
        """Let the line wait until a permit of `key` may be free; it waits for one key at most.

        One that waits already has its new mail count too.
        """
        if line.parked and line.parked != key:
            self.unpark(line)
        line.parked = key
        parking = self._keys.get(key)
        if parking is None:
            parking = self._keys[key] = Parking(self._shares, self._weights, self.held)
        parking.add(line)

    def unpark(self, line: Line) -> None:
        parking = self._keys.get(line.parked)
        if parking is not None:
            parking.remove(line)
            self._forget(line.parked, parking)
        line.parked = ""

    def _forget(self, key: str, parking: Parking) -> None:
        if not parking:
            del self._keys[key]

    def free(self, key: str, ask: Callable[[Line], None]) -> None:
        """Ask those who wait for `key`, one by one, until one of them has to wait for it again."""
        before = self._keys.get(key)
        for _ in range(len(before or ())):
            parking = self._keys.get(key)
            line = parking.next() if parking is not None else None
            if parking is None or line is None:
                return
            self._forget(key, parking)
            line.parked = ""
            held = self.held(line)
            ask(line)
            if line.parked == key:
                if self.held(line) <= held:
                    # None was left for it: it keeps its turn. Who got one and wants more does not.
                    self._keys[key].keep_turn(line)
                return

    def others_wait(self, key: str, line: Line) -> bool:
        """Say whether a line other than this one waits for `key`."""
        return any(each is not line for each in self._keys.get(key, ()))

    def give_way(self, key: str, line: Line) -> bool:
        """Say whether a connection of this line, which is in use, is to give one of `key` back."""
        parking = self._keys.get(key)
        return parking is not None and parking.give_way(line)

    def waiting(self, key: str) -> int:
        """Return how many lines wait for `key`."""
        return len(self._keys.get(key, ()))


CallLater = Callable[[float, Callable[[], None]], object]
# A loop counts in milliseconds: a timer may come one early, and would find nothing due.
_EARLY_SECONDS: Final = 0.001
# What is further off is left to the tick of each second.
_FAR_SECONDS: Final = 1.0


class Alarm:
    """The one timer of a loop for the next time; set anew, it forgets the later one."""

    __slots__ = ("_at", "_call_later", "_clock", "_ring")

    def __init__(self, call_later: CallLater, ring: Callable[[], None], clock: Clock) -> None:
        self._call_later = call_later
        self._ring = ring
        self._clock = clock
        self._at = NEVER

    def set(self, at: float) -> None:
        seconds = at - self._clock.monotonic()
        if at < self._at and seconds < _FAR_SECONDS:
            self._at = at
            self._call_later(max(seconds, 0.0) + _EARLY_SECONDS, partial(self._rings, at))

    def _rings(self, at: float) -> None:
        if at == self._at:
            self._at = NEVER
            self._ring()
