"""Sessions on real sockets: what a loop and a kernel do with hostile peers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from angarium.inbound.smtp import SmtpSession
from angarium.net.sweep import Sweep
from helpers.reception import LISTEN, Desk

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]
CONTENT = b"Subject: x\r\n\r\ntext\r\n.\r\n"


class Server:
    """A listener whose sessions share a Desk; nothing but the mail is fake."""

    def __init__(self, listener: str = "") -> None:
        self.desk = Desk(listener=listener)
        self.peers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        services = self.desk.services
        services.loop = loop
        services.sweep = Sweep(self.desk.clock)
        self.server = await loop.create_server(
            lambda: SmtpSession(services, LISTEN), "127.0.0.1", 0
        )
        self.port: int = self.server.sockets[0].getsockname()[1]

    async def connect(self, **how: Any) -> Peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **how)
        self.peers.append(writer)
        assert (await reader.readline()).startswith(b"220 ")
        return reader, writer

    async def stop(self) -> None:
        for each in self.peers:
            each.close()
        self.server.close()
        for session in list(self.desk.services.sessions):
            session.abort()
        await self.server.wait_closed()
        await self.forgotten()

    async def forgotten(self) -> None:
        """Wait until no session is left."""
        for _ in range(10_000):
            if not self.desk.services.sessions:
                return
            await asyncio.sleep(0)
        raise AssertionError("a session stays")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server("max_idle_commands = 0")
    await made.start()
    yield made
    await made.stop()


async def deliver(peer: Peer) -> bytes:
    reader, writer = peer
    writer.write(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n" + CONTENT)
    for _ in range(3):
        await reader.readline()
    return await reader.readline()


async def test_a_message_goes_through(server: Server) -> None:
    peer = await server.connect()
    assert (await deliver(peer)).startswith(b"250 2.0.0 OK ")
    peer[1].write(b"QUIT\r\n")
    assert (await peer[0].readline()).startswith(b"221 ")
    assert await peer[0].read() == b""


async def test_who_half_closes_gets_the_answer_and_the_end(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n" + CONTENT)
    writer.write_eof()
    assert (await reader.read()).splitlines()[-1].startswith(b"250 2.0.0 OK ")


async def test_who_floods_and_never_reads_costs_its_own_connection_only(server: Server) -> None:
    sock = socket.create_connection(("127.0.0.1", server.port))
    sock.setblocking(False)
    sent, loop = 0, asyncio.get_running_loop()
    for _ in range(400):
        try:
            sent += sock.send(b"HELP\r\n" * 20000)
        except BlockingIOError:
            await asyncio.sleep(0)
    # Buffers of the kernel aside, the server has stopped to take octets, and answers others.
    [flooded] = server.desk.services.sessions
    taken = flooded.received
    for _ in range(20):
        await asyncio.sleep(0)
    assert flooded.received == taken
    assert flooded.stuck
    assert (await deliver(await server.connect())).startswith(b"250 ")
    assert loop.is_running()
    sock.close()


async def test_who_resets_in_the_middle_is_forgotten(server: Server) -> None:
    for said in (b"MAIL FROM:<>\r\n", b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nSubj"):
        _, writer = await server.connect()
        writer.write(said)
        await writer.drain()
        await asyncio.sleep(0)
        writer.transport.abort()
    await server.forgotten()
    assert not server.desk.admit.taken


async def test_the_last_words_reach_a_peer_which_goes_on_sending(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(b"FROB\r\n" * 5000)
    said = (await reader.read()).splitlines()
    assert said[-1] == b"421 4.7.0 too many errors"
    assert len(said) == 22
