"""What the console keeps for a node: when its figures were last reset, and generic counters.

Figures of processes only ever rise, for whoever watches them over time: a reset changes none of
them, it is remembered what they were. All of it is in the supervisor, and is gone with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from angarium.console.errors import CommandError

MOST: Final = 10_000  # counters
MAX_NAME: Final = 200  # characters


@dataclass(frozen=True, slots=True)
class Reset:
    """The last `summary reset`: when, in Unix time, and what had been counted."""

    at: float = 0.0
    counts: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Counter:
    """A generic counter, and when it was made or set to zero, in Unix time."""

    value: int
    since: float


@dataclass(slots=True)
class Statistics:
    """What is kept of one node."""

    reset: Reset = field(default_factory=Reset)
    counters: dict[str, Counter] = field(default_factory=dict)
    traces: int = 0  # numbers of traces which were given

    def counter(self, name: str) -> Counter:
        """Return a counter. Raises CommandError if there is none."""
        if name not in self.counters:
            raise CommandError(f"there is no counter {name}; counter list shows those there are")
        return self.counters[name]

    def add(self, name: str, delta: int, now: float) -> None:
        """Add to a counter, which is made where there is none. Raises CommandError."""
        found = self.counters.get(name)
        if found is None:
            if len(self.counters) >= MOST:
                raise CommandError(f"there are {MOST} counters, and no more are kept")
            if len(name) > MAX_NAME:
                raise CommandError(f"the name of a counter has {MAX_NAME} characters at most")
            found = self.counters[name] = Counter(0, now)
        found.value += delta
