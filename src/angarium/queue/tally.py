"""What became of mail: counts of a queue while there is one, and of a binding for ever.

A line counts for itself, so that a message costs no look into a table; what a line has counted goes
to its binding when it is freed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class Counting(Protocol):
    """Something which counts: a line."""

    received: int
    sent: int
    failed: int


@dataclass(slots=True)
class Tally:
    """Messages received, recipients delivered, recipients failed."""

    received: int = 0
    sent: int = 0
    failed: int = 0

    def add(self, other: Counting) -> None:
        self.received += other.received
        self.sent += other.sent
        self.failed += other.failed


class Tallies:
    """What lines have counted that are gone, by group and binding."""

    __slots__ = ("_gone",)

    def __init__(self) -> None:
        self._gone: dict[tuple[str, str], Tally] = {}

    def freed(self, key: tuple[str, str, str], line: Counting) -> None:
        """Keep what a line has counted; it will not count any more."""
        if line.received or line.sent or line.failed:
            self._gone.setdefault(key[:2], Tally()).add(line)

    def items(self) -> Iterable[tuple[tuple[str, str], Tally]]:
        return self._gone.items()
