"""What the console keeps for a node: when its figures were last reset, and generic counters.

Figures of processes only ever rise, for whoever watches them over time: a reset changes none of
them, it is remembered what they were. All of it is in the supervisor, goes to the one which takes
its place in an upgrade, and is gone when the server stops.
"""

from typing import Final

import msgspec

from angarium.console.errors import CommandError

MOST: Final = 10_000  # counters
MAX_NAME: Final = 200  # characters
BETWEEN: Final = "\t"  # of group, binding and domain in the key of a row


class Reset(msgspec.Struct, frozen=True):
    """The last `summary reset`: when, in Unix time, and what had been counted."""

    at: float = 0.0
    counts: dict[str, float] = {}


class Counter(msgspec.Struct):
    """A generic counter, and when it was made or set to zero, in Unix time."""

    value: int
    since: float


class Gone(msgspec.Struct):
    """What workers have counted which have left, and is in no measurement.

    Attributes:
        names: of questions to name servers.
        bindings: messages received, recipients delivered and failed, by group and binding.
    """

    names: dict[str, float] = {}
    bindings: dict[str, list[int]] = {}

    def add(self, names: dict[str, float], bindings: dict[str, list[int]]) -> None:
        for name, count in names.items():
            self.names[name] = self.names.get(name, 0) + count
        for key, counts in bindings.items():
            before = self.bindings.get(key, [0] * len(counts))
            self.bindings[key] = [one + two for one, two in zip(before, counts, strict=True)]


class Statistics(msgspec.Struct):
    """What is kept of one node."""

    reset: Reset = Reset()
    counters: dict[str, Counter] = {}
    traces: int = 0  # numbers of traces which were given
    gone: Gone = msgspec.field(default_factory=Gone)

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
