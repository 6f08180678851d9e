import asyncio
import itertools
import socket
from collections.abc import Iterator

import pytest

from angarium.net.dnssocket import AT_ONCE, Sockets
from angarium.net.resolvconf import Server


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


def sockets() -> Sockets:
    return Sockets(asyncio.get_running_loop(), 65536, 65536)


def at(sock: socket.socket) -> Server:
    return Server("127.0.0.1", sock.getsockname()[1])


def never(error: OSError) -> None:
    raise AssertionError(error)


async def test_an_answer_comes_from_the_server_or_not_at_all(server: socket.socket) -> None:
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    port = sockets().open(at(server), answers.put_nowait, never)
    port.send(b"question")
    _, client = server.recvfrom(100)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
        forger.sendto(b"forged", client)
    server.sendto(b"answer", client)
    assert await asyncio.wait_for(answers.get(), 90) == b"answer"
    assert answers.empty()
    port.close()
    port.close()


async def test_ports_are_not_the_next_one(server: socket.socket) -> None:
    opened = [sockets().open(at(server), lambda data: None, never) for _ in range(8)]
    seen = []
    for port in opened:
        port.send(b"?")
        seen.append(server.recvfrom(10)[1][1])
        port.close()
    steps = {after - before for before, after in itertools.pairwise(seen)}
    assert len(set(seen)) == 8
    assert steps != {1}
    assert steps != {2}


async def test_nobody_there_is_told_at_once(server: socket.socket) -> None:
    where = at(server)
    server.close()
    failed: asyncio.Queue[OSError] = asyncio.Queue()
    port = sockets().open(where, lambda data: None, failed.put_nowait)
    port.send(b"question")
    assert isinstance(await asyncio.wait_for(failed.get(), 90), ConnectionRefusedError)
    port.close()


async def test_a_flood_leaves_the_loop_to_others(server: socket.socket) -> None:
    answers: list[bytes] = []
    port = sockets().open(at(server), answers.append, never)
    port.send(b"question")
    _, client = server.recvfrom(100)
    for _ in range(3 * AT_ONCE):
        server.sendto(b"flood", client)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(answers) <= 2 * AT_ONCE
    port.close()


async def test_a_long_answer_comes_by_tcp_in_any_pieces() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        answer = (await reader.readexactly(size)) * 300
        octets = len(answer).to_bytes(2, "big") + answer
        for piece in (octets[:1], octets[1:5], octets[5:]):
            writer.write(piece)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as tcp:
        where = Server("127.0.0.1", tcp.sockets[0].getsockname()[1])
        assert await sockets().exchange(where, b"question") == b"question" * 300


async def test_a_server_which_closes_without_an_answer_is_an_error() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as tcp:
        where = Server("127.0.0.1", tcp.sockets[0].getsockname()[1])
        with pytest.raises((EOFError, OSError)):
            await sockets().exchange(where, b"question")
