"""The real disk, and that the model of it agrees."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from angarium.journal.disk import Disk, FileDisk, write_all
from helpers.disk import SECTOR, MemoryDisk


@pytest.fixture(params=[FileDisk, MemoryDisk])
def disk(request: pytest.FixtureRequest) -> Disk:
    made: Callable[[], Disk] = request.param
    return made()


@pytest.fixture
def place(disk: Disk, tmp_path: Path) -> str:
    disk.make_dir(f"{tmp_path}/a/b")
    return f"{tmp_path}/a/b"


def test_what_was_written_is_read(disk: Disk, place: str) -> None:
    handle = disk.open(f"{place}/x", create=True)
    assert write_all(disk, handle, [b"one", b"", b"two"], 10) == 16
    disk.sync(handle)
    disk.sync_dir(place)
    assert disk.read(handle, 100, 0) == bytes(10) + b"onetwo"
    assert disk.read_cached(handle, 3, 13) == b"two"
    assert disk.read(handle, 5, 100) == b""
    assert disk.size(handle) == 16
    disk.close(handle)


def test_names_come_and_go(disk: Disk, place: str) -> None:
    disk.close(disk.open(f"{place}/x", create=True))
    disk.rename(f"{place}/x", f"{place}/y")
    assert disk.names(place) == ["y"]
    disk.unlink(f"{place}/y")
    assert disk.names(place) == []
    assert disk.names(f"{place}/missing") == []
    with pytest.raises(FileNotFoundError):
        disk.open(f"{place}/y")


def test_a_file_can_be_given_its_blocks(disk: Disk, place: str) -> None:
    handle = disk.open(f"{place}/x", create=True)
    disk.allocate(handle, 5000)
    assert disk.size(handle) == 5000
    disk.truncate(handle, 10)
    assert disk.size(handle) == 10
    disk.close(handle)


def test_a_lock_is_one_holders_even_in_one_process(disk: Disk, place: str) -> None:
    first = disk.lock(f"{place}/lock")
    assert first is not None
    assert disk.lock(f"{place}/lock") is None
    disk.close(first)
    again = disk.lock(f"{place}/lock")
    assert again is not None
    disk.close(again)


def test_space_is_counted(disk: Disk, place: str) -> None:
    assert disk.space(place).octets > 0


def test_more_pieces_than_one_call_takes_are_written(disk: Disk, place: str) -> None:
    handle = disk.open(f"{place}/x", create=True)
    pieces = [b"%04d" % number for number in range(3000)]
    assert write_all(disk, handle, pieces, 0) == 12000
    assert disk.read(handle, 12000, 0) == b"".join(pieces)
    disk.close(handle)


def test_a_short_write_is_gone_on_with() -> None:
    disk = MemoryDisk()
    handle = disk.open("/x", create=True)
    disk.fail_at(1, short=True)
    disk.fail_at(2, short=True)
    assert write_all(disk, handle, [b"abc", b"defg"], 0) == 7
    assert disk.read(handle, 9, 0) == b"abcdefg"


def test_a_write_into_nothing_is_a_failure() -> None:
    disk = MemoryDisk()
    handle = disk.open("/x", create=True)
    disk.capacity = 4
    with pytest.raises(OSError, match="no room") as failure:
        write_all(disk, handle, [b"abcdefgh"], 0)
    assert failure.value.errno == errno.ENOSPC


def test_the_model_forgets_what_was_not_synced() -> None:
    disk = MemoryDisk()
    handle = disk.open("/x", create=True)
    disk.write(handle, [b"one"], 0)
    disk.sync(handle)
    disk.sync_dir("/")
    disk.write(handle, [b"two"], 3)
    disk.close(disk.open("/y", create=True))
    found = {(image.content("/x"), "/y" in image.names_cached) for image in disk.images()}
    assert found == {(b"one", False), (b"onetwo", True), (b"onetwo", False), (b"one", True)}


def test_the_model_tears_writes() -> None:
    disk = MemoryDisk()
    handle = disk.open("/x", create=True)
    disk.sync_dir("/")
    disk.write(handle, [b"a" * SECTOR + b"b" * SECTOR], 0)
    answers = iter([3, 0, 1])  # the second sector only
    torn = disk.power_cut(lambda n: next(answers, 0))
    assert torn.content("/x") == bytes(SECTOR) + b"b" * SECTOR
