"""Another generation of the configuration, with shards open; and the disks which are watched."""

from dataclasses import replace

import pytest

from angarium.journal.disk import Space
from angarium.journal.errors import SpoolError
from angarium.queue.spool.health import LOGS_FULL
from helpers.disk import MemoryDisk
from helpers.spool import SMALL, Life

LOW = 1 << 20
WATCHED = replace(SMALL, log_folders=("/logs/main",), log_space_low=LOW, log_inodes_low=10)


class TwoDisks(MemoryDisk):
    """A disk for the spool and one for the logs, whose folder nobody has made yet."""

    logs = Space(10 * LOW, 1000, 1000)

    def space(self, path: str) -> Space:
        if path == "/logs/main":
            raise FileNotFoundError(path)
        return self.logs if path == "/logs" else super().space(path)


def test_without_room_for_logs_no_mail_is_taken_in_and_deliveries_go_on() -> None:
    disk = TwoDisks()
    life = Life(disk, WATCHED).start()
    (kept,) = life.put()
    disk.logs = Space(LOW - 1, 1000, 1000)
    life.pass_time(1.5)
    assert (life.spool.intake, life.spool.delivery) == (False, True)
    with pytest.raises(SpoolError, match="disk of a log"):
        life.put()
    life.deliver(kept)
    disk.logs = Space(LOW + 1, 1000, 1000)
    life.pass_time(1.5)
    assert life.spool.refusal is LOGS_FULL, "it flickers"
    disk.logs = Space(2 * LOW, 1000, 1000)
    life.pass_time(1.5)
    assert life.spool.intake
    life.put()


def test_inodes_of_the_logs_count_where_there_is_a_count() -> None:
    disk = TwoDisks()
    life = Life(disk, WATCHED).start()
    disk.logs = Space(10 * LOW, 0, 0)
    life.pass_time(1.5)
    assert life.spool.intake
    disk.logs = Space(10 * LOW, 9, 1000)
    life.pass_time(1.5)
    assert not life.spool.intake


def test_watermarks_change_while_running() -> None:
    disk = MemoryDisk()
    life = Life(disk, SMALL).start()
    free = disk.space("/").octets
    life.spool.configure(replace(SMALL, space_low=free + 1))
    life.pass_time(1.5)
    assert not life.spool.intake
    life.spool.configure(replace(SMALL, space_low=free // 4))
    life.pass_time(1.5)
    assert life.spool.intake


def test_force_fsync_changes_while_running() -> None:
    disk = MemoryDisk()
    life = Life(disk, replace(SMALL, sync_seconds=60.0)).start()
    life.spool.configure(replace(SMALL, force_fsync=False, sync_seconds=60.0))
    assert life.spool.status()["durable"] is False
    (early,) = life.put()
    life.spool.configure(SMALL)
    assert life.spool.status()["durable"] is True
    (late,) = life.put()
    survivors = Life(disk.power_cut(lambda count: 0)).start()
    assert {early, late} <= set(survivors.found), "what is synced brings what came before with it"


@pytest.mark.effect("force_fsync")
def test_unsynced_mail_is_lost_at_a_power_cut_where_force_fsync_is_off() -> None:
    disk = MemoryDisk()
    life = Life(disk, replace(SMALL, force_fsync=False, sync_seconds=60.0)).start()
    life.put()
    assert not Life(disk.power_cut(lambda count: 0)).start().found


@pytest.mark.effect("state_sync_interval")
@pytest.mark.parametrize(("interval", "known"), [(0.1, False), (5.0, True)])
def test_an_end_is_on_the_disk_after_the_interval_and_not_before(
    interval: float, known: bool
) -> None:
    disk = MemoryDisk()
    life = Life(disk, replace(SMALL, sync_seconds=interval)).start()
    (ident,) = life.put()
    life.deliver(ident)
    life.pass_time(1.0)
    assert (ident in Life(disk.power_cut(lambda count: 0)).start().found) is known
