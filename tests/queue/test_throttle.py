"""Counts and rates within one worker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.units import Rate
from angarium.queue.throttle import Grant, LocalLedger, burst
from helpers.clock import FakeClock

GRANTED, DENIED, _ = Grant


def test_only_a_grant_is_true() -> None:
    assert [each for each in Grant if each] == [GRANTED]


def test_no_more_are_counted_than_the_cap() -> None:
    ledger = LocalLedger(FakeClock())
    assert [ledger.acquire("k", 2) for _ in range(3)] == [GRANTED, GRANTED, DENIED]
    assert ledger.acquire("other", 1) is GRANTED
    ledger.release("k")
    assert ledger.count("k") == 1
    assert ledger.acquire("k", 2) is GRANTED


def test_who_was_denied_hears_of_the_next_release() -> None:
    ledger = LocalLedger(FakeClock())
    freed: list[str] = []
    ledger.on_free = freed.append
    ledger.acquire("k", 1)
    ledger.release("k")
    assert freed == []
    ledger.acquire("k", 1)
    ledger.acquire("k", 1)
    ledger.release("k")
    assert freed == ["k"]
    ledger.acquire("k", 1)
    ledger.acquire("k", 1)
    ledger.forget("k")
    ledger.release("k")
    assert freed == ["k"]


def test_a_release_of_what_is_not_held_is_a_bug() -> None:
    with pytest.raises(KeyError):
        LocalLedger(FakeClock()).release("k")


def test_a_slow_rate_gives_its_exact_next_time() -> None:
    clock = FakeClock()
    ledger = LocalLedger(clock)
    assert ledger.take("k", Rate(1, 60)) == 0.0
    assert ledger.take("k", Rate(1, 60)) == pytest.approx(60.0)
    clock.advance(59.0)
    assert ledger.take("k", Rate(1, 60)) == pytest.approx(1.0)
    clock.advance(1.0)
    assert ledger.take("k", Rate(1, 60), 3) == 0.0
    assert ledger.take("k", Rate(1, 60)) == pytest.approx(180.0)


@pytest.mark.parametrize(("rate", "most"), [(Rate(1), 1), (Rate(10), 1), (Rate(500), 50)])
def test_a_burst_is_what_a_tenth_of_a_second_allows(rate: Rate, most: int) -> None:
    ledger = LocalLedger(FakeClock())
    assert burst(rate) == most
    assert sum(ledger.take("k", rate) == 0.0 for _ in range(most + 5)) == most


@given(
    st.builds(Rate, st.integers(1, 500), st.integers(1, 60)),
    st.lists(st.floats(0.0, 30.0), max_size=30),
)
def test_no_time_has_more_than_its_rate_and_a_burst(rate: Rate, waits: list[float]) -> None:
    clock = FakeClock()
    ledger = LocalLedger(clock)
    begin, sent = clock.monotonic(), 0
    for wait in waits:
        clock.advance(wait)
        while ledger.take("k", rate) == 0.0:
            sent += 1
        passed = clock.monotonic() - begin
        assert sent <= passed / rate.interval + burst(rate) + 0.001


@given(st.builds(Rate, st.integers(1, 100), st.integers(1, 10)))
def test_after_the_wait_it_said_it_permits(rate: Rate) -> None:
    clock = FakeClock()
    ledger = LocalLedger(clock)
    for _ in range(20):
        while (wait := ledger.take("k", rate)) == 0.0:
            pass
        clock.advance(wait + 1e-6)
        assert ledger.take("k", rate) == 0.0


def test_rates_which_no_longer_matter_are_dropped() -> None:
    clock = FakeClock()
    ledger = LocalLedger(clock)
    for number in range(5000):
        ledger.take(f"k{number}", Rate(1))
        clock.advance(0.01)
    assert len(ledger._rates) < 1200


def test_events_which_did_not_happen_are_taken_back_and_give_no_credit() -> None:
    clock = FakeClock()
    ledger = LocalLedger(clock)
    ledger.take("k", Rate(1, 60))
    ledger.adjust("k", Rate(1, 60), -1)
    ledger.adjust("k", Rate(1, 60), -1)
    assert ledger.take("k", Rate(1, 60)) == 0.0
    assert ledger.take("k", Rate(1, 60)) == pytest.approx(60.0)
    ledger.adjust("k", Rate(1, 60), 2)
    assert ledger.take("k", Rate(1, 60)) == pytest.approx(180.0)
