"""Turns of handshakes: on a loop which is stepped by hand, with steps that cost what they say."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from angarium.net.tls.handshakes import SLICE_SECONDS, YOUNG_SECONDS, Handshakes


class Turns:
    """A loop which does one turn when told, and the time on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.soon: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, call: Callable[[], None]) -> None:
        self.soon.append(call)

    def turn(self) -> None:
        calls, self.soon = self.soon, []
        for call in calls:
            call()


class Step:
    def __init__(self, turns: Turns, seconds: float, handshakes: Handshakes | None = None) -> None:
        self.turns = turns
        self.seconds = seconds
        self.steps = 0
        self.gave_way = False
        self._handshakes = handshakes

    def step(self) -> None:
        self.steps += 1
        self.turns.now += self.seconds

    def give_way(self) -> None:
        assert self._handshakes is not None
        self.gave_way = True
        self._handshakes.end(self)


def made(most: int = 500) -> tuple[Turns, Handshakes]:
    turns = Turns()
    return turns, Handshakes(cast(asyncio.AbstractEventLoop, turns), most)


def test_each_turn_of_the_loop_works_for_a_slice_and_leaves_the_rest_to_others() -> None:
    turns, handshakes = made()
    steps = [Step(turns, SLICE_SECONDS / 2) for _ in range(7)]
    for each in steps:
        handshakes.due(each)
    assert len(turns.soon) == 1
    done = []
    while turns.soon:
        turns.turn()
        done.append(sum(each.steps for each in steps))
    assert done == [2, 4, 6, 7]
    assert [each.steps for each in steps] == [1] * 7


def test_a_step_which_fails_holds_up_no_other() -> None:
    class Broken(Step):
        def step(self) -> None:
            raise ZeroDivisionError

    turns, handshakes = made()
    good = Step(turns, 0.0)
    handshakes.due(Broken(turns, 0.0))
    handshakes.due(good)
    with pytest.raises(ZeroDivisionError):
        turns.turn()
    turns.turn()
    assert good.steps == 1
    handshakes.due(good)
    turns.turn()
    assert good.steps == 2


def test_the_oldest_gives_way_to_the_newest_unless_it_is_young() -> None:
    turns, handshakes = made(most=2)
    one, two, three = (Step(turns, 0.0, handshakes) for _ in range(3))
    handshakes.begin(one)
    handshakes.begin(two)
    assert (handshakes.under_way, handshakes.full) == (2, True)
    turns.now += YOUNG_SECONDS
    assert not handshakes.full
    handshakes.begin(three)
    assert (one.gave_way, two.gave_way) == (True, False)
    assert handshakes.under_way == 2
    handshakes.end(two)
    handshakes.end(two)
    assert handshakes.under_way == 1


def test_where_none_may_begin_it_is_always_full() -> None:
    _, handshakes = made(most=0)
    assert handshakes.full
