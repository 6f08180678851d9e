"""What outlets share is what the pool has."""

from angarium.outbound.pool import Pool
from angarium.outbound.shared import Board, Shared
from angarium.queue import board


def test_the_pool_has_it() -> None:
    needed = {name for name in vars(Shared) if not name.startswith("_")}
    # What is no method or property is set where a pool is made.
    made = {"board", "settle", "dialer", "sweep", "clock", "closing", "alarm", "sources"}
    made |= {"permits", "generation", "server"}
    assert needed
    assert needed <= set(dir(Pool)) | made


def test_the_board_has_what_is_asked_of_it() -> None:
    needed = {name for name in vars(Board) if not name.startswith("_")}
    assert {"wait", "pause", "offer", "rest"} <= needed
    assert {"wait", "pause", "offer", "rest"} <= set(dir(board.Board))
