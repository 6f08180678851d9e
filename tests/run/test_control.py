"""The socket of the console: who may connect, what he may cost, and that nothing stops the rest."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from angarium.console.access import Peer
from angarium.console.client import SOCKET
from angarium.console.result import Said
from angarium.run import control, conversation
from angarium.run.control import Control, OwnDoor, by_kernel, opened
from angarium.wire.control import (
    MAX_REQUEST,
    Ask,
    Bye,
    End,
    Greeting,
    Part,
    line,
    parts,
)
from helpers.consoles import OPERATOR, FakeServer
from helpers.operators import Operator, connected


class Log(list[str]):
    def error(self, event: str, **fields: Any) -> None:
        self.append(event)


class Place:
    """A control socket, and what is behind it."""

    def __init__(self, folder: Path, who: Peer | None = OPERATOR) -> None:
        self.folder = folder
        self.server = FakeServer(folder, 'hostname = "a.test"\n')
        self.log = Log()
        self.listening = opened(folder)
        self.control = Control(
            self.listening, self.server, self.server.node, OwnDoor(lambda connection: who), self.log
        )

    def calling(self) -> AbstractAsyncContextManager[Operator]:
        return connected(self.folder)


@asynccontextmanager
async def place(folder: Path, who: Peer | None = OPERATOR) -> AsyncIterator[Place]:
    made = Place(folder, who)
    await made.control.start()
    try:
        yield made
    finally:
        made.control.close()
        await asyncio.gather(*made.control._clients, return_exceptions=True)


async def test_a_command_is_answered_in_both_forms(tmp_path: Path) -> None:
    async with place(tmp_path) as here, here.calling() as caller:
        greeting = await caller.next()
        assert isinstance(greeting, Greeting)
        assert (greeting.user, greeting.patience) == ("alice", 60.0)
        assert await caller.ask("config get hostname") == ('hostname = "a.test"\n', End())
        said, _ = await caller.ask("config get hostname", "json")
        assert said == '{\n  "option": "hostname",\n  "value": "a.test"\n}\n'
        said, end = await caller.ask("config nothing")
        assert "there is no such command" in said
        assert end == End(failed=True)
        assert await caller.ask("config begin") == ("", End(transaction=True))


async def test_an_answer_of_any_length_comes_whole(tmp_path: Path) -> None:
    async with place(tmp_path) as here, here.calling() as caller:
        names = [f"domain d{number}.test {{ }}" for number in range(20_000)]
        here.server.path.write_text("\n".join(names))
        here.server.use(2, await here.server.read())
        await caller.next()
        said, _ = await caller.ask("config show")
        assert said.count("\n") == 20_000


async def test_sessions_know_nothing_of_each_other(tmp_path: Path) -> None:
    async with place(tmp_path) as here, here.calling() as one, here.calling() as two:
        for each in (one, two):
            await each.next()
        await one.ask("config begin")
        await one.ask("config set hostname b.test")
        assert (await two.ask("config get hostname"))[0] == 'hostname = "a.test"\n'
        assert (await one.ask("config get hostname"))[0] == 'hostname = "b.test"\n'


async def test_the_socket_is_for_its_user_only(tmp_path: Path) -> None:
    opened(tmp_path).close()
    made = opened(tmp_path)  # in place of the one that is left
    assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o600
    made.close()


async def test_a_stranger_is_told_so(tmp_path: Path) -> None:
    async with place(tmp_path, None) as here, here.calling() as caller:
        assert isinstance(await caller.next(), Bye)
        with pytest.raises(EOFError):
            await caller.next()


def test_the_kernel_says_who_it_is() -> None:
    ours, _theirs = socket.socketpair(socket.AF_UNIX)
    peer = by_kernel("/here")(ours)
    assert peer is not None
    assert peer.endpoint == "/here"
    assert os.getuid() in (0, os.geteuid())
    ours.close()
    _theirs.close()


async def test_only_so_many_consoles_may_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "MAX_CLIENTS", 1)
    async with place(tmp_path) as here:
        async with here.calling() as first:
            await first.next()
            async with here.calling() as second:
                assert isinstance(await second.next(), Bye)
            assert (await first.ask("config get hostname"))[1] == End()
        async with asyncio.timeout(90):
            await asyncio.gather(*here.control._clients)
        async with here.calling() as third:
            assert isinstance(await third.next(), Greeting)


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n", b"x" * (MAX_REQUEST + 70_000)])
async def test_what_is_no_request_ends_the_session(tmp_path: Path, octets: bytes) -> None:
    async with place(tmp_path) as here, here.calling() as caller:
        await caller.next()
        caller.writer.write(octets)
        assert isinstance(await caller.next(), Bye)
        async with here.calling() as other:
            assert isinstance(await other.next(), Greeting)
    assert here.log == []


async def test_who_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "IDLE_SECONDS", 0.01)
    async with place(tmp_path) as here, here.calling() as caller:
        await caller.next()
        assert isinstance(await caller.next(), Bye)


async def test_who_does_not_read_his_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "ANSWER_SECONDS", 0.05)
    async with place(tmp_path) as here, here.calling() as deaf:
        await deaf.next()
        here.server.path.write_text("\n".join(f"domain d{n}.test {{ }}" for n in range(50_000)))
        here.server.use(2, await here.server.read())
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(4):
            deaf.writer.write(line(Ask("config show")))
        async with asyncio.timeout(90):
            await asyncio.gather(*here.control._clients, return_exceptions=True)
    assert here.log == []


async def test_a_bug_in_a_command_costs_its_session_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(tmp_path) as here, here.calling() as caller, here.calling() as other:
        await caller.next()
        await other.next()
        live, here.server.live = here.server.live, None  # type: ignore[assignment]
        with pytest.raises(EOFError):
            await caller.ask("config get hostname")
        here.server.live = live
        assert (await other.ask("config get hostname"))[1] == End()
        assert here.log == ["console session failed"]


def test_octets_which_are_no_text_do_not_end_an_answer() -> None:
    said = Said("caf\udce9", {"name": "caf\udce9"})
    assert b"".join(parts(str(said))) == line(Part("caf?"))
    assert b"caf?" in b"".join(parts(conversation._json(said)))
