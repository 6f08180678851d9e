"""A client of HTTP as plain as can be, and a server of ours for it to talk to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from uvicorn.server import ServerState

import angarium.run.declared  # noqa: F401 - what is measured has its declaration
from angarium.lab.sink import stop_listening
from angarium.web.app import app
from angarium.web.guard import Manners, connections
from angarium.web.overview import History, Queue, Sample


class Watched:
    """What is looked at: one sample, and queues."""

    def __init__(self, sample: Sample, queues: Sequence[Queue] = ()) -> None:
        self.history = History()
        self.history.add(sample)
        self.known = queues

    def queues(self) -> Sequence[Queue]:
        return self.known


WELL = Sample.of(
    1000.0,
    {
        "supervisor": {"workers": 1, "generation": 3, "started": 900.0},
        "hose": {"hose_lag_seconds": 0.1},
        "worker 0": {"queued": 10, "delayed": 4, "in_flight": 1, "deliveries": 5},
    },
)


@contextlib.asynccontextmanager
async def connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and close at the end, whatever came of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def cut_off(reader: asyncio.StreamReader) -> bool:
    """Wait for the end of a connection; say whether nothing came before it."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 90) == b""
    return True


@dataclass
class Answer:
    """What came back."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


async def read(reader: asyncio.StreamReader, *, head: bool = False) -> Answer:
    """Read one answer."""
    line, *rows = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
    fields = {
        name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)
    }
    length = 0 if head else int(fields.get("content-length", "0"))
    return Answer(int(line.split()[1]), fields, await reader.readexactly(length))


async def ask(
    port: int,
    path: str,
    *,
    method: str = "GET",
    host: str = "127.0.0.1",
    more: str = "",
    content: bytes = b"",
) -> Answer:
    """Ask once, over a connection of its own."""
    async with connected(port) as (reader, writer):
        if content:
            more += f"Content-Length: {len(content)}\r\n"
        request = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n"
        writer.write(request.encode() + content)
        return await asyncio.wait_for(read(reader, head=method == "HEAD"), 90)


@contextlib.asynccontextmanager
async def serving(
    watched: Watched, hosts: Collection[str] = (), manners: Manners | None = None
) -> AsyncIterator[int]:
    """Serve on a free port, and return it."""
    about = {"node": "mx.node.test", "version": "1.2.3"}
    state = ServerState()
    met = Manners() if manners is None else manners
    made = connections(app(watched, about), hosts, state, lambda client: met)
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        await stop_listening(server)
        for each in list(state.connections):
            each.transport.abort()
