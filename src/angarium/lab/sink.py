"""A receiving server for tests and load: good by default, as bad as its script wants.

    async with Sink("at rcpt to *@full.test reply 452 4.2.2 full") as sink:
        ...                                  send to 127.0.0.1, sink.port
        await sink.until(3)                  three messages were accepted
        sink.messages[0].content             octet for octet

What a sink keeps in memory it keeps for ever; a sink under load is made with keep=False.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from angarium.lab.conversation import Conversation, Usual
from angarium.lab.handshake import offering
from angarium.lab.received import Counts, Received, Recorder, Session
from angarium.lab.script import Play, Script
from angarium.lab.script_grammar import parse

KNOWN = 2  # turns of the loop from a connection that is accepted to one its protocol knows of
BACKLOG = 4096  # connections not yet accepted; the kernel takes net.core.somaxconn if that is less


class Sink:
    """A sink on one or more addresses.

    Args:
        script: text or parsed; see docs/reference/sink-script.md.
        addresses: where to listen; port 0 is any free one, then in `port`.
        keep: whether `messages` and `sessions` are filled.
        record: a directory for each message's octets and envelope.
        witnesses: called with each message, accepted or not.
        seed: for probabilities and garbage.
        clock: gives Unix seconds.
        tls: by which STARTTLS is done; None: it is not offered.
    """

    def __init__(
        self,
        script: Script | str = "",
        addresses: Iterable[tuple[str, int]] = (("127.0.0.1", 0),),
        *,
        keep: bool = True,
        record: Path | None = None,
        witnesses: Iterable[Callable[[Received], None]] = (),
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parsed = parse(script) if isinstance(script, str) else script
        self.play = Play(parsed, random.Random(seed))
        self.usual_over_tls = Usual(parsed)
        self.tls = None if tls is None else offering(tls)
        self.usual = self.usual_over_tls if tls is None else Usual(parsed, "STARTTLS")
        self.counts = Counts()
        self.messages: list[Received] = []
        self.sessions: list[Session] = []
        self.ports: list[int] = []
        self.time = clock
        self.keeps = keep or record is not None
        self.lists = keep
        self._addresses = list(addresses)
        self._witnesses = list(witnesses)
        if record is not None:
            self._witnesses.append(Recorder(record))
        self._servers: list[asyncio.Server] = []
        self._open: set[Conversation] = set()
        self._heard = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def port(self) -> int:
        """The port of the first address."""
        return self.ports[0]

    @property
    def accepted(self) -> list[Received]:
        return [message for message in self.messages if message.accepted]

    async def start(self) -> None:
        """Listen. Raises OSError where that is not possible."""
        loop = asyncio.get_running_loop()
        for host, port in self._addresses:
            server = await loop.create_server(self._conversation, host, port, backlog=BACKLOG)
            self._servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and break off what is open."""
        for server in self._servers:
            await stop_listening(server)
        for conversation in list(self._open):
            conversation.abort()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
        await asyncio.sleep(0)  # They are told of their end.

    async def until(self, messages: int, seconds: float = 60.0) -> None:
        """Return when so many messages were accepted since the start. Raises TimeoutError."""
        if self.counts.messages < messages:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((messages, future))
            await asyncio.wait_for(future, seconds)

    def summary(self) -> bytes:
        """Return the counts as one line of JSON."""
        return self.counts.to_json(self.play.hits)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # What a conversation needs of us.

    def opened(self, conversation: Conversation) -> Session:
        self.counts.connections += 1
        self.counts.open += 1
        self._open.add(conversation)
        session = Session(self.counts.connections, conversation.peer)
        if self.lists:
            self.sessions.append(session)
        return session

    def closed(self, conversation: Conversation) -> None:
        if conversation not in self._open:
            return  # A handshake which failed is told twice.
        self.counts.open -= 1
        self._open.discard(conversation)

    def heard(self, message: Received) -> None:
        self._heard += 1
        message.number = self._heard
        if message.accepted:
            self.counts.messages += 1
            self.counts.recipients += len(message.recipients)
            self.counts.octets += message.octets
        if self.lists:
            self.messages.append(message)
        for witness in self._witnesses:
            witness(message)
        if self._waiting and message.accepted:
            self._wake()

    def _wake(self) -> None:
        for wanted, future in self._waiting:
            if wanted <= self.counts.messages and not future.done():
                future.set_result(None)
        self._waiting = [each for each in self._waiting if not each[1].done()]

    def _conversation(self) -> Conversation:
        return Conversation(self)


async def stop_listening(server: asyncio.Server) -> None:
    """Close a server when each connection it has accepted is known to its protocol.

    asyncio gives each to a task of its own. A server which closes before that has begun lets it
    fail on an assertion, and the connection is left to the collector of garbage.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.SelectorEventLoop):
        for listening in server.sockets:
            loop.remove_reader(listening.fileno())
        for _ in range(KNOWN):
            await asyncio.sleep(0)
    server.close()
