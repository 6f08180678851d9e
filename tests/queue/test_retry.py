"""The schedule of retries is Momentum's."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.queue.options import Shape
from angarium.queue.retry import (
    GiveUp,
    delay_notice_due,
    delay_notices,
    give_up,
    most_retries,
    next_due,
    not_attempted,
    retry_wait,
    spread,
    waits_within,
)

NOW = 1_700_000_000.0
DAY = 86400.0


def attempts_of(shape: Shape) -> tuple[list[float], GiveUp]:
    """Return when a message which always fails is attempted, and why it ends."""
    at, times = NOW, [0.0]
    while True:
        due = next_due(shape, len(times), NOW, at, Random(1))
        if due is None:
            why = give_up(shape, len(times), NOW, at)
            assert why is not None
            return times, why
        assert due >= at
        at = float(due)
        times.append(at - NOW)


@pytest.mark.effect("max_retry_interval")
def test_the_example_of_the_manual_with_a_fixed_interval() -> None:
    shape = Shape.make(retry_interval=1200.0, max_retry_interval=1200.0, max_retries=5)
    times, why = attempts_of(shape)
    assert times == pytest.approx([0, 1200, 2400, 3600, 4800, 6000], abs=6)
    assert why is GiveUp.RETRIES


def test_the_example_of_the_manual_with_doubling() -> None:
    times, _ = attempts_of(Shape.make(max_retries=5))
    assert times == pytest.approx([0, 1200, 3600, 8400, 18000, 37200], abs=6)


def test_auto_ends_with_the_last_retry_before_expiry() -> None:
    times, why = attempts_of(Shape.make())
    assert times == pytest.approx([0, 1200, 3600, 8400, 18000, 37200, 75600], abs=7)
    assert why is GiveUp.RETRIES


def test_none_goes_on_to_the_second_of_expiry() -> None:
    times, why = attempts_of(Shape.make(max_retries="none"))
    assert times[-1] == DAY
    assert why is GiveUp.EXPIRED


def test_what_is_over_by_time_and_by_attempts_is_over_by_time() -> None:
    shape = Shape.make()
    assert give_up(shape, 7, NOW, NOW + DAY) is GiveUp.EXPIRED


def test_attempts_which_were_forced_count_for_auto() -> None:
    shape = Shape.make()
    most = most_retries(shape)
    assert most == 6
    assert give_up(shape, 6, NOW, NOW + 60.0) is None
    assert give_up(shape, 7, NOW, NOW + 60.0) is GiveUp.RETRIES
    assert give_up(shape.replace(max_retries="none"), 70, NOW, NOW + 60.0) is None


def test_never_retry_fails_at_the_first_failure() -> None:
    shape = Shape.make(never_retry=True)
    assert next_due(shape, 1, NOW, NOW, Random(1)) is None
    assert str(GiveUp.RETRIES.value) == (
        "554 5.4.7 [internal] exceeded max retries without delivery"
    )


def test_expiry_has_its_own_words() -> None:
    shape = Shape.make(max_retries="none")
    assert give_up(shape, 1, NOW, NOW + DAY) is GiveUp.EXPIRED
    assert str(GiveUp.EXPIRED.value) == "554 5.4.7 [internal] exceeded max time without delivery"


def test_an_expired_message_is_attempted_a_last_time_unless_forbidden() -> None:
    shape = Shape.make()
    assert not_attempted(shape, NOW, NOW + DAY) is None
    shape = shape.replace(never_attempt_expired_messages=True)
    assert not_attempted(shape, NOW, NOW + DAY - 1) is None
    assert not_attempted(shape, NOW, NOW + DAY) is GiveUp.NOT_ATTEMPTED


def test_a_wait_of_no_failure_is_a_bug() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        retry_wait(0, 1200.0, 43200.0)


seconds = st.floats(1.0, 1e7)


@given(st.integers(1, 70000), seconds, seconds)
def test_waits_never_fall_and_never_pass_the_cap(
    failures: int, interval: float, cap: float
) -> None:
    wait = retry_wait(failures, interval, cap)
    assert 0.0 < wait <= cap
    assert wait <= retry_wait(failures + 1, interval, cap)


@given(st.floats(0.0, 1e6), st.floats(1.0, 1e5), st.floats(1.0, 1e6))
def test_waits_within_is_the_sum_of_the_waits(span: float, interval: float, cap: float) -> None:
    count, at = 0, 0.0
    while count < 100_000 and (at := at + retry_wait(count + 1, interval, cap)) <= span:
        count += 1
    if count < 100_000:
        assert abs(waits_within(span, interval, cap) - count) <= 1  # of rounding


@given(st.integers(0, 70000), st.floats(0.0, 1e6), st.integers(1, 9))
def test_a_message_is_never_put_off_beyond_its_expiry(age: int, life: float, attempts: int) -> None:
    shape = Shape.make(max_retries="none", message_expiration=life)
    due = next_due(shape, attempts, NOW, NOW + age, Random(age))
    if due is not None:
        assert NOW + age <= due <= math.ceil(NOW + life)


def test_a_clock_which_is_wrong_gives_a_due_time_that_fits_a_slot() -> None:
    shape = Shape.make(max_retries="none", message_expiration=1e12)
    assert next_due(shape, 1, NOW, 5e9, Random(1)) == 0xFFFF_FFFF


def test_fuzz_spreads_over_its_seconds() -> None:
    random = Random(1)
    found = {spread(8.0, random) for _ in range(200)}
    assert found == set(range(8))
    assert spread(0.0, random) == 0


def test_reports_of_delay_come_at_doubling_waits() -> None:
    shape = Shape.make(message_expiration=1e6)
    counts = [delay_notices(shape, NOW, NOW + hours * 3600.0) for hours in (0.9, 1, 2.9, 3, 7, 15)]
    assert counts == [0, 1, 1, 2, 3, 4]


def test_reports_of_delay_are_capped_and_end_with_the_message() -> None:
    shape = Shape.make(delay_dsn_max_retry_interval=3600.0, message_expiration=10 * 3600.0)
    assert delay_notices(shape, NOW, NOW + 5 * 3600.0) == 5
    assert delay_notices(shape, NOW, NOW + 50 * 3600.0) == 10


def test_a_report_is_due_once_however_many_attempts_there_were() -> None:
    shape = Shape.make()
    hour = NOW + 3600.0
    assert delay_notice_due(shape, NOW, hour - 60.0, hour + 60.0)
    assert not delay_notice_due(shape, NOW, hour + 60.0, hour + 120.0)
