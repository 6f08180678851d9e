"""The lines which take turns on the same connections: one batch each, in the order they came.

Where mail has lanes (priority, fairness key) the turns are those of the lanes (`turns`): so a
newsletter to a thousand domains does not keep the one message of another to a domain waiting. A
line then has a place for each of its lanes, a few at most. Rule: **who takes a line out puts it in
again while it has mail**; a place may be left behind by a line which has gone, so who takes one out
looks whether it is still there.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from angarium.queue.line import Line
from angarium.queue.turns import Turns

_PLAIN = [0]  # the lanes of a line whose mail has neither priority nor key


class Rota:
    """The turns.

    Args:
        shares, weights: as `Turns` has them.
    """

    __slots__ = ("_places", "_plain", "_shares", "_turns", "_weights")

    def __init__(self, shares: Sequence[float], weights: Mapping[int, float]) -> None:
        self._shares = shares
        self._weights = weights
        self._plain: deque[Line] = deque()
        self._turns: Turns[Line] | None = None
        self._places: set[tuple[int, Line]] = set()

    def __len__(self) -> int:
        """Return how many places are taken."""
        return len(self._plain) if self._turns is None else len(self._places)

    def __iter__(self) -> Iterator[Line]:
        """Yield each line once."""
        if self._turns is None:
            return iter(self._plain)
        return iter(dict.fromkeys(line for _, line in self._places))

    def append(self, line: Line) -> None:
        """Put a line in which is not in."""
        lanes = line.lanes()
        if self._turns is None:
            if lanes == _PLAIN:
                self._plain.append(line)
                return
            self._turns = Turns(self._shares, self._weights)
            for each in self._plain:
                self._place(each, each.lanes(), self._turns)
            self._plain.clear()
        self._place(line, lanes, self._turns)

    def again(self, line: Line) -> None:
        """A line which is in has new mail, perhaps of another lane."""
        if self._turns is not None:
            self._place(line, line.lanes(), self._turns)
        elif line.lanes() != _PLAIN:
            self._plain.remove(line)
            self.append(line)

    def _place(self, line: Line, lanes: Sequence[int], turns: Turns[Line]) -> None:
        for lane in lanes:
            flow = turns.flow(lane)
            place = flow.lane, line
            if place not in self._places:
                self._places.add(place)
                flow.inbox.append(line)

    def popleft(self) -> Line:
        """Take out whose turn it is. Raises IndexError if there is none."""
        if self._turns is None:
            return self._plain.popleft()
        flow = self._turns.next()
        line = flow.pop() if flow is not None else None
        if flow is None or not isinstance(line, Line):
            raise IndexError("no line")
        self._turns.took(flow, 1)
        self._places.discard((flow.lane, line))
        if not self._places:
            self._turns = None
        return line

    def first(self) -> Line | None:
        """Return a line which is about to have its turn."""
        if self._turns is None:
            return self._plain[0] if self._plain else None
        flow = self._turns.next()
        found = (flow.outbox or flow.inbox)[-1 if flow.outbox else 0] if flow is not None else None
        return found if isinstance(found, Line) else None

    def clear(self) -> None:
        self._plain.clear()
        self._places.clear()
        self._turns = None
