"""Protocols behind TLS, over real sockets: when they are made, and for whom they never are."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from angarium.lab.sink import stop_listening
from angarium.net.front import Hall
from angarium.net.tls.contexts import Context
from angarium.net.tls.entrance import Threshold
from angarium.net.tls.errors import Trouble
from angarium.net.tls.facts import Facts
from angarium.net.tls.handshakes import Handshakes
from angarium.wire.proxy import encode_line
from helpers.certificates import client_context, server

PATIENCE = 90


class Echo(asyncio.Protocol):
    """Says who it speaks to, and what it hears."""

    def __init__(self, made: list["Echo"]) -> None:
        self.transport: asyncio.Transport
        made.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        secure = transport.get_extra_info("ssl_object") is not None
        transport.write(f"{transport.get_extra_info('peername')[0]} {secure}\n".encode())

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Place:
    """A listening socket."""

    def __init__(self, context: Context | None, most: int = 10) -> None:
        self.context = context
        self.begins = True
        self.asked: list[str] = []
        self.outcomes: list[Facts | Trouble] = []
        self.made: list[Echo] = []
        self.handshakes = Handshakes(asyncio.get_running_loop(), most)
        self.threshold = Threshold(self._begins, self._context, self.handshakes, self._done)
        self.port = 0

    def _begins(self, address: str) -> bool:
        self.asked.append(address)
        return self.begins

    def _context(self, address: str) -> Context | None:
        return self.context

    def _done(self, outcome: Facts | Trouble) -> None:
        self.outcomes.append(outcome)

    async def call(
        self, context: ssl.SSLContext | None = None, header: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(header)
        if context is not None:
            await writer.start_tls(context, server_hostname="mx.example.com")
        return reader, writer


@contextlib.asynccontextmanager
async def listening(
    folder: Path, most: int = 10, *, hall: Hall | None = None
) -> AsyncIterator[Place]:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server().write(folder, "own"))
    place = Place(context, most)
    made = place.threshold.before(lambda: Echo(place.made))
    if hall is not None:
        made = hall.fronted(made)  # type: ignore[assignment]
    opened = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    place.port = opened.sockets[0].getsockname()[1]
    try:
        yield place
    finally:
        for each in place.made:
            each.transport.abort()
        await stop_listening(opened)


async def test_the_protocol_is_made_when_the_connection_is_secure(tmp_path: Path) -> None:
    async with listening(tmp_path) as place:
        reader, writer = await place.call()
        # A first octet of a handshake, and no protocol yet.
        writer.write(b"\x16")
        await until(lambda: place.handshakes.under_way == 1)
        assert not place.made
        writer.close()
        await until(lambda: place.outcomes == [Trouble.CLOSED])
        assert not place.made
        reader, writer = await place.call(client_context())
        assert await line(reader) == "127.0.0.1 True"
        writer.write(b"hello\n")
        assert await line(reader) == "hello"
        assert isinstance(place.outcomes[-1], Facts)
        assert place.asked == ["127.0.0.1", "127.0.0.1"]
        writer.close()


async def test_who_need_not_begin_with_tls_has_the_connection_as_it_is(tmp_path: Path) -> None:
    async with listening(tmp_path) as place:
        place.begins = False
        reader, writer = await place.call()
        assert await line(reader) == "127.0.0.1 False"
        assert not place.outcomes
        writer.close()


async def test_without_a_certificate_nobody_is_spoken_to_in_clear_instead(tmp_path: Path) -> None:
    async with listening(tmp_path) as place:
        place.context = None
        reader, writer = await place.call()
        assert await reader.read() == b""
        assert not place.made
        writer.close()


async def test_what_is_no_handshake_is_told_by_its_kind(tmp_path: Path) -> None:
    async with listening(tmp_path) as place:
        reader, writer = await place.call()
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), PATIENCE)
        await until(lambda: place.outcomes == [Trouble.PROTOCOL])
        assert not place.made
        writer.close()


async def test_of_too_many_young_handshakes_the_next_is_turned_away(tmp_path: Path) -> None:
    async with listening(tmp_path, most=1) as place:
        place.handshakes._loop = Frozen()  # type: ignore[assignment]
        _, first = await place.call()
        await until(lambda: place.handshakes.under_way == 1)
        reader, second = await place.call()
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert place.outcomes == [Trouble.CROWDED]
        first.close()
        second.close()


async def test_the_header_of_a_proxy_comes_first_and_says_who_asks(tmp_path: Path) -> None:
    hall = Hall(lambda _address: 60.0, most=4)
    async with listening(tmp_path, hall=hall) as place:
        header = encode_line(("192.0.2.9", 40000), ("198.51.100.1", 443))
        reader, writer = await place.call(client_context(), header)
        assert await line(reader) == "192.0.2.9 True"
        assert place.asked == ["192.0.2.9"]
        writer.close()


class Frozen:
    """A clock which stands still."""

    def time(self) -> float:
        return 0.0

    def call_soon(self, *_: object) -> None:
        """Nothing goes on."""


async def line(reader: asyncio.StreamReader) -> str:
    return (await asyncio.wait_for(reader.readline(), PATIENCE)).decode().rstrip("\n")


async def until(holds: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not holds():
        assert loop.time() < end
        await asyncio.sleep(0.005)
