"""The processes of a node, as commands of the console see them."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from angarium.console.imports import Order
from angarium.console.node import Member
from angarium.console.question import Asking, Of
from angarium.events.signing import Signed
from angarium.queue.importing import Wish
from angarium.run import link
from angarium.run.handover import KeptNode
from angarium.run.node import Node, kind
from angarium.run.plan import Plan
from angarium.run.renewal import Generation
from helpers.clock import FakeClock


class Child:
    """Answers at once, with its process number."""

    def __init__(self, name: str, pid: int) -> None:
        self.name, self.pid, self.ready, self.leaving = name, pid, True, False
        self.told: list[link.Message] = []
        self.node: Node

    def send(self, message: link.Message) -> None:
        self.told.append(message)
        if isinstance(message, link.Asked):
            self.node.received(link.Answered(message.number, msgspec.msgpack.encode(self.pid)))


class Processes:
    def __init__(self, folder: Path) -> None:
        (folder / "ecelerity.conf").write_text("")
        plan = Plan.make(folder / "ecelerity.conf", folder / "state")
        self.generation = Generation(1, plan.snapshot, plan.configuration)
        self.clock = FakeClock()
        self.node = Node(self, self.clock)
        self.list = [Child("worker 0", 11), Child("worker 1", 12), Child("hose", 13)]
        for each in self.list:
            each.node = self.node

    def children(self) -> Sequence[Any]:
        return self.list


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def asking(of: Of) -> Asking[int]:
    return Asking("anything", of, b"\x80", int)


async def test_a_question_goes_to_the_kind_of_process_it_is_for(processes: Processes) -> None:
    node = processes.node
    assert (await node.ask(asking(Of.WORKER))).each == {"worker 0": 11, "worker 1": 12}
    assert (await node.ask(asking(Of.HOSE))).each == {"hose": 13}
    assert (await node.ask(asking(Of.ALL), only=["worker 1"])).each == {"worker 1": 12}


def test_the_processes_are_listed_with_their_beginning(processes: Processes) -> None:
    child: Any = processes.list[0]
    processes.node.joined(child)
    assert processes.node.pid == os.getpid()
    assert processes.node.members[0] == Member(
        "worker 0", 11, Of.WORKER, processes.clock.time(), ready=True
    )
    child.leaving = True
    assert [each.leaving for each in processes.node.members] == [True, False, False]
    processes.node.died(child)
    assert processes.node.members[0].started == 0.0


def test_questions_of_the_program_before_us_are_withdrawn(processes: Processes) -> None:
    processes.node.resumed()
    assert all(each.told == [link.Withdrawn(0)] for each in processes.list)


def test_what_is_known_of_the_node_goes_to_the_program_in_its_place(processes: Processes) -> None:
    child: Any = processes.list[0]
    before = processes.node
    before.joined(child)
    began = before.started
    before.statistics.traces = 5
    before.counted(link.Counted({"queries.MX": 2.0}, {"g\tb": [1, 2, 3]}))
    kept = before.keep()
    processes.clock.advance(60.0)
    after = Node(processes, processes.clock, kept)
    assert (after.started, after.members[0].started) == (began, began)
    assert after.statistics.traces == 5
    assert after.statistics.gone.bindings == {"g\tb": [1, 2, 3]}


def test_what_was_signed_outlasts_the_server(tmp_path: Path, processes: Processes) -> None:
    clock, told = processes.clock, list[str]()

    def node(kept: KeptNode | None = None) -> Node:
        return Node(processes, clock, kept, state=tmp_path, warn=told.append)

    before = node()
    for _ in range(2):
        before.counted(link.Counted({}, {}, {"DKIM\tone": Signed(0.5, 1, 0, 1)}))
    assert node().statistics.gone.signed == {"DKIM\tone": Signed(1.0, 2, 0, 2)}
    # Who takes our place knows it from us, and what is in the file counts once.
    assert node(before.keep()).statistics.gone.signed == {"DKIM\tone": Signed(1.0, 2, 0, 2)}
    before.forget_signed()
    assert before.statistics.gone.signed == node().statistics.gone.signed == {}
    (tmp_path / "signed.json").write_text("?")
    assert node().statistics.gone.signed == {}
    assert len(told) == 1


async def test_imports_go_on_in_the_program_in_its_place(processes: Processes) -> None:
    order = Order(Wish("/drop"), every=60.0)
    kept = KeptNode(imports=[order])
    after = Node(processes, processes.clock, kept)
    assert after.imports.kept() == []
    after.resumed()
    assert after.imports.kept() == after.keep().imports == [order]
    [job] = after.imports.jobs()
    job.task.cancel()
    await asyncio.wait([job.task])


def test_a_process_is_told_by_its_name() -> None:
    assert [kind(each) for each in ("worker 3", "hose", "monitor")] == [Of.WORKER, Of.HOSE, Of.AIDE]
