import asyncio
import contextlib
import gc
import json
import socket
from pathlib import Path

import pytest

from angarium.lab.sink import Sink

MESSAGE = (
    b"EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n"
)


async def session(port: int, octets: bytes, host: str = "127.0.0.1") -> bytes:
    """Send, then read until the sink closes."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(octets)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_a_message_arrives_and_is_counted() -> None:
    async with Sink() as sink:
        await session(sink.port, MESSAGE)
        await sink.until(1)
    assert sink.accepted[0].content == b"hello\r\n"
    summary = json.loads(sink.summary())
    assert (summary["messages"], summary["recipients"], summary["octets"]) == (1, 2, 7)
    assert summary["replies"]["rcpt"] == {"250": 2}
    assert (summary["connections"], summary["open"]) == (1, 0)


async def test_until_gives_up() -> None:
    async with Sink() as sink:
        with pytest.raises(TimeoutError):
            await sink.until(1, seconds=0.001)


async def test_a_reset_is_a_reset() -> None:
    async with Sink("at mail reset\n") as sink:
        with pytest.raises(ConnectionResetError):
            await session(sink.port, MESSAGE)
    assert json.loads(sink.summary())["rules"] == {"1": 1}


async def test_an_answer_arrives_before_the_reset() -> None:
    async with Sink("at banner reply 554 5.7.1 no then reset") as sink:
        reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
        assert await reader.readline() == b"554 5.7.1 no\r\n"
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_sink_listens_on_several_addresses() -> None:
    async with Sink(addresses=[("127.0.0.1", 0), ("127.0.0.2", 0)]) as sink:
        await session(sink.ports[0], MESSAGE)
        await session(sink.ports[1], MESSAGE, "127.0.0.2")
    assert sink.counts.messages == 2


async def test_stopping_ends_what_is_open() -> None:
    async with Sink("at noop hang") as sink:
        reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
        writer.write(b"NOOP\r\n")
        await reader.readline()
    with contextlib.suppress(ConnectionResetError):  # which, if it had not read something yet
        assert await reader.read() == b""
    assert sink.counts.open == 0
    writer.close()


@pytest.mark.parametrize("turns", range(5))
async def test_who_is_being_accepted_when_it_stops_is_broken_off(turns: int) -> None:
    """Nobody is left to the collector of garbage, which would say so here."""
    async with Sink() as sink:
        with socket.create_connection(("127.0.0.1", sink.port)) as caller:
            for _ in range(turns):
                await asyncio.sleep(0)
            await sink.stop()
            gc.collect()
            assert sink.counts.open == 0
            with contextlib.suppress(ConnectionResetError):
                while caller.recv(4096):
                    pass


async def test_witnesses_hear_of_refused_messages_too(tmp_path: Path) -> None:
    heard: list[int] = []
    async with Sink(
        "at dot first 1 reply 451 no",
        witnesses=[lambda m: heard.append(m.reply)],
        keep=False,
        record=tmp_path,
    ) as sink:
        await session(sink.port, MESSAGE)
        await session(sink.port, MESSAGE)
    assert heard == [451, 250]
    assert not sink.messages
    assert len(list(tmp_path.iterdir())) == 4
