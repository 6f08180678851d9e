"""The place of a process, given and taken: with a real exec, in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from angarium.run import replace
from angarium.run.handover import Handover
from angarium.run.replace import HEARD, inherit
from helpers.handover import lone

# The old program leaves a pipe to the new one, which is told by it and says who it is.
OLD = """
import os, sys
from angarium.run import replace
from helpers.handover import lone
reading, writing = os.pipe()
os.write(writing, b"still there")
replace.PROGRAM = "helpers.replaced"
sys.stdout.write(f"{os.getpid()}\\n")
sys.stdout.write(replace.replace(lone(reading)))
"""


@pytest.fixture
def opened() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(writing)
    yield reading
    os.close(reading)


def test_a_program_that_cannot_be_started_leaves_everything_as_it_was(opened: int) -> None:
    def execute(path: str, words: list[str]) -> NoReturn:
        assert os.get_inheritable(opened)
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= HEARD
        raise OSError(2, "no such file")

    before = os.listdir("/proc/self/fd")
    assert "no such file" in replace.replace(lone(opened), execute)
    assert not os.get_inheritable(opened)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & HEARD
    assert os.listdir("/proc/self/fd") == before


def test_what_is_inherited_is_not_inherited_again(opened: int) -> None:
    taken: list[Handover] = []

    class Replaced(BaseException):
        pass

    def execute(path: str, words: list[str]) -> NoReturn:
        taken.append(inherit(int(words[-1])))
        raise Replaced

    with pytest.raises(Replaced):
        replace.replace(lone(opened), execute)
    replace.hear()
    assert taken[0].lock == opened
    assert not os.get_inheritable(opened)


def test_the_process_stays_with_its_descriptors_and_signals_wait() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", OLD],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{root / 'src'}:{root}:{root / 'tests'}"},
    ) as process:
        assert process.stdout is not None
        old, new, *said = process.stdout.read().splitlines()
        assert process.wait() == 0
    assert int(old) == int(new) == process.pid
    assert said == ["still there", "blocked", "heard 10"]
