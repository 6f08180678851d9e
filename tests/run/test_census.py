"""How much waits for which binding and domain: all of it, and what is told of it is bounded."""

import os
from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.run.census import LONGEST, STALE_SECONDS, Census, path_of, read
from helpers.clock import FakeClock


class Board:
    """Queues of which only lengths are known."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lines: dict[Any, Any] = {}
        self.keys: list[Any] = []
        self.later = SimpleNamespace(counts=array("I"))
        self.spool = SimpleNamespace(routes=SimpleNamespace(key=lambda number: self.keys[number]))
        self.jobs: list[Any] = []
        self.begin = self.jobs.append

    def line(self, binding: str, domain: str, active: int, delayed: int = 0) -> None:
        self.lines["g", binding, domain] = SimpleNamespace(
            active=active, delayed=delayed, in_flight=1, pool=None
        )

    def work(self) -> int:
        """Do what was begun; return in how many steps."""
        jobs, self.jobs[:] = list(self.jobs), []
        return sum(1 for job in jobs for _ in job)


@pytest.fixture
def board() -> Board:
    return Board()


def counted(board: Any, folder: Path, worker: int = 0) -> dict[Any, list[int]]:
    Census(path_of(folder, worker), board).tick()
    board.work()
    return read(folder)


def test_bindings_are_summed_up_and_lines_stand_alone(board: Board, tmp_path: Path) -> None:
    board.line("one", "a.test", 2, 5)
    board.line("one", "b.test", 0, 1)
    board.line("two", "a.test", 4)
    assert counted(board, tmp_path) == {
        ("g", "one", ""): [4, 6, 0],
        ("g", "one", "a.test"): [3, 5, 0],
        ("g", "one", "b.test"): [1, 1, 0],
        ("g", "two", ""): [5, 0, 0],
        ("g", "two", "a.test"): [5, 0, 0],
    }


def test_delayed_mail_counts_also_where_there_is_no_line(board: Board, tmp_path: Path) -> None:
    board.line("one", "a.test", 1, 7)
    board.keys = [("g", "one", "a.test"), ("g", "one", "late.test"), ("g", "one", "none.test")]
    board.later.counts.extend([7, 3, 0])
    found = counted(board, tmp_path)
    assert found["g", "one", ""] == [2, 10, 0]
    assert found["g", "one", "late.test"] == [0, 3, 0]
    assert ("g", "one", "none.test") not in found


def test_only_the_longest_lines_are_told_but_all_are_counted(board: Board, tmp_path: Path) -> None:
    for number in range(LONGEST + 300):
        board.line("one", f"{number}.test", number)
    Census(path_of(tmp_path, 0), board).tick()  # type: ignore[arg-type]
    assert board.work() >= 4  # in slices
    found = read(tmp_path)
    assert len(found) == LONGEST + 1
    assert ("g", "one", "299.test") not in found
    assert found["g", "one", ""][0] == sum(range(LONGEST + 300)) + LONGEST + 300


def test_workers_are_added_up_and_one_that_is_gone_is_not(board: Board, tmp_path: Path) -> None:
    board.line("one", "a.test", 2)
    counted(board, tmp_path, 0)
    assert counted(board, tmp_path, 1)["g", "one", "a.test"] == [6, 0, 0]
    path = path_of(tmp_path, 0)
    old = path.stat().st_mtime - STALE_SECONDS - 1
    os.utime(path, (old, old))
    assert read(tmp_path)["g", "one", "a.test"] == [3, 0, 0]
    path_of(tmp_path, 1).write_bytes(b"\xff")
    assert read(tmp_path) == {}


def test_it_counts_every_few_seconds_and_once_at_a_time(board: Board, tmp_path: Path) -> None:
    census = Census(path_of(tmp_path, 0), board)  # type: ignore[arg-type]
    census.tick()
    board.clock.advance(10)
    census.tick()
    assert len(board.jobs) == 1
    board.work()
    census.tick()  # 10 s later
    assert len(board.jobs) == 1
    board.work()
    board.clock.advance(1.9)
    census.tick()
    assert board.jobs == []


def test_a_count_which_takes_long_is_made_less_often(board: Board, tmp_path: Path) -> None:
    census = Census(path_of(tmp_path, 0), board)  # type: ignore[arg-type]
    board.line("one", "a.test", 2)
    [line] = board.lines.values()
    line.pool = None
    monotonic, spent = board.clock.monotonic, iter([0.0, 0.0, 0.05, 0.05])
    board.clock.monotonic = lambda: monotonic() + next(spent, 0.0)  # type: ignore[method-assign]
    census.tick()
    board.work()
    board.clock.advance(9.9)  # 0.05 s times 200 is 10 s
    census.tick()
    assert board.jobs == []
    board.clock.advance(0.2)
    census.tick()
    assert len(board.jobs) == 1


def test_a_disk_without_room_costs_the_counts_only(board: Board, tmp_path: Path) -> None:
    board.line("one", "a.test", 2)
    assert counted(board, tmp_path / "nowhere") == {}
