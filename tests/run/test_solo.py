"""The hose from the side of its supervisor; how it is started again stands in test_supervisor."""

import asyncio
from typing import Any

import pytest

from angarium.run import link
from angarium.run.handover import KeptSolo
from angarium.run.solo import Solo
from helpers.clock import FakeClock
from helpers.quiet import Quiet

START = link.Start(0, 1, "/state", 1, b"", [])


class Yard:
    """Whom it works for, and its children."""

    def __init__(self) -> None:
        self.children: list[Any] = []
        self.wanted = True
        self.solo = Solo(self, FakeClock(), Quiet(), self.spawn)

    def spawn(self, *values: Any) -> Any:
        self.children.append(child := Child(values[-1]))
        return child

    def hose_start(self) -> link.Start:
        return START

    def joined(self, child: Any) -> None:
        """Nobody asks."""

    def received(self, child: Any, message: link.Message) -> None:
        """It says nothing here."""

    def hose_ended(self, child: Any) -> None:
        assert self.solo.child is None

    def hose_wanted(self) -> bool:
        return self.wanted


class Child:
    def __init__(self, ended: Any) -> None:
        self.told: list[link.Message] = []
        self.killed = False
        self._ended = ended

    def send(self, message: link.Message) -> None:
        self.told.append(message)

    def kill(self) -> None:
        self.killed = True

    def keep(self) -> None:
        """It cannot be gone on with."""

    def end(self, status: int) -> None:
        self._ended(self, status)


@pytest.fixture
async def timers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    set_: list[Any] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda seconds, call: set_.append((seconds, call)))
    return set_


async def test_its_place_is_taken_when_it_has_written_what_is_left(timers: list[Any]) -> None:
    yard, done = Yard(), []
    yard.solo.start()
    yard.solo.renew(lambda: done.append("reads"))
    [first] = yard.children
    assert first.told == [link.Drain(5.0)]
    first.end(0)
    timers[-1][1]()
    assert len(yard.children) == 2
    assert done == []
    yard.solo.is_ready()
    yard.solo.is_ready()
    assert done == ["reads"]


async def test_one_which_does_not_end_is_killed(timers: list[Any]) -> None:
    yard = Yard()
    yard.solo.start()
    yard.solo.renew(lambda: None)
    [(seconds, kill)] = timers
    assert seconds == 10.0
    kill()
    assert yard.children[0].killed


async def test_where_it_is_dead_its_successor_is_waited_for(timers: list[Any]) -> None:
    yard, done = Yard(), []
    yard.solo.start()
    yard.children[0].end(-9)
    yard.solo.renew(lambda: done.append("reads"))
    timers[-1][1]()
    yard.solo.is_ready()
    assert done == ["reads"]


async def test_it_is_not_started_again_where_nobody_wants_it(timers: list[Any]) -> None:
    yard = Yard()
    yard.solo.start()
    yard.wanted = False
    yard.children[0].end(0)
    assert timers == []
    assert yard.solo.keep().child is None


async def test_one_that_was_dead_when_it_was_left_is_started(timers: list[Any]) -> None:
    yard = Yard()
    yard.solo.resume(KeptSolo(1.0, 4, None))
    assert len(yard.children) == 1
    yard.children[0].end(1)
    assert timers[-1][0] == 0.1 * 2**4  # its former deaths count
