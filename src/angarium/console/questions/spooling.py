"""What a worker's spool has counted."""

from typing import TYPE_CHECKING

from angarium.console.question import question
from angarium.console.sums import Counts

if TYPE_CHECKING:
    from angarium.console.parts import Parts


@question("spooled")
def spooled(worker: "Parts") -> Counts:
    """Return the counts of the accounting identity, and what waits for the disk."""
    return Counts({**worker.spool.counts(), "waiting": worker.admit.submitted})
