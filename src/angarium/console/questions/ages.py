"""How old the mail is which waits, by domain or by binding."""

import heapq
from array import array
from bisect import bisect_right
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.sums import Table
from angarium.queue.spool.slot import route_of

if TYPE_CHECKING:
    from angarium.console.parts import Parts

# Upper bounds in minutes, as qshape has them; the last row is what is older.
MINUTES: Final = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
_EDGES: Final = tuple(60 * each for each in MINUTES)
_ROWS: Final = len(_EDGES) + 1
MOST: Final = 1000  # rows of a worker, those with the most mail
_PIECE: Final = 500  # entries or names in a step
_NAMED: Final = 100  # routes in a step, each of which is added to a name


class Ages(msgspec.Struct, frozen=True):
    """How many are of each age."""

    counts: list[int]

    def __add__(self, other: "Ages") -> "Ages":
        return Ages([one + two for one, two in zip(self.counts, other.counts, strict=True)])

    @property
    def total(self) -> int:
        return sum(self.counts)


@question("ages")
def ages(worker: "Parts", by_binding: bool) -> Generator[None, None, Table[Ages]]:
    """Return the ages of what is in the spool: of all (""), and of the rows with the most.

    There may be as many routes as messages: they are counted in flat arrays, which cost the
    collector nothing.
    """
    now, routes = int(worker.clock.time()), worker.spool.routes
    counts = _Counts()
    add = counts.add
    for part in list(worker.spool.live.parts()):
        idents = list(part)
        yield
        for number, ident in enumerate(idents):
            slot = part.get(ident)
            if slot is not None:
                add(route_of(slot), row_of(now - (ident >> 32)))
            if not number % _PIECE:
                yield
    names: dict[str, int] = {}
    sums, whole = _Counts(), [0] * _ROWS
    for route in range(len(counts)):
        row = counts.row(route)
        if any(row):
            group, binding, domain = routes.key(route)
            name = f"{group}/{binding}" if by_binding else domain
            sums.join(names.setdefault(name, len(names)), row)
            whole = [one + two for one, two in zip(whole, row, strict=True)]
        if not route % _NAMED:
            yield
    most: list[tuple[int, str]] = []
    for number, (name, at) in enumerate(names.items()):
        entry = sum(sums.row(at)), name
        if len(most) < MOST:
            heapq.heappush(most, entry)
        elif entry > most[0]:
            heapq.heapreplace(most, entry)
        if not number % _PIECE:
            yield
    yield
    found = {name: Ages(list(sums.row(names[name]))) for _, name in most}
    return Table({"": Ages(whole), **found})


class _Counts:
    """Rows of counts by number."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = array("I", bytes(4 * _ROWS * _PIECE))

    def add(self, number: int, column: int) -> None:
        try:
            self._counts[number * _ROWS + column] += 1
        except IndexError:
            self._grow(number)
            self._counts[number * _ROWS + column] += 1

    def join(self, number: int, row: Sequence[int]) -> None:
        """Add a whole row."""
        self._grow(number)
        for at, count in enumerate(row, number * _ROWS):
            self._counts[at] += count

    def row(self, number: int) -> Sequence[int]:
        return self._counts[number * _ROWS : (number + 1) * _ROWS]

    def __len__(self) -> int:
        return len(self._counts) // _ROWS

    def _grow(self, number: int) -> None:
        if number >= len(self):
            more = max(number + 1, len(self) + len(self) // 4) - len(self)
            self._counts.extend(array("I", bytes(4 * _ROWS * more)))


def row_of(seconds: int) -> int:
    """Return which row an age belongs to."""
    return bisect_right(_EDGES, seconds)
