import pytest

from angarium.policy.shared.gauges import GaugeCache
from angarium.policy.shared.told import Means, Stamps
from helpers.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def made(clock: FakeClock, most: int = 3, ttl: int = 60, number: int = 0) -> GaugeCache:
    return GaugeCache("g", most, ttl, Means(clock, Stamps(clock, number), lambda _table: None))


def test_an_entry_rises_and_falls(clock: FakeClock) -> None:
    gauge = made(clock)
    assert gauge.get(b"a") == 0
    gauge.add(b"a", 1)
    gauge.add(b"a", 1)
    gauge.add(b"a", -1)
    assert gauge.get(b"a") == 1


def test_an_entry_ends_so_long_after_its_last_change(clock: FakeClock) -> None:
    gauge = made(clock)
    gauge.add(b"a", 1)
    clock.advance(59)
    gauge.add(b"a", 1)
    clock.advance(59)
    assert gauge.get(b"a") == 2
    clock.advance(2)
    assert gauge.get(b"a") == 0
    assert (len(gauge), gauge.expired) == (0, 1)


def test_a_full_cache_drops_who_was_changed_the_longest_ago(clock: FakeClock) -> None:
    gauge = made(clock)
    for key in (b"a", b"b", b"c"):
        gauge.add(key, 1)
        clock.advance(1)
    gauge.add(b"a", 1)
    gauge.add(b"d", 1)
    assert gauge.items() == {b"a": 2, b"c": 1, b"d": 1}
    assert gauge.evicted == 1


def test_a_removed_entry_is_gone(clock: FakeClock) -> None:
    gauge = made(clock)
    gauge.add(b"a", 5)
    gauge.remove(b"a")
    assert gauge.get(b"a") == 0
    gauge.add(b"a", 1)
    assert gauge.get(b"a") == 1


def test_workers_count_together_and_forget_together(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    one.add(b"a", 2)
    two.add(b"a", 3)
    two.merge((0, 1), one.changes())
    one.merge((1, 1), two.changes())
    assert one.get(b"a") == two.get(b"a") == 5
    clock.advance(1)
    two.remove(b"a")
    one.merge((1, 1), two.changes())
    assert one.get(b"a") == two.get(b"a") == 0
    one.add(b"b", 1)
    told = one.changes()
    clock.advance(61)
    two.merge((0, 1), told)
    assert two.get(b"b") == 0


def test_what_a_worker_has_changed_lives_on_with_the_others(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    two.add(b"a", 3)
    one.merge((1, 1), two.changes())
    new = made(clock, number=2)
    for origin, entries in one.others():
        new.merge(origin, entries, hearsay=True)
    assert new.get(b"a") == 3
    assert list(one.own()) == []


def test_the_cache_of_a_worker_which_is_told_much_stays_bounded(clock: FakeClock) -> None:
    one, two = made(clock, most=100), made(clock, most=3, number=1)
    for number in range(50):
        one.add(b"%d" % number, 1)
    two.merge((0, 1), one.changes())
    assert len(two) == 3
