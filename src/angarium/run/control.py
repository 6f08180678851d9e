"""The socket of the console, STATE/run/control: who connects is asked what he wants, and answered.

The supervisor listens there as long as it lives, also where no Control_Listener is configured, so
that there is always a way in. The rule: a client costs a bounded amount of memory and is waited for
a bounded time; what he asks takes its time beside the loop, so nothing here keeps the supervisor
from its children.
"""

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self

from angarium.console.access import Peer, by_credentials
from angarium.console.client import SOCKET, Name
from angarium.console.result import Result
from angarium.console.server import Server
from angarium.console.session import Session
from angarium.run.options import Node
from angarium.wire.control import (
    VERSION,
    Ask,
    Bye,
    ControlError,
    End,
    Greeting,
    line,
    parts,
    requests,
)

MODE: Final = 0o600
BACKLOG: Final = 64
MAX_CLIENTS: Final = 32
IDLE_SECONDS: Final = 3600.0  # a console left open ends, and its transaction with it
ANSWER_SECONDS: Final = 60.0  # for a client to read a piece of its answer
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
        release: of this program.
    """

    def __init__(
        self,
        listening: socket.socket,
        server: Server,
        identify: Identify,
        release: str,
        log: Any,
    ) -> None:
        self._listening = listening
        self._server = server
        self._identify = identify
        self._release = release
        self._log = log
        self._clients: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Server | None = None

    @classmethod
    async def opened(
        cls,
        folder: Path,
        kept: int | None,
        server: Server,
        log: Any,
    ) -> Self:
        """Listen in a folder, or go on with the socket of the program before us. Raises OSError."""
        listening = opened(folder) if kept is None else socket.socket(fileno=kept)
        identify = by_kernel(str(folder / SOCKET))
        made = cls(listening, server, identify, version("angarium"), log)
        await made.start()
        return made

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
            await _send(writer, line(Bye("only the user of the server and root may connect")))
        elif len(self._clients) > MAX_CLIENTS:
            await _send(writer, line(Bye(f"{MAX_CLIENTS} consoles are open, no more are allowed")))
        else:
            patience = self._server.live.configuration.top(Node).control_client_timeout
            await _send(writer, line(Greeting(VERSION, self._release, peer.user, patience)))
            await self._conversation(Session(self._server, peer), reader, writer)

    async def _conversation(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked = requests()
        while True:
            try:
                octets = await asyncio.wait_for(reader.read(_READ), IDLE_SECONDS)
            except TimeoutError:
                await _send(writer, line(Bye(f"nothing was asked for {IDLE_SECONDS:g} s")))
                return
            if not octets:
                return
            try:
                found = asked.feed(octets)
            except ControlError as error:
                await _send(writer, line(Bye(str(error))))
                return
            for each in found:
                await self._answer(session, each, writer)

    async def _answer(self, session: Session, ask: Ask, writer: asyncio.StreamWriter) -> None:
        outcome = await session.ask(ask.line)
        if ask.form == "json":
            text = await self._server.aside(_json, outcome.result)
        else:
            text = str(outcome.result)  # It is one already: who only looks waits for nobody.
            text += "\n" if text else ""
        for piece in parts(text):
            await _send(writer, piece)
        await _send(writer, line(End(outcome.failed, session.transaction is not None)))


def _json(result: Result) -> str:
    # Octets of a file which are no UTF-8 may be in it; msgspec would not have them.
    return json.dumps(result.plain(), indent=2, ensure_ascii=False) + "\n"


async def _send(writer: asyncio.StreamWriter, octets: bytes) -> None:
    writer.write(octets)
    await asyncio.wait_for(writer.drain(), ANSWER_SECONDS)
