"""The shards of a worker: a real spool on a disk in memory, and a board which only notes."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from angarium.journal.errors import LockedError, SpoolError
from angarium.run.holdings import LOCKED_SECONDS, Holdings
from helpers.disk import MemoryDisk
from helpers.spool import Life


class Board:
    """Notes what it is told."""

    def __init__(self, life: Life) -> None:
        self.found_: list[int] = []
        self.isolated: list[int] = []
        self._life = life

    def found(self, ident: int, slot: bytes) -> None:
        self.found_.append(ident)

    def isolate(self, ident: int) -> None:
        self.isolated.append(ident)
        self._life.spool.isolate(ident)


class Yard:
    """A worker that holds shards."""

    def __init__(self, disk: MemoryDisk) -> None:
        self.life = Life(disk)
        self.board = Board(self.life)
        self.gone: list[str] = []
        self.taken: dict[str, str] = {}
        self.aside: list[int] = []
        self.alarms: list[str] = []
        board: Any = self.board
        clock = self.life.loop.clock
        self.holdings = Holdings(Path("/spool"), self.life.spool, board, self, self.alarm, clock)

    def adopted(self, shard: str, refusal: str = "") -> None:
        self.taken[shard] = refusal

    def released(self, shard: str) -> None:
        self.gone.append(shard)

    def quarantined(self, ident: int) -> None:
        self.aside.append(ident)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.task = self.life.loop.create_task(work)

    def alarm(self, text: str, source: str) -> None:
        self.alarms.append(text)

    def open(self, name: str = "000", *poison: int) -> None:
        self.life.run(self.holdings.open(name, poison))

    def adopt(self, *names: str) -> None:
        self.life.run(self.holdings.adopt(names))


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


def filled(disk: MemoryDisk, directory: str = "/spool/000") -> list[int]:
    """A former life: one message to three, and one to one."""
    life = Life(disk).start(directory)
    idents = life.put("a@x.test", "b@x.test", "c@x.test") + life.put("d@x.test")
    life.stop()
    return idents


def test_what_is_in_a_shard_is_found(disk: MemoryDisk) -> None:
    idents = filled(disk)
    yard = Yard(disk)
    yard.open()
    yard.adopt()
    assert sorted(yard.board.found_) == idents


def test_poison_is_put_aside_with_all_its_recipients(disk: MemoryDisk) -> None:
    for first in range(3):
        idents = filled(disk, f"/spool/00{first}")
        yard = Yard(disk)
        yard.open(f"00{first}", idents[first])
        yard.adopt()
        assert yard.board.found_[-1:] == idents[3:]
        assert sorted(yard.life.spool.isolated()) == idents[:3]
        assert yard.aside == [idents[first]]
        assert yard.board.isolated == idents[:first]  # were found before
        [told] = yard.alarms
        assert "workers died over it" in told
        yard.life.stop()


def test_a_shard_whose_owner_is_not_gone_yet_is_waited_for(disk: MemoryDisk) -> None:
    filled(disk)
    lock = disk.lock("/spool/000/lock")
    assert lock is not None
    yard = Yard(disk)
    yard.life.loop.call_later(1.0, disk.close, lock)
    yard.open()
    assert yard.life.loop.clock.monotonic() < 1000.0 + 1.2


def test_a_shard_which_stays_locked_is_not_had(disk: MemoryDisk) -> None:
    filled(disk)
    disk.lock("/spool/000/lock")
    yard = Yard(disk)
    with pytest.raises(LockedError):
        yard.open()
    assert yard.life.loop.clock.monotonic() >= 1000.0 + LOCKED_SECONDS


def test_a_shard_that_cannot_be_adopted_keeps_nobody_from_the_next(disk: MemoryDisk) -> None:
    filled(disk, "/spool/001")
    idents = filled(disk, "/spool/002")
    disk.lock("/spool/001/lock")
    yard = Yard(disk)
    yard.open()
    yard.adopt("001", "002")
    assert sorted(yard.board.found_) == idents
    assert [each[:30] for each in yard.alarms] == ["shard 001 cannot be adopted: a"]


def test_a_shard_is_given_up_when_it_is_empty(disk: MemoryDisk) -> None:
    idents = filled(disk, "/spool/001")
    yard = Yard(disk)
    yard.open()
    yard.adopt("001")
    yard.holdings.look()
    assert yard.gone == []
    for ident in idents:
        yard.life.deliver(ident)
    yard.holdings.look()
    assert yard.gone == []  # What ended is not on the disk yet.
    yard.life.pass_time(1.0)
    yard.holdings.look()
    yard.life.pass_time(1.0)
    assert yard.gone == ["001"]
    assert disk.lock("/spool/001/lock") is not None


def test_a_shard_that_was_not_closed_well_is_not_given_up(
    disk: MemoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(disk, "/spool/001")
    yard = Yard(disk)

    async def release(directory: str) -> None:
        raise SpoolError("no room")

    monkeypatch.setattr(type(yard.life.spool), "release", lambda _, directory: release(directory))
    monkeypatch.setattr(type(yard.life.spool), "drained", lambda _: ["/spool/001"])
    yard.open()
    yard.holdings.look()
    yard.life.pass_time(1.0)
    assert yard.gone == []
    assert yard.alarms == ["shard 001 was not closed well: no room"]


def test_who_leaves_adopts_no_more(disk: MemoryDisk) -> None:
    filled(disk, "/spool/001")
    disk.lock("/spool/001/lock")
    yard = Yard(disk)
    yard.open()

    async def leave() -> None:
        adopting = asyncio.ensure_future(yard.holdings.adopt(["001", "002"]))
        await asyncio.sleep(1.0)
        await yard.holdings.stop()
        assert adopting.cancelled()
        await yard.life.spool.close()

    yard.life.run(leave())
    assert yard.alarms == []
