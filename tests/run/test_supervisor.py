"""What the supervisor does on each signal, with children which only note what they are told."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from angarium.run import link
from angarium.run.handover import Handover
from angarium.run.notify import Notify
from angarium.run.outside import Outside
from angarium.run.plan import Plan
from angarium.run.progress import Step, read
from angarium.run.renewal import Program
from angarium.run.sockets import Sockets
from angarium.run.supervisor import Supervisor
from helpers.clock import FakeClock

CONFIG = "eventloop { concurrency = 2 }\n"


class FakeChild:
    """A child which lives until the test ends it."""

    def __init__(
        self,
        program: str,
        name: str,
        start: link.Start,
        descriptors: dict[str, int],
        received: Callable[..., None],
        ended: Callable[..., None],
    ) -> None:
        self.name = name
        self.start = start
        self.pid = id(self)
        self.ready = False
        self.killed = False
        self.told: list[link.Message] = []
        self._received = received
        self._ended = ended

    def hand_over(self, descriptors: dict[str, int]) -> None:
        """Nothing is listened on here."""

    def send(self, message: link.Message) -> None:
        self.told.append(message)

    def kill(self) -> None:
        self.killed = True

    abort = kill
    at_rest = True

    def keep(self) -> None:
        """It cannot be gone on with."""

    def go_on(self) -> None:
        """It never was at rest."""

    def says(self, message: link.Message) -> None:
        if isinstance(message, link.Ready):
            self.ready = True
        self._received(self, message)

    def ends(self, status: int = 0) -> None:
        self._ended(self, status)


class TakenOver(BaseException):
    """We are no more."""


class FakeProgram(Program):
    """A program which takes over when it is asked, if it does not refuse."""

    def __init__(self) -> None:
        self.refusal = ""
        self.draft: Handover
        self.given: Handover | None = None
        self.answer: Callable[[str, str], None] = lambda reason, release: None
        self.ended = False

    def rehearse(self, draft: Handover, done: Callable[[str, str], None]) -> Callable[[], None]:
        self.draft, self.answer = draft, done
        return self.end

    def end(self) -> None:
        self.ended = True

    def replace(self, given: Handover) -> str:
        self.given = given
        if not self.refusal:
            raise TakenOver
        return self.refusal


class FakeNotify(Notify):
    """A way to nobody."""

    def __init__(self) -> None:
        super().__init__({"WATCHDOG_USEC": "10000000"})
        self.told: list[str] = []

    def _send(self, *lines: str) -> None:
        self.told.append(lines[0])


class Log(list[str]):
    """A service log."""

    def _note(self, event: str, **fields: object) -> None:
        self.append(" ".join([event, *(f"{name}={value}" for name, value in fields.items())]))

    info = warning = error = _note


class Node:
    """A supervisor which runs, and what the test knows of it."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "ecelerity.conf"
        self.config.write_text(CONFIG)
        self.state = folder / "state"
        for name in ("spool", "run", "hose"):
            (self.state / name).mkdir(parents=True)
        self.log = Log()
        self.children: list[FakeChild] = []
        self.signals: dict[int, Callable[[], None]] = {}
        self.timers: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []
        self.announced = 0
        plan = Plan.make(self.config, self.state)
        spawn: Any = self.spawn
        self.clock = FakeClock()
        self.program, self.notify = FakeProgram(), FakeNotify()
        outside = Outside(spawn, self.program, self.notify)
        self.supervisor = Supervisor(plan, Sockets(), self.clock, self.log, outside=outside)
        self.life = asyncio.ensure_future(self.supervisor.run(self.announce))

    def spawn(self, *how: Any) -> FakeChild:
        self.children.append(child := FakeChild(*how))
        return child

    def announce(self) -> None:
        self.announced += 1

    async def hangup(self) -> None:
        """Send SIGHUP, and wait until the files are read."""
        self.signals[signal.SIGHUP]()
        await self.read()

    async def read(self) -> None:
        """Wait until nothing is done beside the loop: the children were asked, or nothing is."""
        changes = self.supervisor._changes
        async with asyncio.timeout(90):
            while changes.busy:
                if changes._reload is not None:
                    return
                await asyncio.sleep(0)

    async def noted(self) -> None:
        """Wait until what was decided is in the history too."""
        await self.supervisor._changes._free.wait()

    def take_over(self) -> None:
        """An upgrade is asked for, and another program takes our place: this object again.

        It has the same children then, and comes to where the other one begins.
        """
        self.signals[signal.SIGUSR2]()
        with pytest.raises(TakenOver):
            self.program.answer("", "0.2.0")
        self.supervisor.take_over()

    def renew_hose(self) -> None:
        """The old hose ends, a new one reads."""
        old = self.hose
        assert link.Drain(5.0) in old.told
        old.ends()
        self.wait(1.0)
        assert self.hose is not old
        self.ready(self.hose)

    @property
    def steps(self) -> list[str]:
        return [step.stage for step in self.told]

    @property
    def told(self) -> list[Step]:
        return read(self.state / "run")

    @property
    def hose(self) -> FakeChild:
        return [child for child in self.children if child.name == "hose"][-1]

    @property
    def workers(self) -> list[FakeChild]:
        return [child for child in self.children if child.name != "hose"]

    def ready(self, *which: FakeChild) -> None:
        for child in which or (*self.workers, self.hose):
            child.says(link.Ready())

    def wait(self, seconds: float) -> None:
        """Let pass so much time that all timers so short are over."""
        due = [each for each in self.timers if each[0] <= seconds]
        self.timers = [each for each in self.timers if each not in due]
        for _, call, values in due:
            call(*values)


class Timer:
    def cancel(self) -> None:
        """It may come; nobody minds."""


@pytest.fixture
async def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    loop = asyncio.get_running_loop()
    node = Node(tmp_path)

    def later(seconds: float, call: Callable[..., None], *values: Any) -> Timer:
        node.timers.append((seconds, call, values))
        return Timer()

    def handler(number: int, call: Callable[[], None]) -> None:
        node.signals[number] = call

    with monkeypatch.context() as patch:
        patch.setattr(loop, "call_later", later)
        patch.setattr(loop, "add_signal_handler", handler)
        await asyncio.sleep(0)
        yield node
    node.life.cancel()
    await asyncio.gather(node.life, return_exceptions=True)


async def test_it_announces_once_when_all_workers_are_ready(node: Node) -> None:
    assert [child.name for child in node.children] == ["hose", "worker 0", "worker 1"]
    first, second = node.workers
    node.ready(first)
    assert node.announced == 0
    node.ready(second)
    assert node.announced == 1
    second.ends(1)
    node.wait(1.0)
    node.ready(node.workers[2])
    assert node.announced == 1


async def test_a_stop_drains_the_workers_then_the_hose(node: Node) -> None:
    node.ready()
    node.signals[signal.SIGTERM]()
    first, second = node.workers
    assert first.told == second.told == [link.Drain(30.0)]
    first.ends()
    assert node.hose.told == []
    second.ends()
    assert node.hose.told == [link.Drain(5.0)]
    node.hose.ends()
    await node.life
    assert len(node.children) == 3


async def test_a_second_signal_hurries_and_a_stuck_one_is_killed(node: Node) -> None:
    node.ready()
    node.signals[signal.SIGINT]()
    node.signals[signal.SIGINT]()
    assert node.workers[0].told == [link.Drain(30.0), link.Drain(0.0)]
    node.wait(3.0)
    assert all(child.killed for child in node.workers)


async def test_a_stop_without_a_hose_ends_with_the_last_worker(node: Node) -> None:
    node.hose.ends(-9)
    node.signals[signal.SIGTERM]()
    for child in node.workers:
        child.ends()
    await node.life


async def test_a_hose_that_dies_is_started_again_later_and_later(node: Node) -> None:
    for number in range(4):
        node.hose.ends(-9)
        assert node.timers[-1][0] == 0.1 * 2**number
        node.wait(0.1 * 2**number)
    assert sum(child.name == "hose" for child in node.children) == 5


async def test_a_reload_commits_when_all_agree(node: Node) -> None:
    node.ready()
    node.config.write_text(CONFIG + "hostname = new.test\ncrash_limit = 7\n")
    await node.hangup()
    for child in node.children:
        assert isinstance(child.told[0], link.Reopen)
        assert isinstance(child.told[1], link.Prepare)
        child.says(link.Prepared(2))
    assert all(child.told[-1] == link.Commit(2) for child in node.children)
    assert "reloaded, generation 2" in node.log
    node.workers[0].ends(1)
    node.wait(1.0)
    assert node.workers[2].start.generation == 2


async def test_a_faulty_configuration_reopens_the_logs_and_nothing_else(node: Node) -> None:
    node.ready()
    node.config.write_text("hostnam = x\n")
    await node.hangup()
    assert all(child.told == [link.Reopen()] for child in node.children)
    assert any("reload refused" in line and ":1:1: " in line for line in node.log)


async def test_one_reload_at_a_time(node: Node) -> None:
    node.ready()
    await node.hangup()
    await node.hangup()
    assert any("another one is under way" in line for line in node.log)
    assert sum(isinstance(each, link.Prepare) for each in node.workers[0].told) == 1


async def test_who_does_not_answer_is_named(node: Node) -> None:
    node.ready()
    await node.hangup()
    node.workers[0].says(link.Prepared(2))
    node.wait(2.0)
    assert any("waiting_for=worker 1, hose" in line for line in node.log)


async def test_a_worker_started_in_a_reload_takes_part(node: Node) -> None:
    node.ready()
    await node.hangup()
    first, second = node.workers
    first.says(link.Prepared(2))
    node.hose.says(link.Prepared(2))
    first.ends(-9)
    node.wait(1.0)
    third = node.workers[2]
    assert third.start.generation == 1
    assert isinstance(third.told[0], link.Prepare)
    second.says(link.Prepared(2))
    assert third.told[-1] != link.Commit(2)
    third.says(link.Prepared(2))
    assert third.told[-1] == second.told[-1] == link.Commit(2)


async def test_sigusr1_reopens_all_logs(node: Node) -> None:
    node.ready()
    node.signals[signal.SIGUSR1]()
    assert all(child.told == [link.Reopen()] for child in node.children)


async def test_an_upgrade_replaces_the_supervisor_the_hose_and_the_workers(node: Node) -> None:
    node.ready()
    old = node.workers
    node.config.write_text("eventloop { concurrency = 3 }\n")
    node.take_over()
    assert node.program.given is not None
    assert node.program.given.generation == 1
    assert [slot.shards for slot in node.program.given.slots] == [["000"], ["001"]]
    node.renew_hose()
    assert node.hose.start.generation == 1
    new = node.workers[2:]
    assert [child.start.workers for child in new] == [3, 3, 3]
    assert [child.start.generation for child in new] == [2, 2, 2]
    node.signals[signal.SIGUSR2]()
    assert any("upgrade refused" in line for line in node.log)
    node.ready(*new)
    assert all(child.told[-1] == link.Drain(30.0) for child in old)
    # The hose goes over to the new configuration, too.
    assert any(isinstance(each, link.Prepare) for each in node.hose.told)
    node.hose.says(link.Prepared(2))
    assert node.hose.told[-1] == link.Commit(2)
    for child in old:
        child.ends()
    for child, shard in zip(new, ("000", "001"), strict=False):
        child.says(link.Adopted(shard))
    first = [step.stage for step in node.told if step.upgrade == 1]
    assert first == [
        "begun", "rehearsed", "replaced", "starting", "ready", "adopting", "adopting", "done",
    ]  # fmt: skip
    assert [step.stage for step in node.told if step.upgrade == 2] == ["refused"]


async def test_a_program_which_cannot_take_over_changes_nothing(node: Node) -> None:
    node.ready()
    node.signals[signal.SIGUSR2]()
    node.program.answer("SyntaxError: invalid syntax", "")
    assert len(node.children) == 3
    assert all(child.told == [] for child in node.children)
    assert any("upgrade given up" in line and "SyntaxError" in line for line in node.log)
    assert node.steps == ["begun", "failed"]
    node.signals[signal.SIGUSR2]()
    assert node.steps == ["begun"]  # it may be tried again


async def test_a_program_which_cannot_be_started_leaves_us_where_we_were(node: Node) -> None:
    node.ready()
    node.program.refusal = "no such file"
    node.signals[signal.SIGUSR2]()
    node.program.answer("", "0.2.0")
    assert node.steps == ["begun", "rehearsed", "failed"]
    node.workers[0].says(link.Alarm("disk full"))
    assert any("disk full" in line for line in node.log)


async def test_a_worker_which_does_not_hear_is_waited_for_and_then_no_more(node: Node) -> None:
    node.ready()
    node.workers[0].at_rest = False
    node.signals[signal.SIGUSR2]()
    node.program.answer("", "0.2.0")
    node.wait(0.1)
    assert node.program.given is None
    node.clock.advance(11)
    node.wait(0.1)
    assert node.steps == ["begun", "rehearsed", "failed"]


async def test_a_configuration_which_became_faulty_leaves_the_old_workers(node: Node) -> None:
    node.ready()
    node.take_over()
    node.config.write_text("hostnam = x\n")
    node.renew_hose()
    assert len(node.workers) == 2
    assert node.steps[-1] == "failed"
    node.workers[0].ends(1)
    node.wait(1.0)
    assert node.workers[2].start.generation == 1


async def test_new_workers_which_die_leave_the_old_configuration(node: Node) -> None:
    node.ready()
    node.config.write_text(CONFIG + "crash_limit = 7\n")
    node.take_over()
    node.renew_hose()
    new = node.workers[2:]
    new[0].ends(1)
    assert node.steps[-1] == "failed"
    assert new[1].told[-1] == link.Drain(0.0)
    new[1].ends()
    node.workers[0].ends(1)
    node.wait(1.0)
    assert node.workers[4].start.generation == 1


async def test_what_cannot_be_adopted_is_the_end_that_is_told(node: Node) -> None:
    node.ready()
    node.take_over()
    node.renew_hose()
    old, new = node.workers[:2], node.workers[2:]
    node.ready(*new)
    for child in old:
        child.ends()
    new[0].says(link.Adopted("000", "of a newer version"))
    new[1].says(link.Adopted("001"))
    assert node.steps[-1] == "failed"
    assert "shard 000: of a newer version" in node.told[-1].text


async def test_a_reload_waits_for_an_upgrade_to_be_decided(node: Node) -> None:
    node.ready()
    node.take_over()
    await node.hangup()
    await node.hangup()
    assert not any(isinstance(each, link.Prepare) for each in node.hose.told)
    node.renew_hose()
    old, new = node.workers[:2], node.workers[2:]
    node.ready(*new)
    await node.read()
    # Only for those who stay, and once.
    assert not any(isinstance(each, link.Prepare) for child in old for each in child.told)
    assert [each.generation for each in new[0].told if isinstance(each, link.Prepare)] == [3]


async def test_a_reload_which_waits_is_left_to_the_program_in_our_place(node: Node) -> None:
    node.ready()
    node.signals[signal.SIGUSR2]()
    assert not node.program.draft.reload
    await node.hangup()
    with pytest.raises(TakenOver):
        node.program.answer("", "0.2.0")
    assert node.program.given is not None
    assert node.program.given.reload


async def test_an_upgrade_waits_for_a_reload(node: Node) -> None:
    node.ready()
    await node.hangup()
    node.signals[signal.SIGUSR2]()
    assert node.steps == []
    for child in node.children:
        child.says(link.Prepared(2))
    await node.noted()
    assert node.steps == ["begun"]
    assert node.program.draft.generation == 2


async def test_a_stop_ends_an_upgrade(node: Node) -> None:
    node.ready()
    node.signals[signal.SIGUSR2]()
    node.signals[signal.SIGTERM]()
    assert node.program.ended
    assert node.steps == ["begun", "failed"]
    node.program.answer("", "0.2.0")
    assert node.program.given is None
    node.signals[signal.SIGUSR2]()
    assert node.steps[-1] == "refused"


async def test_a_service_manager_is_told(node: Node) -> None:
    node.ready()
    await node.hangup()
    for child in node.children:
        child.says(link.Prepared(2))
    await node.noted()
    node.clock.advance(5)
    node.wait(1.0)
    node.signals[signal.SIGTERM]()
    assert node.notify.told == ["READY=1", "RELOADING=1", "READY=1", "WATCHDOG=1", "STOPPING=1"]


async def test_a_worker_which_is_stuck_is_ended(node: Node) -> None:
    node.ready()
    for _ in range(70):
        node.clock.advance(1)
        node.wait(1.0)
    assert all(child.killed for child in node.children)
    assert any("does not answer" in line and "who=worker 1" in line for line in node.log)


async def test_last_words_are_told(node: Node) -> None:
    (node.state / "run" / "trace-worker-1").write_text("Fatal Python error: Aborted")
    node.workers[1].ends(-6)
    assert any("last words" in line and "Fatal Python error" in line for line in node.log)


async def test_an_empty_shard_is_removed_and_its_number_given_again(node: Node) -> None:
    node.ready()
    empty = node.state / "spool" / "000"
    empty.mkdir()
    node.workers[0].says(link.Released("000"))
    node.wait(1.0)
    assert not empty.exists()
    node.take_over()
    node.renew_hose()
    assert node.workers[2].start.shards == ["000"]


async def test_what_a_child_says_that_makes_no_sense_is_noted(node: Node) -> None:
    node.workers[0].says(link.Drain(1.0))
    assert any("unexpected message" in line for line in node.log)
    node.workers[0].says(link.Alarm("disk full"))
    assert any("disk full" in line for line in node.log)
