"""The busiest queues: the right ones, and never more than a few."""

from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.queue.line import PAUSED
from angarium.run.busiest import Busiest, Looking, opened
from angarium.web.overview import MOST, Queue
from helpers.clock import FakeClock
from helpers.queues import Queues


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

    def line(self, domain: str, active: int, delayed: int = 0, closed: int = 0) -> None:
        self.lines["default", "b", domain] = SimpleNamespace(
            active=active,
            delayed=delayed,
            in_flight=0,
            closed=closed,
            pool=None,
            key=("default", "b", domain),
        )

    def route(self, domain: str, delayed: int) -> None:
        self.keys.append(("default", "b", domain))
        self.later.counts.append(delayed)

    def work(self) -> int:
        """Do what was begun; return in how many steps."""
        return sum(1 for job in self.jobs for _ in job)

    def longest(self) -> int:
        """Do what was begun; return how many lines or routes one step looks at, at most."""
        looked = most = 0

        def look(number: int) -> object:
            nonlocal looked
            looked += 1
            return self.keys[number]

        self.spool.routes.key = look
        for job in self.jobs:
            for _ in job:
                most, looked = max(most, looked), 0
        return max(most, looked)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def file(tmp_path: Path) -> Busiest:
    return Busiest(tmp_path / "busiest")


def look(board: Board, file: Busiest) -> list[Queue]:
    made: Any = board
    Looking(made, file, 3).tick()
    board.work()
    return file.read(board.clock.time())


def test_the_longest_come_first_with_why_they_stand(board: Board, file: Busiest) -> None:
    board.line("short.test", 1)
    board.line("long.test", 5, delayed=2, closed=PAUSED)
    board.line("empty.test", 0)
    assert look(board, file) == [
        Queue("default", "b", "long.test", 5, 2, 0, 0, "no host could be reached"),
        Queue("default", "b", "short.test", 1, 0, 0, 0, ""),
    ]


def test_delayed_mail_counts_whose_line_is_freed(board: Board, file: Busiest) -> None:
    board.line("here.test", 1, delayed=4)
    board.route("here.test", 4)
    board.route("freed.test", 9)
    found = look(board, file)
    assert [(each.domain, each.waiting) for each in found] == [("freed.test", 9), ("here.test", 5)]


def test_of_a_hundred_thousand_domains_a_few_are_told_in_small_steps(
    board: Board, file: Busiest
) -> None:
    for number in range(100_000):
        board.line(f"d{number}.test", number % 1000)
    made: Any = board
    Looking(made, file, 0).tick()
    assert board.work() >= 500
    found = file.read(board.clock.time())
    assert len(found) == MOST
    assert {each.active for each in found} == {999}


def test_a_hundred_thousand_routes_of_delayed_mail_are_looked_at_in_small_steps(
    board: Board, file: Busiest
) -> None:
    for number in range(100_000):
        board.route(f"d{number}.test", 1)
    made: Any = board
    Looking(made, file, 0).tick()
    assert board.longest() <= 200
    assert len(file.read(board.clock.time())) == MOST


def test_a_look_ends_before_the_next_one_begins(board: Board, file: Busiest) -> None:
    board.line("x.test", 1)
    made: Any = board
    looking = Looking(made, file, 0)
    looking.tick()
    looking.tick()
    assert len(board.jobs) == 1
    board.work()
    looking.tick()
    assert len(board.jobs) == 1
    board.clock.advance(6.0)
    looking.tick()
    assert len(board.jobs) == 2


def test_names_so_long_that_they_have_no_room_are_fewer(board: Board, file: Busiest) -> None:
    for number in range(MOST):
        board.line(f"{number}.{'x' * 1000}.test", number + 1)
    found = look(board, file)
    assert 0 < len(found) < MOST
    assert found[0].active == MOST


def test_what_is_old_is_not_told(board: Board, file: Busiest) -> None:
    board.line("x.test", 1)
    assert look(board, file)
    assert not file.read(board.clock.time() + 3600)


def test_the_queues_of_a_real_board_are_found_active_and_delayed(file: Busiest) -> None:
    queues = Queues()
    queues.put(*(f"d{number}.test" for number in range(2000)))
    line = queues.put_many(5, "many.test")
    [entry] = line.take(1)
    queues.defer(entry, 3600)
    looking = Looking(queues.board, file, 0)
    looking.tick()
    queues.later(1.0)
    found = file.read(queues.clock.time())
    assert found[0] == Queue("default", "default", "many.test", 4, 1, 0, 0, "")
    assert len(found) == MOST


def test_what_was_found_stays_told_while_the_next_look_takes_its_time(
    board: Board, file: Busiest
) -> None:
    board.line("x.test", 1)
    made: Any = board
    looking = Looking(made, file, 0)
    looking.tick()
    board.work()
    board.clock.advance(6.0)
    for _ in range(50):
        looking.tick()  # the look it begins is never done
        board.clock.advance(6.0)
    assert file.read(board.clock.time())


def test_where_there_is_no_room_for_the_file_a_worker_does_without(
    tmp_path: Path, board: Board
) -> None:
    assert opened(tmp_path / "none" / "busiest") is None
    made: Any = board
    Looking(made, None, 0).tick()
    assert board.jobs == []
