"""Who is next inside a line: classes of priority with reserved shares, fair shares between keys.

    flow = turns.flow(lane)      where to put an entry of a lane; it has a queue of its own
    flow = turns.next()          whose turn it is; take from its front
    turns.took(flow, count)      so many were taken

Start-time fair queueing, twice: between the classes by their shares, and inside a class between its
flows by their weights. Each has a *tag*, which grows by what it took divided by its weight; the
lowest tag is next. Who comes new begins at the tag that is being served. So:

- of the others in its class each comes at most once, with one batch, before who comes new;
- what one does not use the others have: there is no idling;
- a flow that runs empty keeps its place until that comes up, so nobody gains by coming and going.

An entry counts as one, in a batch or alone. Cost of a turn: a heap of the flows that have mail.
Pure: no clock, no options, no I/O. Rule: **between `next` and `took` nothing is put in.**
"""

import heapq
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

from angarium.core.lane import KEY_BITS, KEY_MASK

CHUNK: Final = 256  # ids kept together
FLOWS: Final = 4096  # keys of a line with a flow of their own; the rest share:
CROWD: Final = 256  # by their hash, in each class
_EVEN: Final = 1.0

T = TypeVar("T")  # an entry in memory; one that is not is its id


class Fifo(Generic[T]):
    """A queue of entries in memory, and of ids: in arrays, 8 octets each.

    Appended to the inbox, taken from the end of the outbox, which is the inbox of before turned
    round: two lists need a tenth of what an empty deque does, and there may be a million lines.
    """

    __slots__ = ("inbox", "outbox")

    def __init__(self) -> None:
        self.inbox: list[T | int | array[int]] = []
        self.outbox: list[T | int | array[int]] = []

    @property
    def empty(self) -> bool:
        return not (self.inbox or self.outbox)

    def append_id(self, ident: int) -> None:
        inbox = self.inbox
        if inbox:
            last = inbox[-1]
            if isinstance(last, array):
                if len(last) < CHUNK:
                    last.append(ident)
                    return
            elif isinstance(last, int):
                inbox[-1] = array("Q", (last, ident))
                return
        inbox.append(ident)

    def pop(self) -> T | int | None:
        """Take the first off; None if there is none."""
        while True:
            if not self.outbox:
                if not self.inbox:
                    return None
                self.inbox.reverse()
                self.inbox, self.outbox = self.outbox, self.inbox
            item = self.outbox.pop()
            if not isinstance(item, array):
                return item
            self.outbox.extend(reversed(item))

    def drain(self) -> "list[T | int | array[int]]":
        """Take all off, in order."""
        items = [*reversed(self.outbox), *self.inbox]
        self.inbox, self.outbox = [], []
        return items

    def hand_over(self, other: "Fifo[T]") -> None:
        """Give all to another, which is empty."""
        other.inbox, other.outbox = self.inbox, self.outbox
        self.inbox, self.outbox = [], []


class Flow(Fifo[T]):
    """What waits of one key in one class; of several keys where there are very many."""

    __slots__ = ("lane", "row", "tag", "weight")

    def __init__(self, lane: int, row: "_Class[T]", weight: float) -> None:
        super().__init__()
        self.lane = lane
        self.row = row
        self.tag = row.now
        self.weight = weight


class _Class(Generic[T]):
    """A class of priority: its flows by tag, then by who came first."""

    __slots__ = ("heap", "now", "share", "tag")

    def __init__(self, share: float) -> None:
        self.heap: list[tuple[float, int, Flow[T]]] = []
        self.now = 0.0  # the tag of the flow served last
        self.share = share
        self.tag = 0.0 if share else math.inf

    def settle(self, flows: dict[int, Flow[T]]) -> bool:
        """Forget flows which are empty when they come up; say whether one with mail is left."""
        heap = self.heap
        while heap and heap[0][2].empty:
            del flows[heapq.heappop(heap)[2].lane]
        return bool(heap)


class Turns(Generic[T]):
    """The order inside one line.

    Args:
        shares: of each class, lowest first; one with 0 is served when no other class has mail. A
            class beyond the last counts as the last.
        weights: of keys, by their hash (`core/lane`); 1 for all others.
    """

    __slots__ = ("_classes", "_count", "_flows", "_now", "_weights")

    def __init__(self, shares: Sequence[float], weights: Mapping[int, float]) -> None:
        self._classes: list[_Class[T]] = [_Class(each) for each in shares]
        self._weights = weights
        self._flows: dict[int, Flow[T]] = {}
        self._now = 0.0  # the tag of the class served last
        self._count = 0

    def __iter__(self) -> Iterator[Flow[T]]:
        return iter(self._flows.values())

    def __len__(self) -> int:
        """Return how many flows there are; some may be empty."""
        return len(self._flows)

    def lanes(self, most: int) -> list[int]:
        """Return some lanes which have mail."""
        return [flow.lane for flow in islice(self._flows.values(), most) if not flow.empty]

    def flow(self, lane: int) -> Flow[T]:
        """Return the flow of a lane, for something to be put in at once."""
        flow = self._flows.get(lane)
        if flow is None:
            if len(self._flows) >= FLOWS and lane >= 0:
                return self.flow(_crowd(lane))
            flow = self._make(lane)
        return flow

    def _make(self, lane: int) -> Flow[T]:
        number = lane >> KEY_BITS if lane >= 0 else ~lane // CROWD
        row = self._classes[min(number, len(self._classes) - 1)]
        if not row.heap:
            row.tag = max(row.tag, self._now)
        weight = self._weights.get(lane & KEY_MASK, _EVEN) if lane >= 0 else _EVEN
        flow = self._flows[lane] = Flow(lane, row, weight)
        self._count += 1
        heapq.heappush(row.heap, (flow.tag, self._count, flow))
        return flow

    def next(self) -> Flow[T] | None:
        """Return whose turn it is; None if nobody has mail."""
        best: _Class[T] | None = None
        flows = self._flows
        for row in self._classes:
            if row.heap and row.settle(flows) and (best is None or row.tag <= best.tag):
                best = row
        return None if best is None else best.heap[0][2]

    def took(self, flow: Flow[T], count: int) -> None:
        """Note that `count` were taken of the flow which is next."""
        row = flow.row
        row.now = flow.tag
        flow.tag += count / flow.weight
        self._count += 1
        heapq.heapreplace(row.heap, (flow.tag, self._count, flow))
        if row.share:
            self._now = row.tag
            row.tag += count / row.share


def _crowd(lane: int) -> int:
    """Return the lane which very many share: a negative number."""
    return ~((lane >> KEY_BITS) * CROWD + lane % CROWD)
