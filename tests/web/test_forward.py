"""Requests for endpoints: what is let through, what is refused, and what it costs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from uvicorn.server import ServerState

from angarium.lab.sink import stop_listening
from angarium.policy.endpoints import Endpoint, Request, Response
from angarium.web import forward, guard
from angarium.web.app import app
from angarium.web.forward import Forward, Load
from angarium.web.guard import Manners, connections
from angarium.web.workers import Workers
from angarium.wire.channel import HttpResponse
from helpers.browser import WELL, Watched, ask, connected, cut_off, read
from helpers.channels import Served, echo


class Front:
    """A listener before one worker."""

    def __init__(self, seconds: float, most: int) -> None:
        self.seconds = seconds
        self.manners = Manners(most_octets=most)
        self.load = Load()
        self.port = 0
        self.worker: Served

    async def idle(self) -> None:
        """Wait for all requests to be over."""
        while self.load.requests:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def front(
    folder: Path, *endpoints: Endpoint, seconds: float = 60.0, most: int = 0
) -> AsyncIterator[Front]:
    made = Front(seconds, most)
    made.worker = Served(folder, *endpoints)
    await made.worker.channel.open()
    workers = Workers(folder, lambda _text: None)
    own = app(Watched(WELL), {"node": "mx.node.test", "version": "1"})
    forwarding = Forward(own, workers, made.load, lambda: made.seconds)
    state = ServerState()
    protocol = connections(
        forwarding, ["mx.node.test"], state, lambda _client: made.manners, forwarding.takes
    )
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
        await asyncio.wait_for(made.idle(), 60)
        assert made.load == Load()
    finally:
        await stop_listening(server)
        for each in list(state.connections):
            each.transport.abort()
        workers.close()
        made.worker.channel.close()


ECHO = Endpoint("", "/a", echo)


async def test_an_answer_comes_with_its_fields_and_those_of_all_answers(tmp_path: Path) -> None:
    async def own(request: Request) -> Response:
        head = HttpResponse(201, [(b"cache-control", b"max-age=1"), (b"x-a", b"b")])
        return Response(head, request.content)

    async with front(tmp_path, Endpoint("PATCH", "/a", own)) as here:
        answer = await ask(here.port, "/a", method="PATCH", content=b"hello")
        assert (answer.status, answer.text, answer.fields["x-a"]) == (201, "hello", "b")
        assert answer.fields["cache-control"] == "max-age=1"
        assert answer.fields["x-content-type-options"] == "nosniff"


async def test_a_worker_is_told_what_was_asked(tmp_path: Path) -> None:
    heads = []

    async def kept(request: Request) -> Response:
        heads.append(request.head)
        return await echo(request)

    async with front(tmp_path, Endpoint("", "/a", kept)) as here:
        await ask(here.port, "/a%20b/../a?c=%20d", more="X-Odd: \xe9\r\n")
        assert (await ask(here.port, "/a/%C3%A4?c=%20d", more="X-Odd: 1\r\n")).status == 200
        [head] = heads
        assert (head.method, head.target, head.path) == ("GET", "/a/%C3%A4?c=%20d", "/a/ä")
        assert (b"x-odd", b"1") in head.fields
        assert head.address == "127.0.0.1"
        assert head.local == ("127.0.0.1", here.port)


async def test_what_the_server_answers_by_itself_comes_first_and_looks_only(
    tmp_path: Path,
) -> None:
    async with front(tmp_path, Endpoint("", "", echo)) as here:
        assert (await ask(here.port, "/healthz")).text == "alive\n"
        assert (await ask(here.port, "/", method="POST")).status == 405
        assert (await ask(here.port, "/metrics", method="POST", content=b"x")).status == 405
        assert (await ask(here.port, "/other", method="POST", content=b"x")).text == "x"
        here.seconds = 0  # as without httpsrv
        assert (await ask(here.port, "/other")).status == 404
        assert (await ask(here.port, "/other", method="POST", content=b"x")).status == 405


async def test_head_has_the_length_and_no_content(tmp_path: Path) -> None:
    async with front(tmp_path, ECHO) as here:
        answer = await ask(here.port, "/a", method="HEAD", content=b"hello")
        assert (answer.status, answer.fields["content-length"]) == (200, "5")


async def test_one_connection_asks_again_and_again(tmp_path: Path) -> None:
    async with front(tmp_path, ECHO) as here, connected(here.port) as (reader, writer):
        for text in (b"one", b"two"):
            length = b"Content-Length: %d\r\n" % len(text)
            writer.write(b"POST /a HTTP/1.1\r\nHost: localhost\r\n" + length + b"\r\n" + text)
            assert (await read(reader)).body == text


async def test_who_waits_to_be_asked_for_a_content_is(tmp_path: Path) -> None:
    async with front(tmp_path, ECHO, most=1000) as here:
        async with connected(here.port) as (reader, writer):
            fields = b"Host: localhost\r\nExpect: 100-continue\r\n"
            writer.write(b"POST /a HTTP/1.1\r\n" + fields + b"Content-Length: 2\r\n\r\n")
            line = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            assert line.startswith(b"HTTP/1.1 100 ")
            writer.write(b"ok")
            assert (await read(reader)).text == "ok"
        async with connected(here.port) as (reader, writer):
            writer.write(b"POST /a HTTP/1.1\r\n" + fields + b"Content-Length: 2000\r\n\r\n")
            assert (await read(reader)).status == 413


async def test_a_content_in_chunks_has_a_bound_too(tmp_path: Path) -> None:
    async with front(tmp_path, ECHO, most=1000) as here:
        for size, status in ((400, 200), (1200, 413)):
            async with connected(here.port) as (reader, writer):
                head = b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                piece = b"%x\r\n%s\r\n" % (size, bytes(size))
                writer.write(head + piece + b"0\r\n\r\n")
                assert (await read(reader)).status == status


async def test_contents_which_are_too_much_together_are_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "MOST_OCTETS", 1000)
    async with front(tmp_path, ECHO) as here:
        assert (await ask(here.port, "/a", method="POST", content=bytes(1000))).status == 200
        answer = await ask(here.port, "/a", method="POST", content=bytes(1001))
        assert (answer.status, answer.fields["retry-after"]) == (503, "1")


async def test_who_sends_a_content_octet_by_octet_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "REQUEST_SECONDS", 0.3)
    async with front(tmp_path, ECHO) as here, connected(here.port) as (reader, writer):
        head = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
        writer.write(head)

        async def trickle() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.1)

        trickling = asyncio.ensure_future(trickle())
        assert await cut_off(reader)
        trickling.cancel()


async def test_a_worker_which_does_not_answer_in_time_is_waited_for_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 30.0)

    async def endless(request: Request) -> Response:
        await asyncio.Event().wait()
        return await echo(request)

    async with front(tmp_path, Endpoint("", "/a", endless), seconds=0.2) as here:
        answer = await ask(here.port, "/a")
        assert (answer.status, answer.text) == (504, "the worker has not answered in time\n")
        await asyncio.wait_for(here.worker.channel.idle.wait(), 60)


async def test_for_who_hangs_up_nothing_goes_on(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def endless(request: Request) -> Response:
        begun.set()
        await asyncio.Event().wait()
        return await echo(request)

    async with front(tmp_path, Endpoint("", "/a", endless)) as here:
        async with connected(here.port) as (_, writer):
            writer.write(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asyncio.wait_for(begun.wait(), 60)
        await asyncio.wait_for(here.worker.channel.idle.wait(), 60)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("", 200),
        ("Origin: http://{host}\r\n", 200),
        ("Origin: https://{host}\r\nSec-Fetch-Site: same-origin\r\n", 200),
        ("Sec-Fetch-Site: none\r\n", 200),
        ("Origin: http://evil.test\r\n", 403),
        ("Origin: http://127.0.0.1:1\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: \r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
    ],
)
async def test_pages_of_other_sites_may_not_ask(tmp_path: Path, fields: str, status: int) -> None:
    async with front(tmp_path, ECHO) as here:
        host = f"127.0.0.1:{here.port}"
        more = fields.replace("{host}", host)
        assert (await ask(here.port, "/a", method="POST", host=host, more=more)).status == status
