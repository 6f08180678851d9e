"""The order of an upgrade, with a node which only notes; with a supervisor: test_supervisor."""

from collections.abc import Callable
from pathlib import Path

import pytest

from angarium.config.load import load_snapshot, snapshot
from angarium.run.handover import Handover
from angarium.run.plan import Plan
from angarium.run.progress import Progress, read
from angarium.run.renewal import Generation, Program, Renewal
from angarium.run.sockets import Sockets
from helpers.clock import FakeClock
from helpers.handover import given
from helpers.quiet import Quiet


class Asked(Program):
    """A program on the disk: what it answers is said by the test."""

    def __init__(self) -> None:
        self.answer: Callable[[str, str], None] = lambda reason, release: None
        self.failure = ""

    def rehearse(self, draft: Handover, done: Callable[[str, str], None]) -> Callable[[], None]:
        if self.failure:
            raise OSError(28, self.failure)
        self.answer = done
        return lambda: done("it was ended", "")

    def replace(self, given: Handover) -> str:
        return "no such file"


class Node:
    """What is told to the node, in order."""

    busy = ""
    at_rest = True

    def __init__(self, folder: Path) -> None:
        self.config = folder / "ecelerity.conf"
        self.config.write_text("hostname = a.test\n")
        self.state = folder / "state"
        (self.state / "run").mkdir(parents=True)
        plan = Plan.make(self.config, self.state)
        self.generation = Generation(1, plan.snapshot, plan.configuration)
        self.told: list[str] = []
        self.program = Asked()
        progress = Progress(self.state / "run", lambda: 7.0)
        log = Quiet()
        self.renewal = Renewal(self, plan, Sockets(), progress, FakeClock(), log, self.program)

    def hand_over(self, *, draft: bool) -> Handover:
        self.told.append("hand over" if not draft else "draft")
        return given()

    def go_on(self) -> None:
        self.told.append("go on")

    def renew_hose(self, done: Callable[[], None]) -> None:
        self.told.append("hose")
        done()

    def renew_workers(self, coming: Generation) -> None:
        self.told.append(f"workers of {coming.number}")

    def coming(self) -> bytes:
        return snapshot(str(self.config))

    def use(self, coming: Generation) -> None:
        self.told.append(f"use {coming.number}")

    def renewed(self) -> None:
        self.told.append("renewed")

    @property
    def stages(self) -> list[str]:
        return [step.stage for step in read(self.state / "run")]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_from_taking_over_to_the_end(node: Node) -> None:
    node.renewal.progress.begin("asking")
    node.renewal.take_over()
    undecided = [node.renewal.undecided]
    node.renewal.started(2)
    node.renewal.upgraded([0, 1])
    undecided.append(node.renewal.undecided)
    assert undecided == [True, False]
    assert node.renewal.under_way
    assert node.told == ["hose", "workers of 2", "use 2"]


def test_the_end_is_told_once(node: Node) -> None:
    node.renewal.progress.begin("asking")
    node.renewal.take_over()
    node.renewal.upgraded([0])
    node.renewal.settled({})
    node.renewal.settled({})
    assert node.stages == ["begun", "replaced", "ready", "done"]
    assert node.told[-1] == "renewed"


def test_who_is_busy_begins_nothing(node: Node) -> None:
    node.busy = "the server stops"
    node.renewal.begin()
    assert node.told == []
    assert [step.text for step in read(node.state / "run")] == ["the server stops"]


def test_a_rehearsal_that_cannot_be_is_a_failure(node: Node) -> None:
    node.program.failure = "no space left"
    node.renewal.begin()
    assert node.stages == ["begun", "failed"]
    assert not node.renewal.under_way


def test_a_place_that_nobody_takes_stays_ours(node: Node) -> None:
    node.renewal.begin()
    node.program.answer("", "0.2.0")
    assert node.told == ["draft", "hand over", "go on", "renewed"]
    assert node.stages == ["begun", "rehearsed", "failed"]


def test_a_stop_ends_the_rehearsal(node: Node) -> None:
    node.renewal.begin()
    node.renewal.stop()
    assert node.stages == ["begun", "failed"]
    node.renewal.stop()
    assert node.stages == ["begun", "failed"]


def test_what_loggers_cannot_be_is_seen_before_workers_start(node: Node) -> None:
    same = 'mainlog = "log/a.ec"\nrejectlog = "log/a.ec"\n'
    node.config.write_text(f'ec_logger "x" {{ {same} }}\n')
    load_snapshot(snapshot(str(node.config)), generation=2)  # which it is else
    node.renewal.progress.begin("asking")
    node.renewal.take_over()
    assert node.stages[-1] == "failed"
    assert "workers of 2" not in node.told
