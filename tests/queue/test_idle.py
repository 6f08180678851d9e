"""Lines without mail: freed, and made again when there is some."""

from angarium.queue.idle import IDLE_SECONDS, Idle
from angarium.queue.line import Line
from helpers.queues import Queues


def test_an_idle_line_is_freed_and_made_again() -> None:
    queues = Queues()
    line = queues.put("a.test")
    (entry,) = line.take(1)
    queues.later(2 * IDLE_SECONDS)
    assert queues.board.lines == {line.key: line}
    queues.end(entry)
    queues.later(IDLE_SECONDS + 1)
    assert queues.board.lines == {}
    assert queues.put("a.test") is not line


def test_a_line_with_a_connection_or_a_pause_is_kept() -> None:
    queues = Queues()
    line = queues.put("a.test")
    (entry,) = line.take(1)
    queues.end(entry)
    line.pool = object()
    queues.later(3 * IDLE_SECONDS)
    assert queues.board.lines
    line.pool = None
    queues.board.pause(line, 100.0, "down")
    queues.later(2 * IDLE_SECONDS)
    assert queues.board.lines
    queues.later(100.0)
    assert queues.board.lines == {}


def test_a_suspended_line_without_mail_is_freed_and_suspended_again_when_it_has_some() -> None:
    queues = Queues(suspend_delivery=True)
    line = queues.put("a.test")
    for items in line.sift(lambda ident: True):
        for item in items:
            line.lifted(item)
    queues.later(2 * IDLE_SECONDS + 1)
    assert queues.board.lines == {}
    assert queues.put("a.test").take(1) == []


def test_many_are_freed_in_pieces() -> None:
    board = Queues().board
    lines = {key: Line(board, key) for key in (("g", "b", f"{n}.test") for n in range(600))}
    freed: list[Line] = []
    idle = Idle(lines, lambda key, line: freed.append(line))
    for line in lines.copy().values():
        idle.add(line, 0.0)
        idle.add(line, 1.0)
    assert not idle.free(IDLE_SECONDS - 1.0)
    left = []
    while idle.free(IDLE_SECONDS):
        left.append(len(lines))
    assert left == [344, 88]
    assert lines == {}
