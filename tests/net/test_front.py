"""Fronts on real sockets and on a fake transport: the header, and then the protocol behind it."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
import uvloop

from angarium.net.front import PROXIED, Front, Hall, Seat
from angarium.net.listener import Listener
from angarium.wire.proxy import SIGNATURE, encode, encode_line

SOURCE, DESTINATION = ("192.0.2.9", 40000), ("198.51.100.1", 25)


class Echo(asyncio.Protocol):
    """Says who is there, then gives back what it hears."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.transport.write(f"220 {peer[0]} {peer[1]}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Silent(Echo):
    """Reads nothing until it is told to."""

    heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.heard += data


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(90):
        while not true():  # noqa: ASYNC110 - nobody would set an event
            await asyncio.sleep(0.005)


class Bench:
    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.hall = self.hall_of(lambda _: 30.0)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.made: list[Echo] = []
        self.kind: type[Echo] = Echo
        self.listener = Listener(self.sock, asyncio.get_running_loop(), self._front)
        self.listener.start()

    def hall_of(self, seconds: Callable[[str], float | None], **more: Any) -> Hall:
        return Hall(seconds, most=more.pop("most", 8), note=self._note, **more)

    def _note(self, outcome: str) -> None:
        self.outcomes[outcome] += 1

    def _front(self) -> Front:
        return cast(Front, self.hall.fronted(self._protocol)())

    def _protocol(self) -> Echo:
        self.made.append(self.kind())
        return self.made[-1]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.sock.getsockname())

    async def until(self, outcome: str) -> None:
        await until(lambda: self.outcomes[outcome])


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.listener.close()
    for each in made.made:
        each.transport.abort()


async def heard(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readline(), 90)


@pytest.mark.parametrize("octets", [encode(SOURCE, DESTINATION), encode_line(SOURCE, DESTINATION)])
async def test_the_protocol_sees_the_client_and_what_it_says(bench: Bench, octets: bytes) -> None:
    reader, writer = await bench.connect()
    writer.write(octets + b"EHLO x\r\n")
    assert await heard(reader) == b"220 192.0.2.9 40000\r\n"
    assert await heard(reader) == b"EHLO x\r\n"
    writer.write(b"more\r\n")
    assert await heard(reader) == b"more\r\n"
    transport = bench.made[0].transport
    assert transport.get_extra_info("sockname") == DESTINATION
    assert transport.get_extra_info(PROXIED).source == SOURCE
    assert transport.get_extra_info("socket") is not None
    assert transport.get_protocol() is bench.made[0]
    assert transport.is_reading()
    assert transport.can_write_eof()
    assert transport.get_write_buffer_size() == 0
    transport.set_write_buffer_limits(high=1000)
    assert transport.get_write_buffer_limits()[1] == 1000
    transport.writelines([b"all ", b"said\r\n"])
    transport.write_eof()
    assert await heard(reader) == b"all said\r\n"
    assert await heard(reader) == b""
    transport.close()
    assert transport.is_closing()
    writer.close()
    assert bench.outcomes == {"client": 1}
    assert not bench.hall.waiting


async def test_a_header_may_come_octet_by_octet(bench: Bench) -> None:
    reader, writer = await bench.connect()
    for octet in encode(SOURCE, DESTINATION):
        writer.write(bytes([octet]))
        await asyncio.sleep(0)
    assert await heard(reader) == b"220 192.0.2.9 40000\r\n"
    writer.close()


async def test_without_a_header_nothing_is_said_and_nothing_made(bench: Bench) -> None:
    reader, writer = await bench.connect()
    writer.write(b"EHLO x\r\n")
    assert await heard(reader) == b""
    assert bench.made == []
    assert bench.outcomes == {"bad": 1}
    writer.close()


async def test_a_header_that_does_not_come_in_time_ends_the_connection(bench: Bench) -> None:
    bench.hall = bench.hall_of(lambda _: 0.01)
    reader, writer = await bench.connect()
    writer.write(SIGNATURE)
    assert await heard(reader) == b""
    assert bench.outcomes == {"late": 1}
    assert bench.made == []
    writer.close()


async def test_a_client_that_goes_before_is_forgotten(bench: Bench) -> None:
    bench.hall = bench.hall_of(lambda _: 0.0)  # without a limit of time
    _, writer = await bench.connect()
    writer.write(SIGNATURE)
    writer.close()
    await bench.until("closed")
    assert not bench.hall.waiting


async def test_who_need_not_is_not_asked(bench: Bench) -> None:
    asked: list[str] = []
    bench.hall = bench.hall_of(asked.append)  # it returns None
    reader, writer = await bench.connect()
    assert (await heard(reader)).startswith(b"220 127.0.0.1 ")
    assert asked == ["127.0.0.1"]
    assert bench.outcomes == {}
    writer.close()


async def test_a_proxy_may_speak_for_itself(bench: Bench) -> None:
    reader, writer = await bench.connect()
    writer.write(SIGNATURE + b"\x20\0\0\0")
    assert (await heard(reader)).startswith(b"220 127.0.0.1 ")
    assert bench.outcomes == {"unnamed": 1}
    writer.close()


async def test_only_so_many_wait_at_once(bench: Bench) -> None:
    bench.hall = bench.hall_of(lambda _: 0.0, most=1)
    first_reader, first = await bench.connect()
    first.write(SIGNATURE)
    reader, writer = await bench.connect()
    closed = {asyncio.ensure_future(heard(each)) for each in (first_reader, reader)}
    _, pending = await asyncio.wait(closed, return_when=asyncio.FIRST_COMPLETED, timeout=90)
    assert len(pending) == 1
    assert bench.outcomes == {"crowded": 1}
    bench.hall.close()  # and what waits is closed with the hall
    await asyncio.wait(pending, timeout=90)
    assert bench.outcomes == {"crowded": 1, "closed": 1}
    for each in (first, writer):
        each.close()


class Chair:
    def __init__(self, taken: list[str], address: str) -> None:
        self.taken, self.address = taken, address
        taken.append(address)

    def leave(self) -> None:
        self.taken.remove(self.address)


async def test_who_waits_has_a_seat_and_gives_it_back(bench: Bench) -> None:
    taken: list[str] = []

    def seat(address: str) -> Seat | None:
        return Chair(taken, address) if not taken else None

    bench.hall = bench.hall_of(lambda _: 0.0, seat=seat)
    reader, writer = await bench.connect()
    await until(lambda: taken)
    late_reader, late = await bench.connect()
    assert await heard(late_reader) == b""  # there is one seat
    assert bench.outcomes == {"crowded": 1}
    writer.write(encode(SOURCE, DESTINATION))
    assert await heard(reader) == b"220 192.0.2.9 40000\r\n"
    assert taken == []
    for each in (writer, late):
        each.close()


async def test_what_came_behind_the_header_waits_until_it_is_read(bench: Bench) -> None:
    bench.kind = Silent
    _, writer = await bench.connect()
    writer.write(encode(SOURCE, DESTINATION) + b"EHLO x\r\n")
    await bench.until("client")
    made = cast(Silent, bench.made[0])
    assert made.heard == b""
    made.transport.resume_reading()
    await until(lambda: made.heard)
    writer.write(b"NOOP\r\n")
    await until(lambda: made.heard == b"EHLO x\r\nNOOP\r\n")
    writer.close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_both_loops_let_the_protocol_be_another_one(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def dialogue(kind: type[Echo]) -> None:
        bench = Bench()
        bench.kind = kind
        reader, writer = await bench.connect()
        writer.write(encode(SOURCE, DESTINATION) + b"EHLO x\r\n")
        if kind is Silent:
            await bench.until("client")
            bench.made[0].transport.resume_reading()
            await until(lambda: cast(Silent, bench.made[0]).heard == b"EHLO x\r\n")
        else:
            assert await heard(reader) == b"220 192.0.2.9 40000\r\n"
            assert await heard(reader) == b"EHLO x\r\n"
        bench.listener.close()
        writer.close()
        bench.made[0].transport.abort()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(dialogue(Echo))
        runner.run(dialogue(Silent))
