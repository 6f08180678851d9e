"""Generic counters: numbers by path, which anyone may add to, read, and set to zero.

A counter is STRICT or RELAXED as who made it first has said. Here both are the same: each worker
has a column of its own, as relaxed ones have it, and reads what all have added within 100 ms.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from angarium.core.errors import Error
from angarium.policy.shared.sums import Sums
from angarium.policy.shared.told import (
    Entry,
    Means,
    Number,
    Origin,
    Shape,
    bounded,
    pieces,
    seconds_of,
)

KIND: Final = "counters"
STRICT: Final = 0
RELAXED: Final = 1
SEMANTICS: Final = ("strict", "relaxed")
MOST: Final = 10_000
MAX_NAME: Final = 200  # octets
_TOMBS: Final = 10_000  # of those which were unlinked, and are not counted again


class CounterError(Error):
    """A counter cannot be made."""


@dataclass(slots=True)
class Counter:
    """What is known of a counter beside its value: since when it counts, in Unix time."""

    semantics: int
    since: float


class Counters:
    """All counters of the node."""

    def __init__(self, means: Means, most: int = MOST) -> None:
        self.shape = Shape(KIND)
        self._clock = means.clock
        self._stamps = means.stamps
        self._heard = means.heard
        self._most = most
        self._sums = Sums()
        self._known: dict[bytes, Counter] = {}
        self._stamped: dict[bytes, int] = {}  # when a counter was last set to zero, or unlinked
        self._to_tell: set[bytes] = set()

    def __contains__(self, name: bytes) -> bool:
        return name in self._known

    def open(self, name: bytes, semantics: int = STRICT) -> None:
        """Make a counter, if it is not there. Raises CounterError."""
        if name in self._known:
            return
        if not name or len(name) > MAX_NAME:
            raise CounterError(f"the name of a counter has 1 to {MAX_NAME} octets")
        if len(self._known) >= self._most:
            raise CounterError(f"there are {self._most} counters, and no more are kept")
        self._known[name] = Counter(1 if semantics == RELAXED else 0, self._clock.time())
        self.add(name, 0)

    def add(self, name: bytes, number: Number) -> None:
        """Add to a counter, which is made where there is none. Raises CounterError."""
        if name not in self._known:
            self.open(name)
        self._sums.add(name, number)
        self._heard(self)

    def read(self, name: bytes) -> Number:
        """Return a counter; 0 where there is none."""
        return bounded(self._sums.totals.get(name, 0))

    def reset(self, name: bytes) -> None:
        """Set a counter to zero; it is made where there is none. Raises CounterError."""
        self.open(name)
        self._begin(name, self._stamps())
        self.add(name, 0)

    def unlink(self, name: bytes) -> bool:
        """Forget a counter; say whether there was one."""
        there = self._known.pop(name, None) is not None
        if there:
            self._begin(name, self._stamps())
            self._to_tell.add(name)
            self._heard(self)
        return there

    def items(self) -> list[tuple[bytes, Number, Counter]]:
        """Return all counters by their names."""
        return [(name, self.read(name), each) for name, each in sorted(self._known.items())]

    def changes(self) -> list[Entry]:
        told, self._to_tell = self._to_tell, set()
        found = [Entry(name, None, 0, self._stamped[name]) for name in told]
        keys, self._sums.dirty = self._sums.dirty, set()
        return found + self._entries(self._sums.own, keys)

    def own(self) -> Iterator[list[Entry]]:
        for names in pieces(list(self._sums.own)):
            yield self._entries(self._sums.own, names)

    def others(self) -> Iterator[tuple[Origin, list[Entry]]]:
        for origin, column in self._sums.others():
            for names in pieces(list(column)):
                yield origin, self._entries(column, names)

    def _entries(self, column: dict[bytes, Number], names: Iterable[bytes]) -> list[Entry]:
        known, stamped = self._known, self._stamped
        return [
            Entry(name, column[name], known[name].semantics, stamped.get(name, 0))
            for name in names
            if name in column and name in known
        ]

    def merge(self, origin: Origin, entries: Iterable[Entry], *, hearsay: bool = False) -> None:
        for entry in entries:
            name, value, stamp = entry.key, entry.value, self._stamped.get(entry.key, 0)
            if entry.stamp > stamp:
                self._begin(name, entry.stamp)
                if value is None:
                    self._known.pop(name, None)
            if value is None or isinstance(value, bool | bytes) or entry.stamp < stamp:
                continue
            if name not in self._known:
                if len(self._known) >= self._most:
                    continue
                self._known[name] = Counter(entry.slot, self._clock.time())
            self._sums.merge(origin, name, value, hearsay=hearsay)

    def gone(self, origin: Origin) -> None:
        """What a worker has counted stays."""

    def _begin(self, name: bytes, stamp: int) -> None:
        self._sums.clear(name)
        self._stamped[name] = stamp
        if name in self._known:
            self._known[name].since = seconds_of(stamp)
        if len(self._stamped) > self._most + _TOMBS:
            for each in [each for each in self._stamped if each not in self._known][: _TOMBS // 2]:
                if each not in self._to_tell:
                    del self._stamped[each]
