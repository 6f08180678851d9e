import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.lab.histogram import Histogram, bucket, highest

DURATIONS = st.lists(st.floats(0, 86400), max_size=50)


def filled(durations: Sequence[float]) -> Histogram:
    histogram = Histogram()
    for each in durations:
        histogram.add(each)
    return histogram


@given(st.integers(0, 10**12))
def test_a_bucket_holds_its_value_and_is_narrow(value: int) -> None:
    number = bucket(value)
    assert value <= highest(number) <= value + value / 128
    assert bucket(highest(number)) == number
    assert bucket(highest(number) + 1) == number + 1


@given(DURATIONS.filter(bool), st.floats(0, 1))
def test_a_quantile_is_right_to_its_bucket_and_never_flatters(
    durations: list[float], share: float
) -> None:
    found = filled(durations).quantile(share)
    assert sum(each <= found + 1e-6 for each in durations) >= share * len(durations)
    assert found <= max(durations)


@given(DURATIONS, DURATIONS)
def test_merging_is_counting_together(first: list[float], second: list[float]) -> None:
    merged = filled(first)
    merged.merge(filled(second))
    together = filled(first + second)
    assert merged.count == together.count
    assert [merged.quantile(n / 10) for n in range(11)] == [
        together.quantile(n / 10) for n in range(11)
    ]


@given(DURATIONS)
def test_another_process_reads_what_one_wrote(durations: list[float]) -> None:
    histogram = filled(durations)
    read: dict[str, Any] = json.loads(json.dumps(histogram.to_json()))
    assert Histogram.from_json(**read).summary() == histogram.summary()


def test_the_summary_is_in_milliseconds() -> None:
    summary = filled([0.001] * 99 + [2.0]).summary()
    assert summary["count"] == 100
    assert summary["p50"] == pytest.approx(1.0, rel=0.01)
    assert summary["p99.9"] == summary["max"] == 2000.0
    assert summary["mean"] == pytest.approx(20.99)


def test_an_empty_histogram_has_a_summary() -> None:
    assert set(Histogram().summary().values()) == {0}


def test_a_clock_which_went_back_counts_as_nothing() -> None:
    assert filled([-1.0]).quantile(1.0) == 0.0
