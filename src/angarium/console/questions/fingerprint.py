"""Which systems clients run, in a worker."""

from typing import TYPE_CHECKING

import msgspec

from angarium.console.question import question
from angarium.console.sums import Counts, Table

if TYPE_CHECKING:
    from angarium.console.parts import Parts


class Kind(msgspec.Struct, frozen=True):
    """What came of the mail of clients which run this."""

    genre: str
    detail: str
    receptions: int
    rejections: int

    def __add__(self, other: "Kind") -> "Kind":
        return Kind(
            self.genre,
            self.detail,
            self.receptions + other.receptions,
            self.rejections + other.rejections,
        )


@question("fingerprint cache")
def cache(worker: "Parts") -> Counts:
    """Return how many clients are remembered, and how many may be; nothing without the module."""
    systems = worker.services.counts.systems
    return Counts({} if systems is None else {"clients": len(systems), "most": systems.most})


@question("fingerprint systems")
def kinds(worker: "Parts") -> Table[Kind]:
    """Return what came of clients' mail, by genre and detail."""
    systems = worker.services.counts.systems
    rows = {} if systems is None else systems.sums
    return Table(
        {f"{genre}\t{detail}": Kind(genre, detail, *sums) for (genre, detail), sums in rows.items()}
    )
