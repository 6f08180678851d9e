"""Checkpoints: which of the two holds, and what is kept."""

from pathlib import Path

import pytest

from angarium.core.fault import FAULTS
from angarium.events.checkpoint import (
    BEFORE,
    NOW,
    SYNCED,
    CheckpointError,
    File,
    Keeper,
    boot_id,
    passed,
    written,
)
from angarium.events.reader import Cursor

CURSOR = Cursor(41, 30, {1: 9, 2: 70}, {1: [1 << 80], 2: [5]}, (3, 2**63))
FILES = {"/log/mainlog.ec": File(12, 3456)}


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    made = Keeper(tmp_path / "logs", "boot-1")
    assert made.lock()
    return made


def number(keeper: Keeper, boot: str) -> int:
    found = keeper.load()
    assert found is not None
    return found.cursors(boot)["000/events"].number


def test_what_was_saved_is_loaded(keeper: Keeper) -> None:
    keeper.save({"000/events": CURSOR}, FILES, sync=True)
    found = keeper.load()
    assert found is not None
    assert found.files == FILES
    cursor = found.cursors("boot-1")["000/events"]
    assert {name: getattr(cursor, name) for name in Cursor.__slots__} == {
        name: getattr(CURSOR, name) for name in Cursor.__slots__
    }


def test_nothing_was_saved(keeper: Keeper) -> None:
    assert keeper.load() is None


def test_after_the_death_of_the_process_the_newest_holds(keeper: Keeper) -> None:
    keeper.save({"000/events": Cursor(1)}, FILES, sync=True)
    keeper.save({"000/events": Cursor(2)}, FILES, sync=False)
    assert number(keeper, "boot-1") == 2


def test_after_a_power_cut_only_what_was_synced_holds(tmp_path: Path, keeper: Keeper) -> None:
    keeper.save({"000/events": Cursor(1)}, FILES, sync=True)
    keeper.save({"000/events": Cursor(2)}, FILES, sync=False)
    assert number(Keeper(tmp_path / "logs", "boot-2"), "boot-2") == 1


def test_where_boots_are_not_told_apart_only_what_was_synced_holds(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "logs", "")
    assert keeper.lock()
    keeper.save({"000/events": Cursor(1)}, FILES, sync=True)
    keeper.save({"000/events": Cursor(2)}, FILES, sync=False)
    assert number(keeper, "") == 1


def test_after_a_power_cut_reading_goes_on_where_numbers_are_sure(keeper: Keeper) -> None:
    keeper.save({"000/events": CURSOR, "000/rejections": Cursor(20, 5)}, {}, sync=True)
    found = keeper.load()
    assert found is not None
    cursors = found.cursors("boot-2")
    assert cursors["000/events"].number == 30
    assert cursors["000/rejections"].number == 20  # has no sources; its numbers come once


@pytest.mark.parametrize("sync", [False, True])
def test_a_crash_while_saving_leaves_the_former(keeper: Keeper, sync: bool) -> None:
    keeper.save({"000/events": Cursor(1)}, FILES, sync=True)
    FAULTS.arm("checkpoint.saving", _crash)
    with pytest.raises(KeyboardInterrupt):
        keeper.save({"000/events": Cursor(2)}, FILES, sync=sync)
    assert number(keeper, "boot-1") == 1


def _crash() -> None:
    raise KeyboardInterrupt


def test_a_torn_unsynced_checkpoint_is_passed_over(tmp_path: Path, keeper: Keeper) -> None:
    keeper.save({"000/events": Cursor(1)}, FILES, sync=True)
    (tmp_path / "logs" / NOW).write_bytes(b'{"version":1,')
    assert number(keeper, "boot-1") == 1


@pytest.mark.parametrize("octets", [b"", b"{}", b'{"version":1,"boot":"","strea', b"\xff", None])
def test_where_the_last_one_is_damaged_or_gone_the_one_before_holds(
    tmp_path: Path, keeper: Keeper, octets: bytes | None
) -> None:
    keeper.save({"000/events": Cursor(1)}, FILES, sync=True)
    keeper.save({"000/events": Cursor(2)}, FILES, sync=True)
    if octets is None:
        (tmp_path / "logs" / SYNCED).unlink()
    else:
        (tmp_path / "logs" / SYNCED).write_bytes(octets)
    later = Keeper(tmp_path / "logs", "boot-2")
    assert number(later, "boot-2") == 1
    assert ("put aside" in later.damage) is (octets is not None)
    assert (tmp_path / "logs" / f"{SYNCED}.damaged").exists() is (octets is not None)


def test_one_changed_octet_is_seen_wherever_it_is(tmp_path: Path, keeper: Keeper) -> None:
    """A digit for another one would make a file shorter, or lines come twice."""
    keeper.save({"000/events": CURSOR}, FILES, sync=True)
    path = tmp_path / "logs" / SYNCED
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        (tmp_path / "logs" / NOW).unlink(missing_ok=True)
        later = Keeper(tmp_path / "logs", "boot-2")
        found = later.load()
        assert found is None or found.files == FILES and found.streams["000/events"].number == 41


def test_where_none_can_be_read_everything_is_read_again_and_that_is_told(
    tmp_path: Path, keeper: Keeper
) -> None:
    for name in (NOW, SYNCED, BEFORE):
        (tmp_path / "logs" / name).write_bytes(b"{}")
    assert keeper.load() is None
    assert "lines may come twice" in keeper.damage


def test_the_unsynced_one_of_another_boot_is_better_than_none(
    tmp_path: Path, keeper: Keeper
) -> None:
    keeper.save({"000/events": CURSOR}, FILES, sync=True)
    for name in (SYNCED, BEFORE):
        (tmp_path / "logs" / name).unlink(missing_ok=True)
    assert number(Keeper(tmp_path / "logs", "boot-2"), "boot-2") == CURSOR.safe


def test_a_checkpoint_of_a_later_version_stops_the_reader(tmp_path: Path, keeper: Keeper) -> None:
    (tmp_path / "logs" / SYNCED).write_bytes(b'{"version":2,"boot":"","streams":{}}')
    with pytest.raises(CheckpointError, match="later version"):
        keeper.load()


def test_a_checkpoint_of_a_program_that_wrote_no_crc_is_read(
    tmp_path: Path, keeper: Keeper
) -> None:
    (tmp_path / "logs" / SYNCED).write_bytes(b'{"version":1,"boot":"b","streams":{},"files":{}}')
    assert keeper.load() is not None


def test_only_one_process_keeps_a_checkpoint(tmp_path: Path, keeper: Keeper) -> None:
    other = Keeper(tmp_path / "logs", "boot-1")
    assert not other.lock()
    keeper.unlock()
    assert other.lock()
    other.unlock()


def test_owners_learn_what_all_readers_have_passed(tmp_path: Path) -> None:
    assert passed(tmp_path) == {}
    for name, cursors in (
        ("logs", {"000/events": CURSOR, "000/rejections": Cursor(20, 5)}),
        ("loader", {"000/events": Cursor(40, 29, {1: 1})}),
    ):
        keeper = Keeper(tmp_path / name, "boot-1")
        assert keeper.lock()
        keeper.save(cursors, {}, sync=True)
        if name == "logs":
            assert passed(tmp_path) == {"000/events": 30, "000/rejections": 20}
    assert passed(tmp_path) == {"000/events": 29}


def test_while_a_checkpoint_is_damaged_everything_is_wanted(tmp_path: Path, keeper: Keeper) -> None:
    keeper.save({"000/events": CURSOR}, {}, sync=True)
    (tmp_path / "logs" / SYNCED).write_bytes(b"?")
    assert passed(tmp_path) == {}


def test_the_files_a_reader_may_go_back_to_are_known(tmp_path: Path, keeper: Keeper) -> None:
    assert written(tmp_path) == set()
    keeper.save({}, {"mainlog": File(7, 10)}, sync=True)
    keeper.save({}, {"mainlog": File(8, 0)}, sync=False)
    # After the death of the process it would be 8, after that of the machine 7.
    assert written(tmp_path) == {7, 8}
    keeper.save({}, {"mainlog": File(8, 5)}, sync=True)
    assert written(tmp_path) == {8}
    (tmp_path / "logs" / SYNCED).write_bytes(b"?")
    with pytest.raises(CheckpointError):
        written(tmp_path)


def test_this_run_of_the_machine_has_a_name() -> None:
    assert boot_id() == boot_id()
