"""Pressure is answered in stages, and each is left only well below where it began."""

from collections.abc import Iterator

import pytest

from angarium.events.metrics import Metrics
from angarium.queue.admit import Admit
from angarium.queue.footprint import Reading
from angarium.queue.memory import (
    BRISK_SECONDS,
    CALM_SECONDS,
    LOOK_SECONDS,
    SHRINK_SECONDS,
    Memory,
    Stage,
)
from angarium.queue.options import Residence
from helpers.queues import Queues


class Machine:
    """A worker whose memory is what the test says, in percent; goal 80, high water 90."""

    def __init__(self) -> None:
        self.queues = Queues()
        options = Residence.make(memory_goal=80.0, memory_hwm=90.0)
        self.queues.configuration.tops[Residence] = options
        self.queues.start()
        self.admit = Admit(self.queues.spool, self.queues.board)
        self.used, self.hollow = 10, 0
        self.changes: list[Stage] = []
        self.texts: list[str] = []
        self.shrunk = self.sheds = 0
        self.looks: list[float] = []
        self.metrics = Metrics()
        self.memory = Memory(
            self.queues.board,
            self.admit,
            lambda: Reading(self.used, 100, self.hollow),
            self.changed,
            self.queues.clock,
            self.metrics,
            caches=[self.shrink],
            shed=self.shed,
        )

    def changed(self, stage: Stage, text: str) -> None:
        self.changes.append(stage)
        self.texts.append(text)

    def shrink(self) -> Iterator[None]:
        self.shrunk += 1
        yield

    def shed(self) -> None:
        self.sheds += 1

    def at(self, percent: int, seconds: float = 0.0) -> Stage:
        """Measure so much for so long, ten times a second."""
        self.used = percent
        for _ in range(int(seconds * 10)):
            self.memory.sample()
            self.queues.clock.advance(0.1)
        return self.memory.sample()

    def calm(self, percent: int) -> Stage:
        return self.at(percent, CALM_SECONDS + 0.2)

    def work(self) -> None:
        while self.queues.board.work():
            pass


@pytest.mark.effect("memory_goal", "memory_hwm")
def test_stages_come_one_after_the_other_and_each_is_told() -> None:
    machine = Machine()
    stages = [machine.at(percent) for percent in (79, 80, 84, 85, 90, 94, 95, 99)]
    assert [stage.value for stage in stages] == [0, 1, 1, 2, 3, 3, 4, 4]
    assert machine.changes == [Stage.SHRINK, Stage.NO_SESSIONS, Stage.NO_MAIL, Stage.NO_CONTENT]
    assert "no mail is taken in" in machine.texts[2]


def test_a_stage_does_not_flicker() -> None:
    machine = Machine()
    stages = [machine.calm(percent) for percent in (80, 79, 80, 79, 78, 79)]
    assert [stage.value for stage in stages] == [1, 1, 1, 1, 0, 0]


def test_a_stage_is_left_after_some_calm_seconds_only() -> None:
    machine = Machine()
    machine.at(90)
    assert machine.at(10, CALM_SECONDS - 0.5) is Stage.NO_MAIL
    machine.at(89)  # Not well below.
    assert machine.at(10, CALM_SECONDS - 0.5) is Stage.NO_MAIL
    assert machine.at(10, 1.0) is Stage.NORMAL


def test_recovery_goes_through_the_stages_down() -> None:
    machine = Machine()
    stages = [machine.calm(percent) for percent in (95, 94, 93, 89, 88, 84, 83, 79, 78)]
    assert [stage.value for stage in stages] == [4, 4, 3, 3, 2, 2, 1, 1, 0]


def test_contents_leave_memory_and_come_back_into_it() -> None:
    machine = Machine()
    line = machine.queues.put("a.test")
    assert line.resident == 1
    machine.at(80)
    machine.work()
    assert (line.resident, machine.queues.board.resident) == (0, 0)
    assert machine.queues.put("a.test").resident == 0
    assert len(line.take(1)) == 1
    machine.calm(10)
    machine.queues.put("b.test")
    assert machine.queues.board.resident == 2


def test_what_failed_leaves_memory_too() -> None:
    machine = Machine()
    (entry,) = machine.queues.put("a.test").take(1)
    machine.queues.defer(entry, 60)
    assert machine.queues.board.resident == 1
    machine.at(80)
    assert machine.queues.board.resident == 0
    assert not machine.queues.board.rooms.kept


def test_caches_shrink_at_once_and_again_while_memory_is_short() -> None:
    machine = Machine()
    machine.at(79, 60.0)
    assert machine.shrunk == 0
    machine.at(80)
    machine.work()
    assert (machine.shrunk, machine.queues.configuration.shrunk) == (1, 1)
    machine.at(80, SHRINK_SECONDS - 0.5)
    machine.work()
    assert machine.shrunk == 1
    machine.at(80, 1.0)
    machine.work()
    assert machine.shrunk == 2


def test_sessions_are_refused_before_mail_is_and_contents_last() -> None:
    machine = Machine()
    machine.at(85)
    assert (machine.memory.may_greet(), machine.admit.refusal()) == (False, None)
    machine.at(90)
    assert machine.admit.refusal() is not None
    assert machine.sheds == 0
    machine.at(95)
    assert machine.sheds == 1
    machine.calm(10)
    assert (machine.memory.may_greet(), machine.admit.refusal()) == (True, None)


def test_what_is_hollow_keeps_caches_small_and_refuses_no_mail() -> None:
    machine = Machine()
    machine.hollow = 20
    assert machine.at(99) is Stage.SHRINK
    machine.hollow = 4
    assert machine.at(99) is Stage.NO_CONTENT


@pytest.mark.parametrize(("percent", "wait"), [(10, LOOK_SECONDS), (60, BRISK_SECONDS)])
def test_near_the_goal_it_is_looked_at_more_often(percent: int, wait: float) -> None:
    machine = Machine()
    machine.used = percent
    machine.memory.start(lambda seconds, call: machine.looks.append(seconds))
    assert machine.looks == [wait]


def test_after_the_stop_nothing_is_looked_at() -> None:
    machine = Machine()
    calls = []
    machine.memory.start(lambda seconds, call: calls.append(call))
    machine.memory.stop()
    calls[0]()
    assert len(calls) == 1


def test_each_stage_is_counted() -> None:
    machine = Machine()
    machine.queues.put("a.test")
    machine.at(90)
    machine.calm(10)
    values = machine.metrics.snapshot()
    assert values["memory_stage"] == 0
    assert values["memory_stage_changes"] == 2
    assert values["memory_shrunk"] == 1
    assert (values["memory_used"], values["memory_limit"]) == (10, 100)
