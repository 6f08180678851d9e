"""Questions at a rate: how many at once, who waits, and what does not fit."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from angarium.core.units import Rate
from angarium.net.dnsrate import Pacer
from angarium.queue.throttle import LocalLedger
from helpers.clock import FakeLoop

RATE = Rate(10)  # one each 0.1 s


class Asking:
    """A row at a rate, and who was asked."""

    def __init__(self, loop: FakeLoop, rate: Rate | None = RATE, most: int = 1000) -> None:
        self.loop = loop
        self.pacer = Pacer(loop, LocalLedger(loop.clock).take)
        self.pacer.use(rate, most)
        self.asked: list[int] = []

    def ask(self, count: int) -> None:
        for number in range(count):
            self.pacer.ask(lambda number=number: self.asked.append(number))  # type: ignore[misc]

    def later(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))


Make = Callable[..., Asking]


@pytest.fixture
def make() -> Iterator[Make]:
    loop = FakeLoop()
    yield lambda *args, **named: Asking(loop, *args, **named)
    loop.close()


def test_without_a_rate_nobody_waits(make: Make) -> None:
    asking = make(None)
    asking.ask(100)
    assert len(asking.asked) == 100
    assert not asking.pacer.counters


def test_questions_leave_at_the_rate_and_in_order(make: Make) -> None:
    asking = make()
    asking.ask(5)
    assert asking.asked == [0]
    asking.later(0.25)
    assert asking.asked == [0, 1, 2]
    asking.later(1.0)
    assert asking.asked == [0, 1, 2, 3, 4]
    assert asking.pacer.counters == {"immediate": 1, "queued": 4, "drained": 4}


def test_what_does_not_fit_into_the_row_is_asked_at_once(make: Make) -> None:
    asking = make(most=2)
    asking.ask(5)
    assert asking.asked == [0, 3, 4]
    assert asking.pacer.counters["overflow"] == 2


def test_a_new_rate_holds_for_those_who_wait(make: Make) -> None:
    asking = make(Rate(1, 3600))
    asking.ask(4)
    asking.pacer.use(None, 1000)
    assert asking.asked == [0, 1, 2, 3]


def test_a_rate_which_is_raised_elsewhere_is_noticed_within_a_second(make: Make) -> None:
    asking = make(Rate(1, 3600))
    asking.ask(2)
    asking.pacer.rate = Rate(1000)
    asking.pacer._take = LocalLedger(asking.loop.clock).take
    asking.later(1.0)
    assert asking.asked == [0, 1]


def test_at_the_end_nobody_is_asked_any_more(make: Make) -> None:
    asking = make()
    asking.ask(3)
    asking.pacer.close()
    asking.later(10.0)
    assert asking.asked == [0]
    assert len(asking.pacer) == 0
