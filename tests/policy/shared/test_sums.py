from random import Random

from hypothesis import given
from hypothesis import strategies as st

from angarium.policy.shared.sums import COLUMNS, Sums


def test_each_worker_adds_to_its_own_column_and_all_columns_count() -> None:
    sums = Sums()
    sums.add(b"a", 2)
    sums.merge((1, 100), b"a", 5, hearsay=False)
    sums.merge((1, 100), b"a", 7, hearsay=False)
    assert sums.totals == {b"a": 9}
    assert sums.own == {b"a": 2}


def test_what_is_told_twice_counts_once() -> None:
    sums = Sums()
    for _ in range(3):
        sums.merge((1, 100), b"a", 5, hearsay=False)
    assert sums.totals == {b"a": 5}


def test_what_others_say_of_a_worker_does_not_replace_what_it_says_itself() -> None:
    sums = Sums()
    sums.merge((1, 100), b"a", 5, hearsay=False)
    sums.merge((1, 100), b"a", 3, hearsay=True)
    sums.merge((1, 100), b"b", 2, hearsay=True)
    assert sums.totals == {b"a": 5, b"b": 2}


def test_a_worker_which_begins_again_adds_to_what_it_had_counted_before() -> None:
    sums = Sums()
    sums.merge((1, 100), b"a", 5, hearsay=False)
    sums.merge((1, 200), b"a", 1, hearsay=False)
    assert sums.totals == {b"a": 6}


def test_workers_which_keep_dying_take_no_more_memory_and_lose_no_count() -> None:
    sums = Sums()
    for born in range(1, 500):
        sums.merge((1, born), b"a", 1, hearsay=False)
    assert sums.totals == {b"a": 499}
    assert len(sums.columns) <= COLUMNS + 1
    assert sum(column[b"a"] for column in sums.columns.values()) == 499


def test_a_key_which_is_cleared_and_a_worker_which_is_dropped_leave_nothing() -> None:
    sums = Sums()
    sums.add(b"a", 1)
    sums.merge((1, 1), b"a", 5, hearsay=False)
    sums.merge((1, 1), b"b", 5, hearsay=False)
    sums.clear(b"a")
    assert sums.totals == {b"b": 5}
    sums.drop((1, 1))
    assert sums.totals == {}
    assert sums.dirty == set()


@given(
    adds=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([b"a", b"b"]), st.integers(-5, 5)), max_size=30
    ),
    seed=st.integers(0, 1000),
)
def test_workers_agree_however_what_they_say_is_lost_doubled_or_late(
    adds: list[tuple[int, bytes, int]], seed: int
) -> None:
    workers = [Sums() for _ in range(3)]
    said: list[tuple[int, bytes, float]] = []
    for who, key, number in adds:
        workers[who].add(key, number)
        said.append((who, key, workers[who].own[key]))
    random = Random(seed)
    for to, worker in enumerate(workers):
        heard = [each for each in said if each[0] != to and random.random() < 0.5]
        heard += random.sample(heard, len(heard) // 2)
        for who, key, value in heard:
            worker.merge((who, 1), key, value, hearsay=False)
        for who, sender in enumerate(workers):  # the last word of each is told again
            for key, value in sender.own.items():
                if who != to:
                    worker.merge((who, 1), key, value, hearsay=False)
    expected: dict[bytes, int] = {}
    for _, key, number in adds:
        expected[key] = expected.get(key, 0) + number
    assert all(worker.totals == expected for worker in workers)
