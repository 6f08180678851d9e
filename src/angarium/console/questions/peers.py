"""Who is connected to a worker, by address: counted only."""

from typing import TYPE_CHECKING

from angarium.console.question import question
from angarium.console.sums import Counts

if TYPE_CHECKING:
    from angarium.console.parts import Parts


@question("peers out")
def outward(worker: "Parts", binding: str = "") -> Counts:
    """Return connections to hosts by their addresses; of one binding, or of all."""
    found: dict[str, float] = {}
    for outlet in worker.pool.outlets:
        if not binding or outlet.line.binding == binding:
            for session in outlet.connections:
                found[session.hop.address] = found.get(session.hop.address, 0) + 1
    return Counts(found)


@question("peers in")
def inward(worker: "Parts") -> Counts:
    """Return connections of clients by their addresses."""
    found: dict[str, float] = {}
    for session in worker.services.sessions:
        address = session.origin.address
        found[address] = found.get(address, 0) + 1
    return Counts(found)
