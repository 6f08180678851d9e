"""The socket by which a worker is asked: who may ask, what is answered, and how it ends."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from angarium.policy.endpoints import Endpoint, Request, Response
from angarium.run import channel
from angarium.run.channel import MOST_CONNECTIONS, name_of
from angarium.wire.channel import (
    Asker,
    HttpResponse,
    Offered,
    Place,
    Refused,
    Replied,
    Reply,
    frame,
)
from helpers.channels import Served, echo, request


class Client:
    """One who asks, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asker = Asker()
        self.reader = reader
        self.writer = writer
        self._heard: list[Offered | Replied | Refused] = []

    def ask(self, path: str, content: bytes = b"") -> int:
        number, frames = self.asker.ask(request(path), content)
        self.writer.writelines(frames)
        return number

    async def hears(self) -> Offered | Replied | Refused:
        while not self._heard:
            data = await asyncio.wait_for(self.reader.read(1 << 20), 60)
            assert data, "the worker has hung up"
            self._heard += self.asker.feed(data)
        return self._heard.pop(0)

    async def ends(self) -> bool:
        """Say whether the other side hangs up, whatever it says before."""
        with contextlib.suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(1 << 20), 60):
                pass
        return True


@contextlib.asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_unix_connection(folder / name_of(0))
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(folder: Path, *endpoints: Endpoint) -> AsyncIterator[Served]:
    served = Served(folder, *endpoints)
    await served.channel.open()
    try:
        yield served
    finally:
        served.channel.close()
        await asyncio.wait_for(served.channel.idle.wait(), 60)


async def test_who_comes_hears_what_there_is_and_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path, Endpoint("GET", "/a", echo)), connected(tmp_path) as client:
        offered = await client.hears()
        assert isinstance(offered, Offered)
        assert offered.offer.places == [Place("GET", "/a")]
        number = client.ask("/a/b", b"x" * 300_000)
        head = HttpResponse(200, [(b"x-path", b"/a/b")])
        assert await client.hears() == Replied(number, head, b"x" * 300_000)
        number = client.ask("/b")
        assert await client.hears() == Refused(number, "unknown")


async def test_the_socket_is_for_our_user_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path):
        assert (tmp_path / name_of(0)).stat().st_mode & 0o777 == 0o600
        monkeypatch.setattr(channel, "user_of", lambda _socket: os.geteuid() + 1)
        async with connected(tmp_path) as client:
            assert await client.ends()


async def test_one_connection_too_many_is_closed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, contextlib.AsyncExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            client = await stack.enter_async_context(connected(tmp_path))
            await client.hears()
        one_more = await stack.enter_async_context(connected(tmp_path))
        assert await one_more.ends()
        assert len(served.channel.connections) == MOST_CONNECTIONS


async def test_a_change_of_what_can_be_asked_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, connected(tmp_path) as client:
        await client.hears()
        served.channel.look()  # Nothing has changed, so nothing is said.
        served.module.endpoints.append(Endpoint("", "/new", echo))
        served.generation = 2
        served.channel.look()
        offered = await client.hears()
        assert isinstance(offered, Offered)
        assert (offered.offer.generation, offered.offer.places) == (2, [Place("", "/new")])


async def test_what_was_begun_ends_under_its_own_generation(tmp_path: Path) -> None:
    go, begun = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        begun.set()
        await go.wait()
        return await echo(request)

    async with serving(tmp_path, Endpoint("", "/a", slow)) as served, connected(tmp_path) as client:
        await client.hears()
        number = client.ask("/a")
        await asyncio.wait_for(begun.wait(), 60)
        assert served.policing.sessions == 1
        assert not served.channel.idle.is_set()
        before = served.policing
        served.channel.leave()
        offered = await client.hears()
        assert isinstance(offered, Offered)
        assert offered.offer.leaving
        late = client.ask("/a")
        assert await client.hears() == Refused(late, "leaving")
        go.set()
        answer = await client.hears()
        assert isinstance(answer, Replied)
        assert answer.number == number
        await asyncio.wait_for(served.channel.idle.wait(), 60)
        assert before.sessions == 0
        assert not (tmp_path / name_of(0)).exists()


@pytest.mark.parametrize("how", ["withdraw", "hang up"])
async def test_what_nobody_waits_for_is_ended(tmp_path: Path, how: str) -> None:
    ended, begun = asyncio.Event(), asyncio.Event()

    async def endless(request: Request) -> Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return await echo(request)

    async with serving(tmp_path, Endpoint("", "/a", endless)) as served:
        async with connected(tmp_path) as client:
            await client.hears()
            number = client.ask("/a")
            await asyncio.wait_for(begun.wait(), 60)
            if how == "withdraw":
                client.writer.write(client.asker.withdraw(number))
                await asyncio.wait_for(ended.wait(), 60)
                client.ask("/none")
                await client.hears()
                assert client.asker.open == 0
        await asyncio.wait_for(ended.wait(), 60)
        await asyncio.wait_for(served.channel.idle.wait(), 60)


async def test_what_no_asker_says_ends_its_connection_only(tmp_path: Path) -> None:
    async with serving(tmp_path, Endpoint("", "/a", echo)), connected(tmp_path) as good:
        await good.hears()
        async with connected(tmp_path) as bad:
            bad.writer.write(frame(Reply(1, HttpResponse(200, []), 0)))
            assert await bad.ends()
        good.ask("/a")
        assert isinstance(await good.hears(), Replied)


async def test_a_fault_of_ours_ends_the_connection_and_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: told.append(str(context.get("exception")))
    )

    async def fault(request: Request) -> Response:
        raise ArithmeticError("ours")

    async with serving(tmp_path, Endpoint("", "/a", fault)), connected(tmp_path) as client:
        await client.hears()
        client.ask("/a")
        assert await client.ends()
    assert told == ["ours"]


async def test_the_socket_of_a_worker_which_died_is_replaced(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / name_of(0)))
    dead.close()
    async with serving(tmp_path, Endpoint("", "/a", echo)), connected(tmp_path) as client:
        assert isinstance(await client.hears(), Offered)


async def test_where_no_socket_can_be_it_is_told(tmp_path: Path) -> None:
    served = Served(tmp_path / "nowhere")
    await served.channel.open()
    [line] = served.told
    assert line.startswith("no endpoint is asked: worker.0.channel: ")
    served.channel.close()
