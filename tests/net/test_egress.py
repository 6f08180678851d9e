"""Connections by proxies, on both loops: that they carry, and whose fault it is if not."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import closing
from typing import Any, cast

import pytest
import uvloop

from angarium.net.egress import Opening, Told, connect_by, reachable
from angarium.net.errors import NoRouteError, ProxyError
from angarium.wire import socks
from angarium.wire.proxy import encode
from helpers import proxies

Play = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Play:
    def run(story: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(story)

    return run


class Client(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = b""
        self.lost = asyncio.Event()
        self.came = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.came.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    async def line(self) -> bytes:
        async with asyncio.timeout(90):
            while b"\n" not in self.heard:
                self.came.clear()
                await self.came.wait()
        line, _, self.heard = self.heard.partition(b"\n")
        return line


async def _host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greets first, as hosts of SMTP do, then echoes."""
    with closing(writer):
        writer.write(b"220 mx\n")
        while line := await reader.readline():
            writer.write(b"you said " + line)


def opening(proxy: proxies.Proxy, host: tuple[str, int]) -> Opening:
    if isinstance(proxy, proxies.HaProxy):
        return Told(encode(("192.0.2.25", 0), host))
    return socks.Socks(host, ("me", "secret"))


async def connected(
    proxy: proxies.Proxy, host: tuple[str, int], within: float = 60.0
) -> tuple[asyncio.Transport, Client]:
    return await connect_by(Client, ("127.0.0.1", proxy.port), opening(proxy, host), within=within)


async def with_host(story: Callable[[tuple[str, int]], Awaitable[None]]) -> None:
    server = await asyncio.start_server(_host, "127.0.0.1", 0)
    await story(server.sockets[0].getsockname())
    server.close()


@pytest.mark.parametrize("kind", [proxies.HaProxy, proxies.Socks])
def test_what_is_said_goes_to_the_host_and_back(play: Play, kind: type[proxies.Proxy]) -> None:
    async def story(host: tuple[str, int]) -> None:
        async with proxies.running(kind()) as proxy:
            if isinstance(proxy, proxies.Socks):
                proxy.user = ("me", "secret")
            transport, client = await connected(proxy, host)
            assert await client.line() == b"220 mx"
            transport.write(b"EHLO x\n")
            assert await client.line() == b"you said EHLO x"
            assert proxy.asked == [host]
            transport.close()
            await asyncio.wait_for(client.lost.wait(), 90)

    play(with_host(story))


@pytest.mark.parametrize("kind", [proxies.HaProxy, proxies.Socks])
def test_a_proxy_that_is_away_is_no_fault_of_the_host(
    play: Play, kind: type[proxies.Proxy]
) -> None:
    async def story() -> None:
        proxy = kind()
        await proxy.listen()
        await reachable(("127.0.0.1", proxy.port), 60.0)
        await proxy.stop()
        with pytest.raises(ProxyError, match="refused"):
            await connected(proxy, ("192.0.2.1", 25))
        with pytest.raises(ProxyError, match="refused"):
            await reachable(("127.0.0.1", proxy.port), 60.0)

    play(story())


@pytest.mark.parametrize(
    ("mood", "reason"),
    [("closes", "closed"), ("babbles", "does not speak SOCKS"), ("deaf", "does not answer")],
)
def test_a_proxy_out_of_order_is_no_fault_of_the_host(play: Play, mood: str, reason: str) -> None:
    async def story() -> None:
        async with proxies.running(proxies.Socks()) as proxy:
            proxy.mood = mood
            with pytest.raises(ProxyError, match=reason):
                await connected(proxy, ("192.0.2.1", 25), 0.05 if mood == "deaf" else 60.0)

    play(story())


def test_a_refused_password_is_told(play: Play) -> None:
    async def story() -> None:
        async with proxies.running(proxies.Socks()) as proxy:
            assert isinstance(proxy, proxies.Socks)
            proxy.user = ("me", "another")
            with pytest.raises(ProxyError, match="refuses our name") as told:
                await connected(proxy, ("192.0.2.1", 25))
            assert "secret" not in str(told.value)

    play(story())


@pytest.mark.parametrize(
    ("code", "error", "number"),
    [
        (1, ProxyError, 0),
        (3, NoRouteError, 0),
        (4, OSError, errno.EHOSTUNREACH),
        (5, ConnectionRefusedError, errno.ECONNREFUSED),
        (6, TimeoutError, 0),
        (8, NoRouteError, 0),
    ],
)
def test_what_a_proxy_says_of_the_host_is_what_connecting_would_have_raised(
    play: Play, code: int, error: type[Exception], number: int
) -> None:
    async def story() -> None:
        async with proxies.running(proxies.Socks()) as proxy:
            assert isinstance(proxy, proxies.Socks)
            proxy.code = code
            with pytest.raises(error) as told:
                await connected(proxy, ("192.0.2.1", 25))
            assert (getattr(told.value, "errno", 0) or 0) == number

    play(story())


class Undecided(proxies.Socks):
    """Takes the request, and never says what came of it."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        writer.write(b"\5\0")
        await reader.read()


def test_a_host_that_does_not_answer_a_proxy_is_too_slow(play: Play) -> None:
    async def story() -> None:
        async with proxies.running(Undecided()) as proxy:
            with pytest.raises(TimeoutError):
                await connected(proxy, ("192.0.2.1", 25), 0.2)

    play(story())
