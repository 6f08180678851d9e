"""What a directory holds, before anything in it is changed."""

import pytest

from angarium.journal.errors import FormatError, LockedError
from angarium.queue.spool.inventory import DIRECTORIES, LOCK, take
from helpers.disk import MemoryDisk
from helpers.formats import newer
from helpers.spool import HOME, Life


def test_a_new_directory_is_made_and_empty() -> None:
    disk = MemoryDisk()
    found = take(disk, HOME, high_water=True)
    assert found.data.segments == found.state.segments == []
    assert (found.newest, found.reader, found.high) == (0, None, 0)
    assert {f"{HOME}/{name}" for name in DIRECTORIES} <= disk.directories
    assert disk.locked[found.lock] == f"{HOME}/{LOCK}"


def test_a_locked_directory_is_left_alone() -> None:
    disk = MemoryDisk()
    take(disk, HOME, high_water=False)
    with pytest.raises(LockedError):
        take(disk, HOME, high_water=False)


def test_looking_only_neither_locks_nor_makes() -> None:
    disk = MemoryDisk()
    take(disk, HOME, high_water=False, readonly=True)
    assert not disk.locked
    assert disk.directories == {"/"}


def test_the_highest_id_is_found_with_and_without_a_checkpoint() -> None:
    life = Life(MemoryDisk()).start()
    life.put("a@example.org", "b@example.org")
    idents = life.put("a@example.org", "b@example.org")
    disk = life.kill()
    found = take(disk, HOME, high_water=True)
    assert found.high == idents[-1]
    disk.kill()
    life = Life(disk).start()
    life.stop()
    found = take(disk, HOME, high_water=True)
    assert found.high == idents[-1]


@pytest.mark.parametrize("log", ["data", "state", "events", "rejections"])
def test_a_newer_version_is_refused_and_nothing_touched(log: str) -> None:
    life = Life(MemoryDisk()).start()
    life.deliver(life.put()[0])
    life.pass_time(0.1)
    disk = life.kill()
    name = f"{HOME}/{log}/0000000001.seg"
    if name not in disk.names_cached:  # nothing was rejected yet
        disk.rename(f"{HOME}/data/0000000001.seg", name)
    disk.damage(name, 0, newer(disk.content(name)))
    before = {path: bytes(file.cached) for path, file in disk.names_cached.items()}
    with pytest.raises(FormatError, match="newer Angarium") as refused:
        take(disk, HOME, high_water=True)
    assert refused.value.fields["directory"] == HOME
    assert before == {path: bytes(file.cached) for path, file in disk.names_cached.items()}
    assert not disk.locked, "another version may be started on it"


def test_a_checkpoint_without_a_beginning_is_a_fault_and_no_end() -> None:
    life = Life(MemoryDisk()).start()
    (ident,) = life.put()
    life.stop()
    life.disk.damage(f"{HOME}/checkpoints/0000000001.chk", 3, b"\xff\xff")
    found = take(life.disk, HOME, high_water=True)
    assert len(found.faults) == 1
    assert found.reader is None
    assert found.high == ident


def test_what_the_last_run_left_unsynced_is_synced_before_it_is_believed() -> None:
    life = Life(MemoryDisk()).start()
    (ident,) = life.put()
    life.deliver(ident)
    life.pass_time(0.01)
    disk = life.kill()
    take(disk, HOME, high_water=False)
    life = Life(disk.power_cut(lambda n: 0)).start()
    assert ident not in life.found
