"""What became of mail, by queue and by binding."""

from angarium.queue.idle import IDLE_SECONDS
from angarium.queue.tally import Tallies, Tally
from helpers.queues import Queues


def test_what_a_line_has_counted_goes_to_its_binding_when_it_is_freed() -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test", binding="b1")
    line.sent, line.failed = 1, 1
    for entry in line.take(2):
        queues.end(entry)
    assert list(queues.board.tallies.items()) == []
    queues.later(2 * IDLE_SECONDS + 1)
    assert queues.board.lines == {}
    assert list(queues.board.tallies.items()) == [(("g", "b1"), Tally(1, 1, 1))]
    assert queues.put("a.test", binding="b1").received == 1


def test_lines_of_a_binding_are_summed_and_those_without_mail_leave_nothing() -> None:
    tallies = Tallies()
    tallies.freed(("g", "b", "a.test"), Tally(1, 2, 3))
    tallies.freed(("g", "b", "b.test"), Tally(4, 5, 6))
    tallies.freed(("g", "c", "b.test"), Tally())
    assert dict(tallies.items()) == {("g", "b"): Tally(5, 7, 9)}


def test_at_the_end_lines_count_with_those_that_are_gone() -> None:
    tallies = Tallies()
    tallies.freed(("g", "b", "a.test"), Tally(1, 0, 0))
    lines = {("g", "b", "b.test"): Tally(0, 2, 0), ("g", "c", "c.test"): Tally()}
    assert tallies.with_lines(lines) == {("g", "b"): Tally(1, 2, 0)}
    assert dict(tallies.items()) == {("g", "b"): Tally(1, 0, 0)}
