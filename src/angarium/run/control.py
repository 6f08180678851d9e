"""The socket of the console, STATE/run/control: who connects is asked what he wants, and answered.

The supervisor listens there as long as it lives, also where no Control_Listener is configured, so
that there is always a way in. The rule: a client costs a bounded amount of memory and is waited for
a bounded time; what he asks takes its time beside the loop, so nothing here keeps the supervisor
from its children.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from angarium.console.access import Peer, by_credentials
from angarium.console.client import SOCKET, Name
from angarium.console.node import Node
from angarium.console.server import Server
from angarium.console.session import Session
from angarium.run.conversation import Conversation, send
from angarium.run.options import Node as NodeOptions
from angarium.wire.control import VERSION, Bye, Greeting, line

MODE: Final = 0o600
BACKLOG: Final = 64
MAX_CLIENTS: Final = 32
IDLE_SECONDS: Final = 3600.0  # a console left open ends, and its transaction with it
_READ: Final = 64 << 10
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED

Identify = Callable[[socket.socket], Peer | None]


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

    def identify(connection: socket.socket) -> Peer | None:
        octets = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(octets)
        return by_credentials(uid, os.geteuid(), endpoint)

    return identify


class Control:
    """The consoles of one node.

    Args:
        listening: the socket, ours to close.
    """

    def __init__(
        self,
        listening: socket.socket,
        server: Server,
        node: Node,
        identify: Identify,
        log: Any,
    ) -> None:
        self._listening = listening
        self._server = server
        self._node = node
        self._identify = identify
        self._log = log
        self._clients: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Server | None = None

    async def start(self) -> None:
        self._accepting = await asyncio.start_unix_server(
            self._connected, sock=self._listening, limit=_READ
        )

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
        client = asyncio.ensure_future(self._greeted(reader, writer))
        self._clients.add(client)
        client.add_done_callback(partial(self._gone, writer))

    def _gone(self, writer: asyncio.StreamWriter, client: asyncio.Task[None]) -> None:
        self._clients.discard(client)
        writer.close()
        if client.cancelled() or (error := client.exception()) is None:
            return
        if not isinstance(error, ConnectionError | TimeoutError):
            # A bug in a command costs its session, and nobody else anything.
            self._log.error("console session failed", exc_info=error)

    async def _greeted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = self._identify(writer.get_extra_info("socket"))
        if peer is None:
            await send(writer, line(Bye("only the user of the server and root may connect")))
        elif len(self._clients) > MAX_CLIENTS:
            await send(writer, line(Bye(f"{MAX_CLIENTS} consoles are open, no more are allowed")))
        else:
            patience = self._server.live.configuration.top(NodeOptions).control_client_timeout
            await send(writer, line(Greeting(VERSION, self._node.release, peer.user, patience)))
            session = Session(self._server, peer, self._node)
            await Conversation(session, self._server, reader, writer, IDLE_SECONDS).run()
