"""The board: where entries are, when they move, and that counts are exact."""

from collections.abc import Callable

import pytest

from angarium.queue.board import SWEEP_SECONDS
from angarium.queue.idle import IDLE_SECONDS
from angarium.queue.line import REASONS
from angarium.queue.options import Shape
from angarium.queue.retry import GiveUp
from helpers.queues import Queues

HOUR = 3600.0


def test_new_mail_asks_for_delivery_once_per_message_and_line() -> None:
    queues = Queues()
    a = queues.put("a.test", "a.test", "b.test")
    assert [line.domain for line in queues.demands] == ["a.test", "b.test"]
    assert a.domain == "b.test"


def test_a_delayed_entry_comes_back_when_it_is_due() -> None:
    queues = Queues()
    line = queues.put("a.test")
    (entry,) = line.take(1)
    queues.defer(entry, 20)
    assert queues.counts(line) == (0, 1, 0)
    queues.demands.clear()
    queues.later(19)
    assert (queues.counts(line), queues.demands) == ((0, 1, 0), [])
    queues.later(1)
    assert (queues.counts(line), queues.demands) == ((1, 0, 0), [line])
    (again,) = line.take(1)
    assert (again.id, again.attempts) == (entry.id, 1)


def test_retries_take_their_turn_among_new_mail() -> None:
    queues = Queues()
    line = queues.put("a.test")
    (old,) = line.take(1)
    queues.defer(old, 10)
    queues.put("a.test")
    queues.later(10)
    queues.put("a.test")
    order = [line.take(1)[0].id for _ in range(3)]
    assert order[1] == old.id


def test_after_a_restart_one_content_is_one_batch_again() -> None:
    queues = Queues()
    queues.put("a.test", "b.test", "a.test", "a.test")
    board = queues.restart()
    board.tick()
    line = board.line("default", "default", "a.test")
    assert queues.counts(line) == (3, 0, 0)
    batch = line.take(100)
    assert len(batch) == 3
    assert len({entry.message.batch for entry in batch}) == 1
    assert len({id(entry.message) for entry in batch}) == 1


def test_attempts_and_due_times_survive_a_restart() -> None:
    queues = Queues()
    (entry,) = queues.put("a.test").take(1)
    queues.defer(entry, 500)
    board = queues.restart()
    line = board.line("default", "default", "a.test")
    assert queues.counts(line) == (0, 1, 0)
    queues.later(499)
    assert board.active == 0
    queues.later(1)
    line = board.line("default", "default", "a.test")
    assert line.take(1)[0].attempts == 1


def test_promotion_loads_nothing_until_somebody_takes() -> None:
    queues = Queues()
    for number in range(50):
        queues.put(f"d{number % 5}.test")
    board = queues.restart()
    queues.demands.clear()
    board.tick()
    assert queues.spool.loads == 0
    assert sorted({line.domain for line in queues.demands}) == [f"d{n}.test" for n in range(5)]
    assert board.active == 50


def test_work_stops_when_its_slice_of_time_is_over() -> None:
    queues = Queues()
    for _ in range(1000):
        queues.put("a.test")
    board = queues.restart()
    board.beat.slice_seconds = 0.0
    assert board.tick()
    assert 0 < board.active < 1000
    while board.work():
        pass
    assert board.active == 1000


def test_a_clock_set_back_parks_nothing() -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test")
    first, second = line.take(2)
    queues.defer(first, 100)
    queues.later(10)
    queues.clock.set(queues.clock.time() - HOUR)
    queues.later(1)
    queues.defer(second, 30)
    queues.later(31)
    assert [entry.id for entry in queues.demands[-1].take(9)] == [second.id]
    queues.later(60)
    assert [entry.id for entry in queues.demands[-1].take(9)] == [first.id]


def test_a_clock_set_forward_makes_due_what_is_due_by_it() -> None:
    queues = Queues()
    line = queues.put("a.test")
    (entry,) = line.take(1)
    queues.defer(entry, 1000)
    queues.clock.set(queues.clock.time() + HOUR)
    queues.later(1)
    assert len(line.take(1)) == 1


def test_a_clock_set_back_and_forth_is_where_it_was() -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test")
    first, second = line.take(2)
    queues.clock.set(queues.clock.time() - HOUR)
    queues.later(5)
    queues.defer(first, 50)
    queues.clock.set(queues.clock.time() + HOUR)
    queues.later(5)
    queues.defer(second, 60)
    queues.later(44)
    assert queues.board.active == 0
    queues.later(2)
    assert [entry.id for entry in queues.demands[-1].take(1)] == [first.id]
    queues.later(15)
    assert [entry.id for entry in queues.demands[-1].take(1)] == [second.id]


def test_what_a_clock_gone_wrong_left_on_disk_is_tried_soon() -> None:
    queues = Queues()
    real = queues.clock.time()
    queues.clock.set(real + 10 * 365 * 24 * HOUR)
    (entry,) = queues.put("a.test").take(1)
    queues.defer(entry, 1200)
    queues.clock.set(real)
    board = queues.restart()
    queues.jump(1199)
    assert board.active == 0
    queues.jump(2)
    assert board.active == 1


def test_a_paused_line_rests_and_is_asked_for_at_the_end() -> None:
    queues = Queues()
    line = queues.put("a.test")
    queues.board.pause(line, 300.0, "no route to host")
    assert (REASONS[line.closed], line.pause_reason) == ("paused", "no route to host")
    assert line.resident == 0
    queues.demands.clear()
    queues.put("a.test")
    queues.later(299)
    assert (line.take(9), queues.demands) == ([], [])
    queues.later(1)
    assert set(queues.demands) == {line}
    assert len(line.take(9)) == 1


def test_a_throttle_in_a_pause_does_not_end_it() -> None:
    queues = Queues()
    line = queues.put("a.test")
    queues.board.pause(line, 300.0, "no route to host")
    queues.board.wait(line, 5.0)
    queues.later(100)
    assert line.take(9) == []
    queues.later(200)
    assert len(line.take(9)) == 1


def test_a_pause_can_be_ended_early() -> None:
    queues = Queues()
    line = queues.put("a.test")
    queues.board.pause(line, 300.0, "no route to host")
    queues.board.resume(line)
    assert len(line.take(9)) == 1


@pytest.mark.effect("delayed_binding_domain_fuzz")
def test_a_pause_is_spread_by_the_fuzz() -> None:
    queues = Queues(delayed_binding_domain_fuzz=4096.0)
    until = set()
    for number in range(20):
        line = queues.put(f"d{number}.test")
        queues.board.pause(line, 100.0, "down")
        until.add(line.paused_until)
    assert len(until) > 15


def test_mail_which_expires_in_a_closed_line_is_given_up() -> None:
    queues = Queues(message_expiration=600.0, suspend_delivery=True)
    line = queues.put("a.test")
    queues.jump(500.0)
    young = queues.put("a.test")
    assert queues.given_up == []
    queues.jump(101.0 + SWEEP_SECONDS)
    assert [why for _, why in queues.given_up] == [GiveUp.EXPIRED]
    assert queues.counts(young) == (1, 0, 0)
    assert line is young


def test_mail_which_expires_in_a_line_that_moves_waits_for_its_last_attempt() -> None:
    queues = Queues(message_expiration=600.0)
    line = queues.put("a.test")
    queues.jump(700.0 + SWEEP_SECONDS)
    assert queues.given_up == []
    assert len(line.take(1)) == 1


def test_expired_mail_gets_a_last_attempt_unless_the_option_says_no() -> None:
    queues = Queues(message_expiration=10.0)
    line = queues.put("a.test")
    queues.clock.advance(11)
    assert len(line.take(1)) == 1
    queues = Queues(message_expiration=10.0, never_attempt_expired_messages=True)
    line = queues.put("a.test")
    queues.clock.advance(11)
    queues.put("a.test")
    assert len(line.take(1)) == 1
    assert [why for _, why in queues.given_up] == [GiveUp.NOT_ATTEMPTED]


def test_many_expired_ones_do_not_hold_up_the_loop() -> None:
    queues = Queues(message_expiration=10.0, never_attempt_expired_messages=True)
    line = queues.put_many(100)
    queues.clock.advance(11)
    assert line.take(1) == []
    assert 0 < len(queues.given_up) < 100
    queues.board.demand = lambda line: line.take(1)  # type: ignore[assignment]
    queues.later(30)
    assert len(queues.given_up) == 100


def test_a_delayed_entry_needs_no_line() -> None:
    queues = Queues()
    (entry,) = queues.put("a.test").take(1)
    queues.defer(entry, 1000)
    queues.later(IDLE_SECONDS + 1)
    assert queues.board.lines == {}
    queues.jump(1000)
    (line,) = queues.board.lines.values()
    assert queues.counts(line) == (1, 0, 0)


def test_mail_of_a_vanished_binding_moves_to_the_default_one() -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test", binding="b1")
    (delayed,) = line.take(1)
    queues.defer(delayed, 100)
    queues.configuration.names.remove(("g", "b1"))
    queues.configuration.generation = 2
    queues.board.configure(queues.configuration)
    queues.board.work()
    home = queues.board.line("default", "default", "a.test")
    assert queues.counts(home) == (1, 1, 0)
    assert line.idle
    assert {each[1:] for each in queues.spool.rebound} == {("default", "default", "a.test")}


def test_mail_found_for_a_vanished_binding_moves_when_it_is_due() -> None:
    queues = Queues()
    queues.put("a.test", binding="b1")
    queues.configuration.names.remove(("g", "b1"))
    board = queues.restart()
    board.tick()
    (line,) = board.lines.values()
    assert line.key == ("default", "default", "a.test")
    (entry,) = line.take(1)
    assert entry.recipient.binding == "default"


def test_mail_accepted_while_its_binding_vanished_moves_at_once() -> None:
    queues = Queues()
    queues.configuration.names.remove(("g", "b1"))
    queues.board.configure(queues.configuration)
    queues.put("a.test", binding="b1")
    (line,) = queues.board.lines.values()
    assert line.key == ("default", "default", "a.test")
    assert len(queues.spool.rebound) == 1


def test_the_timers_of_a_loop_drive_it() -> None:
    queues = Queues()
    calls: list[tuple[float, object]] = []
    queues.board.start(lambda seconds, call: calls.append((seconds, call)))
    assert [seconds for seconds, _ in calls] == [1.0]
    line = queues.board.line("g", "b1", "a.test")
    queues.board.wait(line, 0.25)
    assert 0.25 <= calls[-1][0] < 0.26
    queues.board.wait(line, 0.5)
    assert len(calls) == 2
    queues.board.stop()
    queues.board.wait(queues.put("b.test"), 0.1)
    assert len(calls) == 2


def test_mail_of_one_turn_of_the_loop_is_offered_once() -> None:
    queues = Queues()
    calls: list[tuple[float, Callable[[], None]]] = []
    queues.board.start(lambda seconds, call: calls.append((seconds, call)))
    lines = [queues.put("a.test") for _ in range(3)]
    assert queues.demands == []
    assert calls[-1][0] == 0.0
    calls[-1][1]()
    assert queues.demands == lines[:1]


def test_the_row_of_counts_grows_with_the_routes() -> None:
    queues = Queues()
    for number in range(600):
        queues.put(f"d{number}.test")
    board = queues.restart()
    assert board.delayed_of(("default", "default", "d599.test")) == 1
    assert board.delayed == 600


def test_mail_which_may_not_be_sent_for_a_moment_is_offered_when_it_may() -> None:
    queues = Queues()
    queues.spool.delivery = False
    line = queues.put("a.test")
    queues.spool.delivery = True  # before a tick has seen it otherwise
    assert queues.demands == []
    queues.later(1.0)
    assert queues.demands == [line]


def test_a_line_which_was_empty_at_a_reload_is_open_for_what_comes_due() -> None:
    queues = Queues(suspend_delivery=True)
    line = queues.put("a.test")
    [entry] = [queues.board.recall.entry(ident, line) for ident in queues.spool.live]
    assert entry is not None
    for items in line.sift(lambda ident: True):
        for item in items:
            line.lifted(item)
    line.fly(entry)
    queues.defer(entry, 10)
    queues.configuration.shape = Shape.make()
    queues.configuration.generation += 1
    queues.board.configure(queues.configuration)
    queues.later(11.0)
    assert queues.demands == [line]
