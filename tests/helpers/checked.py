"""Queues with mail of every kind, connections which do as a test says, and the check of both."""

from collections.abc import Iterator, Sequence
from typing import Any

from angarium.events.metrics import Metrics
from angarium.events.schema import ServerEvent
from angarium.queue.entry import Entry
from angarium.queue.line import Line
from angarium.queue.soundness import Soundness
from helpers.queues import Queues


class Hands:
    """Connections which do as the test says."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.keys: list[str] = []
        self.working = True

    def in_hands(self) -> Iterator[Sequence[Entry]]:
        yield self.entries

    def served_by(self, line: Line) -> Line | None:
        return line if line.pool is not None else None

    def works(self, line: Line) -> bool:
        return self.working

    def held(self) -> Iterator[Sequence[str]]:
        yield self.keys


class Checked:
    """See above: one entry is delayed, one in hands, two wait."""

    def __init__(self, **shape: Any) -> None:
        self.queues = queues = Queues(**shape)
        self.board = queues.board
        self.hands = Hands()
        self.said: list[str] = []
        self.events: list[ServerEvent] = []
        self.reported: dict[int, Entry] = {}
        self.metrics = Metrics()
        self.soundness = Soundness(
            self.board, self.hands, lambda: [queues.spool.live], self.reported, self.said.append,
            self.events.append, self.metrics,
        )  # fmt: skip
        self.line = queues.put_many(4)
        self.line.pool = self.hands
        for entry in self.line.take(1):
            queues.defer(entry, 600)
        self.hands.entries += self.line.take(1)
        queues.later(61.0)

    def look(self) -> list[str]:
        """Look through all; return what was said, which a second look finds mended."""
        for _ in self.soundness.look():
            pass
        said = list(self.said)
        for _ in self.soundness.look():
            pass
        assert self.said == said, "not mended"
        return said
