"""Who is silent, on a fake clock; and what a process shows of itself."""

import asyncio
import os
from pathlib import Path

import pytest

from angarium.core.ident import printed
from angarium.run import traces, watchdog
from angarium.run.scoreboard import HOSE, Scoreboard
from angarium.run.watchdog import Watchdog
from helpers.clock import FakeClock


class FakeChild:
    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self.done: list[str] = []

    def abort(self) -> None:
        self.done.append("abort")

    def kill(self) -> None:
        self.done.append("kill")


class Log(list[tuple[str, dict[str, object]]]):
    def _note(self, event: str, **fields: object) -> None:
        self.append((event, fields))

    warning = error = _note

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self]


class Yard:
    """Two workers and a hose, and who of them runs."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.log = Log()
        self.board = Scoreboard(folder / "scoreboard")
        self.watchdog = Watchdog(self.board, self.clock, self.log)
        self.children = {
            0: FakeChild("worker 0", 10**9),
            1: FakeChild("worker 1", 10**9 + 1),
            HOSE: FakeChild("hose", 10**9 + 2),
        }
        for number in (0, 1):
            self.board.row(number).accepting(yes=True)
        for place in self.children:
            self.board.pulse(place).beat()  # they have begun

    def seconds(self, count: int, *running: int, interval: float = 60.0, step: float = 1.0) -> None:
        for _ in range(count):
            self.clock.advance(step)
            for place in running:
                self.board.pulse(place).beat()
            self.watchdog.look(self.children.items(), interval)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def test_who_runs_is_left_alone(yard: Yard) -> None:
    yard.seconds(1000, 0, 1, HOSE)
    assert yard.log == []
    assert all(child.done == [] for child in yard.children.values())


def test_who_is_silent_is_told_once_with_the_message_it_is_over(yard: Yard) -> None:
    yard.board.row(0).enter(77)
    yard.seconds(20, 1, HOSE)
    [(event, fields)] = yard.log
    assert event == "does not answer"
    assert fields["who"] == "worker 0"
    assert fields["message"] == printed(77)
    assert yard.children[0].done == []


def test_who_is_stuck_is_ended_and_if_that_does_not_help_killed(yard: Yard) -> None:
    yard.seconds(62, 1, HOSE)
    assert yard.children[0].done == ["abort"]
    yard.seconds(20, 1, HOSE)
    assert yard.children[0].done == ["abort", "kill"]
    assert yard.log.events == ["does not answer", "stuck, and ended"]
    assert yard.children[1].done == yard.children[HOSE].done == []


def test_a_hose_which_is_stuck_is_ended_too(yard: Yard) -> None:
    yard.seconds(62, 0, 1)
    assert yard.children[HOSE].done == ["abort"]


def test_who_never_begins_to_run_is_stuck_too_after_a_longer_time(yard: Yard) -> None:
    yard.seconds(5, 0, 1, HOSE)
    yard.children[2] = FakeChild("worker 2", 10**9 + 3)
    yard.seconds(25, 0, 1, HOSE, interval=3.0)
    assert yard.log == []
    yard.seconds(37, 0, 1, HOSE, interval=3.0)
    assert yard.children[2].done == ["abort"]


def test_a_new_process_begins_with_nothing(yard: Yard) -> None:
    yard.seconds(50, 1, HOSE)
    yard.children[0] = FakeChild("worker 0", 10**9 + 3)
    yard.seconds(50, 1, HOSE)
    assert yard.children[0].done == []


def test_others_take_the_connections_of_who_is_silent_until_it_answers(yard: Yard) -> None:
    silent, other = yard.board.row(0), yard.board.row(1)
    other.count(9)
    assert not other.may_accept()
    yard.seconds(4, 1, HOSE)
    assert other.may_accept()
    silent.count(9)
    yard.seconds(1, 0, 1, HOSE)
    other.count(20)
    assert not other.may_accept()


def test_who_accepts_nothing_is_not_made_to_accept(yard: Yard) -> None:
    yard.board.row(0).accepting(yes=False)
    yard.seconds(10, 1, HOSE)
    yard.seconds(1, 0, 1, HOSE)
    other = yard.board.row(1)
    other.count(9)
    assert other.may_accept()


def test_who_answers_again_is_told_and_begins_anew(yard: Yard) -> None:
    yard.seconds(50, 1, HOSE)
    yard.seconds(1, 0, 1, HOSE)
    assert yard.log.events == ["does not answer", "answers again"]
    yard.seconds(50, 1, HOSE)
    assert yard.children[0].done == []


def test_the_sleep_of_the_machine_kills_nobody(yard: Yard) -> None:
    yard.seconds(3, 0, 1, HOSE)
    yard.seconds(1, step=8 * 3600.0)
    yard.seconds(3, step=0.1)
    assert yard.log == []
    yard.seconds(3, 0, 1, HOSE)
    yard.clock.set(0.0)  # nor does a clock that is set
    yard.seconds(3, 0, 1, HOSE)
    assert yard.log == []


def test_the_first_look_after_a_sleep_proves_nothing_however_short_the_interval(
    yard: Yard,
) -> None:
    yard.seconds(3, 0, 1, HOSE, interval=1.0)
    yard.seconds(1, step=5.0, interval=1.0)
    assert yard.log == []
    yard.seconds(1, 0, 1, HOSE, interval=1.0)
    assert yard.log == []


def test_nobody_is_ended_with_an_interval_of_nought_but_told(yard: Yard) -> None:
    yard.seconds(1000, 1, HOSE, interval=0.0)
    assert yard.log.events == ["does not answer"]
    assert yard.children[0].done == []


def test_a_short_interval_is_kept_and_told_before(yard: Yard) -> None:
    yard.seconds(5, 1, HOSE, interval=6.0)
    assert yard.log.events == ["does not answer"]
    yard.seconds(3, 1, HOSE, interval=6.0)
    assert yard.children[0].done == ["abort"]


def test_two_beats_between_three_looks_are_no_proof(yard: Yard) -> None:
    yard.seconds(3, 0, 1, HOSE, interval=1.0)
    yard.seconds(1, 1, HOSE, interval=1.0)
    yard.seconds(1, 0, 1, HOSE, interval=1.0)
    assert yard.log == []
    yard.seconds(4, 1, HOSE, interval=1.0)
    assert yard.children[0].done == ["abort"]


def test_what_a_process_is_at_is_told_as_the_system_knows_it() -> None:
    assert watchdog.state_of(os.getpid()).split()[0] in ("running", "sleeping")
    assert watchdog.state_of(2**22 + 1) == "unknown"


async def test_a_process_beats_while_its_loop_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[str] = []
    monkeypatch.setattr(traces, "record", lambda folder, name: recorded.append(name))
    monkeypatch.setattr(watchdog, "BEAT_SECONDS", 0.0)
    board = Scoreboard(tmp_path / "scoreboard")
    watchdog.attend(tmp_path, 3, "worker 3")
    for _ in range(100):
        await asyncio.sleep(0)
    assert board.beats(3) > 2
    assert recorded == ["worker 3"]
    assert board.beats(2) == 0
    board.still(3)
    assert board.beats(3) in (0, 1)
