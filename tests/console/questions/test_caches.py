"""The caches of a worker."""

from collections import Counter
from types import SimpleNamespace

from angarium.console.questions.caches import Cache, caches
from angarium.data.cache import Counted


class Kept:
    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)

    def __len__(self) -> int:
        return 3


def test_each_cache_says_how_it_is_used() -> None:
    resolver = Kept(
        keeping=SimpleNamespace(entries=10), counters=Counter(lookups=9, hits=4, evicted=1)
    )
    counted = Counted(loads=9, hits=4, joined=2, stores=3, forced=1, expired=2)
    source = Kept(size=7, counted=counted)
    part = SimpleNamespace(
        naming=SimpleNamespace(resolver=resolver),
        pool=SimpleNamespace(
            dialer=SimpleNamespace(
                hosts=Kept(most=5),
                securing=SimpleNamespace(clients=SimpleNamespace(sizes=((1, 2), (3, 4)))),
            )
        ),
        datasources=SimpleNamespace(sources={"users": SimpleNamespace(cache=source)}),
    )
    rows = caches.function(part).rows
    assert rows["dns"] == Cache(10, 3, 9, 4, 5, 0, 1)
    assert rows["dns"].misses == 5
    assert rows["ds_core:users"] == Cache(7, 3, 9, 4, 3, 2, 0, 1, 2)
    assert rows["ds_core:users"].misses == 3
    assert rows["resting hosts"] == Cache(5, 3)
    assert (rows["tls contexts"], rows["tls sessions"]) == (Cache(2, 1), Cache(4, 3))
    assert (rows["dns"] + rows["dns"]).entries == 6
