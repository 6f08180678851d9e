"""Numbers which several workers add to.

Each worker has a column of its own and changes no other; the sum of all columns counts. What a
worker has added stays when it has ended.
"""

from collections.abc import Iterator
from typing import Final

from angarium.policy.shared.told import Number, Origin, bounded

PAST: Final[Origin] = (-1, 0)  # the column of those which ended long ago
COLUMNS: Final = 32  # kept apart; more than that only where workers keep dying


class Sums:
    """Sums by key.

    Attributes:
        own: what this worker has added.
        totals: what all have.
        columns: what others have, by worker.
        dirty: keys of `own` which others do not know yet.
    """

    __slots__ = ("columns", "dirty", "own", "totals")

    def __init__(self) -> None:
        self.own: dict[bytes, Number] = {}
        self.totals: dict[bytes, Number] = {}
        self.columns: dict[Origin, dict[bytes, Number]] = {}
        self.dirty: set[bytes] = set()

    def add(self, key: bytes, number: Number) -> Number:
        """Add to a key; return what it is then."""
        own = self.own
        own[key] = bounded(own.get(key, 0) + number)
        self.dirty.add(key)
        return self.shift(key, number)

    def shift(self, key: bytes, number: Number) -> Number:
        """Change what a key is in all."""
        totals = self.totals
        total = totals[key] = totals.get(key, 0) + number
        return total

    def merge(self, origin: Origin, key: bytes, value: Number, *, hearsay: bool) -> None:
        """Take what another worker has added to a key so far."""
        column = self.columns.get(origin)
        if column is None:
            column = self._column(origin)
        before = column.get(key)
        if before is not None and (hearsay or before == value):
            return
        column[key] = value
        self.shift(key, value - (before or 0))

    def clear(self, key: bytes) -> None:
        """Forget a key."""
        if key in self.totals:
            self.shift(key, -self.totals[key])
            del self.totals[key]
        self.own.pop(key, None)
        self.dirty.discard(key)
        for column in self.columns.values():
            column.pop(key, None)

    def drop(self, origin: Origin) -> None:
        """Take away what a worker has added."""
        for key, value in self.columns.pop(origin, {}).items():
            if not self.shift(key, -value) and key not in self.own:
                del self.totals[key]

    def others(self) -> Iterator[tuple[Origin, dict[bytes, Number]]]:
        """Yield the columns of others."""
        yield from list(self.columns.items())

    def _column(self, origin: Origin) -> dict[bytes, Number]:
        """Return a new column; where there are many, that of the first who is dead joins PAST."""
        if len(self.columns) >= COLUMNS:
            newest: dict[int, int] = {origin[0]: origin[1]}
            for number, born in self.columns:
                newest[number] = max(born, newest.get(number, 0))
            dead = [each for each in self.columns if each != PAST and each[1] < newest[each[0]]]
            if dead:
                past = self.columns.setdefault(PAST, {})
                for key, value in self.columns.pop(min(dead, key=lambda each: each[1])).items():
                    past[key] = past.get(key, 0) + value
        column = self.columns[origin] = {}
        return column
