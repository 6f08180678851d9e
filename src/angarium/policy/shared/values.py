"""Values by key, which end at a time or never: the last one which was set counts.

For shared variables, greylists, and whatever else was found out once and holds for a while. Is the
map full, the value that was set first goes.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from angarium.policy.shared.told import (
    Entry,
    Means,
    Origin,
    Plain,
    Shape,
    maker_of,
    pieces,
    seconds_of,
)

KIND: Final = "values"
MOST_VALUES: Final = 1_000_000
MAX_OCTETS: Final = 16_384  # of a key and its value: it has to fit into what is told at once
_FORGOTTEN_SECONDS: Final = 60.0  # that a key was unset is remembered


class Values:
    """A map.

    Args:
        most: values.
    """

    def __init__(self, name: str, most: int, means: Means, number: int) -> None:
        self.name = name
        self.shape = Shape(KIND, name, (most,))
        self.evicted = 0
        self.most = most
        self._clock = means.clock
        self._stamps = means.stamps
        self._heard = means.heard
        self._number = number  # of this worker
        self._kept: dict[bytes, Entry] = {}  # in the order in which they were set
        self._dirty: set[bytes] = set()
        self._looked = means.clock.monotonic()
        self._set: deque[Entry] | None = None  # of late, for who keeps them in a file

    def __len__(self) -> int:
        return sum(1 for _ in self.items())

    def get(self, key: bytes) -> Plain:
        """Return a value; None where there is none."""
        found = self.entry(key)
        return None if found is None else found.value

    def entry(self, key: bytes) -> Entry | None:
        """Return a value with the time at which it ends; None where there is none."""
        found = self._kept.get(key)
        if found is None or found.value is None or self._over(found):
            return None
        return found

    def set(self, key: bytes, value: Plain, seconds: float = 0.0) -> bool:
        """Set a value; None unsets it. Say whether it can be kept.

        Args:
            seconds: after which it ends; 0: never.
        """
        size = len(key) + (len(value) if isinstance(value, bytes) else 0)
        if not key or size > MAX_OCTETS:
            return False
        lives = seconds if value is not None else _FORGOTTEN_SECONDS
        ends = int((self._clock.time() + lives) * 1000) if lives else 0
        self._keep(Entry(key, value, ends, self._stamps()))
        self._dirty.add(key)
        self._heard(self)
        return True

    def unset(self, key: bytes) -> bool:
        """Forget a value; say whether there was one."""
        there = self.get(key) is not None
        if there:
            self.set(key, None)
        return there

    def items(self) -> Iterator[Entry]:
        """Yield what is kept."""
        for entry in list(self._kept.values()):
            if entry.value is not None and not self._over(entry):
                yield entry

    @property
    def octets(self) -> int:
        """Return about how much a file of all of it has."""
        return len(self._kept) * 32

    def follow(self) -> bool:
        """Note what is set from now on, for `take_set`; return False if that is done already."""
        if self._set is not None:
            return False
        self._set = deque(maxlen=self.most)
        return True

    def take_set(self) -> list[Entry]:
        """Return what was set since this was last called."""
        found = list(self._set or ())
        if self._set is not None:
            self._set.clear()
        return found

    def forget_set(self) -> None:
        """Forget what was set, but for the last minute."""
        before = self._clock.time() - _FORGOTTEN_SECONDS
        while self._set and seconds_of(self._set[0].stamp) < before:
            self._set.popleft()

    def changes(self) -> list[Entry]:
        self._clear_away()
        keys, self._dirty = self._dirty, set()
        return [self._kept[key] for key in keys if key in self._kept]

    def own(self) -> Iterator[list[Entry]]:
        for keys in pieces(list(self._kept)):
            found = [self._kept[key] for key in keys if key in self._kept]
            yield [each for each in found if maker_of(each.stamp) == self._number]

    def others(self) -> Iterator[tuple[Origin, list[Entry]]]:
        for keys in pieces(list(self._kept)):
            found = [self._kept[key] for key in keys if key in self._kept]
            told = [each for each in found if maker_of(each.stamp) != self._number]
            yield (maker_of(told[0].stamp) if told else 0, 0), told

    def merge(self, origin: Origin, entries: Iterable[Entry], *, hearsay: bool = False) -> None:
        """Take values, from whomever: what was set last counts."""
        for entry in entries:
            known = self._kept.get(entry.key)
            if (known is None or known.stamp < entry.stamp) and not self._over(entry):
                self._keep(entry)
        self._clear_away()

    def gone(self, origin: Origin) -> None:
        """What a worker has set stays."""

    def _keep(self, entry: Entry) -> None:
        kept = self._kept
        if kept.pop(entry.key, None) is None and len(kept) >= self.most:
            self._clear_away(at_once=True)
            if len(kept) >= self.most:
                self.evicted += 1
                del kept[next(iter(kept))]
        kept[entry.key] = entry
        if self._set is not None:
            self._set.append(entry)

    def _over(self, entry: Entry) -> bool:
        return bool(entry.slot) and entry.slot <= self._clock.time() * 1000

    def _clear_away(self, *, at_once: bool = False) -> None:
        """Forget what is over, once in a while: it is not found in any case."""
        now = self._clock.monotonic()
        if not at_once and now - self._looked < _FORGOTTEN_SECONDS:
            return
        if now - self._looked < 1.0:
            return  # Full of what is not over: do not look at all of it for each that comes.
        self._looked = now
        for key in [key for key, each in self._kept.items() if self._over(each)]:
            del self._kept[key]


def set_at(entry: Entry) -> float:
    """Return the Unix time at which a value was set."""
    return seconds_of(entry.stamp)
