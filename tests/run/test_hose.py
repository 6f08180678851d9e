"""The hose: each line once, whatever happens between two steps."""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from angarium.core.errors import Error
from angarium.core.fault import FAULTS
from angarium.events.checkpoint import SYNCED, passed
from angarium.events.stream import REJECTIONS, STATE, frame
from angarium.journal.disk import FileDisk
from angarium.modules.loggers.options.logs import BounceLogger, EcLogger
from angarium.run.hose import BUSY_SECONDS, HELD_SECONDS, IDLE_SECONDS, Hose
from angarium.run.options import Node
from helpers.clock import FakeClock
from helpers.streams import (
    StreamWriter,
    delivery,
    permanent,
    reception,
    rejection,
    transient,
)

POINTS = ["logfile.written", "logfile.reopened", "checkpoint.saving", "checkpoint.saved"]


class Crash(BaseException):
    """The process dies here."""


def crash() -> None:
    raise Crash


class FakeConfiguration:
    """As much of a configuration as the hose asks for."""

    def __init__(self, **changes: object) -> None:
        self.node = Node.make(log_hires_timestamp=bool(changes.pop("hires", False)))
        names = {name: f"{name}.ec" for name in ("mainlog", "rejectlog", "paniclog")}
        ec = {**names, "heartbeat": 0.0} | changes
        self.stanzas: Mapping[str, Sequence[tuple[str, Any]]] = {
            "ec_logger": [("ec_logger", EcLogger.make(**ec))],
            "bounce_logger": [
                (
                    "bounce_logger",
                    BounceLogger.make(bouncelog="bouncelog.ec", heartbeat=ec["heartbeat"]),
                )
            ],
        }

    def top(self, options: Any) -> Any:
        return self.node if options is Node else options.make()

    def instances(self, stanza: str) -> Sequence[tuple[str, Any]]:
        return self.stanzas.get(stanza, [])


class Bench:
    """A state directory with two shards, and the hoses which come and go over it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.clock = FakeClock()
        self.alarms: list[str] = []
        self.boot = "boot-1"
        self.shards = [StreamWriter(state / "spool" / name) for name in ("000", "001")]
        self.rejections = StreamWriter(state / "spool" / "000", REJECTIONS)
        self._hoses: list[Hose] = []

    def hose(self, configuration: FakeConfiguration | None = None) -> Hose:
        made = Hose(
            configuration or FakeConfiguration(),
            self.state,
            self.clock,
            FileDisk(),
            self.alarms.append,
            self.boot,
        )
        self._hoses.append(made)
        return made

    def kill(self) -> None:
        """End the last hose as SIGKILL does: the kernel closes what it had, nothing else."""
        self._hoses.pop()._keeper.unlock()

    def step(self, hose: Hose, count: int = 1) -> float:
        wait = 0.0
        for _ in range(count):
            wait = hose.poll()
            self.clock.advance(1.0)
        return wait

    def lines(self, name: str = "mainlog.ec") -> list[str]:
        """The lines, each shortened to type, entry and attempt."""
        short = []
        for line in (self.state / name).read_text().splitlines():
            fields = line.split("@")
            short.append(f"{fields[4]}{int(fields[1][3:5], 16)}" if fields[1] else fields[4])
        return short


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    FAULTS.disarm()
    while made._hoses:
        made.kill()


def test_one_order_for_the_node(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1, at=10.0), delivery(1, at=13.0))
    bench.shards[1].put(reception(2, at=11.0), permanent(2, at=12.0))
    bench.rejections.put(rejection(at=11.5))
    bench.step(hose)
    assert bench.lines() == ["R1", "R2", "P2", "D1"]
    assert bench.lines("bouncelog.ec") == ["B2"]
    assert (bench.state / "rejectlog.ec").read_text().count("\n") == 1


def test_a_new_shard_is_found_and_one_that_is_gone_forgotten(bench: Bench) -> None:
    hose = bench.hose()
    bench.step(hose)
    StreamWriter(bench.state / "spool" / "007").put(reception(7))
    bench.step(hose)
    assert bench.lines() == ["R7"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("hit", [1, 2, 3, 4])
def test_a_crash_at_any_point_neither_loses_nor_repeats(bench: Bench, point: str, hit: int) -> None:
    expected = []
    FAULTS.arm(point, crash, hit)
    hose = bench.hose()
    for number in range(1, 9):
        bench.shards[number % 2].put(reception(number, at=float(number)))
        bench.shards[number % 2].put(permanent(number, at=float(number) + 0.5))
        expected += [f"R{number}", f"P{number}"]
        try:
            bench.step(hose)
        except Crash:
            bench.kill()
            hose = bench.hose()
    bench.step(hose, 2)
    assert bench.lines() == expected
    assert bench.lines("bouncelog.ec") == [f"B{number}" for number in range(1, 9)]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("hit", [1, 2, 3, 4])
def test_a_crash_around_a_rotation_neither_loses_nor_repeats(
    bench: Bench, point: str, hit: int
) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1, at=1.0))
    bench.step(hose)
    bench.shards[0].put(reception(2, at=2.0))
    FAULTS.arm(point, crash, hit)
    (bench.state / "mainlog.ec").rename(bench.state / "mainlog.ec.1")
    hose.reopen()
    for number in (3, 4):
        try:
            bench.step(hose)
        except Crash:
            bench.kill()
            hose = bench.hose()
        bench.shards[0].put(reception(number, at=float(number)))
    FAULTS.disarm()
    bench.step(hose, 2)
    assert bench.lines("mainlog.ec.1") + bench.lines() == ["R1", "R2", "R3", "R4"]


def test_renamed_and_died_before_it_was_told(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    bench.step(hose)
    (bench.state / "mainlog.ec").rename(bench.state / "mainlog.ec.1")
    bench.shards[0].put(reception(2))
    FAULTS.arm("checkpoint.saving", crash)
    with pytest.raises(Crash):
        bench.step(hose)
    assert bench.lines("mainlog.ec.1") == ["R1", "R2"]
    bench.kill()
    bench.step(bench.hose())
    assert bench.lines("mainlog.ec.1") == ["R1"]
    assert bench.lines() == ["R2"]


def test_after_a_power_cut_what_was_not_synced_is_written_again(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    hose.poll()  # is synced; from here on a second must pass
    size = (bench.state / "mainlog.ec").stat().st_size
    bench.shards[0].put(reception(2))
    hose.poll()
    bench.clock.advance(0.1)
    bench.shards[0].put(reception(3))
    hose.poll()
    assert bench.lines() == ["R1", "R2", "R3"]
    bench.kill()
    # The machine comes back: of the log only what was synced is sure to be there.
    os.truncate(bench.state / "mainlog.ec", size + 11)  # and a torn line
    bench.boot = "boot-2"
    bench.step(bench.hose())
    assert bench.lines() == ["R1", "R2", "R3"]


def test_what_a_shard_tells_again_after_a_power_cut_is_not_written_again(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1), source=1, sync=False)
    bench.shards[0].put(transient(1), source=2, sync=False)
    bench.step(hose, 2)
    hose.close()
    bench.kill()
    bench.boot = "boot-2"
    # Its unsynced records are gone; recovery tells what it derives from the logs of the shard.
    for path in (bench.state / "spool" / "000" / "events").iterdir():
        os.truncate(path, 128)
    again = StreamWriter(bench.state / "spool" / "000")
    again.put(reception(1), source=1)
    again.put(transient(1), source=2)
    again.put(delivery(1, attempt=1), source=3)
    bench.step(bench.hose(), 3)
    assert bench.lines() == ["R1", "T1", "D1"]


def test_a_rotation_renames_and_reopens(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    bench.step(hose)
    for name in ("mainlog.ec", "bouncelog.ec"):
        (bench.state / name).rename(bench.state / f"{name}.1")
    bench.shards[0].put(reception(2))
    bench.step(hose)
    hose.reopen()
    bench.shards[0].put(reception(3))
    bench.step(hose)
    assert bench.lines("mainlog.ec.1") == ["R1", "R2"]
    assert bench.lines() == ["R3"]
    assert (bench.state / "bouncelog.ec").exists()


def test_a_full_disk_holds_the_place_in_the_streams(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    hose = bench.hose(FakeConfiguration(heartbeat=2.0))
    bench.shards[0].put(reception(1))
    bench.step(hose)
    for log in hose._logs:
        monkeypatch.setattr(log, "_write", full, raising=False)
    bench.shards[0].put(reception(2))
    assert bench.step(hose) == HELD_SECONDS
    bench.shards[0].put(reception(3))
    bench.step(hose, 5)
    assert "no space" in hose.held
    assert len(bench.alarms) == 1
    assert (bench.state / "paniclog.ec").read_text().count("hose: logs cannot be written") == 1
    before = passed(bench.state / "hose")["000/events"]
    for log in hose._logs:
        monkeypatch.setattr(log, "_write", os.write, raising=False)
    bench.step(hose, 3)
    assert [line for line in bench.lines() if line != "M"] == ["R1", "R2", "R3"]
    assert hose.held == ""
    assert len(bench.alarms) == 2
    assert before == 0
    assert passed(bench.state / "hose")["000/events"] > before


def test_after_a_sync_which_failed_all_since_the_last_good_one_is_written_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    hose.poll()  # is synced; from here on a second must pass
    mainlog = bench.state / "mainlog.ec"
    size = mainlog.stat().st_size
    bench.shards[0].put(reception(2))
    hose.poll()
    bench.shards[0].put(reception(3))

    def fail(file: int) -> None:
        # The pages are dropped: the file has holes where they were, and is clean.
        with mainlog.open("r+b") as pages:
            pages.seek(size)
            pages.write(bytes(mainlog.stat().st_size - size))
        raise OSError(errno.EIO, "the device failed")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        bench.clock.advance(1.0)
        assert hose.poll() == HELD_SECONDS
    bench.clock.advance(1.0)
    bench.step(hose)
    assert hose.held == ""
    assert bench.lines() == ["R1", "R2", "R3"]
    # ... and nothing which is not synced is relied on, should the hose be killed instead.
    bench.shards[0].put(reception(4))
    bench.step(hose)
    bench.kill()
    bench.step(bench.hose())
    assert bench.lines() == ["R1", "R2", "R3", "R4"]


def half_full(file: int, octets: bytes) -> int:
    """Takes a part, and then nothing more."""
    if len(octets) < 50:
        raise OSError(errno.ENOSPC, "no space left on device")
    return os.write(file, octets[:40])


@pytest.mark.parametrize("how", ["rename", "reload"])
def test_where_one_file_cannot_be_written_another_can(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    bench.step(hose)
    for log in hose._logs:
        monkeypatch.setattr(log, "_write", half_full)
    bench.shards[0].put(reception(2), permanent(2))
    bench.step(hose, 2)
    assert hose.held
    monkeypatch.undo()
    renamed = bench.state / "mainlog.ec.1"
    (bench.state / "mainlog.ec").rename(renamed)
    if how == "rename":
        hose.reopen()
        name = "mainlog.ec"
    else:
        name = "other.ec"
        hose.prepare(FakeConfiguration(mainlog=name))
        hose.commit()
    bench.step(hose)
    assert not hose.held
    assert bench.lines(renamed.name) == ["R1"]  # what was torn is cut off
    assert bench.lines(name) == ["R2", "P2"]
    assert bench.lines("bouncelog.ec") == ["B2"]


def full(file: int, octets: bytes) -> int:
    raise OSError(errno.ENOSPC, "no space left on device")


def test_a_log_that_cannot_be_opened_holds_and_then_goes_on(bench: Bench) -> None:
    (bench.state / "mainlog.ec").mkdir()
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    assert bench.step(hose) == HELD_SECONDS
    bench.kill()
    (bench.state / "mainlog.ec").rmdir()
    bench.step(bench.hose())
    assert bench.lines() == ["R1"]


def test_heartbeats_come_once_in_each_interval(bench: Bench) -> None:
    bench.clock.set(1000.0)
    hose = bench.hose(FakeConfiguration(heartbeat=60.0))
    for _ in range(5):
        hose.poll()
        bench.clock.advance(30.0)
    hose.close()
    bench.kill()
    again = bench.hose(FakeConfiguration(heartbeat=60.0))
    for _ in range(3):
        again.poll()
        bench.clock.advance(30.0)
    main = (bench.state / "mainlog.ec").read_text().splitlines()
    assert main == ["1030@@@@M", "1090@@@@M", "1150@@@@M", "1210@@@@M"]
    assert (bench.state / "bouncelog.ec").read_text().splitlines() == [f"{each}1" for each in main]
    assert (bench.state / "rejectlog.ec").read_text().splitlines()[0] == "1030: Marker 1"


def test_a_heartbeat_waits_until_everything_before_it_is_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.run.hose.BATCH", 2)
    hose = bench.hose(FakeConfiguration(heartbeat=60.0))
    hose.poll()
    bench.shards[0].put(*[reception(number) for number in range(1, 6)])
    bench.clock.advance(60.0)
    for _ in range(4):
        hose.poll()
    assert bench.lines() == ["R1", "R2", "R3", "R4", "R5", "M"]


def test_a_clock_that_is_set_back_brings_no_flood_of_heartbeats(bench: Bench) -> None:
    hose = bench.hose(FakeConfiguration(heartbeat=60.0))
    hose.poll()
    bench.clock.set(1_700_000_000.0 - 7200.0)
    for _ in range(3):
        hose.poll()
        bench.clock.advance(60.0)
    assert bench.lines() == ["M", "M"]


@pytest.mark.effect("log_hires_timestamp")
def test_hires_timestamps(bench: Bench) -> None:
    hose = bench.hose(FakeConfiguration(hires=True))
    bench.shards[0].put(reception(1, at=1700000000.25))
    bench.step(hose)
    assert (bench.state / "mainlog.ec").read_text().startswith("1700000000250000@")


def test_a_reload_changes_the_logs_when_it_is_committed(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    bench.step(hose)
    hose.prepare(FakeConfiguration(mainlog="other.ec"))
    hose.reopen()
    bench.shards[0].put(reception(2))
    bench.step(hose)
    hose.commit()
    bench.shards[0].put(reception(3))
    bench.step(hose)
    assert bench.lines() == ["R1", "R2"]
    assert bench.lines("other.ec") == ["R3"]


def test_an_aborted_reload_changes_nothing(bench: Bench) -> None:
    hose = bench.hose()
    hose.prepare(FakeConfiguration(mainlog="other.ec"))
    hose.abort()
    bench.shards[0].put(reception(1))
    bench.step(hose)
    assert bench.lines() == ["R1"]


def test_two_logs_in_one_file_are_refused(bench: Bench) -> None:
    with pytest.raises(Error, match="one file"):
        bench.hose(FakeConfiguration(mainlog="x.ec", rejectlog="x.ec"))


@pytest.mark.effect("ec_logger.enabled", "bounce_logger.enabled")
def test_a_logger_that_is_not_enabled_writes_nothing(bench: Bench) -> None:
    hose = bench.hose(FakeConfiguration(enabled=False))
    bench.shards[0].put(reception(1), permanent(1))
    bench.step(hose)
    assert not (bench.state / "mainlog.ec").exists()
    assert bench.lines("bouncelog.ec") == ["B1"]


def test_the_look_at_the_streams_is_rarer_while_nothing_happens(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1))
    assert hose.poll() == BUSY_SECONDS
    waits = [hose.poll() for _ in range(4)]
    assert waits == [BUSY_SECONDS * 2, IDLE_SECONDS, IDLE_SECONDS, IDLE_SECONDS]


def test_a_second_hose_waits_for_the_first_to_be_gone(bench: Bench) -> None:
    first = bench.hose()
    bench.step(first)
    second = bench.hose()
    assert bench.step(second) == HELD_SECONDS
    first.close()
    bench.shards[0].put(reception(1))
    bench.step(second)
    assert bench.lines() == ["R1"]


def test_a_stop_writes_what_is_left(bench: Bench) -> None:
    hose = bench.hose()
    bench.step(hose)
    bench.shards[0].put(*[reception(number) for number in range(1, 10)])
    hose.close()
    assert bench.lines() == [f"R{number}" for number in range(1, 10)]


def test_the_owner_of_a_stream_learns_when_all_of_it_was_read(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1), reception(2))
    bench.step(hose, 3)
    assert passed(bench.state / "hose")["000/events"] == 1  # who knows whether 2 was synced
    bench.shards[0].close()
    bench.step(hose, 3)
    assert passed(bench.state / "hose")["000/events"] == 2


def test_a_damaged_checkpoint_is_told_and_the_one_before_makes_no_line_come_twice(
    bench: Bench,
) -> None:
    hose = bench.hose()
    for number in (1, 2, 3):
        bench.shards[0].put(reception(number))
        bench.step(hose)
        hose.close()
        hose = bench.hose()
    bench.kill()
    (bench.state / "hose" / "logs" / SYNCED).write_bytes(b"?")
    bench.boot = "boot-2"
    again = bench.hose()
    bench.shards[0].put(reception(4))
    bench.step(again, 3)
    assert bench.lines() == ["R1", "R2", "R3", "R4"]
    assert any("it was put aside" in text for text in bench.alarms)


def test_events_that_retention_took_unread_are_told(bench: Bench) -> None:
    writer = StreamWriter(bench.state / "spool" / "002", limit=1024)
    hose = bench.hose()
    writer.put(reception(1))
    bench.step(hose)
    hose.close()
    writer.put(*[reception(number) for number in range(2, 40)])
    for path in sorted(writer.directory.iterdir())[:4]:
        path.unlink()
    bench.step(bench.hose(), 2)
    assert bench.alarms == ["events were gone before they were read: logs have a gap"]


def test_events_of_a_later_version_are_told_and_passed_over(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].raw(frame(STATE, 1, b"\x92\x63\x01"))
    bench.shards[0].put(reception(1))
    bench.step(hose, 2)
    assert bench.lines() == ["R1"]
    assert bench.alarms == ["events of a later version were passed over: logs have a gap"]


def test_it_counts_what_it_reads_and_how_late_it_is(bench: Bench) -> None:
    hose = bench.hose()
    bench.shards[0].put(reception(1, at=bench.clock.time() - 2.5))
    bench.step(hose)
    assert hose.metrics.snapshot() == {"hose_events": 1, "hose_lag_seconds": 2.5, "hose_held": 0}
