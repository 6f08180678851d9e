"""A host is asked whether it would take mail, and gets none."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from angarium.outbound.probe import SHUT, SILENT, UNREADABLE, UNSAFE, Question, probe


class Host:
    """Says what it was told to, line by line; afterwards nothing."""

    def __init__(self, replies: Sequence[str]) -> None:
        self.replies = list(replies)
        self.heard: list[str] = []
        self.port = 0
        self.served: list[asyncio.Task[None]] = []

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served.append(asyncio.ensure_future(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in self.replies:
            writer.write(f"{reply}\r\n".encode())
            line = await reader.readline()
            self.heard.append(line.decode().strip())
            if not line:
                break
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def host(*replies: str) -> AsyncIterator[Host]:
    found = Host(replies)
    server = await asyncio.start_server(found.connected, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found
        await asyncio.gather(*found.served)
        await asyncio.sleep(0)


def question(within: float = 60.0, recipient: str = "b@y.test") -> Question:
    return Question("mx.node.test", "", recipient, within)


async def test_a_session_goes_up_to_rcpt() -> None:
    async with host("220 hi", "250-hi\r\n250 PIPELINING", "250 ok", "250 2.1.5 yes") as found:
        reply = await probe(question(), "127.0.0.1", found.port)
    assert str(reply) == "250 2.1.5 yes"
    expected = ["EHLO mx.node.test", "MAIL FROM:<>", "RCPT TO:<b@y.test>", "QUIT"]
    assert found.heard == expected


async def test_helo_does_where_ehlo_is_unknown() -> None:
    async with host("220 hi", "502 what", "250 hi", "250 ok", "550 5.1.1 no") as found:
        reply = await probe(question(), "127.0.0.1", found.port)
    assert str(reply) == "550 5.1.1 no"
    assert found.heard[1] == "HELO mx.node.test"


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        (("554 go away",), "554 go away"),
        (("220 hi", "421 later"), "421 later"),
        (("220 hi", "250 hi", "550 5.7.1 no bounces"), "550 5.7.1 no bounces"),
        (("nonsense",), str(UNREADABLE)),
        ((), str(SHUT)),
    ],
)
async def test_the_first_no_is_the_answer(replies: tuple[str, ...], said: str) -> None:
    async with host(*replies) as found:
        assert str(await probe(question(), "127.0.0.1", found.port)) == said


async def test_who_says_nothing_or_is_not_there_is_not_waited_for() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await probe(question(0.05), "127.0.0.1", port) is SILENT
    server.close()
    await server.wait_closed()
    assert await probe(question(), "127.0.0.1", port) is SILENT


@pytest.mark.parametrize("recipient", ["a@b\r\nDATA", "a>b@c", "ü@x.test"])
async def test_what_would_be_another_command_is_not_said(recipient: str) -> None:
    async with host("220 hi") as found:
        reply = await probe(question(recipient=recipient), "127.0.0.1", found.port)
    assert reply is UNSAFE
    assert found.heard == []
