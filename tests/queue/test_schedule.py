"""Who waits is asked at its time, or when what it waits for is free, and in its order."""

from collections.abc import Callable

from angarium.queue.line import Line
from angarium.queue.schedule import NEVER, Alarm, Schedule
from helpers.clock import FakeClock
from helpers.queues import Queues


def lines(count: int) -> list[Line]:
    queues = Queues()
    return [queues.board.line("default", "default", f"d{number}.test") for number in range(count)]


def test_a_line_is_due_at_each_time_it_asked_for() -> None:
    schedule, (a, b) = Schedule(), lines(2)
    schedule.wait(a, 30.0)
    schedule.wait(a, 10.0)
    schedule.wait(b, 20.0)
    assert schedule.next == 10.0
    assert list(schedule.due(9.9)) == []
    assert list(schedule.due(25.0)) == [a, b]
    assert list(schedule.due(30.0)) == [a]
    assert schedule.next == NEVER


def test_the_same_time_twice_is_one() -> None:
    schedule, (a,) = Schedule(), lines(1)
    schedule.wait(a, 10.0)
    schedule.wait(a, 10.001)
    assert list(schedule.due(11.0)) == [a]
    schedule.wait(a, 20.0)
    assert list(schedule.due(20.0)) == [a]


def test_the_alarm_is_set_for_the_earliest_time_only() -> None:
    schedule, (a, b) = Schedule(), lines(2)
    alarms: list[float] = []
    schedule.alarm = alarms.append
    schedule.wait(a, 10.0)
    schedule.wait(b, 20.0)
    schedule.wait(b, 5.0)
    assert alarms == [10.0, 5.0]


def test_an_alarm_rings_once_for_the_earliest_time_and_not_before_it() -> None:
    clock, timers, rung = FakeClock(), list[tuple[float, Callable[[], None]]](), list[float]()

    def call_later(seconds: float, call: Callable[[], None]) -> None:
        timers.append((clock.monotonic() + seconds, call))

    alarm = Alarm(call_later, lambda: rung.append(clock.monotonic()), clock)
    now = clock.monotonic()
    for at in (now + 0.5, now + 0.7, now + 0.3, now + 5.0):
        alarm.set(at)
    assert len(timers) == 2
    for at, call in sorted(timers, key=lambda timer: timer[0]):
        clock.advance(at - clock.monotonic())
        call()
    assert len(rung) == 1
    assert now + 0.3 <= rung[0] < now + 0.305
    alarm.set(clock.monotonic() - 1.0)
    assert len(timers) == 3


def test_what_is_free_goes_to_who_waited_longest_until_none_is_left() -> None:
    schedule, (a, b, c) = Schedule(), lines(3)
    for line in (a, b, c):
        schedule.park(line, "k")
    asked: list[Line] = []
    left = 1

    def ask(line: Line) -> None:
        nonlocal left
        asked.append(line)
        if left:
            left -= 1
        else:
            schedule.park(line, "k")

    schedule.free("k", ask)
    assert asked == [a, b]
    assert (schedule.waiting("k"), a.parked) == (2, "")
    left = 2
    schedule.free("k", ask)
    assert asked == [a, b, b, c]
    assert schedule.waiting("k") == 0


def test_who_comes_while_others_are_asked_stands_behind_them() -> None:
    schedule, (a, b, c) = Schedule(), lines(3)
    schedule.park(a, "k")
    schedule.park(b, "k")

    def ask(line: Line) -> None:
        schedule.park(c, "k")
        schedule.park(line, "k")

    schedule.free("k", ask)
    order: list[Line] = []
    schedule.free("k", order.append)
    assert order == [a, b, c]


def test_who_was_given_one_and_wants_more_has_had_its_turn() -> None:
    schedule, (a, b) = Schedule(), lines(2)
    held = {a: 0, b: 0}
    schedule.held = held.__getitem__
    schedule.park(a, "k")
    schedule.park(b, "k")
    served: list[Line] = []

    def give_one(line: Line) -> None:
        served.append(line)
        held[line] += 1
        schedule.park(line, "k")  # It wants another one, and there is none.

    schedule.free("k", give_one)
    held[a] = 0  # It has ended, and its line still wants one.
    schedule.park(a, "k")
    schedule.free("k", give_one)
    assert served == [a, b]


def test_a_line_waits_for_one_key_at_a_time() -> None:
    schedule, (a,) = Schedule(), lines(1)
    schedule.park(a, "k")
    schedule.park(a, "k")
    schedule.park(a, "other")
    assert (schedule.waiting("k"), schedule.waiting("other")) == (0, 1)
    schedule.unpark(a)
    schedule.unpark(a)
    assert schedule.waiting("other") == 0
    schedule.free("other", lambda line: None)


def test_a_line_does_not_stand_in_its_own_way() -> None:
    schedule, (a, b) = Schedule(), lines(2)
    schedule.park(a, "k")
    assert not schedule.others_wait("k", a)
    assert schedule.others_wait("k", b)
