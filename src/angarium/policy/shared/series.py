"""Audit series: how often something happened, by key, in each of the last windows of time.

Windows begin at multiples of their length in Unix time, so workers need not agree on them. Counts
of a block of addresses are summed along once its length was asked for, for a few lengths; others
are found by looking at each address.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from angarium.policy.shared.blocks import network
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

KIND: Final = "series"
CIDR, CIDR_IPV6, STRING, ADDRESS = "cidr", "cidr_ipv6", "string", "address"
TYPES: Final = (CIDR, CIDR_IPV6, STRING, ADDRESS)  # their place is their number
WIDTHS: Final = {CIDR: (4,), CIDR_IPV6: (16,), ADDRESS: (4, 16)}
MOST_KEYS: Final = 100_000  # in one window; a key costs 200 to 400 octets
MOST_WINDOWS: Final = 10_000
_ALL: Final = -1  # in place of the number of a window: all keys
MOST_MASKS: Final = 6  # lengths of blocks which are summed along


class Window(Sums):
    """One window: sums by key, and by block."""

    __slots__ = ("masks",)

    def __init__(self, asked: Iterable[tuple[int, int]] = ()) -> None:
        super().__init__()
        self.masks: dict[tuple[int, int], dict[int, Number]] = {each: {} for each in asked}

    def shift(self, key: bytes, number: Number) -> Number:
        for (width, bits), table in self.masks.items():
            if len(key) == width:
                block = network(key, bits)
                table[block] = table.get(block, 0) + number
                if not table[block]:
                    del table[block]
        return super().shift(key, number)

    def block(self, key: bytes, bits: int) -> Number:
        """Return the sum of a block of addresses."""
        if bits >= len(key) * 8:
            return self.totals.get(key, 0)
        wanted = network(key, bits)
        table = self.masks.get((len(key), bits))
        if table is not None:
            return table.get(wanted, 0)
        width = len(key)
        return sum(
            value
            for each, value in self.totals.items()
            if len(each) == width and network(each, bits) == wanted
        )

    def follow(self, width: int, bits: int) -> None:
        """Sum blocks of this length along from now on."""
        table: dict[int, Number] = {}
        for key, value in self.totals.items():
            if len(key) == width:
                block = network(key, bits)
                table[block] = table.get(block, 0) + value
        self.masks[width, bits] = table


class Series:
    """A series.

    Args:
        kind: one of TYPES.
        interval: seconds of a window.
        windows: how many there are.
        most: keys in one window; what is beyond is not counted, but its number (`refused`).

    Attributes:
        persist: it is written to a file at the end, and read when the node starts.
        serialize: each window is written to a log when it is over.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        interval: int,
        windows: int,
        means: Means,
        most: int = MOST_KEYS,
    ) -> None:
        self.name = name
        self.kind = kind
        self.widths = WIDTHS.get(kind, ())  # octets of the addresses which belong to it
        self.interval = interval
        self.windows = windows
        self.shape = Shape(KIND, name, (TYPES.index(kind), interval, windows))
        self.refused = 0
        self.persist = self.serialize = False
        self._clock = means.clock
        self._stamps = means.stamps
        self._heard = means.heard
        self._most = most
        self._kept: dict[int, Window] = {}
        self._newest = -1
        self._before = 0  # Unix time at which the oldest window began, or earlier
        self._masks: list[tuple[int, int]] = []
        self._removed: dict[bytes, int] = {}  # keys to the stamp of when they were removed
        self._to_tell: set[bytes] = set()  # of these, what others do not know
        self._emptied = self._emptied_told = 0  # the stamp of when all keys were

    # -- what it is for --------------------------------------------------------------------

    def add(self, key: bytes, number: Number = 1) -> None:
        """Add to a key in the window of now."""
        window = self._window(self._now())
        if key not in window.totals and len(window.totals) >= self._most:
            self.refused += 1
            return
        window.add(key, bounded(number))
        self._heard(self)

    def count(self, key: bytes, start: int = 0, end: int = 0, bits: int = -1) -> Number:
        """Return the sum of a key, or a block, over windows; 0 is the window of now."""
        whole = not 0 <= bits < len(key) * 8
        if not whole:
            self._follow(len(key), bits)
        if not self._kept:
            return 0
        now = self._now()
        if start > end:
            start, end = end, start
        oldest, newest = now - min(end, self.windows - 1), now - max(start, 0)
        found: Number = 0
        # Those in which something was counted: fewer than there are, and often none.
        for number, window in self._kept.items():
            if oldest <= number <= newest:
                found += window.totals.get(key, 0) if whole else window.block(key, bits)
        return bounded(found) if found else found

    def total(self, start: int = 0, end: int = 0) -> Number:
        """Return the sum of all keys over windows."""
        now = self._now()
        found: Number = 0
        for number in range(now - min(end, self.windows - 1), now - start + 1):
            if (window := self._kept.get(number)) is not None:
                found += sum(window.totals.values())
        return bounded(found)

    def remove(self, key: bytes) -> None:
        """Forget a key in all windows."""
        self._now()
        self._forget(key, self._stamps())
        self._to_tell.add(key)
        self._heard(self)

    def reset(self) -> None:
        """Forget all keys."""
        self._empty(self._stamps())
        self._heard(self)

    def keys(self) -> list[bytes]:
        """Return the keys which were counted in any window."""
        self._now()
        return list(dict.fromkeys(key for each in self._kept.values() for key in each.totals))

    def fits(self, key: bytes) -> bool:
        """Say whether a packed address belongs to this series."""
        return len(key) in self.widths

    def snapshot(self) -> dict[int, dict[bytes, Number]]:
        """Return the sums of each window by when it begins, in Unix time."""
        self._now()
        return {n * self.interval: dict(w.totals) for n, w in sorted(self._kept.items())}

    def take_in(self, kept: Mapping[int, Mapping[bytes, Number]]) -> int:
        """Add the counts of a snapshot which are of windows there are; return how many."""
        now = self._now()
        taken = 0
        for start, totals in kept.items():
            number = start // self.interval
            if not now - self.windows < number <= now:
                continue
            window = self._window(number)
            for key, value in totals.items():
                if key in window.totals or len(window.totals) < self._most:
                    window.add(key, value)
                    taken += 1
        self._heard(self)
        return taken

    def origins(self) -> set[Origin]:
        """Return the workers which have counted something here, but for this one."""
        return {origin for each in self._kept.values() for origin in each.columns}

    def restore(self, origin: Origin, kept: Mapping[int, Mapping[bytes, Number]]) -> None:
        """Take a snapshot, as if a worker of this name told it: all may take the same."""
        for start, totals in kept.items():
            number = start // self.interval
            self.merge(origin, [Entry(key, value, number) for key, value in totals.items()])

    # -- what workers tell each other ----------------------------------------------------

    def changes(self) -> list[Entry]:
        self._now()
        told, self._to_tell = self._to_tell, set()
        found = (
            [Entry(b"", None, _ALL, self._emptied)] if self._emptied > self._emptied_told else []
        )
        self._emptied_told = self._emptied
        found += [Entry(key, None, 0, self._removed[key]) for key in told if key in self._removed]
        for number, window in self._kept.items():
            keys, window.dirty = window.dirty, set()
            found += self._entries(number, window.own, keys)
        return found

    def own(self) -> Iterator[list[Entry]]:
        if self._emptied:
            yield [Entry(b"", None, _ALL, self._emptied)]
        for keys in pieces(list(self._removed)):
            yield [Entry(key, None, 0, at) for key in keys if (at := self._removed.get(key))]
        for number, window in list(self._kept.items()):
            for keys in pieces(list(window.own)):
                yield self._entries(number, window.own, keys)

    def others(self) -> Iterator[tuple[Origin, list[Entry]]]:
        for number, window in list(self._kept.items()):
            for origin, column in window.others():
                for keys in pieces(list(column)):
                    yield origin, self._entries(number, column, keys)

    def _entries(
        self, number: int, column: dict[bytes, Number], keys: Iterable[bytes]
    ) -> list[Entry]:
        removed, emptied = self._removed, self._emptied
        return [
            Entry(key, column[key], number, removed.get(key, emptied))
            for key in keys
            if key in column
        ]

    def merge(self, origin: Origin, entries: Iterable[Entry], *, hearsay: bool = False) -> None:
        now = self._now()
        for key, value, number, stamp in map(_parts, entries):
            if number == _ALL:
                if stamp > self._emptied:
                    self._empty(stamp)
                continue
            known = self._removed.get(key, self._emptied)
            if stamp > known and seconds_of(stamp) >= self._before:  # Else all have forgotten it.
                self._forget(key, stamp)
            if value is None or stamp < known or not now - self.windows < number <= now + 1:
                continue
            window = self._window(number)
            if key not in window.totals and len(window.totals) >= self._most:
                self.refused += 1
                continue
            window.merge(origin, key, value, hearsay=hearsay)

    def gone(self, origin: Origin) -> None:
        """What a worker has counted has happened: it stays."""

    # -- windows ---------------------------------------------------------------------------

    def _now(self) -> int:
        now = int(self._clock.time() // self.interval)
        if now != self._newest:
            self._newest = now
            # One ahead is that of a worker whose clock a moment ago was before a small correction.
            self._kept = {n: w for n, w in self._kept.items() if now - self.windows < n <= now + 1}
            before = self._before = (now - self.windows) * self.interval
            self._removed = {k: at for k, at in self._removed.items() if seconds_of(at) >= before}
        return now

    def _window(self, number: int) -> Window:
        window = self._kept.get(number)
        if window is None:
            window = self._kept[number] = Window(self._masks)
        return window

    def _follow(self, width: int, bits: int) -> None:
        if (width, bits) not in self._masks and len(self._masks) < MOST_MASKS:
            self._masks.append((width, bits))
            for window in self._kept.values():
                window.follow(width, bits)

    def _empty(self, stamp: int) -> None:
        self._emptied = stamp
        self._removed.clear()
        self._kept.clear()

    def _forget(self, key: bytes, stamp: int) -> None:
        self._removed[key] = stamp
        for window in self._kept.values():
            window.clear(key)


def _parts(entry: Entry) -> tuple[bytes, Number | None, int, int]:
    value = entry.value
    if isinstance(value, bool | bytes):
        value = None
    return entry.key, value, entry.slot, entry.stamp
