"""What a worker knows of the hosts of a domain."""

from typing import TYPE_CHECKING

import msgspec

from angarium.console.question import question

if TYPE_CHECKING:
    from angarium.console.parts import Parts


class Host(msgspec.Struct, frozen=True):
    """A mail server; its addresses, with seconds for which each is left alone, as it failed."""

    preference: int
    name: str
    ttl: float
    addresses: list[tuple[str, float]]


class Domain(msgspec.Struct, frozen=True):
    """A domain as one worker sees it. `known`: its mail servers are in the cache."""

    known: bool
    ttl: float
    hosts: list[Host]
    failures: int

    def __add__(self, other: "Domain") -> "Domain":
        """Return what two workers know: what the one has who asked last."""
        newest = max(self, other, key=lambda each: (each.known, each.ttl))
        return Domain(newest.known, newest.ttl, newest.hosts, max(self.failures, other.failures))


@question("domain hosts")
def hosts(worker: "Parts", domain: str) -> Domain:
    """Return what the cache has, and failures to connect in a row."""
    resolver, paused = worker.naming.resolver, worker.pool.dialer.hosts
    now = worker.clock.monotonic()
    failures = 0
    for line in list(worker.board.lines.values()):
        if line.domain == domain:
            failures = max(failures, line.failures)
    answer = resolver.cached_mx(domain)
    if answer is None:
        return Domain(False, 0.0, [], failures)
    found = []
    for each in answer.records:
        addresses = resolver.cached_address(each.host)
        records = () if addresses is None else addresses.records
        ttl = 0.0 if addresses is None else addresses.ttl(now)
        rests = [(one, max(0.0, paused.paused_until(one, "") - now)) for one in records]
        found.append(Host(each.preference, each.host, ttl, rests))
    return Domain(True, answer.ttl(now), found, failures)
