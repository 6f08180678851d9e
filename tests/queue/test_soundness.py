"""What is broken on purpose is found, told and mended; what is sound is left alone."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from angarium.events.metrics import Metrics
from angarium.events.schema import ServerEvent
from angarium.queue.beat import Steps
from angarium.queue.entry import Entry
from angarium.queue.line import COLD, PAUSED, SHUT, SUSPENDED, THROTTLED, Line
from angarium.queue.options import Checking
from angarium.queue.soundness import FOUND, LOOKS, SHARE, Soundness
from angarium.queue.throttle import LocalLedger
from helpers.queues import Queues


class Hands:
    """Connections which do as the test says."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.keys: list[str] = []
        self.working = True

    def in_hands(self) -> Iterator[Sequence[Entry]]:
        yield self.entries

    def served_by(self, line: Line) -> Line | None:
        return line if line.pool is not None else None

    def works(self, line: Line) -> bool:
        return self.working

    def held(self) -> Iterator[Sequence[str]]:
        yield self.keys


class Checked:
    """Queues with some mail of every kind, and their check."""

    def __init__(self, **shape: Any) -> None:
        self.queues = queues = Queues(**shape)
        self.board = queues.board
        self.hands = Hands()
        self.said: list[str] = []
        self.events: list[ServerEvent] = []
        self.reported: dict[int, Entry] = {}
        self.metrics = Metrics()
        self.soundness = Soundness(
            self.board, self.hands, lambda: [queues.spool.live], self.reported, self.said.append,
            self.events.append, self.metrics,
        )  # fmt: skip
        self.line = queues.put_many(4)
        self.line.pool = self.hands
        for entry in self.line.take(1):
            queues.defer(entry, 600)
        self.hands.entries += self.line.take(1)
        queues.later(61.0)

    def look(self) -> list[str]:
        """Look through all; return what was said, which a second look finds mended."""
        for _ in self.soundness.look():
            pass
        said = list(self.said)
        for _ in self.soundness.look():
            pass
        assert self.said == said, "not mended"
        return said


@pytest.fixture
def checked() -> Checked:
    return Checked()


def test_what_is_sound_is_left_alone(checked: Checked) -> None:
    assert checked.queues.counts(checked.line) == (2, 1, 1)
    before = checked.queues.counts(checked.line), checked.board.resident
    assert checked.look() == []
    assert (checked.queues.counts(checked.line), checked.board.resident) == before
    assert checked.metrics.cell(LOOKS).value == 2


def test_a_finding_is_told_counted_and_an_event(checked: Checked) -> None:
    checked.line.active += 1
    [said] = checked.look()
    assert said.startswith("queues were not sound, and are mended: <Line default/default/a.test")
    assert checked.metrics.cell(FOUND).value == 1
    [event] = checked.events
    assert (event.kind, event.text) == ("soundness: line", said)


# Entries.


def test_an_entry_in_no_queue_goes_back_to_its_line(checked: Checked) -> None:
    for items in checked.line.sift(lambda ident: True):
        for item in items:
            checked.line.lifted(item)
            checked.line.dropped(item)
    checked.queues.demands.clear()
    assert checked.look() == ["queues were not sound, and are mended: an entry of"
                              " default/default/a.test was in no queue"] * 2  # fmt: skip
    assert checked.line.active == 2
    assert checked.queues.demands


def test_an_entry_which_is_not_due_yet_goes_back_to_the_timer(checked: Checked) -> None:
    [ident] = [each for slot in checked.board.timer.members() for each in slot]
    checked.board.later.remove(ident)
    assert len(checked.look()) == 1
    assert checked.line.delayed == len(checked.board.timer) == 1


def test_an_entry_which_just_came_is_not_missed(checked: Checked) -> None:
    checked.queues.spool.immediate = False
    checked.queues.put("a.test")
    assert checked.look() == []


def test_an_entry_in_its_line_and_in_the_timer_stays_in_its_line(checked: Checked) -> None:
    ident = next(iter(checked.queues.spool.live))
    [delayed] = [each for slot in checked.board.timer.members() for each in slot]
    ident = delayed
    checked.line.push_id(ident)
    assert len(checked.look()) == 1
    assert (checked.line.active, len(checked.board.timer), checked.line.delayed) == (3, 0, 0)


def test_an_entry_twice_in_its_line_is_there_once(checked: Checked) -> None:
    [ident] = [each for slot in checked.board.timer.members() for each in slot]
    checked.board.later.remove(ident)
    checked.line.push_id(ident)
    checked.line.push_id(ident)
    assert len(checked.look()) == 1
    assert [each for piece in checked.line.members() for each in piece].count(ident) == 1


def test_an_entry_in_hands_is_nowhere_else(checked: Checked) -> None:
    [held] = checked.hands.entries
    checked.line.push_id(held.id)
    checked.board.later.add(held.id, int(checked.queues.clock.time()) + 100)
    assert len(checked.look()) == 1
    assert (checked.line.active, len(checked.board.timer)) == (2, 1)


def test_an_entry_twice_in_the_timer_is_there_once(checked: Checked) -> None:
    [ident] = [each for slot in checked.board.timer.members() for each in slot]
    checked.board.later.add(ident, int(checked.queues.clock.time()) + 999)
    assert len(checked.look()) == 1
    assert len(checked.board.timer) == checked.line.delayed == 1


def test_what_a_report_is_made_about_is_owned(checked: Checked) -> None:
    [entry] = checked.hands.entries
    checked.hands.entries.clear()
    checked.reported[entry.id] = entry
    assert checked.look() == []


def test_what_a_job_holds_between_its_slices_is_owned(checked: Checked) -> None:
    line = checked.line

    def job() -> Steps:
        for items in line.sift(lambda ident: True):
            yield
            for item in items:
                line.lifted(item)
                assert isinstance(item, Entry)
                line.push(item)

    work = job()
    checked.board.begin(work)
    next(work)
    look = checked.soundness.look()
    for _ in range(1000):
        next(look)  # It does not end before the job has.
    while checked.board.work():
        pass
    for _ in look:
        pass
    assert checked.said == []


# Counts.


@pytest.mark.parametrize("name", ["active", "resident", "in_flight"])
@pytest.mark.parametrize("by", [-1, 2])
def test_a_count_of_a_line_is_set_right(checked: Checked, name: str, by: int) -> None:
    before = getattr(checked.line, name)
    setattr(checked.line, name, before + by)
    assert len(checked.look()) == 1
    assert getattr(checked.line, name) == before


@pytest.mark.parametrize("name", ["resident", "in_flight"])
def test_a_count_of_the_board_is_set_right(checked: Checked, name: str) -> None:
    before = getattr(checked.board, name)
    setattr(checked.board, name, before + 3)
    checked.look()
    assert checked.said
    assert getattr(checked.board, name) == before


def test_a_count_of_a_route_is_set_right(checked: Checked) -> None:
    checked.board.later.counts[0] += 5
    assert len(checked.look()) == 1
    assert checked.line.delayed == 1


def test_a_route_of_which_something_moves_meanwhile_is_not_judged(checked: Checked) -> None:
    checked.board.later.counts[0] += 5
    for _ in checked.soundness._routes.look():
        checked.board.later._count(0)
        checked.board.later.uncount(0)
    assert checked.said == []


def test_permits_nobody_holds_are_given_back(checked: Checked) -> None:
    ledger = checked.board.ledger
    assert isinstance(ledger, LocalLedger)
    ledger.acquire("cap:b", 9)
    checked.hands.keys.append("cap:b")
    assert checked.look() == []
    checked.hands.keys.clear()
    assert len(checked.look()) == 1
    assert ledger.count("cap:b") == 0


# Next events.


@pytest.mark.parametrize("reason", [SUSPENDED, SHUT, PAUSED, THROTTLED, COLD])
def test_a_line_which_is_closed_for_no_reason_is_opened(checked: Checked, reason: int) -> None:
    checked.line.close(reason)
    checked.queues.demands.clear()
    [said] = checked.look()
    assert "would never have been asked again" in said
    assert (checked.line.closed, checked.queues.demands[-1]) == (0, checked.line)


def test_a_line_which_is_suspended_or_waits_stays_as_it_is() -> None:
    checked = Checked()
    checked.board.suspended = lambda key: True
    checked.line.close(SUSPENDED)
    assert checked.look() == []
    checked.board.suspended = lambda key: False
    checked.line.open(SUSPENDED)
    checked.board.pause(checked.line, 100.0, "nobody there")
    assert checked.look() == []


def test_a_line_nobody_would_ask_is_asked(checked: Checked) -> None:
    checked.hands.working = False
    checked.queues.demands.clear()
    for _ in checked.soundness.look():
        pass
    assert checked.queues.demands == [checked.line]
    [said] = checked.said
    assert said.endswith("its connections rest")


def test_a_line_which_waits_for_what_the_ledger_forgot_is_asked(checked: Checked) -> None:
    checked.board.schedule.park(checked.line, "k")
    checked.queues.demands.clear()
    [said] = checked.look()
    assert said.endswith("the ledger does not know that it waits for k")
    assert (checked.line.parked, checked.queues.demands[-1]) == ("", checked.line)


# Time.


def test_a_look_begins_each_interval_and_takes_its_share(checked: Checked) -> None:
    waits: list[tuple[float, Any]] = []
    clock = checked.queues.clock
    checked.queues.configuration.tops[Checking] = Checking.make(soundness_interval=30.0)
    checked.soundness.start(lambda seconds, call: waits.append((seconds, call)))
    seconds, turn = waits.pop()
    assert seconds == 30.0
    looked = 0
    for _ in range(1000):
        clock.advance(seconds)
        turn()
        looked = int(checked.metrics.cell(LOOKS).value)
        seconds, turn = waits.pop()
        if looked == 2:
            break
    assert looked == 2
    checked.soundness.stop()
    turn()
    assert not waits


def test_what_a_slice_took_is_rested_for_a_thousand_times(checked: Checked) -> None:
    waits: list[float] = []
    clock = checked.queues.clock
    checked.soundness.start(lambda seconds, call: waits.append(seconds))
    clock.advance(61.0)
    checked.soundness._line = lambda line: clock.advance(0.002)  # type: ignore[method-assign]
    checked.soundness._turn()
    assert waits[-1] == pytest.approx(0.002 / SHARE)


def test_an_interval_of_nothing_is_never(checked: Checked) -> None:
    checked.queues.configuration.tops[Checking] = Checking.make(soundness_interval=0.0)
    waits: list[float] = []
    checked.soundness.start(lambda seconds, call: waits.append(seconds))
    for _ in range(100):
        checked.queues.clock.advance(61.0)
        checked.soundness._turn()
    assert checked.metrics.cell(LOOKS).value == 0
