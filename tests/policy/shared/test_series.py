import pytest

from angarium.policy.shared.blocks import packed
from angarium.policy.shared.node import Shared
from angarium.policy.shared.series import MOST_MASKS, Series
from angarium.policy.shared.told import Means, Stamps
from helpers.clock import FakeClock

A, B, C = packed("10.0.0.1"), packed("10.0.0.2"), packed("10.0.9.9")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_699_999_800.0)  # a multiple of 300


def made(clock: FakeClock, kind: str = "cidr", most: int = 100, number: int = 0) -> Series:
    means = Means(clock, Stamps(clock, number), lambda _table: None)
    return Series("s", kind, 300, 6, means, most)


def test_a_count_is_in_the_window_of_now_and_moves_back_with_time(clock: FakeClock) -> None:
    series = made(clock)
    series.add(A)
    series.add(A, 2)
    assert series.count(A) == 3
    clock.advance(300)
    assert [series.count(A, n, n) for n in range(3)] == [0, 3, 0]
    assert series.count(A, 0, 5) == 3
    clock.advance(4 * 300)
    assert series.count(A, 5, 5) == 3
    clock.advance(300)
    assert series.count(A, 0, 5) == 0
    assert series.keys() == []


def test_a_range_may_be_given_from_either_end_and_beyond_it(clock: FakeClock) -> None:
    series = made(clock)
    series.add(A)
    clock.advance(300)
    series.add(A)
    assert series.count(A, 1, 0) == series.count(A, 0, 1) == series.count(A, 0, 99) == 2


def test_a_block_is_the_sum_of_its_addresses(clock: FakeClock) -> None:
    series = made(clock)
    for each in (A, B, C):
        series.add(each)
    assert series.count(A, bits=24) == 2
    series.add(B)  # summed along from now on
    assert series.count(A, bits=24) == 3
    assert series.count(A, bits=16) == 4
    assert series.count(A, bits=32) == 1
    clock.advance(300)
    series.add(A)
    assert series.count(B, 0, 1, bits=24) == 4


def test_blocks_of_many_lengths_are_right_too(clock: FakeClock) -> None:
    series = made(clock)
    for each in (A, B, C):
        series.add(each)
    lengths = list(range(8, 32))
    assert len(lengths) > MOST_MASKS
    found = [series.count(A, bits=bits) for bits in lengths]
    assert found == [3] * 13 + [2] * 10 + [1]


def test_a_removed_key_is_gone_from_all_windows_and_may_come_again(clock: FakeClock) -> None:
    series = made(clock)
    series.add(A)
    clock.advance(300)
    series.add(A)
    series.count(A, bits=24)
    series.remove(A)
    assert series.count(A, 0, 5) == series.count(A, 0, 5, bits=24) == 0
    series.add(A)
    assert series.count(A) == 1


def test_keys_of_a_window_are_bounded_and_what_is_refused_is_counted(clock: FakeClock) -> None:
    series = made(clock, "string", most=2)
    for key in (b"a", b"b", b"c", b"a"):
        series.add(key)
    assert series.count(b"a") == 2
    assert series.count(b"c") == 0
    assert series.refused == 1


def test_counts_may_fall_and_be_fractions(clock: FakeClock) -> None:
    series = made(clock, "string")
    series.add(b"a", -2)
    series.add(b"a", 0.5)
    assert series.count(b"a") == -1.5


def tell(one: Series, other: Series, origin: tuple[int, int] = (0, 1)) -> None:
    other.merge(origin, one.changes())


def test_workers_count_together(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    one.add(A)
    two.add(A, 4)
    tell(one, two, (0, 1))
    tell(two, one, (1, 1))
    assert one.count(A) == two.count(A) == 5
    assert one.count(A, bits=24) == 5
    assert one.changes() == []


def test_a_removal_reaches_a_worker_which_counts_meanwhile(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    one.add(A)
    tell(one, two)
    clock.advance(1)
    two.remove(A)
    one.add(A)
    late = one.changes()
    tell(two, one, (1, 1))
    two.merge((0, 1), late)  # of before the removal: it does not come back
    assert one.count(A) == two.count(A) == 0
    one.add(A)
    tell(one, two)
    assert one.count(A) == two.count(A) == 1


def test_what_is_told_of_windows_which_are_over_is_left(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    one.add(A)
    told = one.changes()
    clock.advance(7 * 300)
    two.merge((0, 1), told)
    assert two.count(A, 0, 5) == 0


def test_a_clock_which_is_corrected_by_a_moment_loses_nothing(clock: FakeClock) -> None:
    series = made(clock)
    series.add(A)
    clock.set(clock.time() - 0.002)
    series.add(A)
    clock.set(clock.time() + 0.002)
    assert series.count(A, 0, 1) == 2


def test_a_new_worker_is_told_what_dead_ones_have_counted(clock: FakeClock) -> None:
    one, two, new = made(clock), made(clock, number=1), made(clock, number=2)
    one.add(A, 3)
    two.add(A, 4)
    tell(two, one, (1, 1))
    for entries in one.own():
        new.merge((0, 1), entries)
    for origin, entries in one.others():
        new.merge(origin, entries, hearsay=True)
    assert new.count(A) == 7


def test_addresses_belong_to_series_of_their_family(clock: FakeClock) -> None:
    shared = Shared(clock)
    v4 = shared.define_series("4", "cidr", 1, 1)
    v6 = shared.define_series("6", "cidr_ipv6", 1, 1)
    both = shared.define_series("b", "address", 1, 1)
    assert [each.fits(A) for each in (v4, v6, both)] == [True, False, True]
    assert [each.fits(packed("::1")) for each in (v4, v6, both)] == [False, True, True]


def test_all_can_be_forgotten_and_listed(clock: FakeClock) -> None:
    series = made(clock)
    series.add(A)
    clock.advance(300)
    series.add(B, 2)
    began = int(clock.time())
    assert series.snapshot() == {began - 300: {A: 1}, began: {B: 2}}
    assert series.total(0, 5) == 3
    series.reset()
    assert series.total(0, 5) == 0


def test_a_snapshot_which_several_workers_take_counts_once(clock: FakeClock) -> None:
    one, two, three = made(clock), made(clock, number=1), made(clock, number=2)
    one.add(A, 3)
    for each in (two, three):
        each.restore((-2, 7), one.snapshot())
    two.add(A)
    tell(two, three, (1, 1))
    for origin, entries in two.others():
        three.merge(origin, entries, hearsay=True)
    assert two.count(A) == three.count(A) == 4
    assert three.origins() == {(-2, 7), (1, 1)}


def test_emptying_reaches_a_worker_which_counts_meanwhile(clock: FakeClock) -> None:
    one, two = made(clock), made(clock, number=1)
    one.add(A)
    one.remove(B)
    tell(one, two)
    clock.advance(1)
    two.reset()
    one.add(A)
    late = one.changes()
    tell(two, one, (1, 1))
    two.merge((0, 1), late)
    assert one.count(A) == two.count(A) == 0
    one.add(A, 2)
    two.add(B)
    tell(one, two)
    tell(two, one, (1, 1))
    assert one.count(A) == two.count(A) == 2
    assert one.count(B) == two.count(B) == 1
    new = made(clock, number=2)
    for entries in two.own():
        new.merge((1, 1), entries)
    for origin, entries in two.others():
        new.merge(origin, entries, hearsay=True)
    assert (new.count(A), new.count(B)) == (2, 1)


def test_a_removal_which_others_have_forgotten_does_not_take_what_was_counted_since(
    clock: FakeClock,
) -> None:
    one, two = made(clock), made(clock, number=1)
    clock.advance(299)
    one.remove(A)
    tell(one, two)
    clock.advance(6 * 300)
    one.add(A)
    two.add(A, 5)
    late = one.changes()  # with the stamp of the removal
    clock.advance(1)
    two.count(A)  # here it is forgotten
    two.merge((0, 1), late)
    assert two.count(A, 0, 5) == 6
