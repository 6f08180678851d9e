from pathlib import Path

import pytest
import structlog

from angarium.journal.disk import FileDisk
from angarium.run.retire import Retiring
from helpers.streams import StreamWriter, delivery, reception, rejection


class Yard:
    """An empty shard, closed by its worker, and readers which are as far as the test says."""

    def __init__(self, folder: Path) -> None:
        self.spool, self.aside = folder / "spool", folder / "run"
        self.shard = self.spool / "003"
        self.shard.mkdir(parents=True)
        self.aside.mkdir()
        self.passed: dict[str, int] = {}
        self.retiring = self.begin()

    def begin(self) -> Retiring:
        log = structlog.get_logger()
        return Retiring(self.spool, self.aside, lambda: self.passed, FileDisk(), log)


@pytest.fixture(autouse=True)
def _silent() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def test_a_shard_goes_when_all_of_its_events_are_read(yard: Yard) -> None:
    stream = StreamWriter(yard.shard)
    stream.put(reception(1), delivery(1))
    stream.close()
    refusals = StreamWriter(yard.shard, "rejections")
    refusals.put(rejection())
    refusals.close()
    yard.retiring.add("003")
    for reached, stays in (
        ({}, True),
        ({"003/events": 1, "003/rejections": 1}, True),
        ({"003/events": 2}, True),
        ({"003/events": 2, "003/rejections": 1}, False),
    ):
        yard.passed = reached
        yard.retiring.sweep()
        assert yard.shard.exists() is stays
        assert yard.retiring.names == ({"003"} if stays else set())
    assert list(yard.aside.iterdir()) == []


def test_a_shard_nothing_happened_in_goes_at_once(yard: Yard) -> None:
    yard.retiring.add("003")
    yard.retiring.sweep()
    assert not yard.shard.exists()


def test_a_shard_with_damage_put_aside_is_kept_for_people(yard: Yard) -> None:
    (yard.shard / "quarantine").mkdir()
    (yard.shard / "quarantine" / "data-1-0.bin").write_bytes(b"x")
    yard.retiring.add("003")
    yard.retiring.sweep()
    assert yard.shard.exists()
    assert yard.retiring.names == {"003"}


def test_what_a_crash_left_of_a_removed_shard_goes_at_the_next_start(yard: Yard) -> None:
    (yard.aside / "retired-005" / "data").mkdir(parents=True)
    yard.begin()
    assert list(yard.aside.iterdir()) == []


def test_a_shard_that_cannot_be_removed_keeps_its_number(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mounted(*_: object) -> None:
        raise OSError(18, "another file system")

    monkeypatch.setattr("os.rename", mounted)
    yard.retiring.add("003")
    yard.retiring.sweep()
    assert yard.shard.exists()
    assert yard.retiring.names == {"003"}
