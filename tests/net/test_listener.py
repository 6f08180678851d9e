"""Listeners on real sockets, some of them on one socket as workers are."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from angarium.net.listener import Listener


class Greeter(asyncio.Protocol):
    def __init__(self, made: list["Greeter"]) -> None:
        made.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 here\r\n")


class ShortSocket(socket.socket):
    """Fails to accept, so many times, as if no descriptor were left."""

    short = 0
    code = errno.EMFILE

    def accept(self) -> tuple[socket.socket, object]:
        if self.short:
            self.short -= 1
            raise OSError(self.code, "short")
        return super().accept()


class Bench:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.listeners: list[Listener] = []
        self.made: list[Greeter] = []

    def listener(self, **options: object) -> Listener:
        loop = asyncio.get_running_loop()
        made = Listener(self.sock, loop, lambda: Greeter(self.made), **options)  # type: ignore[arg-type]
        self.listeners.append(made)
        made.start()
        return made

    async def connect(self) -> bytes:
        if self.sock.family == socket.AF_UNIX:
            reader, writer = await asyncio.open_unix_connection(self.sock.getsockname())
        else:
            reader, writer = await asyncio.open_connection(*self.sock.getsockname()[:2])
        try:
            return await asyncio.wait_for(reader.readline(), 90)
        finally:
            writer.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    sock = ShortSocket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(64)
    made = Bench(sock)
    yield made
    for listener in made.listeners:
        listener.stop()
    for each in made.made:
        each.transport.abort()
    sock.close()


async def test_a_connection_gets_a_protocol(bench: Bench) -> None:
    listener = bench.listener()
    assert await bench.connect() == b"220 here\r\n"
    assert listener.accepted == 1


async def test_a_unix_socket_is_accepted_on_as_well(tmp_path: Path) -> None:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(tmp_path / "s"))
    sock.listen()
    bench = Bench(sock)
    listener = bench.listener()
    assert await bench.connect() == b"220 here\r\n"
    listener.close()


async def test_who_wants_first_packets_is_told_once_where_the_system_keeps_none(
    tmp_path: Path,
) -> None:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(tmp_path / "s"))
    sock.listen()
    told: list[str] = []
    listener = Bench(sock).listener(tell=told.append)
    for yes in (False, True, True, False):
        listener.save_syns(yes=yes)
    listener.close()
    assert told == ["the system does not keep the first packets of connections"]


async def test_a_worker_which_has_enough_leaves_it_to_another(bench: Bench) -> None:
    full = bench.listener(may_accept=lambda: False)
    loop = asyncio.get_running_loop()
    other_sock = bench.sock.dup()
    other = Listener(other_sock, loop, lambda: Greeter(bench.made))
    other.start()
    try:
        assert [await bench.connect() for _ in range(5)] == [b"220 here\r\n"] * 5
    finally:
        other.close()
    assert (full.accepted, other.accepted) == (0, 5)


async def test_the_gate_is_asked_again_soon(bench: Bench) -> None:
    answers = [True, False, False]
    listener = bench.listener(may_accept=answers.pop)
    assert await bench.connect() == b"220 here\r\n"
    assert listener.gated == 2


async def test_without_descriptors_a_client_is_told_and_the_next_one_served(bench: Bench) -> None:
    assert isinstance(bench.sock, ShortSocket)
    bench.sock.short = 1
    listener = bench.listener(refusal=b"421 4.3.2 try later\r\n")
    assert await bench.connect() == b"421 4.3.2 try later\r\n"
    assert await bench.connect() == b"220 here\r\n"
    assert (listener.refused, listener.accepted) == (1, 1)


async def test_who_would_take_the_last_descriptors_is_told_and_the_next_one_served(
    bench: Bench,
) -> None:
    answers = [False, True]
    listener = bench.listener(refusal=b"421 4.3.2 try later\r\n", full=answers.pop)
    assert await bench.connect() == b"421 4.3.2 try later\r\n"
    assert await bench.connect() == b"220 here\r\n"
    assert (listener.refused, listener.accepted) == (1, 1)


@pytest.mark.parametrize("code", [errno.ECONNABORTED, errno.ENOMEM, errno.EPROTO])
async def test_other_failures_of_accept_leave_the_connection_to_the_next_turn(
    bench: Bench, code: int
) -> None:
    assert isinstance(bench.sock, ShortSocket)
    bench.sock.short, bench.sock.code = 1, code
    bench.listener()
    assert await bench.connect() == b"220 here\r\n"


async def test_after_stop_the_socket_still_holds_connections_for_others(bench: Bench) -> None:
    listener = bench.listener()
    listener.stop()
    reader, writer = await asyncio.open_connection(*bench.sock.getsockname())
    listener.start()
    assert await reader.readline() == b"220 here\r\n"
    writer.close()


async def test_connections_spread_evenly_over_two_by_the_gate(bench: Bench) -> None:
    counts = [0, 0]

    def listener(which: int) -> Listener:
        def factory() -> Greeter:
            counts[which] += 1
            return Greeter(bench.made)

        def may_accept() -> bool:
            return counts[which] <= sum(counts) / 2

        return Listener(bench.sock.dup(), asyncio.get_running_loop(), factory, may_accept)

    both = [listener(0), listener(1)]
    for each in both:
        each.start()
    for _ in range(12):
        await bench.connect()
    for each in both:
        each.close()
    assert abs(counts[0] - counts[1]) <= 2
