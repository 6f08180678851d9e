"""Jobs go on in slices, in turn, with the loop's other work between them."""

from collections.abc import Callable

from angarium.queue.beat import BREATH_SECONDS, TICK_SECONDS, Beat, Steps
from helpers.clock import FakeClock


class Fixture:
    """A beat whose pieces take a millisecond each, and the timers it set."""

    def __init__(self, pieces: int = 0) -> None:
        self.clock = FakeClock()
        self.pieces = pieces
        self.ticks = 0
        self.done: list[str] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.beat = Beat(self.piece, self.tick, self.clock)

    def piece(self) -> bool:
        if not self.pieces:
            return False
        self.pieces -= 1
        self.clock.advance(0.001)
        return True

    def tick(self) -> bool:
        self.ticks += 1
        return self.beat.work()

    def job(self, name: str, steps: int) -> Steps:
        for _ in range(steps):
            self.done.append(name)
            self.clock.advance(0.001)
            yield

    def start(self) -> None:
        self.beat.start(lambda seconds, call: self.timers.append((seconds, call)))


def test_a_slice_ends_when_its_time_is_over_and_says_that_there_is_more() -> None:
    fixture = Fixture(pieces=5)
    assert fixture.beat.work()
    assert fixture.pieces == 3
    assert fixture.beat.work()
    assert not fixture.beat.work()
    assert not fixture.pieces


def test_jobs_take_turns_and_an_ended_one_is_forgotten() -> None:
    fixture = Fixture()
    fixture.beat.begin(fixture.job("a", 1))
    fixture.beat.begin(fixture.job("b", 3))
    while fixture.beat.work():
        pass
    assert fixture.done == ["a", "b", "b", "b"]


def test_a_tick_comes_each_second_and_what_is_left_soon_after() -> None:
    fixture = Fixture(pieces=3)
    fixture.start()
    assert [seconds for seconds, _ in fixture.timers] == [TICK_SECONDS, BREATH_SECONDS]
    (_, second), (_, again) = fixture.timers
    fixture.timers.clear()
    again()
    assert not fixture.timers  # All is done.
    second()
    assert fixture.ticks == 2
    assert [seconds for seconds, _ in fixture.timers] == [TICK_SECONDS]


def test_nothing_runs_after_the_stop() -> None:
    fixture = Fixture(pieces=9)
    fixture.start()
    fixture.beat.stop()
    for _, call in fixture.timers:
        call()
    assert (fixture.ticks, fixture.pieces) == (1, 7)
    assert len(fixture.timers) == 2
