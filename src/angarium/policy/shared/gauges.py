"""Gauge caches: numbers by name which rise and fall, the least used of which are forgotten.

An entry lives so long after it was last changed; is the cache full, the one whose last change is
the longest ago goes for the new one.
"""

from collections.abc import Iterable, Iterator
from typing import Final

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

KIND: Final = "gauge"
MOST_ELEMENTS: Final = 1_000_000
_KEPT_SECONDS: Final = 60.0  # that a key was removed is remembered, or as long as an entry lives
_SPARE_SECONDS: Final = 5.0  # before the end of that: some have forgotten it and others not


class GaugeCache:
    """A cache.

    Args:
        most: entries.
        ttl: seconds an entry lives after its last change.
    """

    def __init__(self, name: str, most: int, ttl: int, means: Means) -> None:
        self.name = name
        self.most = most
        self.ttl = ttl
        self.shape = Shape(KIND, name, (most, ttl))
        self.evicted = self.expired = 0
        self._memory = max(_KEPT_SECONDS, ttl)
        self._clock = means.clock
        self._stamps = means.stamps
        self._heard = means.heard
        self._sums = Sums()
        self._until: dict[bytes, float] = {}  # in the order of the last change
        self._removed: dict[bytes, int] = {}
        self._removed_at: dict[bytes, float] = {}
        self._to_tell: set[bytes] = set()

    def __len__(self) -> int:
        self._expire()
        return len(self._until)

    def add(self, key: bytes, number: Number) -> Number:
        """Add to an entry, which is made where there is none; return what it is then."""
        self._use(key)
        total = self._sums.add(key, number)
        self._heard(self)
        return total

    def get(self, key: bytes) -> Number:
        """Return an entry; 0 where there is none."""
        self._expire()
        return bounded(self._sums.totals.get(key, 0))

    def remove(self, key: bytes) -> None:
        """Forget an entry."""
        self._forget(key, self._stamps())
        self._to_tell.add(key)
        self._heard(self)

    def items(self) -> dict[bytes, Number]:
        """Return all entries."""
        self._expire()
        return dict(self._sums.totals)

    def changes(self) -> list[Entry]:
        self._expire()
        told, self._to_tell = self._to_tell, set()
        found = [Entry(key, None, 0, self._removed[key]) for key in told if key in self._removed]
        keys, self._sums.dirty = self._sums.dirty, set()
        return found + self._entries(self._sums.own, keys)

    def own(self) -> Iterator[list[Entry]]:
        for keys in pieces(list(self._sums.own)):
            yield self._entries(self._sums.own, keys)

    def others(self) -> Iterator[tuple[Origin, list[Entry]]]:
        for origin, column in self._sums.others():
            for keys in pieces(list(column)):
                yield origin, self._entries(column, keys)

    def _entries(self, column: dict[bytes, Number], keys: Iterable[bytes]) -> list[Entry]:
        """Return entries as they are told: with when they end, so that all forget them then."""
        until, removed = self._until, self._removed
        ago = self._clock.time() - self._clock.monotonic()
        return [
            Entry(key, column[key], int((until[key] + ago) * 1000), removed.get(key, 0))
            for key in keys
            if key in column and key in until
        ]

    def merge(self, origin: Origin, entries: Iterable[Entry], *, hearsay: bool = False) -> None:
        self._expire()
        now = self._clock.time()
        ago = now - self._clock.monotonic()
        for entry in entries:
            key, value, known = entry.key, entry.value, self._removed.get(entry.key, 0)
            if (
                entry.stamp > known
                and now - seconds_of(entry.stamp) < self._memory - _SPARE_SECONDS
            ):
                self._forget(key, entry.stamp)
            if value is None or isinstance(value, bool | bytes) or entry.stamp < known:
                continue
            left = entry.slot / 1000 - ago - self._clock.monotonic()
            if left > 0:
                self._use(key, min(left, self.ttl))
                self._sums.merge(origin, key, value, hearsay=hearsay)

    def gone(self, origin: Origin) -> None:
        """What a worker has added stays until it expires."""

    def _use(self, key: bytes, seconds: float | None = None) -> None:
        """Note a change of an entry, and make room for it."""
        self._expire()
        if key not in self._until and len(self._until) >= self.most:
            self.evicted += 1
            self._drop(next(iter(self._until)))
        lives = self.ttl if seconds is None else seconds
        until = max(self._clock.monotonic() + lives, self._until.pop(key, 0.0))
        self._until[key] = until

    def _expire(self) -> None:
        now = self._clock.monotonic()
        while self._until:
            key = next(iter(self._until))
            if self._until[key] > now:
                break
            self.expired += 1
            self._drop(key)
        while self._removed_at:
            key = next(iter(self._removed_at))
            if self._removed_at[key] > now:
                break
            del self._removed_at[key]
            self._removed.pop(key, None)

    def _drop(self, key: bytes) -> None:
        self._until.pop(key, None)
        self._sums.clear(key)

    def _forget(self, key: bytes, stamp: int) -> None:
        self._drop(key)
        self._removed[key] = stamp
        self._removed_at.pop(key, None)
        self._removed_at[key] = self._clock.monotonic() + self._memory
