"""What the node has counted: all processes together, those which are gone too.

Each process knows what the others last measured, a second ago at most, from one file they share.
So each gives the same answer, and one that is stuck hides nothing.
"""

import asyncio
from collections.abc import Generator
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.sums import Counts
from angarium.events.metrics import Value, merged

if TYPE_CHECKING:
    from angarium.console.parts import Parts

RATE_SECONDS: Final = 0.5  # over which a rate is measured
_PIECE: Final = 500  # lines looked at in one step


class Numbers(msgspec.Struct, frozen=True):
    """Values by the names of metrics, and when they were read. Of several the latest counts."""

    at: float
    values: dict[str, float | list[int]]

    def __add__(self, other: "Numbers") -> "Numbers":
        return max(self, other, key=lambda each: each.at)


@question("numbers")
def numbers(worker: "Parts") -> Numbers:
    """Return what all processes have counted, and what they measure."""
    now = worker.clock.time()
    rows = worker.readings.read(now)
    # What no worker declares is of one process, and is as it stands there.
    found: dict[str, Value] = {}
    for row in rows.values():
        found |= row
    return Numbers(now, found | merged(rows.values()))


@question("rates")
async def rates(worker: "Parts") -> Counts:
    """Return what this worker does in a second, measured now."""
    before = _counted(worker)
    begun = worker.clock.monotonic()
    await asyncio.sleep(RATE_SECONDS)
    took = worker.clock.monotonic() - begun
    after = _counted(worker)
    return Counts({name: (after[name] - before[name]) / took for name in after})


def _counted(worker: "Parts") -> dict[str, float]:
    received = worker.metrics.snapshot().get("receptions", 0)
    stub = worker.naming.stub.counters
    return {
        "delivered": worker.settle.delivered_count,
        "received": received if not isinstance(received, list) else 0,
        "asked": sum(count for name, count in stub.items() if name.startswith("queries.")),
    }


class Domains(msgspec.Struct, frozen=True):
    """Domains which have mail, by a number for each: those of all workers are counted once."""

    digests: set[int] = set()

    def __add__(self, other: "Domains") -> "Domains":
        return Domains(self.digests | other.digests)


@question("domains")
def domains(worker: "Parts") -> Generator[None, None, Domains]:
    """Return which domains have mail here, waiting or being delivered."""
    board, found = worker.board, set[int]()
    for number, (key, line) in enumerate(list(board.lines.items())):
        if line.active or line.in_flight:
            found.add(_digest(key[2]))
        if not number % _PIECE:
            yield
    counts, routes = board.later.counts, worker.spool.routes
    for number in range(len(counts)):
        if counts[number]:
            found.add(_digest(routes.key(number)[2]))
        if not number % _PIECE:
            yield
    return Domains(found)


def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


@question("resolver")
def resolver(worker: "Parts") -> Counts:
    """Return what this worker has asked name servers, and what it keeps."""
    naming = worker.naming
    found: dict[str, float] = dict(naming.stub.counters)
    found |= {f"cache.{name}": count for name, count in naming.resolver.counters.items()}
    pacer = naming.resolver.pacer
    found |= {f"pacer.{name}": count for name, count in pacer.counters.items()}
    found["pacer.waiting"] = len(pacer)
    found["pacer.limited"] = int(pacer.rate is not None)
    found["pending"] = naming.stub.pending
    found["entries"] = len(naming.resolver)
    found["capacity"] = naming.resolver.keeping.entries
    return Counts(found)
