"""A node as the console sees it, in memory: what is applied is in force at once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from angarium.config import writeback
from angarium.config.difference import differences
from angarium.config.history import History
from angarium.config.load import load_snapshot, snapshot
from angarium.config.resolve import Configuration
from angarium.console.access import Peer, Rank
from angarium.console.errors import CommandError, ConflictError
from angarium.console.imports import Imports
from angarium.console.node import Member, Tell, nobody
from angarium.console.question import Answers, Asking
from angarium.console.schedule import Schedule
from angarium.console.server import Applied, Live
from angarium.console.session import Session
from angarium.console.statistics import Statistics
from angarium.run import link
from angarium.run.answering import Answering
from angarium.run.node import kind
from helpers.clock import FakeClock

T = TypeVar("T")
R = TypeVar("R")

OPERATOR = Peer("alice", Rank.OPERATOR, "/run/control")
VIEWER = Peer("victor", Rank.VIEWER, "/run/control")


class FakeNode:
    """A server of one supervisor and children which are functions: they answer at once."""

    def __init__(self) -> None:
        self.pid = 4711
        self.release = "0.1"
        self.started = 1_700_000_000.0
        self.parts: dict[str, object] = {}  # of each child, by its name
        self.stuck: tuple[str, ...] = ()
        self.leaving: set[str] = set()
        self.statistics = Statistics()
        self.imports = Imports(self)
        self.schedule = Schedule(FakeClock())
        self.told: list[str] = []

    def forget_signed(self) -> None:
        self.statistics.gone.signed.clear()

    def stop(self) -> None:
        self.told.append("stop")

    def reopen(self) -> None:
        self.told.append("reopen")

    @property
    def members(self) -> Sequence[Member]:
        names = enumerate([*self.parts, *self.stuck], self.pid + 1)
        return [
            Member(name, pid, kind(name), self.started, ready=True, leaving=name in self.leaving)
            for pid, name in names
        ]

    async def ask(
        self, asking: Asking[R], *, tell: Tell = nobody, only: Sequence[str] = ()
    ) -> Answers[R]:
        """Put the question to each child, in this process."""
        found: dict[str, R] = {}
        failed: dict[str, str] = {}
        for name, parts in self.parts.items():
            if kind(name) & asking.of and (not only or name in only):
                said: list[link.Message] = []
                answering = Answering(parts, said.append, None)
                answering.asked(link.Asked(1, asking.name, asking.arguments))
                await asyncio.gather(*answering._under_way.values(), return_exceptions=True)
                await asyncio.sleep(0)
                octets = b""
                for each in said:
                    if isinstance(each, link.Meanwhile):
                        for one in each.lines:
                            tell(one)
                    elif isinstance(each, link.Answered):
                        octets += each.piece
                        if each.refusal:
                            failed[name] = each.refusal
                if name not in failed:
                    found[name] = asking.decoded(octets)
        return Answers(found, self.stuck, failed)


class FakeServer:
    """Reads its files from a folder; `refusal` is what a worker would say."""

    def __init__(self, folder: Path, text: str) -> None:
        self.path = folder / "ecelerity.conf"
        self.path.write_text(text)
        self.files = snapshot(str(self.path))
        self.history = History(str(folder / "history"))
        self.refusal = ""
        self.node = FakeNode()
        self.waiting: Mapping[str, str] = {}
        self.accounts: list[tuple[str, str, int]] = []
        self.use(1, self.files)
        self.started: Configuration = self.live.configuration
        self.history.record(self.files, "start", "start", [])

    def use(self, number: int, octets: bytes) -> None:
        self.live = Live(number, octets, load_snapshot(octets, number))

    async def apply(self, snapshot: bytes, base: bytes, who: str, how: str) -> Applied:
        if base != self.live.snapshot:
            raise ConflictError("something else is in force")
        if self.refusal:
            raise CommandError(self.refusal)
        before = self.live
        self.use(before.number + 1, snapshot)
        changes = differences(before.configuration.root, self.live.configuration.root)
        self.history.record(snapshot, who, how, changes)
        return Applied(self.live.number, changes, self.waiting)

    async def reload_from(self, path: str, who: str) -> Applied:
        text = await self.read(path)
        made = {(each.path, each.option) for each in differences(
            load_snapshot(self.files).root, self.live.configuration.root)}  # fmt: skip
        applied = await self.apply(text, self.live.snapshot, who, "config reload")
        self.files = text
        lost = [each for each in applied.changes if (each.path, each.option) in made]
        return Applied(applied.number, applied.changes, lost=lost)

    async def read(self, path: str = "") -> bytes:
        return snapshot(path or str(self.path))

    async def write_back(self, path: str) -> Sequence[str]:
        if path:
            writeback.write_to(path, self.live.snapshot)
            return [path]
        written = writeback.write(self.files, self.live.snapshot)
        self.files = self.live.snapshot
        return written

    async def aside(self, work: Callable[..., T], *arguments: object) -> T:
        return work(*arguments)

    def account(self, peer: Peer, line: str, verdict: int) -> None:
        self.accounts.append((peer.user, line, verdict))


class Talk:
    """A session, as lines."""

    def __init__(self, server: FakeServer, peer: Peer = OPERATOR) -> None:
        self.session = Session(server, peer, server.node)

    async def say(self, line: str) -> str:
        """Give a command which is done; return what is printed."""
        outcome = await self.session.ask(line)
        assert not outcome.failed, str(outcome.result)
        return str(outcome.result)

    async def plain(self, line: str) -> Any:
        """Give a command which is done; return its answer as JSON has it."""
        outcome = await self.session.ask(line)
        assert not outcome.failed, str(outcome.result)
        return outcome.result.plain()

    async def fails(self, line: str) -> str:
        """Give a command which fails; return why."""
        outcome = await self.session.ask(line)
        assert outcome.failed, str(outcome.result)
        return str(outcome.result)
