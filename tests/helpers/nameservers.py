"""Name servers in memory, for a fake loop: what each does with a datagram is a function."""

import asyncio
from collections.abc import Callable

from angarium.net.dnssocket import Port
from angarium.net.resolvconf import Server
from angarium.wire import dns as wire

ONE, TWO = Server("192.0.2.1"), Server("192.0.2.2")
Reaction = Callable[[bytes], bytes | OSError | None]


def reply(query: bytes, rcode: int = 0, flags: int = 0x8180) -> bytes:
    section = query[12 : query.index(b"\0", 12) + 5]
    return query[:2] + (flags | rcode).to_bytes(2, "big") + b"\0\1" + b"\0" * 6 + section


def silent(_: bytes) -> None:
    return None


def servfail(query: bytes) -> bytes:
    return reply(query, wire.SERVFAIL)


class FakePort:
    def __init__(self, send: Callable[[bytes], None], opened: set["FakePort"]) -> None:
        self.send = send
        self._opened = opened
        opened.add(self)

    def close(self) -> None:
        self._opened.discard(self)


class FakeNetwork:
    """Servers in memory; what each does with a datagram is a function."""

    def __init__(self, loop: asyncio.AbstractEventLoop, **reactions: Reaction) -> None:
        self.loop = loop
        self.reactions: dict[Server, Reaction] = {
            ONE: reactions.get("one", reply),
            TWO: reactions.get("two", reply),
        }
        self.asked: list[Server] = []
        self.queries: list[bytes] = []
        self.opened: set[FakePort] = set()
        self.every_port: list[FakePort] = []
        self.stream: Reaction = reply
        self.down = False

    def open(
        self, server: Server, received: Callable[[bytes], None], failed: Callable[[OSError], None]
    ) -> Port:
        def send(data: bytes) -> None:
            if self.down:
                raise OSError("no network")
            self.asked.append(server)
            self.queries.append(data)
            result = self.reactions[server](data)
            if isinstance(result, OSError):
                self.loop.call_soon(failed, result)
            elif result is not None:
                self.loop.call_soon(received, result)

        port = FakePort(send, self.opened)
        self.every_port.append(port)
        return port

    async def exchange(self, server: Server, data: bytes) -> bytes:
        result = self.stream(data)
        if result is None:
            await self.loop.create_future()
        if isinstance(result, OSError):
            raise result
        assert isinstance(result, bytes)
        return result
