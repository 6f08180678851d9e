import asyncio
from pathlib import Path

import pytest
import structlog

from angarium.run import link
from angarium.run.child import Child
from angarium.run.fleet import Fleet, Slot
from angarium.run.scoreboard import Scoreboard
from helpers.clock import FakeClock


class Columns:
    def __init__(self) -> None:
        self.cleared: list[int] = []

    def clear_worker(self, worker: int) -> None:
        self.cleared.append(worker)


class FakeChild:
    """A worker which lives until the test ends it."""

    def __init__(self, yard: "Yard", start: link.Start, ended: object) -> None:
        self.yard = yard
        self.start = start
        self.ready = False
        self.pid = 0
        self.told: list[link.Message] = []
        self._ended = ended

    def send(self, message: link.Message) -> None:
        self.told.append(message)

    def end(self, status: int) -> None:
        assert callable(self._ended)
        self._ended(self, status)


class Yard:
    """A fleet with fake children, in the order they were started."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.scoreboard = Scoreboard(folder / "scoreboard")
        self.columns = Columns()
        self.started: list[FakeChild] = []
        self.gone = self.dead = 0
        self.fleet = Fleet(
            self, clock, self.scoreboard, self.columns, 2, structlog.get_logger(), self.spawn
        )

    def received(self, child: Child, message: link.Message) -> None:
        raise AssertionError(message)

    def died(self, child: Child) -> None:
        self.dead += 1

    def left(self) -> None:
        self.gone += 1

    def launch(self, slot: Slot, poison: list[int]) -> tuple[link.Start, dict[str, int]]:
        return link.Start(slot.number, 2, "/", 1, b"", list(slot.shards), poison), {}

    def spawn(self, program: str, name: str, start: link.Start, *rest: object) -> Child:
        child = FakeChild(self, start, rest[-1])
        self.started.append(child)
        return child  # type: ignore[return-value]

    @property
    def alive(self) -> dict[int, list[str]]:
        return {n: slot.shards for n, slot in self.fleet.slots.items() if slot.child is not None}


@pytest.fixture(autouse=True)
def _silent() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture
async def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    loop = asyncio.get_running_loop()
    # Back-off is measured elsewhere (test_child); here a restart comes with the next turn.
    monkeypatch.setattr(loop, "call_later", lambda _, call, *args: loop.call_soon(call, *args))
    return Yard(tmp_path, FakeClock())


async def turn() -> None:
    await asyncio.sleep(0)


async def test_a_worker_that_dies_comes_back_with_its_shards(yard: Yard) -> None:
    yard.fleet.start([["000", "002"], ["001"]])
    yard.clock.advance(60)
    yard.started[0].end(-9)
    assert yard.columns.cleared == [0]
    await turn()
    assert yard.alive == {0: ["000", "002"], 1: ["001"]}
    assert yard.started[2].start.shards == ["000", "002"]


async def test_shards_of_a_worker_that_keeps_dying_go_to_another(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    for child in (0, 2, 3):
        yard.started[child].end(1)
        await turn()
    assert yard.started[1].told == [link.Adopt(["000"])]
    assert yard.alive == {0: ["002"], 1: ["001", "000"]}


async def test_a_message_two_workers_died_over_is_named_to_the_next(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    for child in (0, 1):
        yard.scoreboard.row(0).enter(77)
        yard.started[child].end(-11)
        await turn()
    assert [child.start.poison for child in yard.started] == [[], [], [77]]


async def test_an_upgrade_hands_the_shards_to_the_new_workers(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.fleet.replace(30.0)
    assert yard.alive == {0: ["000"], 1: ["001"], 2: ["002"], 3: ["003"]}
    assert yard.started[0].told == [link.Drain(30.0)]
    for child in yard.started[:2]:
        child.end(0)
    assert yard.alive == {2: ["002", "000"], 3: ["003", "001"]}
    assert yard.started[2].told == [link.Adopt(["000"])]
    assert yard.gone == 2


async def test_after_the_drain_nothing_is_started_again(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.fleet.drain(5.0)
    yard.started[0].end(0)
    yard.started[1].end(-9)
    await turn()
    assert yard.alive == {}
    assert yard.gone == 2
    assert len(yard.started) == 2


async def test_the_fleet_is_ready_when_every_worker_which_stays_is(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.started[0].ready = True
    assert not yard.fleet.ready
    yard.started[1].ready = True
    assert yard.fleet.ready


async def test_workers_told_to_leave_are_leaving_until_they_are_gone(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    leaving = [yard.fleet.leaving]
    yard.fleet.replace(30.0)
    yard.started[0].end(0)
    leaving.append(yard.fleet.leaving)
    yard.started[1].end(0)
    leaving.append(yard.fleet.leaving)
    assert leaving == [False, True, False]
    assert yard.alive == {2: ["002", "000"], 3: ["003", "001"]}
