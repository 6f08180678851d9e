"""What is damaged is named: the file, the octets, and whose mail it is."""

import asyncio

import pytest

from angarium.queue.spool.slot import unpack
from angarium.queue.spool.verify import Report, verify
from helpers.clock import FakeClock
from helpers.disk import MemoryDisk
from helpers.spool import HOME, Life

DATA = f"{HOME}/data/0000000001.seg"


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def look(life: Life, *, contents: bool = True) -> Report:
    return asyncio.run(verify(life.disk, HOME, FakeClock(), contents=contents))


def test_a_sound_shard_is_counted(life: Life) -> None:
    idents = [life.put()[0] for _ in range(5)]
    life.spool.isolate(idents[4])
    life.deliver(idents[0])
    life.pass_time(2.0)
    report = look(life)
    assert report.sound
    assert (report.queued, report.quarantined, report.unreadable) == (3, 1, 0)
    assert report.records >= 7
    assert report.oldest is not None
    assert report.newest is not None
    assert (report.oldest[1], report.newest[1]) == (idents[1], idents[4])
    life.stop()
    assert look(life).sound


def test_a_damaged_record_is_named_with_its_entries(life: Life) -> None:
    idents = [life.put("a@x.test", "b@x.test") for _ in range(5)]
    where = unpack(life.spool.live[idents[2][0]])
    life.stop()  # with a checkpoint, so that no start would look there
    life.disk.damage(DATA, where.offset + 3, b"\xff\xff")
    report = look(life)
    assert not report.sound
    [finding] = report.findings
    assert (finding.path, finding.start) == (DATA, where.offset)
    assert finding.end == unpack(Life(life.disk).start().spool.live[idents[3][0]]).offset
    assert finding.entries == idents[2]
    assert report.unreadable == 2


def test_a_damaged_content_is_named_with_its_entries(life: Life) -> None:
    (ident,) = life.put(body=b"x" * 500)
    life.put()
    life.stop()
    at = life.disk.content(DATA).find(b"x" * 500)
    life.disk.damage(DATA, at + 9, b"y")
    report = look(life)
    [finding] = report.findings
    assert finding.entries == [ident]
    assert finding.start < at < finding.end
    assert look(life, contents=False).sound


def test_a_damaged_content_of_which_nobody_has_need_is_told_and_no_fault(life: Life) -> None:
    life.deliver(life.put(body=b"x" * 500)[0])
    life.put()
    life.stop()
    life.disk.damage(DATA, life.disk.content(DATA).find(b"x" * 500) + 9, b"y")
    report = look(life)
    assert report.sound
    assert [finding.kept for finding in report.findings] == [True]


def test_a_body_in_a_file_of_its_own_is_named(life: Life) -> None:
    writer = life.spool.large()
    writer.write(b"y" * 3000)
    (ident,) = life.put(body=writer.finish())
    life.stop()
    [name] = life.disk.names(f"{HOME}/large")
    life.disk.damage(f"{HOME}/large/{name}", 77, b"z")
    [finding] = look(life).findings
    assert (finding.path, finding.entries) == (f"{HOME}/large/{name}", [ident])


def test_a_damaged_checkpoint_is_named(life: Life) -> None:
    life.put()
    life.stop()
    path = f"{HOME}/checkpoints/0000000001.chk"
    life.disk.damage(path, 3, b"\xff\xff")
    [finding] = look(life).findings
    assert finding.path == path


def test_it_is_told_once_that_a_copy_was_put_aside(life: Life) -> None:
    first, _ = life.put(), life.put()
    where = unpack(life.spool.live[first[0]])
    life.pass_time(2.0)
    life.disk.damage(DATA, where.offset + 3, b"\xff\xff")
    assert not look(life).sound
    life = Life(life.kill(), start=life.loop.clock.time() + 9.0).start()
    life.pass_time(2.0)
    report = look(life)
    assert report.sound
    assert [finding.kept for finding in report.findings] == [True]
