"""Metrics: cheap cells, and values of several processes which add up."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.errors import Error
from angarium.events import metrics
from angarium.events.metrics import BUCKETS, Durations, Metrics, merged, percentile

SENT = metrics.counter("test_sent", "For these tests.")
OPEN = metrics.gauge("test_open", "For these tests.")
LAG = metrics.gauge("test_lag", "For these tests.", highest=True)
WAIT = metrics.histogram("test_wait", "For these tests.")
ENDS = metrics.counter("test_ends", "For these tests.", label="end", values=("good", "bad"))
SIZE = metrics.gauge("test_size", "For these tests.", unit="bytes")


@pytest.fixture
def two() -> tuple[Metrics, Metrics]:
    return Metrics(), Metrics()


def test_values_of_processes_add_up_as_declared(two: tuple[Metrics, Metrics]) -> None:
    for number, process in enumerate(two, start=1):
        process.cell(SENT).value += 10 * number
        process.cell(OPEN).value = number
        process.cell(LAG).value = number / 2
        process.durations(WAIT).note(0.001 * number)
    total = merged(process.snapshot() for process in two)
    assert total["test_sent"] == 30
    assert total["test_open"] == 3
    assert total["test_lag"] == 1.0
    counts = total["test_wait"]
    assert isinstance(counts, list)
    assert sum(counts) == 2


def test_a_cell_is_the_same_for_all_who_count_in_it() -> None:
    process = Metrics()
    process.cell(SENT).value += 1
    process.cell(SENT).value += 1
    assert process.snapshot() == {"test_sent": 2}


def test_each_value_of_a_label_has_a_cell_of_its_own(two: tuple[Metrics, Metrics]) -> None:
    two[0].cell(ENDS, "good").value = 3
    two[0].cell(ENDS, "bad").value = 1
    two[1].cell(ENDS, "good").value = 4
    total = merged(process.snapshot() for process in two)
    assert total == {"test_ends|good": 7, "test_ends|bad": 1}
    assert set(ENDS.keys) == set(total)


def test_a_label_has_no_other_values_than_those_declared() -> None:
    with pytest.raises(ValueError, match="no end of test_ends"):
        Metrics().cell(ENDS, "indifferent")


def test_the_total_of_durations_is_told_beside_them() -> None:
    process = Metrics()
    for seconds in (1.5, 2.0, -3.0):
        process.durations(WAIT).note(seconds)
    assert process.snapshot()["test_wait|seconds"] == 3.5


def test_what_another_version_has_counted_is_left_out() -> None:
    assert merged([{"of_tomorrow": 1, "test_sent": 2}]) == {"test_sent": 2}


def test_a_name_for_prometheus_ends_with_its_unit_once() -> None:
    lag = metrics.gauge("test_age_seconds", "For these tests.", unit="seconds")
    assert (SIZE.exposed, lag.exposed) == ("angarium_test_size_bytes", "angarium_test_age_seconds")


def test_a_snapshot_does_not_change() -> None:
    process = Metrics()
    process.durations(WAIT).note(1.0)
    before = process.snapshot()
    process.durations(WAIT).note(1.0)
    assert before != process.snapshot()


def test_what_one_process_lacks_comes_from_the_other(two: tuple[Metrics, Metrics]) -> None:
    two[1].cell(SENT).value = 5
    assert merged(process.snapshot() for process in two) == {"test_sent": 5}


def test_a_metric_is_declared_once() -> None:
    with pytest.raises(Error, match="twice"):
        metrics.counter("test_sent", "Again.")


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=50), st.floats(0, 1))
def test_a_percentile_is_above_and_at_most_twice_too_much(
    durations: list[float], share: float
) -> None:
    noted = Durations()
    for each in durations:
        noted.note(each)
    exact = sorted(durations)[max(1, ceil(share * len(durations))) - 1]
    found = percentile(noted.counts, share)
    assert exact < found
    assert found <= 2 * exact + 1e-6


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-7])
def test_no_time_is_in_the_first_bucket(seconds: float) -> None:
    noted = Durations()
    noted.note(seconds)
    assert noted.counts[0] == 1


def test_of_no_durations_there_is_no_percentile() -> None:
    assert percentile([0] * BUCKETS, 0.5) == 0.0
