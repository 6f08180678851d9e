"""What waits for its time: an id in the timer and a count per route, and nothing else.

So a million delayed entries cost what their slots in the spool's table do. Rule: **the count of a
route goes up when an id goes into the timer and down when it comes out**; who takes ids out of the
timer in bulk (`Board` where they are due, `bulk` by `Timer.sift`) tells it here.
"""

from array import array
from collections.abc import Mapping
from typing import Final, Protocol

from angarium.core.clock import Clock
from angarium.queue.line import Key
from angarium.queue.spool.slot import HEAD, due_of, route_of
from angarium.queue.timer import TimeLine, Timer

_ROUTES: Final = 256  # counted from the start; more as they come


class Routes(Protocol):
    """Numbers of the spool for (group, binding, domain)."""

    def find(self, key: Key) -> int | None: ...


class Store(Protocol):
    """What is needed of the spool."""

    @property
    def live(self) -> Mapping[int, bytes]: ...

    @property
    def routes(self) -> Routes: ...


class Delayed:
    """The delayed entries of a worker. Due times are Unix seconds, as the slots have them.

    Attributes:
        counts: of delayed entries, by route number.
        touched: where somebody wants to know it, the routes whose count has changed since.
    """

    __slots__ = ("_store", "_time", "_timer", "counts", "touched")

    def __init__(self, timer: Timer, store: Store, clock: Clock) -> None:
        self._timer = timer
        self._store = store
        self._time = TimeLine(clock)
        self.counts: array[int] = array("I", bytes(4 * _ROUTES))
        self.touched: set[int] | None = None

    def of(self, key: Key) -> int:
        """Return how many of a line are delayed."""
        number = self._store.routes.find(key)
        return self.counts[number] if number is not None and number < len(self.counts) else 0

    def found(self, ident: int, slot: bytes) -> None:
        """Take in an entry of an earlier run, or of a shard that was adopted."""
        route, due = HEAD.unpack_from(slot)
        self._count(route)
        time = self._time
        if due > time.sane:
            due = time.sane_due(ident, due)
        self._timer.add(ident, due + time.skew)

    def add(self, ident: int, due: int) -> None:
        """Put in an entry that is in no line."""
        # Its due time goes by the clock as it is now, which may have been set since the last look.
        self._time.follow()
        self._add(ident, due + self._time.skew)

    def put_off(self, ident: int, seconds: float) -> None:
        """As `add`, from now on."""
        self._add(ident, int(self._time.now() + seconds))

    def rerouted(self, ident: int, before: int) -> None:
        """Note that a delayed entry goes another way from now on; `before`: the route it had."""
        self.uncount(before)
        self._count(route_of(self._store.live[ident]))

    def _add(self, ident: int, due: int) -> None:
        self._count(route_of(self._store.live[ident]))
        self._timer.add(ident, due)

    def _count(self, route: int) -> None:
        try:
            self.counts[route] += 1
        except IndexError:
            self._grow(route)
            self.counts[route] += 1
        if self.touched is not None:
            self.touched.add(route)

    def uncount(self, route: int) -> None:
        """Note that an id of this route was taken out of the timer."""
        self.counts[route] -= 1
        if self.touched is not None:
            self.touched.add(route)

    def remove(self, ident: int) -> None:
        """Take out an id, if it is in; see `Timer.remove` for what that costs."""
        due = due_of(self._store.live[ident])
        # Put off without an attempt, or before the clock was set back, it is due at another time.
        if self._timer.remove(ident, due + self._time.skew) or any(
            self._timer.sift(lambda each: each == ident)
        ):
            self.undelay(ident)

    def take(self, ident: int) -> bool:
        """Take an id out if it is where its due time says; then it counts until `undelay`."""
        due = due_of(self._store.live[ident])
        return self._timer.remove(ident, due + self._time.skew)

    def back(self, ident: int) -> None:
        """Put an id in again which was taken out, by `take` or a sift, and counts still.

        Whether it was put in before the clock was set back nobody knows: rather early than late.
        """
        self._timer.add(ident, due_of(self._store.live[ident]))

    def undelay(self, ident: int) -> int:
        """Note that an id was taken out of the timer; return its route."""
        route = route_of(self._store.live[ident])
        self.uncount(route)
        return route

    def advance(self) -> None:
        """Follow the clocks; what is due now is given by the timer. Call it once a second."""
        self._time.follow()
        self._timer.advance(int(self._time.now()))

    def _grow(self, route: int) -> None:
        more = max(route + 1, 2 * len(self.counts)) - len(self.counts)
        self.counts.extend(array("I", bytes(4 * more)))
