from pathlib import Path

import pytest

from angarium.run.scoreboard import Row, Scoreboard


@pytest.fixture
def board(tmp_path: Path) -> Scoreboard:
    return Scoreboard(tmp_path / "scoreboard")


def rows(board: Scoreboard, *sessions: int) -> list[Row]:
    made = [board.row(worker) for worker in range(len(sessions))]
    for row, count in zip(made, sessions, strict=True):
        row.accepting(yes=True)
        row.count(count)
    return made


def test_what_a_worker_was_at_is_read_once_after_its_death(tmp_path: Path) -> None:
    supervisor, worker = Scoreboard(tmp_path / "s"), Scoreboard(tmp_path / "s").row(3)
    worker.enter(2**63 + 1)
    assert supervisor.bury(2) == 0
    assert supervisor.bury(3) == 2**63 + 1
    assert supervisor.bury(3) == 0


def test_a_worker_back_in_its_loop_was_at_nothing(board: Scoreboard) -> None:
    row = board.row(0)
    row.enter(7)
    row.leave()
    assert board.bury(0) == 0


@pytest.mark.parametrize(
    ("sessions", "may"),
    [
        ((0, 0), (True, True)),
        ((1, 0), (True, True)),
        ((2, 0), (True, True)),
        ((3, 0), (False, True)),
        ((5, 5, 8), (True, True, False)),
        ((9,), (True,)),
    ],
)
def test_who_exceeds_the_mean_by_more_than_one_leaves_it_to_the_others(
    board: Scoreboard, sessions: tuple[int, ...], may: tuple[bool, ...]
) -> None:
    assert tuple(row.may_accept() for row in rows(board, *sessions)) == may


def test_a_worker_that_takes_nothing_does_not_count(board: Scoreboard) -> None:
    busy, idle = rows(board, 9, 0)
    assert not busy.may_accept()
    idle.accepting(yes=False)
    assert busy.may_accept()


def test_the_dead_do_not_count(board: Scoreboard) -> None:
    busy, _ = rows(board, 9, 0)
    board.bury(1)
    assert busy.may_accept()


def test_a_new_run_begins_with_nothing_whoever_still_writes(tmp_path: Path) -> None:
    old = Scoreboard(tmp_path / "scoreboard").row(3)
    new = Scoreboard.fresh(tmp_path / "scoreboard")
    old.enter(7)
    old.count(5)
    assert new.bury(3) == 0
