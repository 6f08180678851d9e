import pytest

from angarium.policy.shared.told import Means, Stamps
from angarium.policy.shared.values import MAX_OCTETS, Values, set_at
from helpers.clock import START, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def made(clock: FakeClock, most: int = 3, number: int = 0) -> Values:
    return Values("v", most, Means(clock, Stamps(clock, number), lambda _table: None), number)


@pytest.mark.parametrize("value", [b"text", 1, 1.5, True, False])
def test_a_value_is_got_as_it_was_set(clock: FakeClock, value: bytes | float) -> None:
    values = made(clock)
    assert values.get(b"k") is None
    assert values.set(b"k", value)
    assert values.get(b"k") is value
    assert values.unset(b"k")
    assert values.get(b"k") is None
    assert not values.unset(b"k")


def test_a_value_ends_when_its_time_is_over(clock: FakeClock) -> None:
    values = made(clock)
    values.set(b"k", 1, 10)
    values.set(b"for ever", 1)
    clock.advance(10)
    assert values.get(b"k") is None
    assert len(values) == 1
    clock.advance(100_000)
    values.changes()
    assert values.get(b"for ever") == 1


def test_a_value_is_told_with_its_end(clock: FakeClock) -> None:
    values = made(clock)
    values.set(b"k", b"why", 10)
    values.set(b"gone", None)
    found = values.entry(b"k")
    assert found is not None
    assert (found.value, found.slot) == (b"why", (START + 10) * 1000)
    assert values.entry(b"gone") is None
    clock.advance(10)
    assert values.entry(b"k") is None


def test_a_full_map_forgets_what_is_over_or_what_was_set_first(clock: FakeClock) -> None:
    values = made(clock)
    values.set(b"a", 1)
    values.set(b"b", 1, 1)
    values.set(b"c", 1)
    clock.advance(2)
    values.set(b"d", 1)
    assert [each.key for each in values.items()] == [b"a", b"c", b"d"]
    values.set(b"e", 1)
    assert [each.key for each in values.items()] == [b"c", b"d", b"e"]
    assert values.evicted == 1


def test_what_is_too_long_is_not_kept(clock: FakeClock) -> None:
    values = made(clock)
    assert not values.set(b"k", b"x" * MAX_OCTETS)
    assert not values.set(b"", b"x")


def test_the_last_one_counts_whoever_is_heard_first(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    one.set(b"k", b"first")
    clock.advance(1)
    two.set(b"k", b"second")
    first, second = one.changes(), two.changes()
    one.merge((1, 1), second)
    two.merge((0, 1), first)
    assert one.get(b"k") == two.get(b"k") == b"second"


def test_what_was_unset_does_not_come_back_from_who_has_not_heard(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    one.set(b"k", 1)
    two.merge((0, 1), one.changes())
    clock.advance(1)
    one.unset(b"k")
    for _, entries in two.others():
        one.merge((1, 1), entries, hearsay=True)
    assert one.get(b"k") is None
    two.merge((0, 1), one.changes())
    assert two.get(b"k") is None


def test_each_tells_what_it_has_set_and_all_of_it_to_a_new_one(clock: FakeClock) -> None:
    one, two, new = made(clock), made(clock, number=1), made(clock, number=2)
    one.set(b"a", 1)
    two.set(b"b", 2)
    one.merge((1, 1), two.changes())
    assert [each.key for entries in one.own() for each in entries] == [b"a"]
    for entries in one.own():
        new.merge((0, 1), entries)
    for origin, entries in one.others():
        new.merge(origin, entries, hearsay=True)
    assert (new.get(b"a"), new.get(b"b")) == (1, 2)
    assert set_at(next(new.items())) == pytest.approx(START)
