"""Octet by octet, over real sockets and both kinds of loop: whoever sends is held up."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from angarium.lab.sink import Sink

LOOPS = pytest.mark.parametrize(
    "factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)
Factory = Callable[[], asyncio.AbstractEventLoop]


def run(factory: Factory, story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(story)


async def sipped() -> None:
    async with Sink("at rset sip 5ms answer") as sink:
        reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
        await reader.readline()
        writer.write(b"RSET\r\n")
        assert (await reader.readline()).startswith(b"250 ")
        began = time.monotonic()
        writer.write(b"NOOP\r\nQUIT\r\n")
        assert (await reader.readline()).startswith(b"250 ")
        assert (await reader.readline()).startswith(b"221 ")
        # Twelve octets, and a rest behind each but the last.
        assert time.monotonic() - began >= 11 * 0.005
        assert await reader.read() == b""
        writer.close()


async def gone() -> None:
    async with Sink("at rset sip 5ms answer") as sink:
        reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
        writer.write(b"RSET\r\n")
        await reader.readuntil(b"250 2.0.0 ok\r\n")
        writer.write(b"NOOP\r\n" * 1000)
        await reader.readline()
        writer.transport.abort()
        async with asyncio.timeout(90):
            while sink.counts.open:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)


@LOOPS
def test_it_reads_an_octet_at_a_time_and_goes_on_as_before(factory: Factory) -> None:
    run(factory, sipped())


@LOOPS
def test_a_peer_which_goes_away_is_let_go(factory: Factory) -> None:
    run(factory, gone())
