"""What is there now, by address: sessions at once of a block of addresses.

What a worker has here is gone when the worker is.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from angarium.policy.shared.series import MOST_MASKS, Window
from angarium.policy.shared.told import Entry, Heard, Number, Origin, Shape, pieces

KIND: Final = "presence"
SMTP: Final = "SMTP"  # open sessions of reception


class Presence:
    """Numbers by address, of what is there."""

    def __init__(self, name: str, heard: Heard) -> None:
        self.name = name
        self.shape = Shape(KIND, name)
        self._heard = heard
        self._window = Window()

    def add(self, key: bytes, number: int) -> None:
        """Add to an address, or take away."""
        window = self._window
        if not window.add(key, number) and not any(key in each for each in window.columns.values()):
            del window.totals[key]
        self._heard(self)

    def count(self, key: bytes, bits: int = -1) -> Number:
        """Return how many there are of an address, or of a block."""
        if not 0 <= bits < len(key) * 8:
            return self._window.totals.get(key, 0)
        if (len(key), bits) not in self._window.masks and len(self._window.masks) < MOST_MASKS:
            self._window.follow(len(key), bits)
        return self._window.block(key, bits)

    def total(self) -> Number:
        """Return how many there are in all."""
        return sum(self._window.totals.values())

    def changes(self) -> list[Entry]:
        window = self._window
        keys, window.dirty = window.dirty, set()
        told = [Entry(key, window.own.get(key, 0)) for key in keys]
        for key in keys:  # Told that it is none, there is nothing left to tell.
            if not window.own.get(key, 0):
                window.own.pop(key, None)
        return told

    def own(self) -> Iterator[list[Entry]]:
        for keys in pieces(list(self._window.own)):
            yield [Entry(key, self._window.own.get(key, 0)) for key in keys]

    def others(self) -> Iterator[tuple[Origin, list[Entry]]]:
        """Yield nothing: each speaks for himself while he lives."""
        yield from ()

    def merge(self, origin: Origin, entries: Iterable[Entry], *, hearsay: bool = False) -> None:
        window = self._window
        for entry in entries:
            key, value = entry.key, entry.value
            if value is None or isinstance(value, bool | bytes):
                continue
            window.merge(origin, key, value, hearsay=hearsay)
            if not value:
                window.columns[origin].pop(key, None)
                if not window.totals.get(key, 0):
                    window.totals.pop(key, None)

    def gone(self, origin: Origin) -> None:
        self._window.drop(origin)
