"""Timers of connections."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from angarium.net.sweep import NEVER, PIECE, Sweep
from helpers.clock import FakeClock, FakeLoop


class Timed:
    """Notes when it was looked at; `due` is when it has something to do."""

    def __init__(self, due: float) -> None:
        self.slot = 0
        self.due = due
        self.looks: list[float] = []

    def look(self, now: float) -> float:
        self.looks.append(now)
        return self.due if now < self.due else NEVER


def run(sweep: Sweep, clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(1.0)
        while sweep.tick(clock.monotonic()):
            pass


@given(st.lists(st.floats(0, 50), max_size=20))
def test_each_is_looked_at_once_it_is_due_and_at_the_latest_a_second_after(
    delays: list[float],
) -> None:
    clock = FakeClock()
    sweep = Sweep(clock)
    begun = clock.monotonic()
    timed = [Timed(begun + delay) for delay in delays]
    for each in timed:
        sweep.add(each, each.due)
    run(sweep, clock, 60)
    for each in timed:
        assert each.due <= each.looks[-1] <= each.due + 1.0
        assert len(each.looks) == 1
    assert len(sweep) == 0


def test_a_timer_which_was_restarted_costs_a_look_per_timeout() -> None:
    clock = FakeClock()
    sweep = Sweep(clock)
    timed = Timed(clock.monotonic() + 30)
    sweep.add(timed, timed.due)
    for _ in range(300):
        timed.due = clock.monotonic() + 30
        run(sweep, clock, 1)
    assert len(timed.looks) <= 10


def test_an_earlier_time_comes_first_and_a_later_one_changes_nothing() -> None:
    clock = FakeClock()
    sweep = Sweep(clock)
    timed = Timed(NEVER)
    for delay in (30, 5, 60):
        sweep.add(timed, clock.monotonic() + delay)
    assert len(sweep) == 1
    run(sweep, clock, 6)
    assert timed.looks == [1006.0]


def test_what_is_gone_is_not_held() -> None:
    sweep = Sweep(FakeClock())
    timed = Timed(NEVER)
    sweep.add(timed, NEVER)
    sweep.remove(timed)
    sweep.add(timed, 1010.0)
    sweep.remove(timed)
    assert (len(sweep), timed.slot) == (0, 0)


def test_one_which_is_always_due_does_not_keep_the_loop() -> None:
    class Restless(Timed):
        def look(self, now: float) -> float:
            super().look(now)
            return now - 5

    clock = FakeClock()
    sweep = Sweep(clock)
    restless = Restless(0.0)
    sweep.add(restless, 0.0)
    run(sweep, clock, 3)
    assert len(restless.looks) == 3


def test_a_burst_is_worked_off_in_pieces() -> None:
    clock = FakeClock()
    sweep = Sweep(clock)
    timed = [Timed(1001.0) for _ in range(PIECE + 1)]
    for each in timed:
        sweep.add(each, each.due)
    clock.advance(2.0)
    assert sweep.tick(clock.monotonic())
    assert sum(len(each.looks) for each in timed) == PIECE
    assert not sweep.tick(clock.monotonic())
    assert sum(len(each.looks) for each in timed) == PIECE + 1


def test_it_ticks_by_itself_until_stopped() -> None:
    loop = FakeLoop()
    sweep = Sweep(loop.clock)
    timed = Timed(loop.time() + 10)
    sweep.add(timed, timed.due)
    sweep.start(loop)
    loop.run_until_complete(asyncio.sleep(12))
    assert len(timed.looks) == 1
    sweep.stop()
    assert not any(not each.cancelled() for each in loop._scheduled)  # type: ignore[attr-defined]
    loop.close()
