"""What is broken on purpose is found, told and mended; what is sound is left alone."""

from typing import Any

import pytest

from angarium.queue.line import COLD, PAUSED, SHUT, SUSPENDED, THROTTLED
from angarium.queue.options import Checking
from angarium.queue.soundness import FOUND, LOOKS, SHARE
from angarium.queue.throttle import LocalLedger
from helpers.checked import Checked


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


@pytest.mark.effect("soundness_interval")
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
