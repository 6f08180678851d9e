"""When mail is taken in, and when what becomes of it can be recorded."""

import errno
from dataclasses import replace

import pytest

from angarium.journal.disk import Space
from angarium.journal.errors import SpoolError
from angarium.queue.spool.health import Watermark
from helpers.disk import MemoryDisk
from helpers.faultydisk import Fault, FaultyDisk
from helpers.spool import SMALL, Life


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def test_a_watermark_does_not_flicker() -> None:
    mark = Watermark(100, 10)
    assert not mark.look(Space(100, 10, 1000))
    assert mark.look(Space(99, 10, 1000))
    assert mark.look(Space(149, 100, 1000))
    assert not mark.look(Space(150, 100, 1000))


def test_inodes_count_where_the_file_system_counts_them() -> None:
    assert Watermark(100, 10).look(Space(1000, 9, 1000))
    assert not Watermark(100, 10).look(Space(1000, 0, 0))


def test_intake_stops_below_the_mark_and_resumes_by_itself() -> None:
    life = Life(MemoryDisk(), replace(SMALL, space_low=1 << 20)).start()
    changes: list[tuple[bool, bool]] = []
    life.spool.on_health(lambda: changes.append((life.spool.intake, life.spool.delivery)))
    (ident,) = life.put()
    life.disk.capacity = life.disk.used + 1000
    life.pass_time(2.0)
    with pytest.raises(SpoolError) as refused:
        life.put()
    assert refused.value.code == 452
    life.deliver(ident)
    life.disk.capacity = 1 << 40
    life.pass_time(2.0)
    life.put()
    assert changes == [(False, True), (True, True)]


def test_a_full_disk_takes_no_mail_and_records_every_end(life: Life) -> None:
    idents = [life.put()[0] for _ in range(30)]
    life.disk.capacity = life.disk.used
    refused = 0
    for _ in range(40):
        try:
            idents += life.put()
        except SpoolError as error:
            assert error.code == 452
            refused += 1
    assert refused > 10
    assert (life.spool.intake, life.spool.delivery) == (False, True)
    for ident in idents[:30]:
        life.deliver(ident)
    life.pass_time(0.02)
    life = Life(life.kill()).start()
    assert sorted(life.found) == sorted(idents[30:])


def test_it_resumes_by_itself_when_there_is_room(life: Life) -> None:
    (ident,) = life.put()
    life.disk.capacity = life.disk.used
    for _ in range(20):
        life.begin(body=b"x" * 2000)
    life.pass_time(3.0)
    assert life.spool.refusal is not None
    life.disk.capacity = 1 << 40
    life.pass_time(3.0)
    (new,) = life.put()
    life = Life(life.kill()).start()
    assert {ident, new} <= life.found.keys()


def test_a_failed_sync_refuses_who_waits_and_nobody_after(life: Life) -> None:
    life.put()
    life.pass_time(2.0)
    refused, _ = life.begin()
    life.disk.fail_at(2)
    life.pass_time(0.1)
    error = life.outcomes[id(refused)]
    assert error is not None
    assert error.code == 451
    assert life.spool.intake
    (ident,) = life.put()
    life = Life(life.kill()).start()
    assert list(life.found)[-1] == ident
    assert len(life.found) == 2


def test_a_dead_disk_stops_intake_and_delivery_until_it_is_well(life: Life) -> None:
    idents = life.put("a@example.org", "b@example.org")
    life.disk.break_down(errno.EIO)
    life.deliver(idents[0])
    life.pass_time(3.0)
    assert (life.spool.intake, life.spool.delivery) == (False, False)
    with pytest.raises(SpoolError) as refused:
        life.put()
    assert refused.value.code == 451
    assert life.alarms
    life.disk.repair()
    life.pass_time(3.0)
    assert (life.spool.intake, life.spool.delivery) == (True, True)
    life.put()
    life = Life(life.kill()).start()
    assert idents[0] not in life.found, "its end was recorded when that was possible"
    assert idents[1] in life.found


def test_the_reserve_is_set_aside_again_when_there_is_room(life: Life) -> None:
    idents = [life.put()[0] for _ in range(30)]
    life.disk.capacity = life.disk.used
    for ident in idents:
        for attempts in range(1, 20):
            life.spool.defer(ident, attempts, 5, None)
    life.pass_time(3.0)
    state = life.spool._home.state  # type: ignore[union-attr]
    assert not state.has_reserve
    assert life.spool.refusal is not None, "the reserve is for ends"
    life.disk.capacity = 1 << 40
    life.pass_time(3.0)
    assert life.keeper().shard.state.has_reserve  # type: ignore[union-attr]
    life.put()


def test_too_much_that_waits_is_refused(life: Life) -> None:
    life = Life(MemoryDisk(), replace(SMALL, waiting_octets=10_000)).start()
    messages = [life.begin(body=b"x" * 4000)[0] for _ in range(5)]
    life.pass_time(0.1)
    refused = [life.outcomes[id(message)] for message in messages]
    assert [error is None for error in refused] == [True, True, True, False, False]


def test_status_names_what_is_not_safe() -> None:
    life = Life(MemoryDisk(), replace(SMALL, force_fsync=False)).start()
    before = life.disk.syncs
    life.put()
    assert not life.spool.status()["durable"]
    life.pass_time(0.05)
    assert life.disk.syncs - before <= 2, "preparing the first segment is all that is synced"
    life.pass_time(0.2)
    life = Life(life.disk.power_cut(lambda n: 0)).start()
    assert len(life.found) == 1, "a tenth of a second later it is on the disk"


def test_a_disk_which_was_full_once_and_is_broken_now_is_not_called_full() -> None:
    disk = FaultyDisk()
    life = Life(disk).start()
    disk.plan = Fault("write", "state/segment", error=errno.ENOSPC, lasting=True)
    life.deliver(life.put()[0])
    life.pass_time(1.0)
    assert life.spool.refusal is not None
    assert life.spool.refusal.code == 452
    disk.plan = None
    life.pass_time(3.0)
    assert life.spool.intake
    disk.plan = Fault("sync", "data/segment", error=errno.EIO, lasting=True)
    for _ in range(2):
        with pytest.raises(SpoolError):
            life.put()
    assert life.spool.refusal is not None
    assert life.spool.refusal.code == 451


def test_it_says_so_before_too_much_waits() -> None:
    life = Life(MemoryDisk(), replace(SMALL, waiting_octets=10_000))
    said = [life.spool.crowded]  # it is not open
    life.start()
    said.append(life.spool.crowded)
    messages = [life.begin(body=b"x" * 4000)[0] for _ in range(2)]
    said.append(life.spool.crowded)
    life.pass_time(0.1)
    said.append(life.spool.crowded)
    assert said == [True, False, True, False]
    assert [life.outcomes[id(message)] for message in messages] == [None, None]
