"""Which worker is asked, and what is done about those who refuse, end, or are not there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from angarium.policy.endpoints import Endpoint, Request, Response
from angarium.run.channel import name_of
from angarium.web import workers as module
from angarium.web.workers import (
    BusyError,
    LostError,
    NobodyError,
    OtherMethodError,
    Workers,
)
from angarium.wire.channel import VERSION, HttpResponse, Offer, Place, frame
from helpers.channels import Served, echo, request


class Named:
    """An endpoint which says which worker it is in, and may be held up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.asked = 0

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        self.begun.set()
        await self.go.wait()
        return Response(HttpResponse(200, []), self.name.encode())


@contextlib.asynccontextmanager
async def served(folder: Path, *names: Named, method: str = "") -> AsyncIterator[list[Served]]:
    """Open a worker for each."""
    made = [
        Served(folder, Endpoint(method, "/a", each.answer), number=number)
        for number, each in enumerate(names)
    ]
    for each in made:
        await each.channel.open()
    try:
        yield made
    finally:
        for each in made:
            each.channel.close()


@contextlib.asynccontextmanager
async def asking(folder: Path, count: int) -> AsyncIterator[Workers]:
    """Return who asks, once it knows so many workers."""
    made = Workers(folder, lambda _text: None)
    while len(made._takers()) < count:
        made.look()
        await asyncio.sleep(0.001)
    try:
        yield made
    finally:
        made.close()


async def test_of_those_which_rest_each_is_asked_in_turn(tmp_path: Path) -> None:
    one, two = Named("one"), Named("two")
    async with served(tmp_path, one, two), asking(tmp_path, 2) as workers:
        for _ in range(6):
            head, _ = await workers.ask(request(), b"")
            assert head.status == 200
        assert (one.asked, two.asked) == (3, 3)


async def test_a_worker_which_has_much_to_do_is_left_alone(tmp_path: Path) -> None:
    one, two = Named("one"), Named("two")
    async with served(tmp_path, one, two), asking(tmp_path, 2) as workers:
        one.go.clear()
        # Of the first two one goes to each.
        held = [asyncio.ensure_future(workers.ask(request(), b"")) for _ in range(2)]
        await asyncio.wait_for(one.begun.wait(), 60)
        await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
        for _ in range(4):
            assert (await workers.ask(request(), b""))[1] == b"two"
        one.go.set()
        await asyncio.gather(*held)


async def test_what_nobody_has_is_told_as_such(tmp_path: Path) -> None:
    async with served(tmp_path, Named("one"), method="PUT"), asking(tmp_path, 1) as workers:
        with pytest.raises(NobodyError):
            await workers.ask(request("/b"), b"")
        with pytest.raises(OtherMethodError) as raised:
            await workers.ask(request("/a"), b"")
        assert raised.value.allowed == ["PUT"]


async def test_where_no_worker_is_one_is_waited_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    workers = Workers(tmp_path, lambda _text: None)
    with pytest.raises(BusyError, match="no worker is there"):
        await workers.ask(request(), b"")
    monkeypatch.setattr(module, "WAIT_SECONDS", 60.0)
    coming = asyncio.ensure_future(workers.ask(request(), b""))
    await asyncio.sleep(0)
    async with served(tmp_path, Named("one")):
        assert (await coming)[1] == b"one"
        workers.close()


async def test_a_worker_which_leaves_is_asked_no_more(tmp_path: Path) -> None:
    one, two = Named("one"), Named("two")
    async with served(tmp_path, one, two) as made, asking(tmp_path, 2) as workers:
        made[0].channel.leave()
        answers = [(await workers.ask(request(), b""))[1] for _ in range(4)]
        assert answers[1:] == [b"two"] * 3
        assert answers[0] in (b"one", b"two")
        assert one.asked <= 1


async def test_over_a_dead_worker_what_may_be_repeated_is_put_to_another(tmp_path: Path) -> None:
    one, two = Named("one"), Named("two")
    async with served(tmp_path, one, two) as made, asking(tmp_path, 2) as workers:
        for method, comes in (("GET", True), ("POST", False)):
            one.go.clear()
            two.go.clear()
            one.begun.clear()
            two.begun.clear()
            coming = asyncio.ensure_future(workers.ask(request(method=method), b"x"))
            begun = [asyncio.ensure_future(each.begun.wait()) for each in (one, two)]
            await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
            for each in begun:
                each.cancel()
            dies = made[0] if one.begun.is_set() else made[1]
            one.go.set()
            two.go.set()
            for connection in list(dies.channel.connections):
                connection._transport.abort()
            if comes:
                assert (await coming)[0].status == 200
            else:
                with pytest.raises(LostError):
                    await coming
            while len(workers._takers()) < 2:
                workers.look()
                await asyncio.sleep(0.001)


async def test_a_request_which_workers_die_of_is_put_to_two_at_most(tmp_path: Path) -> None:
    made: list[Served] = []
    asked: list[int] = []

    async def deadly(request: Request) -> Response:
        asked.append(1)
        for each in made:
            for connection in list(each.channel.connections):
                if connection.answering:
                    connection._transport.abort()
        return await echo(request)

    made += [Served(tmp_path, Endpoint("", "/a", deadly), number=number) for number in range(3)]
    for each in made:
        await each.channel.open()
    async with asking(tmp_path, 3) as workers:
        with pytest.raises(LostError):
            await workers.ask(request(), b"")
    assert len(asked) == 2
    for each in made:
        each.channel.close()


async def test_to_cancel_is_to_withdraw(tmp_path: Path) -> None:
    one = Named("one")
    async with served(tmp_path, one) as made, asking(tmp_path, 1) as workers:
        one.go.clear()
        coming = asyncio.ensure_future(workers.ask(request(), b""))
        await asyncio.wait_for(one.begun.wait(), 60)
        coming.cancel()
        await asyncio.wait_for(made[0].channel.idle.wait(), 60)
        one.go.set()
        assert (await workers.ask(request(), b""))[1] == b"one"


async def test_a_worker_which_has_as_much_as_it_may_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PER_WORKER", 1)
    one = Named("one")
    async with served(tmp_path, one), asking(tmp_path, 1) as workers:
        one.go.clear()
        coming = asyncio.ensure_future(workers.ask(request(), b""))
        await asyncio.wait_for(one.begun.wait(), 60)
        with pytest.raises(BusyError, match="no worker takes it now"):
            await workers.ask(request(), b"")
        one.go.set()
        assert (await coming)[1] == b"one"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\xff" * 100, "frame too long"),
        (frame(Offer(VERSION + 1, 1, [Place("", "/a")])), f"version {VERSION + 1}, and ours"),
    ],
    ids=["garbage", "another version"],
)
async def test_who_speaks_another_language_is_asked_nothing_and_it_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, octets: bytes, reason: str
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    closed = asyncio.Event()

    async def strange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_unix_server(strange, tmp_path / name_of(0))
    told: list[str] = []
    workers = Workers(tmp_path, told.append)
    with pytest.raises(BusyError):
        await workers.ask(request(), b"")
    [line] = told
    assert line.startswith("a worker cannot be asked: worker.0.channel: ")
    assert reason in line
    await asyncio.wait_for(closed.wait(), 60)
    server.close()
    workers.close()
