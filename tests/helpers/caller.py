"""A client of a real server, as well or as badly behaved as the test wants.

    async with world.call() as caller:           the banner has been read, and EHLO said
        assert await caller.say("NOOP") == "250 2.0.0 OK"
        await caller.put(b"MAIL FROM:<a@b.test>\\r\\nRCPT TO:...")      octets, nothing is read
        assert await caller.rest() == ...                          all until the server closes

A reply is returned whole, its lines joined by "\\n". Everything waits at most `PATIENCE` seconds.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

PATIENCE: Final = 90.0
_RESET: Final = struct.pack("ii", 1, 0)


def stuffed(content: bytes) -> bytes:
    """Return a content, whose last line is whole, as it goes over the wire after DATA."""
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


class Caller:
    """One connection. `banner` and `greeting` are what the server said first."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.banner = ""
        self.greeting = ""

    async def put(self, data: bytes) -> None:
        """Send octets; returns when the kernel has them, or most of them."""
        self._writer.write(data)
        await asyncio.wait_for(self._writer.drain(), PATIENCE)

    async def line(self) -> str:
        """Read one line; "" at the end."""
        line = await asyncio.wait_for(self._reader.readline(), PATIENCE)
        return line.decode("utf-8", "backslashreplace").removesuffix("\r\n")

    async def reply(self) -> str:
        """Read one reply; "" if the server has closed."""
        lines = [await self.line()]
        while lines[-1][3:4] == "-":
            lines.append(await self.line())
        return "\n".join(lines)

    async def replies(self, count: int) -> list[str]:
        return [await self.reply() for _ in range(count)]

    async def say(self, line: str) -> str:
        """Send a command, read its reply."""
        await self.put(line.encode() + b"\r\n")
        return await self.reply()

    async def envelope(self, sender: str, *recipients: str, parameters: str = "") -> str:
        """Say MAIL and RCPTs; return the first refusal, or the last reply.

        A recipient may be followed by a space and its own parameters.
        """
        reply = await self.say(f"MAIL FROM:<{sender}>{' ' if parameters else ''}{parameters}")
        for each in recipients:
            if not reply.startswith("2"):
                break
            address, _, options = each.partition(" ")
            reply = await self.say(f"RCPT TO:<{address}>{' ' if options else ''}{options}")
        return reply

    async def data(self, content: bytes) -> str:
        """Send a content by DATA, framed here; return the reply to it, or the refusal of DATA."""
        reply = await self.say("DATA")
        return await self.finish(stuffed(content)) if reply.startswith("3") else reply

    async def raw(self, octets: bytes) -> str:
        """Send octets after DATA which end the content as they may; return the reply."""
        reply = await self.say("DATA")
        return await self.finish(octets) if reply.startswith("3") else reply

    async def finish(self, octets: bytes) -> str:
        await self.put(octets)
        return await self.reply()

    async def deliver(
        self, content: bytes, to: str, sender: str = "a@sender.test", parameters: str = ""
    ) -> str:
        """Send one message by DATA; return the last reply."""
        reply = await self.envelope(sender, to, parameters=parameters)
        return await self.data(content) if reply.startswith("2") else reply

    async def rest(self) -> bytes:
        """Read until the server closes; a reset ends it too."""
        got = b""
        try:
            while piece := await asyncio.wait_for(self._reader.read(65536), PATIENCE):
                got += piece
        except ConnectionError:
            pass
        return got

    def half_close(self) -> None:
        """Say that nothing follows, and go on reading."""
        self._writer.write_eof()

    def pause(self) -> None:
        """Read nothing from now on: what the server says fills its buffers, and soon."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def reset(self) -> None:
        """Go away with a reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def calling(
    port: int,
    source: str = "127.0.0.1",
    hello: str = "EHLO peer.test",
    to: str = "127.0.0.1",
) -> AsyncIterator[Caller]:
    """Connect, from one of the addresses of the loopback network, and say hello.

    Args:
        hello: "" for not even reading the banner.
    """
    reader, writer = await asyncio.wait_for(
        asyncio.open_connection(to, port, local_addr=(source, 0)), PATIENCE
    )
    caller = Caller(reader, writer)
    try:
        if hello:
            caller.banner = await caller.reply()
            caller.greeting = await caller.say(hello)
        yield caller
    finally:
        writer.close()
        # Its loop may end with the test, and what is not closed by then is found in another one.
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), PATIENCE)
