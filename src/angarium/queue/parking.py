"""The lines which wait for a permit of one key, and whose turn it is when one is free.

First come those which have no connection. They have their turns as entries inside a line do
(`turns`): by the lanes of their mail. So a thousand lines full of one key's mail do not keep the
one line with a message of another waiting. A line stands in the row of each of its lanes, a few at
most; when it had its turn in one, its other places are passed over. Then come those which want one
more, in the order they came. Who was asked and found none free keeps its turn.

Where nothing is free a connection in use gives way, for each line that waits once: for one without
a connection always, for another one only where its own line stays no poorer than that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

from angarium.queue.line import Line
from angarium.queue.turns import Turns

_LOOKED_AT: Final = 32  # waiting lines, to find one for whom a connection may give way


class Parking:
    """One row. Lines with nothing beside them cost no turns: a line mostly waits for its own key.

    Args:
        shares, weights: as `Turns` has them.
        held: how many connections a line has.
    """

    __slots__ = ("_first", "_held", "_more", "_places", "_shares", "_turns", "_waiting", "_weights")

    def __init__(
        self,
        shares: Sequence[float],
        weights: Mapping[int, float],
        held: Callable[[Line], int],
    ) -> None:
        self._shares = shares
        self._weights = weights
        self._held = held
        # Those without a connection and the others; whether a connection gives way for it already.
        self._waiting: dict[Line, bool] = {}
        self._more: dict[Line, bool] = {}
        self._first: list[Line] = []  # asked in vain, or for whom a connection gives way
        self._turns: Turns[Line] | None = None
        self._places: set[tuple[int, Line]] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._more)

    def __iter__(self) -> Iterator[Line]:
        return chain(self._waiting, self._more)

    def __contains__(self, line: object) -> bool:
        return line in self._waiting or line in self._more

    def add(self, line: Line) -> None:
        """Put a line in; one that is in already gets the places it lacks."""
        if line not in self._waiting:
            if self._held(line):
                self._more.setdefault(line, False)
                return
            self._more.pop(line, None)
            self._waiting[line] = False
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
        if line in self._waiting:
            del self._waiting[line]
        else:
            del self._more[line]

    def keep_turn(self, line: Line) -> None:
        """The line, which is in, is the next."""
        self._first.append(line)

    def next(self) -> Line | None:
        """Take out whose turn it is."""
        line = self._next()
        if line is not None:
            self.remove(line)
        return line

    def _next(self) -> Line | None:
        while self._first:
            line = self._first.pop(0)
            if line in self:
                return line
        waiting, turns = self._waiting, self._turns
        if turns is not None:
            while (flow := turns.next()) is not None:
                found = flow.pop()
                assert isinstance(found, Line)
                self._places.discard((flow.lane, found))
                if found in waiting:
                    turns.took(flow, 1)
                    return found
        return next(iter(self), None)

    def give_way(self, line: Line) -> bool:
        """Say whether a connection of this line is to give way for another one."""
        for each, given in islice(self._waiting.items(), _LOOKED_AT):
            if not given and each is not line:
                self._waiting[each] = True
                return True
        mine = self._held(line)
        for each, given in islice(self._more.items(), _LOOKED_AT):
            if not given and each is not line and self._held(each) + 1 < mine:
                self._more[each] = True
                self._first.append(each)
                return True
        return False
