"""What outbound_audit has counted; each worker knows all of it."""

from itertools import islice
from typing import TYPE_CHECKING, Literal

import msgspec

from angarium.console.question import QuestionError, question
from angarium.policy.shared.monitors import (
    GLOBAL,
    Outbound,
    listed,
    outbound,
    outbound_instances,
)
from angarium.policy.shared.told import Number, octets, text

if TYPE_CHECKING:
    from angarium.console.parts import Parts

ALL = "*"


class OutcomeRow(msgspec.Struct, frozen=True):
    """What became of mail for a domain in a window of so many seconds."""

    domain: str
    interval: int
    window: int
    received: Number
    delivered: Number
    seconds: Number  # on average
    transient: Number
    permanent: Number


@question("outcomes")
def outcomes(worker: "Parts", domain: str, limit: int) -> list[OutcomeRow]:
    """Return what was counted for a domain, "" for all of those, "*" for all mail together."""
    rows: list[OutcomeRow] = []
    for each in _counted(worker):
        keys = [octets(domain)] if domain else sorted(_domains(each))
        for key in islice(keys, limit):
            rows += _rows(each, key, domain or text(key))
    return rows


@question("outcome domains")
def domains(worker: "Parts", limit: int) -> list[str]:
    """Return the domains for which something was counted."""
    found = sorted({text(key) for each in _counted(worker) for key in _domains(each)})
    return found[:limit]


@question("outcomes clear")
def clear(worker: "Parts", domain: str) -> int:
    """Forget what was counted for a domain, or with "" for all; return for how many."""
    cleared = set()
    for each in _counted(worker):
        for series in each.series.values():
            for key in [octets(domain)] if domain else series.keys():
                series.remove(key)
                cleared.add(key)
    return len(cleared)


@question("outcomes list")
def change(worker: "Parts", act: Literal["add", "delete"], domain: str) -> int:
    """Count for a domain from now on, or not any more; return in how many instances."""
    instances = outbound_instances(worker.shared)
    if not instances:
        raise QuestionError("outbound_audit has no monitors")
    for each in instances:
        listed(worker.shared, each).set(octets(domain.lower()), act == "add")
    return len(instances)


def _counted(worker: "Parts") -> list[Outbound]:
    shared = worker.shared
    found = [one for each in outbound_instances(shared) for one in outbound(shared, each)]
    if not found:
        raise QuestionError("outbound_audit has no monitors")
    return found


def _domains(counted: Outbound) -> set[bytes]:
    keys = set().union(*(series.keys() for series in counted.series.values()))
    return keys - {GLOBAL}


def _rows(counted: Outbound, key: bytes, name: str) -> list[OutcomeRow]:
    found = []
    for window, row in enumerate(counted.rows(key)):
        received, delivered, seconds, transient, permanent = row
        mean = seconds / delivered if delivered else 0.0
        found.append(
            OutcomeRow(
                name, counted.interval, window, received, delivered, mean, transient, permanent
            )
        )
    return found
