from pathlib import Path

import pytest

from angarium.events.reader import Streams
from angarium.events.schema import Delivery, Reception
from angarium.journal.disk import FileDisk
from angarium.run.retire import Keep, Retiring
from helpers.clock import START, FakeClock
from helpers.quiet import Quiet
from helpers.streams import StreamWriter, delivery, reception, rejection

KEEP = Keep(seconds=3600.0, octets=1 << 30)


class Yard:
    """An empty shard, closed by its worker, and readers which are as far as the test says."""

    def __init__(self, folder: Path) -> None:
        self.state = folder
        self.spool, self.aside = folder / "spool", folder / "run"
        self.history = folder / "history"
        self.clock = FakeClock()
        self.shard = self.spool / "003"
        self.shard.mkdir(parents=True)
        self.aside.mkdir()
        self.passed: dict[str, int] = {}
        self.retiring = self.begin()

    def begin(self) -> Retiring:
        log = Quiet()
        return Retiring(self.state, lambda: self.passed, FileDisk(), self.clock, log)

    def used(self) -> None:
        """Something happened in the shard, and was read."""
        stream = StreamWriter(self.shard)
        stream.put(reception(1), delivery(1))
        stream.close()
        (self.shard / "events" / "reserve").write_bytes(b"x" * 1000)
        (self.shard / "events" / "spare-0000000007").write_bytes(b"x" * 1000)
        (self.shard / "data").mkdir()
        self.passed = {"003/events": 2}

    def kept(self) -> list[str]:
        return sorted(each.name for each in self.history.iterdir())


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
        yard.retiring.sweep(KEEP)
        assert yard.shard.exists() is stays
        assert yard.retiring.names == ({"003"} if stays else set())
    assert list(yard.aside.iterdir()) == []


def test_a_shard_nothing_happened_in_goes_at_once(yard: Yard) -> None:
    yard.retiring.add("003")
    yard.retiring.sweep(KEEP)
    assert not yard.shard.exists()


def test_a_shard_with_damage_put_aside_is_kept_for_people(yard: Yard) -> None:
    (yard.shard / "quarantine").mkdir()
    (yard.shard / "quarantine" / "data-1-0.bin").write_bytes(b"x")
    yard.retiring.add("003")
    yard.retiring.sweep(KEEP)
    assert yard.shard.exists()
    assert yard.retiring.names == {"003"}


def test_what_a_crash_left_of_a_removed_shard_goes_at_the_next_start(yard: Yard) -> None:
    (yard.aside / "retired-005-1700000000" / "data").mkdir(parents=True)
    yard.begin()
    assert list(yard.aside.iterdir()) == []


def test_a_shard_that_cannot_be_removed_keeps_its_number(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mounted(*_: object) -> None:
        raise OSError(18, "another file system")

    monkeypatch.setattr("os.rename", mounted)
    yard.retiring.add("003")
    yard.retiring.sweep(KEEP)
    assert yard.shard.exists()
    assert yard.retiring.names == {"003"}


def test_what_happened_in_a_shard_is_kept_as_long_as_events_are(yard: Yard) -> None:
    yard.used()
    yard.retiring.add("003")
    yard.retiring.sweep(KEEP)
    [name] = yard.kept()
    assert name == f"003-{START:.0f}"
    assert [each.name for each in (yard.history / name).iterdir()] == ["events"]
    assert [each.suffix for each in (yard.history / name / "events").iterdir()] == [".seg"]
    # It reads as it did before.
    streams = Streams([yard.history], FileDisk(), {})
    streams.rescan()
    assert [type(event) for event in streams.read(10)] == [Reception, Delivery]
    streams.close()
    yard.clock.advance(3500)
    yard.retiring.sweep(KEEP)
    assert yard.kept() == [name]
    yard.clock.advance(200)
    yard.retiring.sweep(KEEP)
    assert yard.kept() == []


def test_the_room_a_segment_did_not_use_is_given_back(yard: Yard) -> None:
    yard.used()
    [segment] = (yard.shard / "events").glob("*.seg")
    with segment.open("r+b") as file:
        file.seek(0, 2)
        file.write(bytes(1 << 20))
    yard.retiring.add("003")
    yard.retiring.sweep(KEEP)
    [kept] = yard.history.glob("*/events/*.seg")
    assert kept.stat().st_size > 1 << 20
    assert kept.stat().st_blocks * 512 < 1 << 17


def test_the_same_number_may_be_there_more_than_once(yard: Yard) -> None:
    for _ in range(2):
        yard.used()
        yard.retiring.add("003")
        yard.retiring.sweep(KEEP)
        yard.shard.mkdir()
        yard.clock.advance(1)
    assert len(yard.kept()) == 2


def test_the_oldest_goes_where_there_is_too_much(yard: Yard) -> None:
    for _ in range(3):
        yard.used()
        yard.retiring.add("003")
        yard.retiring.sweep(KEEP)
        yard.shard.mkdir()
        yard.clock.advance(1)
    newest = yard.kept()[-1]
    [segment] = (yard.history / newest).glob("events/*.seg")
    yard.clock.advance(100)
    yard.retiring.sweep(Keep(3600.0, segment.stat().st_blocks * 512))
    assert yard.kept() == [newest]


def test_history_which_a_crash_left_on_its_way_is_not_lost(yard: Yard) -> None:
    yard.used()
    yard.shard.rename(yard.aside / "retired-003-1700000000")
    yard.begin()
    assert yard.kept() == ["003-1700000000"]
    assert list(yard.aside.iterdir()) == []


def test_a_history_that_cannot_be_kept_is_not_thrown_away(yard: Yard) -> None:
    yard.used()
    yard.history.write_text("in the way")
    yard.retiring.add("003")
    yard.retiring.sweep(KEEP)
    assert not yard.shard.exists()
    assert len(list(yard.aside.glob("retired-003-*/events/*.seg"))) == 1
