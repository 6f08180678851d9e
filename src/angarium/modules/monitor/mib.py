"""The objects which are read by SNMP, as a sorted table of numbers: who asks for the next one, gets
the next one. Nothing of the protocol is here.

What is served: `system` of RFC 3418, `applTable` of RFC 2788 and the tables of RFC 2789 (MTA-MIB),
and below 1.3.6.1.4.1.19552 what Momentum's agent has, by the same numbers. docs/mib has the file.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Oid = tuple[int, ...]
Type = Literal["integer", "counter", "gauge", "text", "ticks", "oid"]
Value = int | str | Oid


@dataclass(frozen=True, slots=True)
class Object:
    """A value and its type."""

    type: Type
    value: Value


SYSTEM: Final[Oid] = (1, 3, 6, 1, 2, 1, 1)
APPLICATION: Final[Oid] = (1, 3, 6, 1, 2, 1, 27, 1, 1)
MTA: Final[Oid] = (1, 3, 6, 1, 2, 1, 28, 1, 1)
MTA_GROUP: Final[Oid] = (1, 3, 6, 1, 2, 1, 28, 2, 1)
ECELERITY: Final[Oid] = (1, 3, 6, 1, 4, 1, 19552, 1)
PRODUCT, DOMAINS, GROUPS = (*ECELERITY, 1), (*ECELERITY, 2), (*ECELERITY, 3)
TRAPS, UNLINK = (*ECELERITY, 4), (*ECELERITY, 5)
UNLINKED: Final = (3, 4, 5, 7)  # message, header, body, overlay; 6 is the large ones

ALL: Final = "none/all"
INDEX: Final = 1  # of this server in the tables of applications: there is only one
_COUNTER: Final = 1 << 32
_GAUGE: Final = (1 << 32) - 1
_INTEGER: Final = (1 << 31) - 1
SMTP: Final[Oid] = (1, 3, 6, 1, 2, 1, 27, 4, 25)  # applTCPProtoID 25, RFC 2788
APPLICATION_LAYER: Final = 64 + 8  # sysServices: applications, and end to end
MAX_TEXT: Final = 255  # DisplayString


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, and what has been."""

    active: int = 0
    delayed: int = 0
    connections: int = 0
    received: int = 0
    failed: int = 0
    delivered: int = 0
    deferred: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A binding; `name` is "group/binding", "none" for the group of those without one."""

    name: str
    counts: Waiting


@dataclass(frozen=True, slots=True)
class Line:
    """A domain on a binding; `group` is the number of its row, from 0."""

    domain: str
    group: int
    counts: Waiting


@dataclass(frozen=True, slots=True)
class Facts:
    """What the objects are made of; `rows` begins with the sum of all."""

    host: str = ""
    version: str = ""
    built: str = ""
    description: str = ""
    contact: str = ""
    location: str = ""
    uptime: float = 0.0
    sessions: int = 0
    rejected: int = 0
    rows: Sequence[Row] = ()
    lines: Sequence[Line] = field(default_factory=tuple)


def counter(value: float) -> Object:
    return Object("counter", int(value) % _COUNTER)


def gauge(value: float) -> Object:
    return Object("gauge", min(max(int(value), 0), _GAUGE))


def integer(value: float) -> Object:
    return Object("integer", min(max(int(value), 0), _INTEGER))


def text(value: str) -> Object:
    return Object("text", value[:MAX_TEXT])


def ticks(seconds: float) -> Object:
    return Object("ticks", int(seconds * 100) % _COUNTER)


def objects(facts: Facts) -> dict[Oid, Object]:
    """Return all objects by their numbers."""
    found: dict[Oid, Object] = {}
    found.update(_system(facts))
    total = facts.rows[0].counts if facts.rows else Waiting()
    found.update(_application(facts, total))
    found.update(_mta(total))
    for number, row in enumerate(facts.rows, 1):
        found.update(_mta_group(number, row))
        found.update(_group(number, row))
    for line in facts.lines:
        found.update(_domain(line))
    found.update(_product(facts))
    found.update(_unlink())
    return found


def _system(facts: Facts) -> Mapping[Oid, Object]:
    description = facts.description or f"Angarium {facts.version} on {facts.host}"
    return {
        (*SYSTEM, 1, 0): text(description),
        (*SYSTEM, 2, 0): Object("oid", ECELERITY),
        (*SYSTEM, 3, 0): ticks(facts.uptime),
        (*SYSTEM, 4, 0): text(facts.contact),
        (*SYSTEM, 5, 0): text(facts.host),
        (*SYSTEM, 6, 0): text(facts.location),
        (*SYSTEM, 7, 0): integer(APPLICATION_LAYER),
    }


def _product(facts: Facts) -> Mapping[Oid, Object]:
    return {
        (*PRODUCT, 1, 0): text("Angarium"),
        (*PRODUCT, 2, 0): text(facts.version),
        (*PRODUCT, 3, 0): text(facts.built),
    }


def _application(facts: Facts, total: Waiting) -> Mapping[Oid, Object]:
    columns = {
        2: text("Angarium"),
        4: text(facts.version),
        5: Object("ticks", 0),  # up since sysUpTime was 0
        6: integer(1),  # up
        7: Object("ticks", 0),
        8: gauge(facts.sessions),
        9: gauge(total.connections),
    }
    return {(*APPLICATION, column, INDEX): each for column, each in columns.items()}


def _mta(total: Waiting) -> Mapping[Oid, Object]:
    # A message of ours is one recipient's: that is what queues and counts are of.
    columns = {
        1: counter(total.received),
        2: gauge(total.active + total.delayed),
        3: counter(total.delivered),
        7: counter(total.received),
        8: gauge(total.active + total.delayed),
        9: counter(total.delivered),
    }
    return {(*MTA, column, INDEX): each for column, each in columns.items()}


def _mta_group(number: int, row: Row) -> Mapping[Oid, Object]:
    counts = row.counts
    columns = {
        2: counter(counts.received),
        4: gauge(counts.active + counts.delayed),
        5: counter(counts.delivered),
        9: counter(counts.received),
        10: gauge(counts.active + counts.delayed),
        11: counter(counts.delivered),
        14: gauge(counts.connections),
        24: Object("oid", SMTP),
        25: text(row.name),
    }
    return {(*MTA_GROUP, column, INDEX, number): each for column, each in columns.items()}


def _group(number: int, row: Row) -> Mapping[Oid, Object]:
    counts = row.counts
    return {
        (*GROUPS, 1, number): counter(counts.active),
        (*GROUPS, 2, number): counter(counts.delayed),
        (*GROUPS, 3, number): counter(counts.failed),
        (*GROUPS, 4, number): text(row.name),
    }


def domain_oid(domain: str, metric: int, group: int) -> Oid:
    """Return the number of a domain's metric: its length, its octets, the metric, the group."""
    octets = domain.encode()
    return (*DOMAINS, len(octets), *octets, metric, group)


def _domain(line: Line) -> Mapping[Oid, Object]:
    counts = line.counts
    metrics = (
        text(line.domain),
        counter(counts.received),
        counter(counts.failed),
        counter(counts.delivered),
        counter(counts.deferred),
        gauge(counts.connections),
        gauge(counts.active),
        gauge(counts.delayed),
    )
    prefix = domain_oid(line.domain, 0, line.group)[:-2]
    return {(*prefix, metric, line.group): each for metric, each in enumerate(metrics)}


def _unlink() -> Mapping[Oid, Object]:
    # A message is a record in a log, with its header and all: there is no file to remove for one,
    # so nothing is ever submitted. Large contents are files; nobody counts their removal.
    found = {(*UNLINK, column, 0): integer(0) for column in (1, 2)}
    return found | {
        (*UNLINK, group, column, 0): integer(0) for group in UNLINKED for column in (1, 2, 3)
    }


class Table:
    """Objects in the order of their numbers."""

    def __init__(self, found: Mapping[Oid, Object]) -> None:
        self._objects = found
        self._order = sorted(found)

    def get(self, oid: Oid) -> Object | None:
        return self._objects.get(oid)

    def has_below(self, oid: Oid) -> bool:
        """Say whether an object of this kind exists: of the same column, or the same scalar."""
        at = bisect_right(self._order, oid[:-1])
        return at < len(self._order) and self._order[at][: len(oid) - 1] == oid[:-1]

    def after(self, oid: Oid) -> tuple[Oid, Object] | None:
        """Return the first object behind a number; None at the end."""
        at = bisect_right(self._order, oid)
        if at == len(self._order):
            return None
        found = self._order[at]
        return found, self._objects[found]

    def __len__(self) -> int:
        return len(self._order)
