"""`Cache`: what queries returned, kept for a while. It is bounded by entries and by octets.

What was not used for the longest time goes first. Errors are not kept: a database that is away is
guarded by its `Breaker`, and one that refuses a query may know better in a moment.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from angarium.core.clock import Clock
from angarium.data.rows import Rows, footprint

_KEY: Final = 200  # octets of an entry beside its rows and its query, about
_PIECE: Final = 500  # entries looked at or taken away at once
LARGEST_SHARE: Final = 4  # a result of more than this part of all octets is not kept


class Entry(NamedTuple):
    rows: Rows
    octets: int
    expires: float


@dataclass(slots=True)
class Counted:
    """What has happened to a cache, since the start."""

    loads: int = 0
    hits: int = 0
    joined: int = 0
    stores: int = 0
    forced: int = 0
    expired: int = 0
    lru: int = 0


class Cache:
    """Results by key.

    Attributes:
        size: entries at most.
        octets: of all entries at most.
        counted: what happened.
        held: octets of all entries, about.
    """

    def __init__(self, clock: Clock, size: int, octets: int) -> None:
        self._clock = clock
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._purging: Iterator[Hashable] = iter(())
        self.size = size
        self.octets = octets
        self.counted = Counted()
        self.held = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Rows | None:
        """Return what is known, counting the look-up."""
        self.counted.loads += 1
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires <= self._clock.monotonic():
            self._remove(key)
            self.counted.expired += 1
            return None
        self._entries.move_to_end(key)
        self.counted.hits += 1
        return entry.rows

    def put(self, key: Hashable, rows: Rows, seconds: float, length: int) -> None:
        """Keep a result for so long. `length`: characters of the query."""
        octets = _KEY + length + footprint(rows)
        if key in self._entries:
            self._remove(key)
        if seconds <= 0.0 or octets > self.octets // LARGEST_SHARE:
            return
        self._entries[key] = Entry(rows, octets, self._clock.monotonic() + seconds)
        self.held += octets
        self.counted.stores += 1
        self.fit()

    def fit(self) -> None:
        """Let the oldest go until all are within the bounds."""
        while len(self._entries) > max(0, self.size) or self.held > self.octets:
            self._remove(next(iter(self._entries)))
            self.counted.lru += 1

    def clear(self) -> int:
        """Forget everything; return how many results that were."""
        count = len(self._entries)
        self._entries.clear()
        self.held = 0
        self.counted.forced += count
        return count

    def tick(self) -> None:
        """Look at some entries, in turns, whether their time is over."""
        now = self._clock.monotonic()
        for _ in range(min(_PIECE, len(self._entries))):
            key = next(self._purging, None)
            if key is None:
                self._purging = iter(list(self._entries))
                return
            entry = self._entries.get(key)
            if entry is not None and entry.expires <= now:
                self._remove(key)
                self.counted.expired += 1

    def shrink(self) -> Iterator[None]:
        """Give half of the memory back, in pieces: what was not used lately."""
        going = len(self._entries) // 2
        while going > 0 and self._entries:
            for _ in range(min(going, _PIECE, len(self._entries))):
                self._remove(next(iter(self._entries)))
                self.counted.lru += 1
            going -= _PIECE
            yield

    def _remove(self, key: Hashable) -> None:
        self.held -= self._entries.pop(key).octets
