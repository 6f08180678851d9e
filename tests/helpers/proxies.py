"""Proxies of tests: HAProxy as it is for `ha_proxy_server`, and a server of SOCKS 5.

Both connect where they are told and carry octets both ways. They share no line with what is
tested: headers and requests are taken apart here, by struct.
"""

import asyncio
import contextlib
import ipaddress
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
Place = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _same(place: Place) -> Place:
    return place


class Proxy:
    """A proxy on a port of this machine.

    Attributes:
        asked: where it was told to connect; HAProxy: as who.
        mood: "works", "deaf" (reads, says nothing), "closes" (at once), "babbles".
        place: where it really connects, for a place it is told.
    """

    def __init__(self) -> None:
        self.asked: list[Place] = []
        self.sources: list[Place] = []
        self.mood = "works"
        self.place: Callable[[Place], Place] = _same
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Take connections, at the port it had before."""
        self._server = await asyncio.start_server(self._came, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take none, and end those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for each in list(self._tasks):
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._served(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.mood == "babbles":
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            if self.mood == "works":
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    await self.serve(reader, writer)
            elif self.mood != "closes":
                await reader.read()
        finally:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    async def carry(self, here: Streams, there: Streams) -> None:
        try:
            await asyncio.gather(_carry(here[0], there[1]), _carry(there[0], here[1]))
        finally:
            there[1].close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class HaProxy(Proxy):
    """`accept-proxy`, and a server 0.0.0.0: it goes where the header says."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(16)
        assert head[:12] == SIGNATURE
        command, family, size = struct.unpack("!BBH", head[12:])
        assert command == 0x21
        block = await reader.readexactly(size)
        octets = {0x11: 4, 0x21: 16}[family]
        ports = struct.unpack("!HH", block[2 * octets : 2 * octets + 4])
        source = str(ipaddress.ip_address(block[:octets]))
        destination = str(ipaddress.ip_address(block[octets : 2 * octets])), ports[1]
        self.sources.append((source, ports[0]))
        self.asked.append(destination)
        there = await asyncio.open_connection(*self.place(destination))
        await self.carry((reader, writer), there)


class Socks(Proxy):
    """RFC 1928. Attributes: user: whom it lets in; None: everybody. code: its answer to all."""

    user: tuple[str, str] | None = None
    code = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, count = await reader.readexactly(2)
        assert version == 5
        methods = await reader.readexactly(count)
        method = 0 if self.user is None else 2
        writer.write(bytes([5, method if method in methods else 0xFF]))
        if method not in methods:
            return
        if self.user is not None:
            await reader.readexactly(1)
            name = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            known = (name.decode(), password.decode()) == self.user
            writer.write(bytes([1, not known]))
            if not known:
                return
        _, command, _, kind = await reader.readexactly(4)
        assert command == 1
        address = ipaddress.ip_address(await reader.readexactly({1: 4, 4: 16}[kind]))
        port = struct.unpack("!H", await reader.readexactly(2))[0]
        self.asked.append((str(address), port))
        if self.code:
            writer.write(bytes([5, self.code, 0, 1]) + bytes(6))
            return
        there = await asyncio.open_connection(*self.place((str(address), port)))
        writer.write(b"\5\0\0\1" + bytes([127, 0, 0, 9]) + struct.pack("!H", 4000))
        await self.carry((reader, writer), there)


@asynccontextmanager
async def running(proxy: Proxy) -> AsyncIterator[Proxy]:
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.stop()
