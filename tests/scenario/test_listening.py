"""How listeners listen: which of them, with what room, and who may open a Unix socket."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.borrowed import backlog, sockets
from helpers.world import World, reserved_port

LISTEN = """
  listen "127.0.0.1:{small}" {{ tcp_recv_buffer_size = 16384  tcp_send_buffer_size = 32768 }}
  listen "127.0.0.1:{short}" {{ listen_backlog = 7 }}
  listen "127.0.0.1:{off}" {{ enable = false }}
  listen "{path}" {{ file_mode = 0600 }}
"""


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        keepers = {each: stack.enter_context(reserved_port()) for each in ("small", "short", "off")}
        yield {name: keeper.getsockname()[1] for name, keeper in keepers.items()}


def where(each: socket.socket, name: Callable[[], object]) -> int:
    """Return the port which `name` (getsockname or getpeername) gives; 0 for other sockets."""
    try:
        found = name()
    except OSError:
        return 0
    inet = each.family == socket.AF_INET and isinstance(found, tuple)
    return int(found[1]) if inet and isinstance(found, tuple) else 0


def listening(each: socket.socket) -> bool:
    return bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def looked(pid: int, *at: int) -> tuple[dict[int, int], dict[int, tuple[int, ...]]]:
    """Connect to some ports; return the backlogs by port, and the buffers of the connections."""
    clients: dict[int, int] = {}  # their ports, to those they are connected to
    with ExitStack() as stack:
        for port in at:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            clients[client.getsockname()[1]] = port
            client.settimeout(90)
            assert client.recv(100).startswith(b"220")
        with sockets(pid) as held:
            rooms = {
                where(each, each.getsockname): backlog(each)
                for each in held
                if where(each, each.getsockname) and listening(each)
            }
            sizes = {
                clients[where(each, each.getpeername)]: tuple(
                    each.getsockopt(socket.SOL_SOCKET, kind)
                    for kind in (socket.SO_RCVBUF, socket.SO_SNDBUF)
                )
                for each in held
                if where(each, each.getpeername) in clients
            }
    return rooms, sizes


@pytest.mark.effect(
    "enable", "file_mode", "listen_backlog", "tcp_recv_buffer_size", "tcp_send_buffer_size"
)
async def test_each_listener_is_as_its_stanza_says(tmp_path: Path, ports: dict[str, int]) -> None:
    path = tmp_path / "smtp.sock"
    listener = LISTEN.format(path=path, **ports)
    async with World(tmp_path, listener=listener) as world:
        assert path.stat().st_mode & 0o777 == 0o600
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", ports["off"])) != 0
        [pid] = world.worker_pids()
        rooms, sizes = looked(pid, ports["small"], world.port)
        assert (rooms[ports["short"]], rooms[world.port] > 7) == (7, True)
        assert ports["off"] not in rooms
        # Linux doubles what is set, for what it needs itself.
        assert sizes[ports["small"]] == (32768, 65536)
        assert sizes[world.port] != (32768, 65536)
        world.listener = listener.replace("= 16384", "= 8192").replace("= 7", "= 9")
        await world.reload("")

        async def smaller() -> bool:
            rooms, sizes = looked(pid, ports["small"])
            return (rooms[ports["short"]], sizes[ports["small"]]) == (9, (16384, 65536))

        # "reloaded" is said when all have been told; the worker does it a little later.
        await world.eventually(smaller, "other buffers")
