"""Consoles which connect by one socket: who comes is looked at, greeted, and asked what he wants.

The rule: a client costs a bounded amount of memory and is waited for a bounded time; what he asks
takes its time beside the loop, so nothing here keeps the supervisor from its children.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from angarium.console.access import Peer, by_credentials
from angarium.console.client import SOCKET, Name
from angarium.console.node import Node
from angarium.console.server import Server
from angarium.console.session import Session
from angarium.run.conversation import Conversation, send
from angarium.run.options import Node as NodeOptions
from angarium.run.sockets import user_of
from angarium.wire.control import VERSION, Bye, Greeting, line

MODE: Final = 0o600
BACKLOG: Final = 64
MAX_CLIENTS: Final = 32
IDLE_SECONDS: Final = 3600.0  # a console left open ends, and its transaction with it
_READ: Final = 64 << 10

Identify = Callable[[socket.socket], Peer | None]
Factory = Callable[[], asyncio.BaseProtocol]


def _nothing(factory: Factory) -> Factory:
    return factory


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who was let in, and how long he may say nothing; 0: for ever."""

    peer: Peer
    idle_seconds: float


class Door(Protocol):
    """Who decides about clients of a socket."""

    @property
    def most(self) -> int:
        """Return how many may be connected at once."""
        ...

    def admit(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: Greeting
    ) -> Awaitable[Guest | None]:
        """Greet a client; return who he is, None after the last word to him."""
        ...


def opened(folder: Path) -> socket.socket:
    """Return the listening socket, in place of one whose server is gone. Raises OSError.

    The lock of the state directory is ours, so nobody else listens there.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(folder / SOCKET)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        os.fchmod(made.fileno(), MODE)  # before it has a name: there is no moment without it
        with Name(folder) as name:
            made.bind(name)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def by_kernel(endpoint: str) -> Identify:
    """Return what asks the kernel who is at the other end of a Unix socket."""
    return lambda connection: by_credentials(user_of(connection), os.geteuid(), endpoint)


class OwnDoor:
    """That of the state directory, which is there also where no Control_Listener is configured."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify

    @property
    def most(self) -> int:
        return MAX_CLIENTS

    async def admit(
        self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: Greeting
    ) -> Guest | None:
        peer = self._identify(writer.get_extra_info("socket"))
        if peer is None:
            await send(writer, line(Bye("only the user of the server and root may connect")))
            return None
        greeting = Greeting(greeting.version, greeting.release, peer.user, greeting.patience)
        await send(writer, line(greeting))
        return Guest(peer, IDLE_SECONDS)


class Control:
    """The consoles of one socket.

    Args:
        listening: the socket, ours to close.
        front: puts before the protocol of a connection what reads a PROXY header.
    """

    def __init__(
        self,
        listening: socket.socket,
        server: Server,
        node: Node,
        door: Door,
        log: Any,
        front: Callable[[Factory], Factory] = _nothing,
    ) -> None:
        self._listening = listening
        self._server = server
        self._node = node
        self._door = door
        self._log = log
        self._front = front
        self._clients: set[asyncio.Task[None]] = set()
        self._taken = 0
        self._accepting: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        made: Any = self._front(self._protocol)
        if self._listening.family == socket.AF_UNIX:
            self._accepting = await loop.create_unix_server(made, sock=self._listening)
        else:
            self._accepting = await loop.create_server(made, sock=self._listening)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=_READ), self._connected)

    @property
    def descriptor(self) -> int:
        """Return the listening socket, for the program which takes our place."""
        return self._listening.fileno()

    def close(self) -> None:
        """End all sessions. What is being brought into force comes into force."""
        if self._accepting is not None:
            self._accepting.close()
        for client in self._clients:
            client.cancel()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Of a burst the first ones have a place; who is only told that there is none takes none.
        place = self._taken < self._door.most
        self._taken += place
        serve = self._served if place else self._sent_away
        client = asyncio.ensure_future(serve(reader, writer))
        self._clients.add(client)
        client.add_done_callback(partial(self._gone, writer, place))

    def _gone(self, writer: asyncio.StreamWriter, place: int, client: asyncio.Task[None]) -> None:
        self._clients.discard(client)
        self._taken -= place
        writer.close()
        if client.cancelled() or (error := client.exception()) is None:
            return
        if not isinstance(error, OSError | TimeoutError):
            # A bug in a command costs its session, and nobody else anything.
            self._log.error("console session failed", exc_info=error)

    async def _sent_away(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reason = f"{self._door.most} consoles are open, no more are allowed"
        await send(writer, line(Bye(reason)))

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        patience = self._server.live.configuration.top(NodeOptions).control_client_timeout
        greeting = Greeting(VERSION, self._node.release, "", patience)
        guest = await self._door.admit(reader, writer, greeting)
        if guest is not None:
            session = Session(self._server, guest.peer, self._node)
            conversation = Conversation(session, self._server, reader, writer, guest.idle_seconds)
            await conversation.run()
