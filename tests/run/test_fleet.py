import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from angarium.run import link
from angarium.run.child import Child
from angarium.run.fleet import Fleet, Slot
from angarium.run.scoreboard import Scoreboard
from helpers.clock import FakeClock
from helpers.quiet import Quiet


class Columns:
    workers = 6

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
        self.leaving = False
        self.pid = 0
        self.told: list[link.Message] = []
        self.killed = False
        self._ended = ended

    def send(self, message: link.Message) -> None:
        self.told.append(message)

    def keep(self) -> None:
        """It cannot be gone on with."""

    def kill(self) -> None:
        self.killed = True

    def end(self, status: int) -> None:
        assert callable(self._ended)
        self._ended(self, status)


class FakeTimer:
    def __init__(self, seconds: float, call: Callable[..., None], *args: object) -> None:
        self.seconds = seconds
        self.call = call
        self.args = args

    def cancel(self) -> None:
        self.call = lambda *_: None


class Yard:
    """A fleet with fake children, in the order they were started."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.scoreboard = Scoreboard(folder / "scoreboard")
        self.columns = Columns()
        self.started: list[FakeChild] = []
        self.timers: list[FakeTimer] = []
        self.retiring: set[str] = set()
        self.gone = self.dead = 0
        self.told: list[str] = []
        self.fleet = Fleet(self, clock, self.scoreboard, self.columns, 2, Quiet(), self.spawn)

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

    def launched(self, *numbers: int) -> None:
        """These children are ready."""
        for number in numbers:
            self.started[number].ready = True
            self.fleet.is_ready()

    def joined(self, child: Child) -> None:
        """Nobody asks."""

    def ownerless(self) -> set[str]:
        return self.retiring

    def upgraded(self, leaving: Sequence[int]) -> None:
        self.told.append(f"upgraded, {list(leaving)} leave")

    def upgrade_failed(self, reason: str) -> None:
        self.told.append(f"failed: {reason}")

    def handed_on(self, shards: Sequence[str], heir: int) -> None:
        self.told.append(f"{heir} adopts {','.join(shards)}")

    def settled(self, refused: Mapping[str, str]) -> None:
        self.told.append(f"settled {dict(refused)}")

    def call_later(self, seconds: float, call: Callable[..., None], *args: object) -> FakeTimer:
        self.timers.append(timer := FakeTimer(seconds, call, *args))
        return timer

    def wait(self, seconds: float) -> None:
        """Let pass so much time that all timers so short are over."""
        due = [timer for timer in self.timers if timer.seconds <= seconds]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            timer.call(*timer.args)

    @property
    def alive(self) -> dict[int, list[str]]:
        return {n: slot.shards for n, slot in self.fleet.slots.items() if slot.child is not None}


@pytest.fixture
async def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    yard = Yard(tmp_path, FakeClock())
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", yard.call_later)
    return yard


async def test_a_worker_that_dies_comes_back_with_its_shards(yard: Yard) -> None:
    yard.fleet.start([["000", "002"], ["001"]])
    yard.clock.advance(60)
    yard.started[0].end(-9)
    assert yard.columns.cleared == [0]
    assert yard.alive == {1: ["001"]}
    yard.wait(0.1)
    assert yard.alive == {0: ["000", "002"], 1: ["001"]}
    assert yard.started[2].start.shards == ["000", "002"]


async def test_a_worker_that_keeps_dying_is_waited_for_longer(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    waits = []
    for child in range(5):
        yard.started[child].end(1)
        waits.append(yard.timers[-1].seconds)
        yard.wait(100)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6]


async def test_shards_of_a_worker_that_keeps_dying_go_to_another(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.retiring.add("002")
    for child in (0, 2, 3):
        yard.started[child].end(1)
        yard.wait(10)
    assert yard.started[1].told == [link.Adopt(["000"])]
    assert yard.alive == {0: ["003"], 1: ["001", "000"]}


async def test_who_inherits_a_shard_while_it_is_dead_starts_with_it(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    for child in (0, 2):
        yard.started[child].end(1)
        yard.wait(10)
    yard.started[1].end(1)
    yard.started[3].end(1)
    yard.wait(10)
    assert yard.alive == {0: ["002"], 1: ["001", "000"]}
    [heir] = [child for child in yard.started[4:] if child.start.number == 1]
    assert heir.start.shards == ["001", "000"]
    assert heir.told == []


async def test_a_single_worker_keeps_its_shards_whatever_happens(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    for child in range(5):
        yard.started[child].end(1)
        yard.wait(100)
    assert yard.alive == {0: ["000"]}


async def test_a_message_two_workers_died_over_is_named_to_the_next(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    for child in (0, 1):
        yard.scoreboard.row(0).enter(77)
        yard.started[child].end(-11)
        yard.wait(10)
    assert [child.start.poison for child in yard.started] == [[], [], [77]]
    yard.fleet.quarantined(77)
    yard.started[2].end(1)
    yard.wait(10)
    assert yard.started[3].start.poison == []


async def test_who_inherits_a_shard_hears_what_is_poison(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    for child in (0, 2, 3):
        yard.scoreboard.row(0).enter(77)
        yard.started[child].end(-11)
        yard.wait(10)
    assert yard.started[1].told == [link.Adopt(["000"], [77])]


async def test_old_workers_leave_when_all_new_ones_are_ready(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.fleet.replace(2, 30.0)
    assert yard.alive == {0: ["000"], 1: ["001"], 2: ["002"], 3: ["003"]}
    yard.launched(2)
    assert yard.started[0].told == []
    assert yard.fleet.upgrading
    yard.launched(3)
    assert yard.started[0].told == yard.started[1].told == [link.Drain(30.0)]
    staying: list[object] = [*yard.fleet.staying]
    assert staying == yard.started[2:]
    assert [each.leaving for each in yard.started] == [True, True, False, False]
    for child in yard.started[:2]:
        child.end(0)
    assert yard.alive == {2: ["002", "000"], 3: ["003", "001"]}
    assert yard.started[2].told == [link.Adopt(["000"])]
    assert yard.gone == 2
    assert yard.told[-1] == "3 adopts 001"
    yard.fleet.adopted("000")
    yard.fleet.adopted("001")
    assert yard.told == [
        "upgraded, [0, 1] leave", "2 adopts 000", "3 adopts 001", "settled {}",
    ]  # fmt: skip


async def test_an_upgrade_may_change_how_many_there_are(yard: Yard) -> None:
    yard.fleet.start([["000", "003"], ["001"], ["002"]])
    yard.fleet.replace(1, 30.0)
    yard.launched(3)
    for child in yard.started[:3]:
        child.end(0)
    assert yard.alive == {3: ["004", "000", "003", "001", "002"]}
    yard.fleet.replace(3, 30.0)
    yard.launched(4, 5, 6)
    yard.started[3].end(0)
    assert len(yard.alive) == 3


async def test_an_upgrade_ends_where_the_ledger_has_no_more_columns(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.fleet.replace(100, 30.0)
    assert len(yard.alive) == Columns.workers


async def test_a_new_worker_that_dies_ends_the_upgrade_and_the_old_ones_stay(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.fleet.replace(2, 30.0)
    yard.launched(2)
    yard.started[3].end(1)
    assert yard.started[2].told == [link.Drain(0.0)]
    yard.started[2].end(0)
    yard.wait(1000)
    assert yard.alive == {0: ["000", "003"], 1: ["001", "002"]}
    assert yard.started[0].told == [link.Adopt(["003"])]
    assert len(yard.started) == 4
    assert not yard.fleet.upgrading
    assert yard.told[0] == "failed: worker 3 died with status 1"
    assert not any("settled" in each for each in yard.told)


async def test_new_workers_which_are_never_ready_leave_again(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    yard.fleet.replace(1, 30.0)
    yard.wait(60)
    assert yard.started[1].told == [link.Drain(0.0)]
    yard.launched(1)
    assert link.Drain(30.0) not in yard.started[0].told


async def test_an_old_worker_which_does_not_leave_is_killed(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.fleet.replace(2, 30.0)
    yard.launched(2, 3)
    yard.started[0].end(-11)  # it died on its way out: its shards go all the same
    assert yard.alive == {1: ["001"], 2: ["002", "000"], 3: ["003"]}
    killed = []
    for seconds in (35.0, 90.0):  # a checkpoint of a deep queue takes its time
        yard.wait(seconds)
        killed.append([child.killed for child in yard.started[1:]])
    assert killed == [[False] * 3, [True, False, False]]


async def test_a_worker_that_was_dead_when_the_new_ones_came_is_not_started(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    yard.fleet.replace(1, 30.0)
    yard.started[0].end(1)
    yard.launched(1)
    yard.wait(100)
    assert yard.alive == {1: ["001", "000"]}


async def test_a_shard_which_was_emptied_is_nobodys(yard: Yard) -> None:
    yard.fleet.start([["000", "002"], ["001"]])
    yard.fleet.released("002")
    assert yard.alive == {0: ["000"], 1: ["001"]}


async def test_after_the_drain_nothing_is_started_again(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"], ["002"]])
    yard.started[2].end(1)
    yard.fleet.drain(5.0)
    yard.started[0].end(0)
    yard.started[1].end(-9)
    yard.wait(100)
    assert yard.alive == {}
    assert yard.gone == 2
    assert len(yard.started) == 3


async def test_a_stop_in_an_upgrade_stops_all(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    yard.fleet.replace(1, 30.0)
    yard.fleet.drain(5.0)
    for child in yard.started:
        assert child.told == [link.Drain(5.0)]
        child.end(0)
    yard.wait(1000)
    assert yard.alive == {}
    assert len(yard.started) == 2


async def test_the_fleet_is_ready_when_every_worker_which_stays_is(yard: Yard) -> None:
    yard.fleet.start([["000"], ["001"]])
    yard.started[0].ready = True
    assert not yard.fleet.ready
    yard.started[1].ready = True
    assert yard.fleet.ready


async def test_the_shards_of_one_who_leaves_are_dealt_to_all_who_stay(yard: Yard) -> None:
    yard.fleet.start([["000", "001", "002", "003", "004"]])
    yard.fleet.replace(3, 30.0)
    yard.launched(1, 2, 3)
    yard.started[0].end(0)
    assert sorted(len(names) for names in yard.alive.values()) == [2, 3, 3]
    assert sum(len(names) for names in yard.alive.values()) == 3 + 5


async def test_an_upgrade_is_over_when_everything_is_found_or_cannot_be(yard: Yard) -> None:
    yard.fleet.start([["000", "003"], ["001"]])
    yard.fleet.replace(2, 30.0)
    yard.launched(2, 3)
    for child in yard.started[:2]:
        child.end(0)
    yard.fleet.adopted("000")
    yard.fleet.released("003")  # it was empty
    assert yard.told[-1] != "settled {}"
    yard.fleet.adopted("001", "written by a newer version")
    assert yard.told[-1] == "settled {'001': 'written by a newer version'}"


async def test_an_heir_that_dies_before_it_found_everything_is_waited_for(yard: Yard) -> None:
    yard.fleet.start([["000"]])
    yard.fleet.replace(1, 30.0)
    yard.launched(1)
    yard.started[0].end(0)
    yard.started[1].end(-9)
    yard.wait(10)
    assert yard.fleet.settling
    assert yard.started[2].start.shards == ["001", "000"]
    yard.fleet.adopted("000")
    assert yard.told[-1] == "settled {}"


async def test_what_is_kept_is_enough_to_go_on(yard: Yard, tmp_path: Path) -> None:
    yard.fleet.start([["000", "002"], ["001"]])
    yard.scoreboard.row(1).enter(77)
    yard.started[1].end(-11)
    kept = [each for each in yard.fleet.keep() if each.number == 1]
    assert [(each.number, each.shards, each.young_deaths) for each in kept] == [(1, ["001"], 1)]
    other = Yard(tmp_path, yard.clock)
    other.fleet.resume(kept, yard.fleet.suspects)
    assert other.alive == {1: ["001"]}
    other.scoreboard.row(1).enter(77)
    other.started[0].end(-11)
    yard.wait(10)  # whose loop it is
    assert other.started[1].start.poison == [77]
