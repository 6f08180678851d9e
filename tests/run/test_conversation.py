"""One console: its commands come one after the other, and may be stopped; nothing piles up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from angarium.console.access import Rank
from angarium.console.command import COMMANDS, command, declarations
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.run import conversation
from angarium.run.control import Control, OwnDoor, opened
from angarium.wire.control import Ask, Bye, End, Line, Note, Part, Stop, line
from helpers.consoles import OPERATOR, FakeServer
from helpers.operators import Operator, connected

GATE: list[asyncio.Event] = []


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commands for these tests only."""
    declarations()  # else those of the program would be gone with ours
    monkeypatch.setattr(COMMANDS, "_declared", dict(COMMANDS._declared))

    @command("test wait", who=Rank.VIEWER)
    async def wait(session: Session) -> Result:
        """Wait for the test."""
        session.note("begun")
        try:
            await GATE[0].wait()
        finally:
            GATE[1].set()
        return Said("done")

    @command("test lines", who=Rank.VIEWER)
    async def lines(session: Session, count: int) -> Result:
        """Say so many lines."""
        for number in range(count):
            session.say(f"line {number} {'x' * 1000}")
        return Said("end", session.form)


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Operator]:
    GATE[:] = [asyncio.Event(), asyncio.Event()]
    server = FakeServer(folder, 'hostname = "a.test"\n')
    log: Any = None
    control = Control(opened(folder), server, server.node, OwnDoor(lambda _: OPERATOR), log)
    await control.start()
    try:
        async with connected(folder) as caller:
            await caller.next()
            yield caller
    finally:
        control.close()
        await asyncio.gather(*control._clients, return_exceptions=True)


async def test_a_note_comes_before_the_answer_and_is_none(tmp_path: Path) -> None:
    async with talking(tmp_path) as caller:
        GATE[0].set()
        caller.writer.write(line(Ask("test wait")))
        assert [await caller.next() for _ in range(3)] == [Note("begun"), Part("done\n"), End()]


async def test_a_command_which_is_stopped_fails_and_the_next_is_done(tmp_path: Path) -> None:
    async with talking(tmp_path) as caller:
        caller.writer.write(line(Ask("test wait")) + line(Ask("pid")))
        assert await caller.next() == Note("begun")
        caller.writer.write(line(Stop()))
        assert [await caller.next() for _ in range(2)] == [Part("stopped\n"), End(failed=True)]
        assert [await caller.next() for _ in range(2)] == [Part("4711\n"), End()]
        caller.writer.write(line(Stop()))  # stops nothing
        assert await caller.say("pid") == "4711"


async def test_who_hangs_up_stops_his_command(tmp_path: Path) -> None:
    async with talking(tmp_path) as caller:
        caller.writer.write(line(Ask("test wait")))
        assert await caller.next() == Note("begun")
        caller.writer.close()
        async with asyncio.timeout(90):
            await GATE[1].wait()


async def test_lines_nobody_reads_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MAX_UNREAD", 20_000)
    async with talking(tmp_path) as caller:
        caller.writer.write(line(Ask("test lines 2000")))
        lines = 0
        while not isinstance(each := await caller.next(), End):
            lines += isinstance(each, Line)
        assert 20 < lines < 1500


async def test_xml_is_asked_for_by_a_word_or_by_the_client(tmp_path: Path) -> None:
    async with talking(tmp_path) as caller:
        said, _ = await caller.ask("XML pid")
        assert said.startswith('<?xml version="1.0"')
        assert '<answer command="pid">\n  <pid>4711</pid>\n</answer>' in said
        assert (await caller.ask("pid", "xml"))[0] == said


async def test_no_client_asks_ahead_without_end(tmp_path: Path) -> None:
    async with talking(tmp_path) as caller:
        caller.writer.write(line(Ask("test wait")) + line(Ask("pid")) * 100)
        assert await caller.next() == Note("begun")
        GATE[0].set()
        answers = 0
        while answers < 101:
            answers += isinstance(await caller.next(), End)
        caller.writer.write(b"garbage\n")
        assert isinstance(await caller.next(), Bye)
