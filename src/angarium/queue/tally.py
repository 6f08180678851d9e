"""What became of mail: counts of a queue while there is one, and of a binding for ever.

A line counts for itself, so that a message costs no look into a table; what a line has counted goes
to its binding when it is freed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

Key = tuple[str, str, str]


class Counting(Protocol):
    """Something which counts: a line."""

    received: int
    sent: int
    failed: int


class Audit(Protocol):
    """Who wants to know what becomes of mail, by domain: `modules/guard/outbound_audit`."""

    def received(self, domain: str) -> None:
        """A message for this domain has come."""
        ...

    def delivered(self, domain: str, seconds: float) -> None:
        """A host took a message for a recipient; the transaction took so long."""
        ...

    def failed(self, domain: str, *, temporary: bool) -> None:
        """An attempt failed for a recipient."""
        ...


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

    def freed(self, key: Key, line: Counting) -> None:
        """Keep what a line has counted; it will not count any more."""
        if line.received or line.sent or line.failed:
            self._gone.setdefault(key[:2], Tally()).add(line)

    def with_lines(self, lines: Mapping[Key, Counting]) -> dict[tuple[str, str], Tally]:
        """Return what all have counted, by group and binding; in one go, so for the end only."""
        found = {key: Tally(each.received, each.sent, each.failed) for key, each in self.items()}
        for key, line in lines.items():
            found.setdefault(key[:2], Tally()).add(line)
        return {key: each for key, each in found.items() if each != Tally()}

    def items(self) -> Iterable[tuple[tuple[str, str], Tally]]:
        return self._gone.items()
