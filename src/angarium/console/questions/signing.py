"""What a worker has counted of signatures."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

from angarium.console.question import question
from angarium.console.sums import Table
from angarium.events.signing import BETWEEN, Signed

if TYPE_CHECKING:
    from angarium.console.parts import Parts

_PIECE: Final = 500  # rows copied in one step


@question("signed")
def signed(worker: "Parts") -> Generator[None, None, Table[Signed]]:
    """Return the rows by kind, binding and domain."""
    found: dict[str, Signed] = {}
    for number, (key, row) in enumerate(list(worker.signatures.rows.items())):
        found[BETWEEN.join(key)] = row
        if not number % _PIECE:
            yield
    return Table(found)


@question("signed anew")
def begin_anew(worker: "Parts") -> Table[Signed]:
    """Forget what was counted."""
    worker.signatures.rows.clear()
    return Table()
