"""`Cache`: what queries found."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.data.cache import Cache
from angarium.data.rows import Columns, Row, Rows
from helpers.clock import FakeClock


def found(text: str = "x") -> Rows:
    return (Row(Columns(["a"]), [text]),)


def test_what_is_over_is_not_known_any_more() -> None:
    clock = FakeClock()
    cache = Cache(clock, 10, 100_000)
    cache.put("k", found(), 60.0, 1)
    assert cache.get("k") == found()
    clock.advance(60)
    assert cache.get("k") is None
    counted = cache.counted
    assert (counted.loads, counted.hits, counted.stores, counted.expired) == (2, 1, 1, 1)
    assert (len(cache), cache.held) == (0, 0)


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = Cache(FakeClock(), 2, 100_000)
    cache.put("a", found(), 60.0, 1)
    cache.put("b", found(), 60.0, 1)
    cache.get("a")
    cache.put("c", found(), 60.0, 1)
    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]
    assert cache.counted.lru == 1


def test_octets_are_bounded_and_a_large_result_is_not_kept_at_all() -> None:
    cache = Cache(FakeClock(), 1000, 10_000)
    cache.put("large", found("x" * 3000), 60.0, 1)
    assert len(cache) == 0
    for key in range(100):
        cache.put(key, found("x" * 500), 60.0, 1)
    assert 5 < len(cache) < 20
    assert cache.held <= 10_000
    cache.octets = 2000
    cache.fit()
    assert cache.held <= 2000


def test_nothing_is_kept_for_no_time_or_in_no_room() -> None:
    cache = Cache(FakeClock(), 10, 100_000)
    cache.put("k", found(), 0.0, 1)
    assert len(cache) == 0
    cache.size = 0
    cache.put("k", found(), 60.0, 1)
    assert len(cache) == 0


def test_what_is_over_leaves_the_memory_without_being_asked_for() -> None:
    clock = FakeClock()
    cache = Cache(clock, 5000, 10_000_000)
    for key in range(1200):
        cache.put(key, found(), 60.0 if key % 2 else 600.0, 1)
    clock.advance(100)
    for _ in range(6):
        cache.tick()
    assert len(cache) == 600


def test_memory_is_given_back_in_pieces() -> None:
    cache = Cache(FakeClock(), 5000, 10_000_000)
    for key in range(2100):
        cache.put(key, found(), 60.0, 1)
    assert len(list(cache.shrink())) == 3
    assert len(cache) == 1050
    assert cache.clear() == 1050
    assert (len(cache), cache.held, cache.counted.forced) == (0, 0, 1050)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 900), st.booleans()), max_size=60))
def test_octets_held_are_those_of_what_is_kept(steps: list[tuple[int, int, bool]]) -> None:
    clock = FakeClock()
    cache = Cache(clock, 5, 6000)
    for key, size, later in steps:
        cache.put(key, found("x" * size), 5.0, size)
        if later:
            clock.advance(2.0)
        cache.get(key)
        cache.tick()
        assert len(cache) <= 5
        assert 0 <= cache.held <= 6000
    cache.clear()
    assert cache.held == 0
