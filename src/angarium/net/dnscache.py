"""`Resolver`: names to records, from the cache or by asking, each question once.

    answer = resolver.cached_mx("example.com")          at once, None if it is not known
    answer = await resolver.mx("example.com")           an Answer in any case; see its status

Nobody asks a question which is already on its way: all who want it wait for one answer. An answer
is kept as long as it says, within `min_ttl` and `max_ttl`; that there is none (RFC 2308) up to
`negative_ttl`; that nobody could tell for 5 s, doubled with each failure in sequence up to 5
minutes (RFC 9520), so that a dead domain costs nothing. What is over and cannot be refreshed is
served for up to an hour more (RFC 8767): name servers which are away stop no mail that knows its
way. The cache holds `entries` answers; the first to go are those nobody has asked for.
"""

import asyncio
import ipaddress
import socket
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeVar, cast

from angarium.core.clock import Clock
from angarium.net.answer import MAX_ALIASES, Answer, Found, Mx, MxAnswer, Status, read
from angarium.net.dns import Done
from angarium.net.dnsrate import Pacer
from angarium.net.resolvconf import Hosts
from angarium.wire import dns as wire
from angarium.wire.dns import DnsError, Response, Value

T = TypeVar("T")
Key = tuple[str, int]

# Seconds. RFC 9520 section 3.2: at least 1, at most 300, with exponential back-off.
FAILURE_SECONDS: Final = 5.0
MAX_FAILURE_SECONDS: Final = 300.0
# How long failures in sequence are remembered, for their count, after the last one is over.
FAILURE_MEMORY: Final = 600.0
# RFC 8767 section 5: a stale answer is served with a TTL of 30 s. It allows days; mail which goes
# by an address of yesterday may reach whoever has it today, so it is an hour here.
STALE_TTL: Final = 30.0
STALE_SECONDS: Final = 3600.0
# An answer without a word about time (no SOA) is not worth much: RFC 2308 section 5.
UNKNOWN_TTL: Final = 30
# A TTL of 0 lives for this long: those who wait for one answer may use it (RFC 1035 section 3.2.1
# means the transaction in progress).
LEAST_SECONDS: Final = 1.0
PURGE_AT_ONCE: Final = 2000  # answers looked at per tick, about 1 ms
SHRINK_AT_ONCE: Final = 500  # and taken away in one piece
V4_ONLY: Final = (socket.AF_INET,)


class Asker(Protocol):
    """What the cache needs of the stub resolver."""

    def ask(self, name: str, rrtype: int, done: Done) -> None: ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long answers are kept, and how many; seconds. `aliases`: CNAMEs followed to one."""

    entries: int = 100_000
    aliases: int = MAX_ALIASES
    min_ttl: float = 0.0
    max_ttl: float = 4294967295.0
    negative_ttl: float = 60.0
    purge_interval: float = 60.0
    hosts_first: bool = True


DEFAULT_KEEPING: Final = Keeping()


class _Flight:
    """A question on its way, and who waits for it."""

    __slots__ = ("aliases", "authentic", "key", "name", "ttl", "waiters")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.name = key[0]  # asked for now: the end of the CNAMEs so far
        self.aliases = 0
        self.ttl = wire.MAX_TTL
        self.authentic = True
        self.waiters: list[asyncio.Future[Answer[Value]]] = []


class Resolver:
    """The names of a worker. Names are given in any case, with or without a final dot.

    Attributes:
        pacer: where a rate is set for questions about MX records: who lets them out.
    """

    def __init__(
        self,
        stub: Asker,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        keeping: Keeping = DEFAULT_KEEPING,
        hosts: Hosts | None = None,
    ) -> None:
        self._stub = stub
        self._loop = loop
        self._clock = clock
        self.keeping = keeping
        self.hosts = hosts or Hosts()
        self._cache: dict[Key, Answer[Value]] = {}
        self._used: set[Key] = set()  # asked for since they came to the front: a second chance
        self._flights: dict[Key, _Flight] = {}
        self._purging: Iterator[Key] | None = None
        self._purge_at = clock.monotonic() + keeping.purge_interval
        self.pacer = Pacer(loop)
        self.counters: Counter[str] = Counter()  # lookups, hits, stale, evicted, purged

    # What is asked.

    async def mx(self, domain: str) -> MxAnswer:
        """Return the MX records; the A records which stand in for them are the route's matter."""
        return cast(MxAnswer, await self.lookup(domain, wire.MX))

    async def address(self, name: str, families: Collection[int] = V4_ONLY) -> Answer[str]:
        """Return the addresses of the families, in their order; an address is its own."""
        known = self._without_dns(name, families)
        if known is not None:
            return known
        normal = _normal(name)
        answers: list[Answer[Value]] = []
        coming: list[tuple[int, asyncio.Future[Answer[Value]]]] = []
        for place, family in enumerate(families):
            key = (normal, _type_of(family))
            kept = self._kept(key)
            if kept is None:
                coming.append((place, self._awaited(key)))
            else:
                answers.append(kept)
        for place, future in coming:
            answers.insert(place, await future)
        return self._joined(name, families, answers)

    async def txt(self, name: str) -> Answer[bytes]:
        """Return the TXT records, the strings of each one joined."""
        return cast(Answer[bytes], await self.lookup(name, wire.TXT))

    async def ptr(self, address: str) -> Answer[str]:
        """Return the names of an IP address. Raises ValueError if it is none."""
        name = ipaddress.ip_address(address).reverse_pointer
        return cast(Answer[str], await self.lookup(name, wire.PTR))

    async def lookup(self, name: str, rrtype: int) -> Answer[Value]:
        """Return the records of any type; the values are those of `wire.dns`."""
        key = (_normal(name), rrtype)
        return self._kept(key) or await self._awaited(key)

    def cached_mx(self, domain: str) -> MxAnswer | None:
        return cast(MxAnswer | None, self._kept((_normal(domain), wire.MX)))

    def cached_address(self, name: str, families: Collection[int] = V4_ONLY) -> Answer[str] | None:
        known = self._without_dns(name, families)
        if known is not None:
            return known
        name = _normal(name)
        answers = []
        for family in families:
            answer = self._kept((name, _type_of(family)))
            if answer is None:
                return None
            answers.append(answer)
        return self._joined(name, families, answers)

    def cached(self, name: str, rrtype: int) -> Answer[Value] | None:
        return self._kept((_normal(name), rrtype))

    # What the console does.

    def known(self) -> list[Key]:
        """Return the name and type of each answer that is kept."""
        return list(self._cache)

    def peek(self, name: str, rrtype: int) -> Answer[Value] | None:
        """Return an answer as it is kept, over or not; it does not count as a look-up."""
        return self._cache.get((_normal(name), rrtype))

    def purge(self, name: str) -> int:
        """Forget all about a name; return the number of answers forgotten."""
        name = _normal(name)
        keys = [key for key in ((name, each) for each in _ALL_TYPES) if key in self._cache]
        for key in keys:
            self._forget(key)
        return len(keys)

    def clear(self) -> int:
        """Forget everything; return the number of answers forgotten."""
        count = len(self._cache)
        self._cache.clear()
        self._used.clear()
        self._purging = None
        return count

    def submit(self, name: str, rrtype: int) -> None:
        """Ask, without waiting; who asks later finds the answer here."""
        key = (_normal(name), rrtype)
        if key not in self._flights:
            flight = self._flights[key] = _Flight(key)
            self._begin(flight)

    async def refresh(self, name: str, rrtype: int = wire.MX) -> Answer[Value]:
        """Ask anew. What is known stays in use until the answer is there."""
        return await self._awaited((_normal(name), rrtype))

    def shrink(self) -> Iterator[None]:
        """Keep an eighth of what there may be, rather what was asked for lately; a job."""
        least = self.keeping.entries // 8
        for number, key in enumerate(list(self._cache), 1):
            if len(self._cache) <= least:
                return
            if key in self._used:
                self._used.discard(key)
            elif key in self._cache:
                del self._cache[key]
                self.counters["evicted"] += 1
            if not number % SHRINK_AT_ONCE:
                yield

    def tick(self, now: float) -> None:
        """Remove what is over, a slice at a time; called about once a second."""
        if self._purging is None:
            if now < self._purge_at:
                return
            self._purge_at = now + self.keeping.purge_interval
            self._purging = iter(list(self._cache))
        for key in (piece := list(islice(self._purging, PURGE_AT_ONCE))):
            answer = self._cache.get(key)
            if answer is not None and now >= _useful_until(answer):
                self._forget(key)
                self.counters["purged"] += 1
        if len(piece) < PURGE_AT_ONCE:
            self._purging = None

    def __len__(self) -> int:
        return len(self._cache)

    # The cache.

    def _kept(self, key: Key) -> Answer[Value] | None:
        self.counters["lookups"] += 1
        answer = self._cache.get(key)
        if answer is None or answer.expires <= self._clock.monotonic():
            return None
        self.counters["hits"] += 1
        self._used.add(key)
        return answer

    def _keep(self, key: Key, answer: Answer[Value]) -> None:
        cache, used = self._cache, self._used
        cache.pop(key, None)
        while len(cache) >= self.keeping.entries:
            oldest = next(iter(cache))
            if oldest in used:
                used.discard(oldest)
                cache[oldest] = cache.pop(oldest)
            else:
                del cache[oldest]
                self.counters["evicted"] += 1
        cache[key] = answer

    def _forget(self, key: Key) -> None:
        del self._cache[key]
        self._used.discard(key)

    # Questions on their way.

    def _awaited(self, key: Key) -> asyncio.Future[Answer[Value]]:
        future: asyncio.Future[Answer[Value]] = self._loop.create_future()
        flight = self._flights.get(key)
        if flight is not None:
            flight.waiters.append(future)
            return future
        flight = self._flights[key] = _Flight(key)
        flight.waiters.append(future)
        self._begin(flight)
        return future

    def _begin(self, flight: _Flight) -> None:
        if flight.key[1] == wire.MX:
            self.pacer.ask(partial(self._ask, flight))  # The CNAMEs it leads to count as one.
        else:
            self._ask(flight)

    def _ask(self, flight: _Flight) -> None:
        try:
            self._stub.ask(flight.name, flight.key[1], partial(self._answered, flight))
        except DnsError:  # What is no name does not exist.
            found = Found(flight.name, [], None, Status.NXDOMAIN, 0, open=False)
            self._land(flight, self._answer_of(flight, found))

    def _answered(self, flight: _Flight, result: Response | Status) -> None:
        if isinstance(result, Status):
            self._land(flight, self._failed(flight, result))
            return
        found = read(result, flight.name, flight.key[1], self.keeping.aliases - flight.aliases)
        flight.authentic = flight.authentic and result.authentic
        flight.aliases += found.aliases
        flight.name = found.name
        if found.status is Status.SERVFAIL:
            self._land(flight, self._failed(flight, found.status))
        elif found.open:
            if found.ttl is not None:
                flight.ttl = min(flight.ttl, found.ttl)
            self._ask(flight)
        else:
            self._land(flight, self._answer_of(flight, found))

    def _land(self, flight: _Flight, answer: Answer[Value]) -> None:
        del self._flights[flight.key]
        if answer.status is not Status.BUSY:
            self._keep(flight.key, answer)
        for waiter in flight.waiters:
            if not waiter.done():  # Who waited may have been cancelled.
                waiter.set_result(answer)

    def _answer_of(self, flight: _Flight, found: Found) -> Answer[Value]:
        keeping = self.keeping
        ttl = float(min(flight.ttl, UNKNOWN_TTL if found.ttl is None else found.ttl))
        if found.values:
            ttl = min(max(ttl, keeping.min_ttl), keeping.max_ttl)
        else:
            ttl = min(ttl, keeping.negative_ttl)
        expires = self._clock.monotonic() + max(ttl, LEAST_SECONDS)
        if flight.key[1] == wire.MX:
            mx = tuple(sorted(Mx(*each) for each in found.values if isinstance(each, tuple)))
            answer = MxAnswer(found.status, mx, expires, flight.authentic, found.name)
            return cast(Answer[Value], answer)
        values = tuple(found.values)
        return Answer(
            found.status,
            values,
            expires,
            flight.authentic,
            found.name,
            aliases=flight.aliases,
        )

    def _failed(self, flight: _Flight, status: Status) -> Answer[Value]:
        """Return what is served although nobody could tell: the old answer, or the failure."""
        now = self._clock.monotonic()
        before = self._cache.get(flight.key)
        # Only what leads somewhere is served stale: "no such domain" would end mail for good.
        if before is not None and before.records:
            over = before.stale_since or before.expires
            if over > now:  # A refresh failed; what is known is still good.
                return before
            if now < over + STALE_SECONDS:
                self.counters["stale"] += 1
                return replace(before, expires=now + STALE_TTL, stale_since=over)
        failures = 1 + (before.failures if before is not None else 0)
        wait = min(FAILURE_SECONDS * 2.0 ** min(failures - 1, 10), MAX_FAILURE_SECONDS)
        kind: type[Answer[Value]] = Answer
        if flight.key[1] == wire.MX:
            kind = cast(type[Answer[Value]], MxAnswer)
        return kind(status, (), now + wait, name=flight.name, failures=failures)

    # Addresses.

    def _without_dns(self, name: str, families: Collection[int]) -> Answer[str] | None:
        """Return what is an address itself, or stands in the hosts file."""
        if name[-1:].isdigit() or ":" in name:
            try:
                address = ipaddress.ip_address(name)
            except ValueError:
                pass
            else:
                family = socket.AF_INET if address.version == 4 else socket.AF_INET6
                return self._local(name, (str(address),) if family in families else ())
        if len(self.hosts) == 0 or not self.keeping.hosts_first:
            return None
        found = self._in_hosts(name, families)
        return self._local(name, found) if found else None

    def _in_hosts(self, name: str, families: Collection[int]) -> tuple[str, ...]:
        name = _normal(name)
        return tuple(
            address
            for family in families
            for address in self.hosts.addresses(name, v6=family == socket.AF_INET6)
        )

    def _local(self, name: str, addresses: tuple[str, ...]) -> Answer[str]:
        status = Status.NOERROR if addresses else Status.NODATA
        return Answer(status, addresses, self._clock.monotonic() + STALE_TTL, name=name)

    def _joined(
        self, name: str, families: Collection[int], answers: list[Answer[Value]]
    ) -> Answer[str]:
        """Make one answer of those for each family.

        With an address of one family the failure of another is no failure. Without any, a
        temporary failure counts: what could not be asked might have been there.
        """
        if len(answers) == 1 and (answers[0].records or self.keeping.hosts_first):
            return cast(Answer[str], answers[0])
        good = [each for each in answers if each.records]
        if not good and not self.keeping.hosts_first:
            found = self._in_hosts(name, families)
            if found:
                return self._local(name, found)
        if not good:
            return cast(Answer[str], max(answers, key=_weight))
        return Answer(
            Status.NOERROR,
            tuple(cast(str, record) for each in good for record in each.records),
            min(each.expires for each in answers),
            all(each.authentic for each in good),
            good[0].name,
            stale_since=max(each.stale_since for each in good),
        )


_ALL_TYPES: Final = tuple(wire.TYPES.values())
_WEIGHTS: Final = (
    Status.NXDOMAIN, Status.NODATA, Status.SERVFAIL, Status.TIMEOUT, Status.BUSY,
)  # fmt: skip


def _type_of(family: int) -> int:
    return wire.AAAA if family == socket.AF_INET6 else wire.A


def _weight(answer: Answer[Value]) -> int:
    return _WEIGHTS.index(answer.status)


def _normal(name: str) -> str:
    return name.lower().removesuffix(".") if len(name) > 1 else name


def _useful_until(answer: Answer[Value]) -> float:
    if answer.temporary:
        return answer.expires + FAILURE_MEMORY
    over = answer.stale_since or answer.expires
    return over + STALE_SECONDS if answer.records else over
