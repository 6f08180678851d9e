"""What a worker knows of the hosts of a domain."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.net.answer import Mx
from angarium.net.tlspolicy import dane
from angarium.wire import dns as wire

if TYPE_CHECKING:
    from angarium.console.parts import Parts

MOST: Final = 100  # other domains of a host which are named
_PIECE: Final = 1000  # answers of the cache, or lines, in a step


class Address(msgspec.Struct, frozen=True):
    """An address of a mail server; everything in seconds, 0.0 where it is not known.

    Attributes:
        rest: for which it is left alone, as it failed; `failed`: since it did so last.
        connect: until it greets us, `delivery`: for a message; averages, the newest counts most.
    """

    address: str
    rest: float = 0.0
    failed: float = 0.0
    connect: float = 0.0
    delivery: float = 0.0


class Tlsa(msgspec.Struct, frozen=True):
    """The TLSA records of a mail server, as a zone file has them."""

    name: str
    ttl: float
    secure: bool
    records: list[str]


class Host(msgspec.Struct, frozen=True):
    """A mail server.

    Attributes:
        others: domains which have it too, with their preference.
        secure: DNSSEC vouches for its address.
        tlsa: None if nobody has asked for them, or there are none.
    """

    preference: int
    name: str
    ttl: float
    addresses: list[Address]
    others: list[tuple[str, int]] = []
    secure: bool = False
    tlsa: Tlsa | None = None


class Domain(msgspec.Struct, frozen=True):
    """A domain as one worker sees it.

    Attributes:
        known: its mail servers are in the cache.
        secure: DNSSEC vouches for them.
    """

    known: bool
    ttl: float
    hosts: list[Host]
    failures: int
    secure: bool = False

    def __add__(self, other: "Domain") -> "Domain":
        """Return what two workers know: what the one has who asked last."""
        newest = max(self, other, key=lambda each: (each.known, each.ttl))
        failures = max(self.failures, other.failures)
        return msgspec.structs.replace(newest, failures=failures)


@question("domain hosts")
def hosts(worker: "Parts", domain: str) -> Generator[None, None, Domain]:
    """Return what the cache has, and failures to connect in a row."""
    failures = 0
    for number, line in enumerate(list(worker.board.lines.values()), 1):
        if line.domain == domain:
            failures = max(failures, line.failures)
        if not number % _PIECE:
            yield None
    resolver, now = worker.naming.resolver, worker.clock.monotonic()
    answer = resolver.cached_mx(domain)
    if answer is None:
        return Domain(False, 0.0, [], failures)
    others = yield from _others(worker, domain, {each.host for each in answer.records})
    found = []
    for each in answer.records:
        kept = resolver.cached_address(each.host)
        records = () if kept is None else kept.records
        ttl = 0.0 if kept is None else kept.ttl(now)
        addresses = [_address(worker, one, now) for one in records]
        secure = kept is not None and kept.authentic
        tlsa = _tlsa(worker, each.host, now)
        found.append(
            Host(each.preference, each.host, ttl, addresses, others[each.host], secure, tlsa)
        )
    return Domain(True, answer.ttl(now), found, failures, answer.authentic)


def _tlsa(worker: "Parts", host: str, now: float) -> Tlsa | None:
    """Return the records by which DANE knows a mail server, if they are in the cache."""
    name = f"_25._tcp.{host}"
    answer = worker.naming.resolver.peek(name, wire.TLSA)
    if answer is None or not answer.records:
        return None
    octets = [each for each in answer.records if isinstance(each, bytes)]
    found = [str(each) for each in dane.records(octets)]
    return Tlsa(name, answer.ttl(now), answer.authentic, found)


def _others(
    worker: "Parts", domain: str, names: set[str]
) -> Generator[None, None, dict[str, list[tuple[str, int]]]]:
    """Return which other domains of the cache have the same mail servers."""
    resolver = worker.naming.resolver
    found: dict[str, list[tuple[str, int]]] = {each: [] for each in names}
    for number, (name, kind) in enumerate(resolver.known(), 1):
        if kind == wire.MX and name != domain and (answer := resolver.peek(name, kind)) is not None:
            for each in answer.records:
                if isinstance(each, Mx) and each.host in names:
                    found[each.host].append((name, each.preference))
        if not number % _PIECE:
            yield None
    return {name: sorted(each)[:MOST] for name, each in found.items()}


def _address(worker: "Parts", address: str, now: float) -> Address:
    known = worker.pool.dialer.hosts
    rest = max(0.0, known.paused_until(address, "") - now)
    pace = known.pace(address)
    if pace is None:
        return Address(address, rest)
    failed = now - pace.failed_at if pace.failed_at else 0.0
    return Address(address, rest, failed, pace.connect, pace.delivery)
