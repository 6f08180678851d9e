"""First packets as the system keeps them, on real sockets."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from angarium.net.front import PROXIED
from angarium.net.savedsyn import save_syns, saved_syn, syn_of
from angarium.wire.proxy import Header
from angarium.wire.syn import parse


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def listening(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket(request.param) as sock:
        try:
            sock.bind(("127.0.0.1" if request.param == socket.AF_INET else "::1", 0))
        except OSError:
            pytest.skip("this machine has no such address")
        if not save_syns(sock, yes=True):
            pytest.skip("this system keeps no SYNs")
        sock.listen()
        yield sock


def accepted(listening: socket.socket) -> bytes:
    """Connect, and return what the system has kept of it."""
    with socket.create_connection(listening.getsockname()[:2]), listening.accept()[0] as connection:
        return saved_syn(connection)


def test_the_headers_of_a_syn_are_kept(listening: socket.socket) -> None:
    found = parse(accepted(listening))
    assert found is not None
    assert found.version == (4 if listening.family == socket.AF_INET else 6)
    assert "M" in found.layout


def test_none_is_kept_where_nobody_wants_them(listening: socket.socket) -> None:
    assert save_syns(listening, yes=False)
    assert accepted(listening) == b""


async def test_a_loop_gives_out_a_socket_which_has_it(listening: socket.socket) -> None:
    found: list[bytes] = []

    async def client(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.append(saved_syn(writer.get_extra_info("socket")))
        writer.close()

    server = await asyncio.start_server(client, sock=listening)
    reader, writer = await asyncio.open_connection(*listening.getsockname()[:2])
    assert await reader.read() == b""
    writer.close()
    server.close()
    assert parse(found[0]) is not None


def test_a_socket_of_unix_has_none() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert not save_syns(one, yes=True)
        assert save_syns(one, yes=False)
        assert saved_syn(one) == b""
    assert saved_syn(None) == b""


def test_a_system_without_it_says_no() -> None:
    closed = socket.socket()
    closed.close()
    assert not save_syns(closed, yes=True)


def test_a_client_behind_a_proxy_has_none() -> None:
    class Behind(asyncio.BaseTransport):
        def get_extra_info(self, name: str, default: object = None) -> object:
            return Header(12) if name == PROXIED else default

    assert syn_of(Behind()) == b""
    assert syn_of(asyncio.BaseTransport()) == b""
