"""Nonces can be made again, by who has the secret and by nobody else."""

from random import Random

import pytest

from angarium.journal.errors import DamageError
from angarium.journal.nonces import APART, NAME, SIZE, load, make
from helpers.disk import MemoryDisk

PATH = f"/shard/{NAME}"


@pytest.fixture
def disk() -> MemoryDisk:
    disk = MemoryDisk()
    disk.make_dir("/shard")
    return disk


def test_they_are_the_same_in_every_life_and_differ_by_log_and_sequence(disk: MemoryDisk) -> None:
    made = make(disk, "/shard", Random(1))
    loaded = load(disk, "/shard")
    assert loaded is not None
    ways = [("data", 1), ("data", 2), ("state", 1)]
    assert len({made.of(*way) for way in ways}) == 3
    assert [made.of(*way) for way in ways] == [loaded.of(*way) for way in ways]


def test_the_secret_is_durable_before_it_is_used(disk: MemoryDisk) -> None:
    made = make(disk, "/shard", Random(1))
    left = load(disk.power_cut(lambda n: 0), "/shard")
    assert left is not None
    assert left.of("data", 1) == made.of("data", 1)


@pytest.mark.parametrize("at", [0, SIZE, APART, APART + SIZE + 3])
def test_one_copy_is_enough(disk: MemoryDisk, at: int) -> None:
    made = make(disk, "/shard", Random(1))
    disk.damage(PATH, at, bytes([disk.content(PATH)[at] ^ 1]))
    loaded = load(disk, "/shard")
    assert loaded is not None
    assert loaded.of("data", 1) == made.of("data", 1)


def test_two_damaged_copies_are_told(disk: MemoryDisk) -> None:
    make(disk, "/shard", Random(1))
    for at in (0, APART):
        disk.damage(PATH, at, bytes([disk.content(PATH)[at] ^ 1]))
    with pytest.raises(DamageError, match="secret"):
        load(disk, "/shard")


def test_a_directory_may_have_none(disk: MemoryDisk) -> None:
    assert load(disk, "/shard") is None


def test_a_full_disk_does_without(disk: MemoryDisk) -> None:
    disk.capacity = 0
    assert make(disk, "/shard", Random(1)).of("data", 1)
