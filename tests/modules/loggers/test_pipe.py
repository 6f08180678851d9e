"""Logs which programs read."""

import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from angarium.modules.loggers.pipe import PipeLog
from angarium.modules.loggers.place import parse
from angarium.modules.store.options import PipeIo

# Reads so many lines, says them, and ends.
READER = """
import sys
from os import read
wanted, octets = int(sys.argv[1]), []
while wanted and (octet := read(0, 1)):
    octets.append(octet)
    wanted -= octet == b"\\n"
sys.stdout.buffer.write(b"".join(octets))
"""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.clock = Clock()
        self.path = tmp_path
        self.said = tmp_path / "said"

    def log(self, lines: int, parameters: str = "", **options: object) -> PipeLog:
        script = self.path / "reader"
        script.write_text(f"#!{sys.executable}\n{READER}")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        place = f"pipe://{quote(str(script))}?arg1={lines}{parameters}"
        given = PipeIo.make(output_file="said", error_file="errors", **options)
        return PipeLog(place, parse(place), given, self.path, self.clock)

    def lines(self) -> list[str]:
        """Return what it has said in whole lines."""
        text = self.said.read_text() if self.said.exists() else ""
        return text.split("\n")[:-1]


def gone() -> None:
    """Wait until all programs were seen off."""
    until(lambda: threading.active_count() == 1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def ended(made: PipeLog) -> None:
    process = made._process
    assert process is not None
    until(lambda: process.poll() is not None)


def test_the_program_gets_the_lines(bench: Bench) -> None:
    made = bench.log(2)
    made.open()
    assert not made.flush()
    made.add([b"a", b"b"])
    assert made.flush()
    until(lambda: bench.lines() == ["a", "b"])
    made.close()
    gone()


def test_a_program_which_ended_gets_again_what_it_had_not_read(bench: Bench) -> None:
    made = bench.log(2)
    made.add([b"1", b"2", b"3", b"4"])
    assert made.flush()
    ended(made)
    made.add([b"5"])
    with pytest.raises(BlockingIOError, match="just ended"):
        made.flush()
    bench.clock.now += 1.0
    assert made.flush()
    ended(made)
    bench.clock.now += 1.0
    assert made.flush()
    until(lambda: bench.lines() == ["1", "2", "3", "4"])
    made.close()
    until(lambda: bench.lines() == ["1", "2", "3", "4", "5"])
    gone()


def test_a_line_that_was_read_in_part_comes_whole(bench: Bench) -> None:
    made = bench.log(1)
    long = b"x" * 100_000
    made.add([b"1", long])
    seen: list[str] = []
    while len(seen) < 2:
        try:
            made.flush()
        except (BlockingIOError, BrokenPipeError):
            bench.clock.now += 1.0
        seen = bench.lines()
    assert seen == ["1", long.decode()]
    made.close()
    gone()


def test_one_which_is_not_to_be_started_again_is_not(bench: Bench) -> None:
    made = bench.log(1, "&reinvoke=0")
    made.add([b"1", b"2"])
    assert made.flush()
    ended(made)
    bench.clock.now += 60.0
    with pytest.raises(OSError, match="not to be started again"):
        made.flush()
    made.close()
    made.open()  # An operator who reopens the logs wants it.
    made.close()
    gone()


@pytest.mark.effect("pipe_io.timeout")
def test_one_which_does_not_end_is_killed_after_its_time(tmp_path: Path) -> None:
    place = "pipe:///bin/sleep?arg1=1000"
    made = PipeLog(place, parse(place), PipeIo.make(timeout=0.1), tmp_path)
    made.open()
    process = made._process
    assert process is not None
    made.close()
    gone()
    assert process.returncode == -9


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    made = PipeLog("x", parse("pipe:///no/such"), PipeIo.make(), tmp_path)
    with pytest.raises(FileNotFoundError):
        made.open()
