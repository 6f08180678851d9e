"""What can be kept is written anew, the rest put aside; the next start has nothing to tell."""

import asyncio
from random import Random

import pytest

from angarium.journal.errors import LockedError
from angarium.queue.spool.overlay import Overlay
from angarium.queue.spool.repair import Repaired, repair
from angarium.queue.spool.slot import unpack
from angarium.queue.spool.verify import verify
from helpers.clock import FakeClock
from helpers.damage import copy, history, one_fault
from helpers.disk import MemoryDisk
from helpers.rounds import Seeds
from helpers.spool import HOME, Life


def mended(disk: MemoryDisk) -> Repaired:
    return asyncio.run(repair(disk, HOME, FakeClock()))


def test_a_sound_shard_is_left_as_it_is() -> None:
    life = Life(MemoryDisk()).start()
    life.put()
    life.stop()
    done = mended(life.disk)
    assert done.nothing
    assert done.kept == 1


def test_a_shard_in_use_is_not_touched() -> None:
    life = Life(MemoryDisk()).start()
    with pytest.raises(LockedError):
        mended(life.disk)


def test_the_living_move_out_of_a_damaged_segment_and_the_rest_is_put_aside() -> None:
    life = Life(MemoryDisk()).start()
    idents = [life.put(body=b"%d" % n * 300)[0] for n in range(6)]
    hurt = unpack(life.spool.live[idents[2]])
    life.stop()
    life.disk.damage(f"{HOME}/data/0000000001.seg", hurt.offset + 3, b"\xff\xff")
    done = mended(life.disk)
    assert list(done.isolated) == [idents[2]]
    assert done.moved == 5
    life = Life(life.disk).start()
    assert not life.alarms
    assert life.spool.isolated() == [idents[2]]
    for number, ident in enumerate(idents):
        if ident != idents[2]:
            assert life.spool.load(ident)[0].body.whole() == b"%d" % number * 300
            assert unpack(life.spool.live[ident]).segment > 1


@pytest.mark.torture
def test_whatever_rots_a_repair_leaves_what_no_later_look_finds(seeds: Seeds) -> None:
    shards = [history(stop=stop, seed=4) for stop in (False, True)]
    for seed in seeds(25, 1500):
        chance = Random(seed)
        truth = chance.choice(shards)
        disk = copy(truth.disk)
        one_fault(disk, chance)
        before = {path: bytes(file.cached) for path, file in disk.names_cached.items()}
        dry = asyncio.run(repair(Overlay(disk), HOME, FakeClock()))
        assert before == {path: bytes(file.cached) for path, file in disk.names_cached.items()}
        done = mended(disk)
        assert (dry.kept, dry.moved, dry.isolated.keys()) == (
            done.kept, done.moved, done.isolated.keys()
        )  # fmt: skip
        report = asyncio.run(verify(disk, HOME, FakeClock()))
        assert all(each.kept or each.entries for each in report.findings), report.findings
        assert report.unreadable <= report.quarantined
        assert mended(disk).isolated == {}
