"""The lines which wait for a permit of one key, and whose turn it is when one is free.

They have their turns as entries inside a line do (`turns`): by the lanes of their mail. So a
thousand lines full of one key's mail do not keep the one line with a message of another waiting.
A line stands in the row of each of its lanes, a few at most; when it had its turn in one, its other
places are passed over. Who was asked and found none free keeps its turn.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from angarium.queue.line import Line
from angarium.queue.turns import Turns

_LOOKED_AT: Final = 32  # waiting lines, to find one for whom a connection may give way


class Parking:
    """One row. Lines with nothing beside them cost no turns: a line mostly waits for its own key.

    Args:
        shares, weights: as `Turns` has them.
    """

    __slots__ = ("_first", "_places", "_shares", "_turns", "_waiting", "_weights")

    def __init__(self, shares: Sequence[float], weights: Mapping[int, float]) -> None:
        self._shares = shares
        self._weights = weights
        self._waiting: dict[Line, bool] = {}  # whether a connection gives way for it already
        self._first: list[Line] = []  # asked in vain
        self._turns: Turns[Line] | None = None
        self._places: set[tuple[int, Line]] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._waiting)

    def add(self, line: Line) -> None:
        """Put a line in; one that is in already gets the places it lacks."""
        self._waiting.setdefault(line, False)
        if self._turns is not None:
            self._place(line, self._turns)
        elif len(self._waiting) > 1:
            self._turns = Turns(self._shares, self._weights)
            for each in self._waiting:
                self._place(each, self._turns)

    def _place(self, line: Line, turns: Turns[Line]) -> None:
        for lane in line.lanes():
            flow = turns.flow(lane)
            place = flow.lane, line
            if place not in self._places:
                self._places.add(place)
                flow.inbox.append(line)

    def remove(self, line: Line) -> None:
        del self._waiting[line]

    def keep_turn(self, line: Line) -> None:
        """The line, which is in, is the next."""
        self._first.append(line)

    def next(self) -> Line | None:
        """Take out whose turn it is."""
        line = self._next()
        if line is not None:
            del self._waiting[line]
        return line

    def _next(self) -> Line | None:
        waiting, turns = self._waiting, self._turns
        while self._first:
            line = self._first.pop(0)
            if line in waiting:
                return line
        if turns is None:
            return next(iter(waiting), None)
        while (flow := turns.next()) is not None:
            found = flow.pop()
            assert isinstance(found, Line)
            self._places.discard((flow.lane, found))
            if found in waiting:
                turns.took(flow, 1)
                return found
        return None

    def give_way(self, but: Line, mine: int, held: Callable[[Line], int]) -> bool:
        """Say whether a line waits which has fewer than `mine`; yes once for each such line."""
        for line, given in islice(self._waiting.items(), _LOOKED_AT):
            if not given and line is not but and held(line) < mine:
                self._waiting[line] = True
                return True
        return False
