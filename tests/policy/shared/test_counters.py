import pytest

from angarium.policy.shared.counters import MAX_NAME, RELAXED, CounterError, Counters
from angarium.policy.shared.told import Means, Stamps
from helpers.clock import START, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def made(clock: FakeClock, number: int = 0, most: int = 10) -> Counters:
    return Counters(Means(clock, Stamps(clock, number), lambda _table: None), most)


def test_an_unknown_counter_is_made_when_it_is_added_to(clock: FakeClock) -> None:
    counters = made(clock)
    assert counters.read(b"/a") == 0
    assert b"/a" not in counters
    counters.add(b"/a", 3)
    counters.add(b"/a", -1)
    [(name, value, about)] = counters.items()
    assert (name, value, about.semantics, about.since) == (b"/a", 2, 0, START)


def test_a_counter_is_what_who_made_it_said(clock: FakeClock) -> None:
    counters = made(clock)
    counters.open(b"/a", RELAXED)
    counters.open(b"/a")
    assert counters.items()[0][2].semantics == RELAXED


def test_a_reset_counts_from_zero_since_then(clock: FakeClock) -> None:
    counters = made(clock)
    counters.add(b"/a", 3)
    clock.advance(10)
    counters.reset(b"/a")
    [(_, value, about)] = counters.items()
    assert value == 0
    assert about.since == pytest.approx(START + 10)


def test_an_unlinked_counter_is_not_there_and_may_be_made_again(clock: FakeClock) -> None:
    counters = made(clock)
    counters.add(b"/a", 3)
    assert counters.unlink(b"/a")
    assert not counters.unlink(b"/a")
    assert counters.items() == []
    counters.add(b"/a", 1)
    assert counters.read(b"/a") == 1


def test_counters_are_bounded_in_number_and_name(clock: FakeClock) -> None:
    counters = made(clock, most=2)
    counters.add(b"/a", 1)
    counters.add(b"/b", 1)
    with pytest.raises(CounterError, match="no more"):
        counters.add(b"/c", 1)
    with pytest.raises(CounterError, match="octets"):
        counters.open(b"x" * (MAX_NAME + 1))
    other = made(clock, 1, most=1)
    other.merge((0, 1), counters.changes())
    assert len(other.items()) == 1


def test_workers_count_together_and_a_reset_is_for_all(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, 1)
    one.add(b"/a", 2)
    two.add(b"/a", 3)
    two.merge((0, 1), one.changes())
    one.merge((1, 1), two.changes())
    assert one.read(b"/a") == two.read(b"/a") == 5
    clock.advance(1)
    one.reset(b"/a")
    two.merge((0, 1), one.changes())
    assert one.read(b"/a") == two.read(b"/a") == 0
    two.add(b"/a", 1)
    one.merge((1, 1), two.changes())
    assert one.read(b"/a") == two.read(b"/a") == 1


def test_what_is_unlinked_is_unlinked_for_all(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, 1)
    one.add(b"/a", 2)
    two.merge((0, 1), one.changes())
    two.unlink(b"/a")
    one.merge((1, 1), two.changes())
    assert one.items() == two.items() == []


def test_names_which_come_and_go_take_no_more_memory(clock: FakeClock) -> None:
    counters = made(clock)
    for number in range(30_000):
        counters.add(b"%d" % number, 1)
        counters.unlink(b"%d" % number)
        counters.changes()
    assert len(counters._stamped) <= 20_020


def test_a_new_worker_is_told_all(clock: FakeClock) -> None:
    one, two, new = made(clock), made(clock, 1), made(clock, 2)
    one.add(b"/a", 2)
    two.add(b"/a", 3)
    one.merge((1, 1), two.changes())
    for entries in one.own():
        new.merge((0, 1), entries)
    for origin, entries in one.others():
        new.merge(origin, entries, hearsay=True)
    assert new.read(b"/a") == 5
