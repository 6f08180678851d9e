"""What a worker knows of names in DNS, and what it is to ask. Each has a cache of its own."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.sums import Counts, Page
from angarium.wire import dns as wire

if TYPE_CHECKING:
    from angarium.console.parts import Parts
    from angarium.net.answer import Answer
    from angarium.wire.dns import Value

_PIECE: Final = 500  # answers looked at in one step
_NAMES: Final = {number: name for name, number in wire.TYPES.items()}
AT_ONCE: Final = 100  # questions sent between two pauses


class Kept(msgspec.Struct, frozen=True):
    """An answer in the cache; of several workers the one which lasts longest.

    `status` is a name of `net.answer.Status`; `stale`: it is over, and used for want of a new one.
    """

    found: bool = False
    status: str = ""
    records: list[str] = []
    ttl: float = 0.0
    stale: bool = False
    authentic: bool = False
    failures: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return max(self, other, key=lambda each: (each.found, each.ttl))


class Held(msgspec.Struct, frozen=True, order=True):
    """An answer in the cache of a worker: its name, type, and the seconds it lasts."""

    name: str
    type: str
    ttl: int


@question("names kept")
def kept(worker: "Parts", name: str, rrtype: int) -> Kept:
    """Return what is in the cache; nobody is asked."""
    answer, now = worker.naming.resolver.peek(name, rrtype), worker.clock.monotonic()
    if answer is None or answer.expires <= now:
        return Kept()
    return told(answer, now)


def told(answer: "Answer[Value]", now: float) -> Kept:
    """Return an answer as it is sent."""
    return Kept(
        True,
        answer.status.name,
        [shown(each) for each in answer.records],
        answer.ttl(now),
        bool(answer.stale_since),
        answer.authentic,
        answer.failures,
    )


def shown(record: object) -> str:
    """Return the data of a record as `dig` writes it."""
    if isinstance(record, bytes):
        return '"' + record.decode("ascii", "backslashreplace").replace('"', '\\"') + '"'
    if isinstance(record, tuple):
        return " ".join(map(str, record))
    return str(record)


@question("names submitted")
def submitted(worker: "Parts", name: str, rrtype: int) -> Counts:
    """Ask, without waiting."""
    worker.naming.resolver.submit(name, rrtype)
    return Counts({"submitted": 1})


@question("names refreshed")
def refreshed(worker: "Parts", domain: str = "") -> Generator[None, None, Counts]:
    """Ask anew for the MX records of a domain, or of all whose are known; say for how many."""
    resolver = worker.naming.resolver
    names = [domain] if domain else [name for name, kind in resolver.known() if kind == wire.MX]
    for number, name in enumerate(names):
        resolver.submit(name, wire.MX)
        if not number % AT_ONCE:
            yield
    return Counts({"refreshed": len(names)})


@question("names held")
def held(worker: "Parts", limit: int) -> Generator[None, None, Page[Held]]:
    """Return what is in the cache, by name."""
    resolver, now, found = worker.naming.resolver, worker.clock.monotonic(), list[Held]()
    for number, (name, kind) in enumerate(resolver.known()):
        answer = resolver.peek(name, kind)
        if answer is not None and (left := answer.ttl(now)):
            found.append(Held(name, _NAMES.get(kind, str(kind)), int(left)))
        if not number % _PIECE:
            yield
    found.sort()
    return Page(found[:limit], limit, len(found))
