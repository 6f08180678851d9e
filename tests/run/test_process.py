"""The life of a child, spoken to through a real link in one process."""

import asyncio
import os
import socket
import threading
from typing import Any

import msgspec
import pytest

from angarium.config.load import load_snapshot
from angarium.config.resolve import Configuration
from angarium.config.tree import Snapshot
from angarium.core.errors import Error
from angarium.run import link, process
from angarium.run.link import Link
from angarium.run.process import FAILED, ORPHANED, Process


def snapshot(text: bytes) -> bytes:
    return msgspec.msgpack.encode(Snapshot("c", (), {"c": text}, {}))


SNAPSHOT = snapshot(b"")


class Child(Process):
    """Notes what it is told; ready when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.gate = asyncio.Event()
        self.descriptors: dict[str, int] = {}
        self.refusal = ""

    async def start(
        self, start: link.Start, configuration: Configuration, descriptors: dict[str, int]
    ) -> None:
        self.descriptors = descriptors
        self.done.append(f"start {start.number}")
        await self.gate.wait()
        self.ready()

    def prepare(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        self.done.append(f"prepare {configuration.generation} {list(descriptors)}")
        if self.refusal:
            raise Error(self.refusal)
        self.descriptors |= descriptors

    def commit(self, *, reload: bool) -> None:
        self.done.append("commit")

    async def adopt(self, shards: list[str], poison: list[int]) -> None:
        self.done.append(f"adopt {shards} {poison}")
        if not shards:
            raise ValueError("a bug")

    def reopen(self) -> None:
        self.done.append("reopen")

    async def drain(self, seconds: float) -> None:
        self.done.append(f"drain {seconds:g}")
        self.hurried = asyncio.Event()
        await self.hurried.wait()

    def hurry(self) -> None:
        self.hurried.set()


class Supervisor:
    """The other end."""

    def __init__(self) -> None:
        self.heard: list[link.Message] = []
        (self._ours, self.fds), (its, its_fds) = link.pair()
        self.child = Child()
        self.link = Link(self.heard.append, lambda: None)
        self.life = asyncio.ensure_future(self.child.run(its, its_fds))
        self._its_fds = its_fds

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self.link, sock=self._ours)

    def start(self, *labels: str) -> None:
        self.link.send(link.Start(3, 4, "/nowhere", 1, SNAPSHOT, ["000"], [], list(labels)))

    # A generation is read in a thread, of whose end no loop can be told: so these sleep.

    async def until(self, done: str) -> None:
        async with asyncio.timeout(90):
            while True:
                if done in self.child.done:
                    return
                await asyncio.sleep(0.001)

    async def heard_of(self, kind: type[link.Message]) -> link.Message:
        async with asyncio.timeout(90):
            while True:
                if found := [each for each in self.heard if isinstance(each, kind)]:
                    return found[-1]
                await asyncio.sleep(0.001)

    def close(self) -> None:
        self.link.close()
        self.fds.close()
        self._its_fds.close()


@pytest.fixture
async def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)
    made = Supervisor()
    await made.connect()
    return made


async def ended(supervisor: Supervisor) -> int:
    status = await asyncio.wait_for(supervisor.life, 90)
    supervisor.close()
    await asyncio.sleep(0)
    return status


async def test_what_is_said_before_it_is_ready_is_done_then_in_order(
    supervisor: Supervisor,
) -> None:
    supervisor.start()
    supervisor.link.send(link.Prepare(2, SNAPSHOT))
    supervisor.link.send(link.Commit(2))
    await supervisor.until("start 3")
    supervisor.child.gate.set()
    assert await supervisor.heard_of(link.Prepared) == link.Prepared(2)
    await supervisor.until("commit")
    assert supervisor.child.done == ["start 3", "prepare 2 []", "commit"]
    supervisor.link.close()
    await ended(supervisor)


async def test_who_is_told_to_leave_before_it_is_ready_just_leaves(supervisor: Supervisor) -> None:
    supervisor.start()
    supervisor.link.send(link.Drain(30.0))
    assert await ended(supervisor) == 0
    assert "drain 30" not in supervisor.child.done


async def test_it_ends_when_its_supervisor_is_gone(supervisor: Supervisor) -> None:
    supervisor.start()
    supervisor.child.gate.set()
    await supervisor.heard_of(link.Ready)
    supervisor.link.close()
    assert await ended(supervisor) == ORPHANED


async def test_it_leaves_when_it_has_drained_and_faster_when_told_twice(
    supervisor: Supervisor,
) -> None:
    supervisor.start()
    supervisor.child.gate.set()
    await supervisor.heard_of(link.Ready)
    supervisor.link.send(link.Drain(30.0))
    await supervisor.until("drain 30")
    supervisor.link.send(link.Drain(0.0))
    assert await ended(supervisor) == 0


async def test_a_failure_nobody_foresaw_ends_it_and_is_told(supervisor: Supervisor) -> None:
    supervisor.start()
    supervisor.child.gate.set()
    await supervisor.heard_of(link.Ready)
    supervisor.link.send(link.Adopt([], [7]))
    assert await supervisor.heard_of(link.Alarm) == link.Alarm("ValueError: a bug")
    assert await ended(supervisor) == FAILED


async def test_a_message_has_its_own_descriptors_whenever_they_came(
    supervisor: Supervisor,
) -> None:
    with socket.socket() as first, socket.socket() as second:
        link.send_descriptor(supervisor.fds, "first", first.fileno())
        link.send_descriptor(supervisor.fds, "second", second.fileno())
        supervisor.start("first")
        supervisor.link.send(link.Prepare(2, SNAPSHOT, ["second"]))
        supervisor.child.gate.set()
        await supervisor.heard_of(link.Prepared)
    assert list(supervisor.child.descriptors) == ["first", "second"]
    for descriptor in supervisor.child.descriptors.values():
        os.close(descriptor)
    supervisor.link.close()
    await ended(supervisor)


async def test_a_refused_generation_keeps_no_descriptor_open(supervisor: Supervisor) -> None:
    reading, writing = os.pipe()
    supervisor.child.refusal = "no such thing"
    supervisor.start()
    link.send_descriptor(supervisor.fds, "x", writing)
    os.close(writing)
    supervisor.link.send(link.Prepare(2, SNAPSHOT, ["x"]))
    supervisor.child.gate.set()
    assert await supervisor.heard_of(link.Prepared) == link.Prepared(2, "no such thing")
    assert os.read(reading, 1) == b""  # nobody has the other end
    os.close(reading)
    supervisor.link.close()
    await ended(supervisor)


async def test_a_snapshot_that_cannot_be_is_a_refusal(supervisor: Supervisor) -> None:
    supervisor.start()
    supervisor.child.gate.set()
    supervisor.link.send(link.Prepare(2, snapshot(b"}")))
    answer = await supervisor.heard_of(link.Prepared)
    assert isinstance(answer, link.Prepared)
    assert answer.refusal.startswith("c:1:")
    supervisor.link.close()
    await ended(supervisor)


async def test_what_was_called_off_while_it_was_read_is_not_built(supervisor: Supervisor) -> None:
    """The second attempt has the number of the first one."""
    reading, writing = os.pipe()
    supervisor.start()
    supervisor.child.gate.set()
    await supervisor.heard_of(link.Ready)
    link.send_descriptor(supervisor.fds, "x", writing)
    os.close(writing)
    supervisor.link.send(link.Prepare(2, SNAPSHOT, ["x"]))
    supervisor.link.send(link.Abort(2))
    supervisor.link.send(link.Prepare(2, SNAPSHOT))
    assert await supervisor.heard_of(link.Prepared) == link.Prepared(2)
    assert [each for each in supervisor.child.done if "prepare" in each] == ["prepare 2 []"]
    await asyncio.to_thread(os.read, reading, 1)  # the first one's descriptor is closed
    os.close(reading)
    supervisor.link.close()
    await ended(supervisor)


async def test_a_generation_is_read_beside_the_work(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large one takes seconds, in which sessions went without answers."""
    may_go_on = threading.Event()

    def slow(data: bytes, generation: int, **more: Any) -> Configuration:
        assert may_go_on.wait(5)
        return load_snapshot(data, generation, **more)

    supervisor.start()
    supervisor.child.gate.set()
    await supervisor.heard_of(link.Ready)
    monkeypatch.setattr("angarium.run.process.load_snapshot", slow)
    supervisor.link.send(link.Prepare(2, SNAPSHOT))
    supervisor.link.send(link.Reopen())
    await supervisor.until("reopen")
    assert not any("prepare" in each for each in supervisor.child.done)
    may_go_on.set()
    assert await supervisor.heard_of(link.Prepared) == link.Prepared(2)
    supervisor.link.close()
    await ended(supervisor)


def test_a_child_which_is_woken_lets_others_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refused(pid: int, policy: int, _: object) -> None:
        asked.append(policy)
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    process.work_in_batches()
    assert asked == [os.SCHED_BATCH]
