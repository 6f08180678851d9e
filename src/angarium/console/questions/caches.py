"""The caches of a worker, and how they are used."""

from typing import TYPE_CHECKING

import msgspec

from angarium.console.question import question
from angarium.console.sums import Table
from angarium.wire.smtp_grammar import domains_kept

if TYPE_CHECKING:
    from angarium.console.parts import Parts
    from angarium.data.cache import Cache as SourceCache


class Cache(msgspec.Struct, frozen=True):
    """Numbers of a cache; of several workers together.

    `loads`: times something was looked for; `joined`: and was on its way already. `expired`, `lru`
    and `forced`: entries which went because their time was over, because others needed the room,
    or because somebody said so.
    """

    capacity: int
    entries: int
    loads: int = 0
    hits: int = 0
    stores: int = 0
    expired: int = 0
    lru: int = 0
    forced: int = 0
    joined: int = 0

    def __add__(self, other: "Cache") -> "Cache":
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Cache(*(one + two for one, two in pairs))

    @property
    def misses(self) -> int:
        return self.loads - self.hits - self.joined


def of_source(cache: "SourceCache") -> Cache:
    """Return the numbers of the cache of a datasource."""
    counted = cache.counted
    return Cache(
        cache.size, len(cache), counted.loads, counted.hits, counted.stores,
        counted.expired, counted.lru, counted.forced, counted.joined,
    )  # fmt: skip


@question("caches")
def caches(worker: "Parts") -> Table[Cache]:
    """Return each cache by its name."""
    resolver = worker.naming.resolver
    counts = resolver.counters
    loads, hits = counts["lookups"], counts["hits"]
    kept = domains_kept()
    hosts = worker.pool.dialer.hosts
    sources = worker.datasources.sources
    return Table(
        {
            **{f"ds_core:{name}": of_source(source.cache) for name, source in sources.items()},
            "dns": Cache(
                resolver.keeping.entries, len(resolver), loads, hits, loads - hits,
                counts["purged"], counts["evicted"],
            ),
            "domain names": Cache(
                kept.maxsize or 0, kept.currsize, kept.hits + kept.misses, kept.hits, kept.misses
            ),
            "resting hosts": Cache(hosts.most, len(hosts)),
            **_of_tls(worker),
        }
    )  # fmt: skip


def _of_tls(worker: "Parts") -> dict[str, Cache]:
    """Return what is kept about TLS to hosts."""
    securing = worker.pool.dialer.securing
    if securing is None:
        return {}
    (contexts, most_contexts), (sessions, most_sessions) = securing.clients.sizes
    return {
        "tls contexts": Cache(most_contexts, contexts),
        "tls sessions": Cache(most_sessions, sessions),
    }
