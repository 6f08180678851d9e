"""Changes take their turns, are whole or nothing, and are noted; nobody who waits stops one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from angarium.config.errors import ConfigError
from angarium.config.history import HistoryError
from angarium.config.load import load_snapshot
from angarium.console.access import Peer
from angarium.console.errors import CommandError, ConflictError
from angarium.run import link
from angarium.run.changes import Changes
from angarium.run.plan import Plan
from angarium.run.renewal import Generation
from angarium.run.sockets import Sockets
from helpers.consoles import OPERATOR


class Log(list[str]):
    def _note(self, event: str, **fields: Any) -> None:
        self.append(" ".join([event, *(f"{name}={value}" for name, value in fields.items())]))

    info = warning = error = _note


class Child:
    """Agrees at once, or when it is told to."""

    def __init__(self, node: "Node", pid: int) -> None:
        self.node, self.pid, self.name = node, pid, f"worker {pid}"
        self.told: list[link.Message] = []
        self.refusal: str | None = ""  # None: it does not answer
        self.asked = asyncio.Event()

    def hand_over(self, descriptors: dict[str, int]) -> None:
        """Nothing is listened on here."""

    def send(self, message: link.Message) -> None:
        self.told.append(message)
        self.asked.set()
        if isinstance(message, link.Prepare) and self.refusal is not None:
            asyncio.get_running_loop().call_soon(self.answer, message.generation, self.refusal)

    def answer(self, generation: int, refusal: str = "") -> None:
        child: Any = self
        assert self.node.changes.prepared(child, generation, refusal)


class Node:
    """A supervisor with two children."""

    def __init__(self, folder: Path, text: str = "hostname = a.test\n") -> None:
        self.config = folder / "ecelerity.conf"
        self.config.write_text(text)
        self.plan = Plan.make(self.config, folder / "state")
        (folder / "state").mkdir(exist_ok=True)
        self.generation = Generation(1, self.plan.snapshot, self.plan.configuration)
        self.refusal = ""
        self.log = Log()
        self.happened: list[str] = []
        self.changes = Changes(self, Sockets(), self.log, self.account)
        self.children = [Child(self, 1), Child(self, 2)]

    def concerned(self) -> Any:
        return self.children

    def account(self, peer: Peer, line: str, verdict: int) -> None:
        self.happened.append(f"{peer.user}: {line}: {verdict}")

    def changing(self) -> None:
        self.happened.append("changing")

    def took(self, coming: Generation, what: str) -> None:
        self.generation = coming
        self.happened.append(f"{what} {coming.number}")

    def changed(self) -> None:
        self.happened.append("changed")

    def text(self, text: str) -> bytes:
        """Return a snapshot of the same file with another text."""
        before = self.config.read_text()
        self.config.write_text(text)
        octets = Plan.make(self.config, Path("/nowhere")).snapshot
        self.config.write_text(before)
        return octets

    async def apply(self, text: str, base: bytes | None = None) -> Any:
        base = self.generation.snapshot if base is None else base
        return await self.changes.apply(self.text(text), base, "alice", "config commit")

    @property
    def hostname(self) -> object:
        return self.generation.configuration.root.values["hostname"]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    made.changes.close()
    await asyncio.gather(*made.changes._under_way, return_exceptions=True)


async def test_a_change_is_in_force_when_all_have_agreed(node: Node) -> None:
    applied = await node.apply("hostname = b.test\n")
    assert (applied.number, node.hostname) == (2, "b.test")
    assert [str(each) for each in applied.changes] == ['global: hostname: "a.test" -> "b.test"']
    assert all(child.told[-1] == link.Commit(2, False) for child in node.children)
    assert node.happened == ["changing", "configuration changed 2", "changed"]
    [entry] = node.changes.history.revisions()
    assert (entry.who, entry.how, entry.total) == ("alice", "config commit", 1)


async def test_one_who_refuses_keeps_all_as_they_were(node: Node) -> None:
    node.children[1].refusal = "I cannot"
    with pytest.raises(CommandError, match="nothing has changed: worker 2: I cannot"):
        await node.apply("hostname = b.test\n")
    assert node.hostname == "a.test"
    assert all(child.told[-1] == link.Abort(2) for child in node.children)
    assert not node.changes.busy
    assert node.changes.history.revisions() == []


async def test_a_faulty_one_is_asked_of_nobody(node: Node) -> None:
    with pytest.raises(ConfigError, match="1:1: there is no option hostnam"):
        await node.apply("hostnam = b.test\n")
    assert not any(child.told for child in node.children)
    assert not node.changes.busy


async def test_what_was_begun_on_something_else_is_a_conflict(node: Node) -> None:
    base = node.generation.snapshot
    await node.apply("hostname = b.test\n")
    with pytest.raises(ConflictError):
        await node.apply("hostname = c.test\n", base)
    assert node.hostname == "b.test"


async def test_nothing_is_changed_while_the_node_cannot(node: Node) -> None:
    node.refusal = "an upgrade is under way"
    with pytest.raises(CommandError, match="an upgrade is under way"):
        await node.apply("hostname = b.test\n")
    assert node.happened == []


async def test_one_comes_after_the_other_and_who_goes_away_stops_none(node: Node) -> None:
    node.children[0].refusal = None
    first = asyncio.ensure_future(node.apply("hostname = b.test\n"))
    async with asyncio.timeout(90):
        await node.children[0].asked.wait()
    second = asyncio.ensure_future(node.changes.reload_from("", "bob"))
    first.cancel()
    await asyncio.sleep(0)
    assert node.changes.busy
    node.children[0].refusal = ""
    node.children[0].answer(2)
    applied = await second
    assert node.happened == [
        "changing", "configuration changed 2", "changed", "changing", "reloaded 3", "changed",
    ]  # fmt: skip
    assert [str(each) for each in applied.lost] == ['global: hostname: "b.test" -> "a.test"']


async def test_a_reload_names_what_it_undoes_and_only_that(node: Node) -> None:
    await node.apply("hostname = b.test\nmax_retries = 3\nretry_interval = 60\n")
    node.config.write_text("hostname = c.test\nmax_retries = 3\nmessage_expiration = 5\n")
    applied = await node.changes.reload_from("", "alice")
    assert sorted(each.option for each in applied.lost) == ["hostname", "retry_interval"]
    assert len(applied.changes) == 3
    assert all(child.told[-1] == link.Commit(3) for child in node.children)
    assert node.changes.files == node.generation.snapshot


async def test_a_signal_is_told_what_it_undid_in_the_log(node: Node) -> None:
    await node.apply("hostname = b.test\n")
    node.changes.reload()
    assert node.changes.busy
    await node.changes._free.wait()
    await asyncio.gather(*node.changes._under_way)
    assert node.log == [
        'not written before the reload, and gone change=global: hostname: "b.test" -> "a.test"'
    ]
    assert node.changes.history.revisions()[-1].who == "signal"
    node.config.write_text("hostnam = x\n")
    node.changes.reload()
    await node.changes._free.wait()
    assert "reload refused" in node.log[-1]


async def test_notes_are_told_when_they_are_new(node: Node) -> None:
    text = "hostname = b.test\nlicense = x\n"
    assert [each.message for each in (await node.apply(text)).notes] != []
    assert (await node.apply(f"{text}max_retries = 3\n")).notes == []


async def test_what_needs_a_restart_is_named_once_and_known_after(node: Node) -> None:
    applied = await node.apply('hostname = b.test\nspool_segment_size = "32M"\n')
    assert set(applied.waiting) - set(applied.waited) == {"spool_segment_size"}
    applied = await node.apply('hostname = c.test\nspool_segment_size = "32M"\n')
    assert set(applied.waiting) == set(applied.waited) == {"spool_segment_size"}
    assert node.changes.waiting == {"spool_segment_size": "`angarium upgrade`"}


async def test_what_is_written_back_counts_as_the_files(node: Node) -> None:
    await node.apply("hostname = b.test\n")
    assert node.changes.kept() != b""
    assert await node.changes.write_back("") == [str(node.config)]
    assert node.config.read_text() == "hostname = b.test\n"
    assert node.changes.kept() == b""
    other = node.config.with_name("whole.conf")
    await node.apply("hostname = c.test\n")
    assert await node.changes.write_back(str(other)) == [str(other)]
    assert "hostname = c.test" in other.read_text()
    assert node.changes.kept() != b""


async def test_an_upgrade_begins_with_what_was_changed_else_with_the_files(node: Node) -> None:
    node.config.write_text("hostname = new.test\n")
    assert b"new.test" in node.changes.coming()
    await node.apply("hostname = b.test\n")
    assert b"b.test" in node.changes.coming()
    assert any("the files are not read" in line for line in node.log)


async def test_one_upgrade_after_the_other_reads_the_files(node: Node) -> None:
    """The second one took what the first had brought for changes of a console."""
    for name in ("new.test", "newer.test"):
        node.config.write_text(f"hostname = {name}\n")
        text = node.changes.coming()
        assert name.encode() in text
        node.generation = Generation(
            node.generation.number + 1, text, load_snapshot(text, node.generation.number + 1)
        )
        node.changes.upgraded()
        assert node.changes.kept() == b""
    await asyncio.gather(*node.changes._under_way)
    assert [each.how for each in node.changes.history.revisions()] == ["upgrade", "upgrade"]


async def test_what_cannot_be_noted_is_in_force_all_the_same(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*how: object) -> int:
        raise HistoryError("no space")

    monkeypatch.setattr("angarium.config.history.History.record", full)
    await node.apply("hostname = b.test\n")
    assert node.hostname == "b.test"
    assert "not noted in the history" in node.log[-1]


@pytest.mark.parametrize("written", [False, True])
async def test_a_start_says_when_the_files_are_not_what_a_console_had_made(
    tmp_path: Path, written: bool
) -> None:
    before = Node(tmp_path)
    await before.apply("hostname = b.test\n")
    if written:
        await before.changes.write_back("")
    before.changes.close()
    after = Node(tmp_path, before.config.read_text())
    after.changes.begun()
    await asyncio.gather(*after.changes._under_way)
    after.changes.close()
    assert any("changed by the console" in line for line in after.log) is not written
    assert len(after.changes.history.revisions()) == (1 if written else 2)


async def test_commands_are_accounted_for_by_the_node(node: Node) -> None:
    node.changes.account(OPERATOR, "config commit", 1)
    assert node.happened == ["alice: config commit: 1"]
