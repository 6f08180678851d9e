"""The count of a route goes up and down with what is in the timer."""

import pytest

from angarium.queue.delayed import Delayed
from angarium.queue.spool.slot import Slot
from angarium.queue.timer import Timer
from helpers.clock import FakeClock
from helpers.queues import FakeSpool

KEY = ("default", "default", "a.test")


class Fixture:
    """What is delayed, and the timer it lies in."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.spool = FakeSpool(self.clock)
        self.now = int(self.clock.time())
        self.timer = Timer(self.now)
        self.delayed = Delayed(self.timer, self.spool, self.clock)
        self.spool.routes.number(KEY)

    def slot(self, ident: int, seconds: int = 10, route: int = 0) -> bytes:
        slot = Slot(route, self.now + seconds, 3, 0, 1, 2, 3, 4).pack()
        self.spool.live[ident] = slot
        return slot


def test_what_is_found_is_counted_under_its_route_and_due_at_its_time() -> None:
    fixture = Fixture()
    fixture.delayed.found(1, fixture.slot(1))
    assert fixture.delayed.of(KEY) == len(fixture.timer) == 1
    fixture.clock.advance(9)
    fixture.delayed.advance()
    assert not fixture.timer.take()
    fixture.clock.advance(1)
    fixture.delayed.advance()
    assert fixture.timer.take().tolist() == [1]
    assert fixture.delayed.undelay(1) == 0
    assert fixture.delayed.of(KEY) == 0


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_what_is_put_off_just_after_a_jump_of_the_clock_is_due_in_time(jump: float) -> None:
    fixture = Fixture()
    for ident, ahead in enumerate((jump, 0.0), 1):  # there, and back again
        fixture.clock.set(fixture.now + ahead)
        due = int(fixture.clock.time()) + 10
        fixture.slot(ident)
        fixture.delayed.add(ident, due)
        fixture.clock.advance(8)
        fixture.delayed.advance()
        assert not fixture.timer.take(), "it came at once"
        fixture.clock.advance(4)
        fixture.delayed.advance()
        assert fixture.timer.take().tolist() == [ident], "it is parked"
        fixture.now += 12


def test_a_number_of_a_route_may_be_larger_than_what_is_counted_from_the_start() -> None:
    fixture = Fixture()
    fixture.delayed.found(1, fixture.slot(1, route=70_000))
    assert fixture.delayed.counts[70_000] == 1
    assert fixture.delayed.of(("default", "default", "unknown.test")) == 0


def test_what_goes_another_way_is_counted_there() -> None:
    fixture = Fixture()
    fixture.delayed.found(1, fixture.slot(1))
    fixture.slot(1, route=70_000)
    fixture.delayed.rerouted(1, 0)
    assert fixture.delayed.of(KEY) == 0
    assert fixture.delayed.counts[70_000] == len(fixture.timer) == 1


def test_what_is_due_at_another_time_than_its_slot_says_can_be_removed() -> None:
    fixture = Fixture()
    fixture.slot(1, seconds=0)
    fixture.delayed.put_off(1, 600.0)
    fixture.delayed.remove(1)
    assert fixture.delayed.of(KEY) == len(fixture.timer) == 0


def test_only_what_was_in_the_timer_is_counted_out_when_it_is_removed() -> None:
    fixture = Fixture()
    fixture.delayed.found(1, fixture.slot(1))
    fixture.slot(2)
    fixture.delayed.remove(2)
    assert fixture.delayed.of(KEY) == 1
    fixture.delayed.remove(1)
    assert fixture.delayed.of(KEY) == len(fixture.timer) == 0


def test_put_off_counts_from_now() -> None:
    fixture = Fixture()
    fixture.slot(1, seconds=0)
    fixture.delayed.put_off(1, 60.0)
    fixture.clock.advance(59)
    fixture.delayed.advance()
    assert not fixture.timer.take()
    fixture.clock.advance(1)
    fixture.delayed.advance()
    assert fixture.timer.take().tolist() == [1]
