"""`Breaker`: who may ask a database that was away."""

from random import Random

from angarium.data.breaker import FAILURES, MOST_SECONDS, Breaker
from helpers.clock import FakeClock


def failing(times: int) -> tuple[Breaker, FakeClock]:
    clock = FakeClock()
    breaker = Breaker(clock, Random(1))
    for _ in range(times):
        assert breaker.allows()
        breaker.failed("refused")
    return breaker, clock


def test_a_failure_or_two_mean_nothing() -> None:
    breaker, _ = failing(FAILURES - 1)
    assert breaker.allows()
    assert not breaker.resting


def test_after_some_in_sequence_one_may_try_after_a_while() -> None:
    breaker, clock = failing(FAILURES)
    assert not breaker.allows()
    assert breaker.reason == "refused"
    clock.advance(breaker.seconds)
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.failed("refused again")
    assert not breaker.allows()
    clock.advance(breaker.seconds)
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows(), breaker.allows(), breaker.resting] == [True, True, False]


def test_a_trial_which_asked_nothing_is_the_next_ones() -> None:
    breaker, clock = failing(FAILURES)
    clock.advance(breaker.seconds)
    assert breaker.allows()
    breaker.withdrawn()
    assert breaker.allows()


def test_each_trial_which_fails_doubles_the_rest_up_to_a_bound() -> None:
    breaker, clock = failing(FAILURES)
    rests = []
    for _ in range(12):
        rests.append(breaker.seconds)
        clock.advance(breaker.seconds)
        assert breaker.allows()
        breaker.failed("refused")
    assert 0.75 <= rests[0] <= 1.25
    assert rests[0] < rests[2] < rests[4]
    assert MOST_SECONDS * 0.75 <= rests[-1] <= MOST_SECONDS * 1.25
