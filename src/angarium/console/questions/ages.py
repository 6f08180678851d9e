"""How old the mail is which waits, by domain or by binding."""

import heapq
from bisect import bisect_right
from collections.abc import Generator
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
MOST: Final = 1000  # rows of a worker, those with the most mail
_PIECE: Final = 500


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
    """Return the ages of what is in the spool: of all (""), and of the rows with the most."""
    now, routes = int(worker.clock.time()), worker.spool.routes
    found: dict[int, list[int]] = {}
    for part in list(worker.spool.live.parts()):
        for number, ident in enumerate(list(part)):
            slot = part.get(ident)
            if slot is not None:
                counts = found.get(route := route_of(slot))
                if counts is None:
                    counts = found[route] = [0] * (len(_EDGES) + 1)
                counts[row_of(now - (ident >> 32))] += 1
            if not number % _PIECE:
                yield
    sums: dict[str, Ages] = {}
    for number, (route, counts) in enumerate(found.items()):
        group, binding, domain = routes.key(route)
        name = f"{group}/{binding}" if by_binding else domain
        sums[name] = sums[name] + Ages(counts) if name in sums else Ages(counts)
        if not number % _PIECE:
            yield
    whole = Ages([0] * (len(_EDGES) + 1))
    for each in sums.values():
        whole += each
    most = heapq.nlargest(MOST, sums.items(), key=lambda item: item[1].total)
    return Table({"": whole, **dict(most)})


def row_of(seconds: int) -> int:
    """Return which row an age belongs to."""
    return bisect_right(_EDGES, seconds)
