"""Hoses beside each other: one which is held back holds back nothing but its own log."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from angarium.core.errors import Error
from angarium.core.fault import FAULTS
from angarium.events.checkpoint import passed
from angarium.events.jlog import Jlog, Place
from angarium.journal.disk import FileDisk
from angarium.modules.loggers.options.formats import CustomLogger
from angarium.modules.loggers.options.logs import BounceLogger
from angarium.run.hose import HELD, LAG, LATE_SECONDS, Hose
from angarium.run.hoses import Hoses
from angarium.run.options import Node
from helpers.clock import FakeClock
from helpers.streams import StreamWriter, permanent

FORM = {"permanent_failure_format": "%i"}


class FakeConfiguration:
    """Loggers by name."""

    def __init__(self, **loggers: CustomLogger) -> None:
        self.loggers: Mapping[str, Sequence[tuple[str, Any]]] = {
            "custom_logger": list(loggers.items())
        }

    def top(self, options: Any) -> Any:
        return Node.make() if options is Node else options.make()

    def instances(self, stanza: str) -> Sequence[tuple[str, Any]]:
        return self.loggers.get(stanza, [])


class Bench:
    def __init__(self, state: Path) -> None:
        self.state = state
        self.clock = FakeClock()
        self.alarms: list[str] = []
        self.shard = StreamWriter(state / "spool" / "000")
        self.made: list[Hoses] = []
        self.path = state / "lines"
        os.mkfifo(self.path)
        self.reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    @property
    def program(self) -> CustomLogger:
        """A logger whose program passes on what it reads, as fast as it is read."""
        where = f"pipe:///bin/sh?arg1=-c&arg2=exec%20cat%20%3E%20{self.path}"
        return CustomLogger.make(mainlog=where, **FORM)

    def hoses(self, configuration: FakeConfiguration) -> Hoses:
        made = Hoses(configuration, self.state, self.clock, FileDisk(), self.alarms.append, "boot")
        self.made.append(made)
        return made

    def step(self, hoses: Hoses, count: int = 1) -> None:
        for _ in range(count):
            hoses.poll()
            self.clock.advance(1.0)

    def kill(self) -> None:
        """End the last ones as SIGKILL does: the kernel closes what they had, nothing else."""
        for hose in self.made.pop().all:
            hose._keeper.unlock()

    def ids(self, name: str) -> list[int]:
        return [int(line[3:5], 16) for line in (self.state / name).read_text().splitlines()]

    def read(self) -> bytes:
        try:
            return os.read(self.reader, 65536)
        except BlockingIOError:
            return b""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    while made.made:
        made.made.pop().close()
    os.close(made.reader)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(20)


def logger(where: str) -> CustomLogger:
    return CustomLogger.make(mainlog=where, **FORM)


def test_a_program_which_takes_nothing_holds_back_its_own_log_only(bench: Bench) -> None:
    hoses = bench.hoses(FakeConfiguration(file=logger("file"), program=bench.program))
    bench.step(hoses, 2)
    count = 12_000  # more than a pipe, and another, take
    for number in range(count):
        bench.shard.put(permanent(number % 256, attempt=number), sync=False)
    while len(bench.ids("file")) < count:
        bench.step(hoses)
    assert hoses.held == "" or bench.alarms
    bench.step(hoses, int(LATE_SECONDS) + 2)
    assert "takes lines too slowly" in hoses.held
    assert len(bench.alarms) == 1
    figures = hoses.snapshot()
    assert figures[HELD.name] == 1
    assert hoses.metrics.snapshot()[HELD.name] == 0
    assert float(str(figures[LAG.name])) >= 0.0
    got = b""
    while got.count(b"\n") < count:
        got += bench.read()
        hoses.poll()
    assert got.count(b"\n") == count
    bench.step(hoses)
    assert hoses.held == ""


def test_a_new_one_begins_where_the_others_are_and_is_forgotten_when_it_goes(
    bench: Bench,
) -> None:
    hoses = bench.hoses(FakeConfiguration(file=logger("file")))
    bench.shard.put(permanent(1))
    bench.step(hoses, 3)
    hoses.prepare(FakeConfiguration(file=logger("file"), program=bench.program))
    hoses.commit()
    bench.shard.put(permanent(2))
    got = b""
    while b"\n" not in got:
        bench.step(hoses)
        got += bench.read()
    assert got == b"00/02-00000-00000000\n"
    folder = bench.state / "hose" / "logs.custom_logger.program"
    bench.shard.close()  # else who knows whether 2 was synced
    bench.step(hoses, 3)
    assert passed(bench.state / "hose") == {"000/events": 2}
    hoses.prepare(FakeConfiguration(file=logger("file")))
    hoses.abort()
    assert folder.exists()
    hoses.prepare(FakeConfiguration(file=logger("file")))
    hoses.commit()
    assert not folder.exists()
    assert [hose.reader for hose in hoses.all] == ["logs"]
    bench.step(hoses)
    assert bench.ids("file") == [1, 2]


def test_one_that_went_while_nothing_ran_is_forgotten_too(bench: Bench) -> None:
    bench.hoses(FakeConfiguration(program=bench.program)).poll()
    bench.made.pop().close()
    assert (bench.state / "hose" / "logs.custom_logger.program").exists()
    bench.hoses(FakeConfiguration())
    assert not (bench.state / "hose" / "logs.custom_logger.program").exists()


def test_a_program_is_started_anew_when_logs_are_reopened(bench: Bench) -> None:
    hoses = bench.hoses(FakeConfiguration(program=bench.program))
    bench.step(hoses, 2)
    before = threading.active_count()
    hoses.reopen()
    bench.step(hoses)
    assert threading.active_count() <= before + 1
    bench.shard.put(permanent(1))
    got = b""
    while b"\n" not in got:
        bench.step(hoses)
        got += bench.read()
    assert got == b"00/01-00000-00000000\n"


def test_what_cannot_be_is_refused_before_anything_changes(bench: Bench) -> None:
    hoses = bench.hoses(FakeConfiguration(file=logger("file")))
    with pytest.raises(Error, match="two logs in one file"):
        hoses.prepare(FakeConfiguration(one=logger("same"), two=logger("same")))
    hoses.abort()
    bench.shard.put(permanent(1))
    bench.step(hoses, 2)
    assert bench.ids("file") == [1]


@pytest.mark.parametrize("point", ["checkpoint.saving", "checkpoint.saved", "logfile.reopened"])
@pytest.mark.parametrize("hit", [1, 2, 3, 5])
def test_a_crash_neither_loses_nor_repeats_a_line_of_a_jlog(
    bench: Bench, point: str, hit: int
) -> None:
    class Crash(BaseException):
        pass

    def crash() -> None:
        raise Crash

    configuration = FakeConfiguration(
        file=logger("file"), queue=logger(f"jlog://{bench.state}/queue=>me")
    )
    number = 0
    FAULTS.arm(point, crash, hit)
    try:
        hoses = bench.hoses(configuration)
        for number in range(1, 7):
            bench.shard.put(permanent(number))
            bench.step(hoses)
    except Crash:
        pass
    FAULTS.disarm()
    if bench.made:
        bench.kill()
    hoses = bench.hoses(configuration)
    for further in range(number + 1, 9):
        bench.shard.put(permanent(further))
        bench.step(hoses)
    bench.step(hoses, 3)
    wanted = list(range(1, 9))
    queue = [message for _, message in Jlog(bench.state / "queue").read(Place(0, 0))]
    assert [int(message[3:5], 16) for message in queue] == wanted
    assert bench.ids("file") == wanted
    assert hoses.held == ""


def test_a_bounce_logger_is_one_as_well(bench: Bench) -> None:
    configuration = FakeConfiguration()
    configuration.loggers = {"bounce_logger": [("a/b", BounceLogger.make(bouncelog="syslog://"))]}
    hoses = bench.hoses(configuration)
    assert [hose.reader for hose in hoses.all] == ["logs", "logs.bounce_logger.a%2Fb"]
    assert all(isinstance(hose, Hose) for hose in hoses.all)
