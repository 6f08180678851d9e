"""The side of a worker of what processes ask which answer the network (`wire/channel`).

    run/worker.3.channel     the socket of worker 3; nobody but our own user and root is heard

Who comes is told which endpoints there are, and again when that has changed. The rule: **a question
harms nobody but itself**: it runs in a task of its own, ends when nobody waits for it any more, and
a faulty asker loses its connection only.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, cast

from angarium.console.endpoint import Name
from angarium.policy.endpoints import Request, found
from angarium.policy.module import Policing
from angarium.run.sockets import user_of
from angarium.wire.channel import (
    Answerer,
    Asked,
    ChannelError,
    HttpResponse,
    Place,
    Withdrawn,
)

SUFFIX: Final = ".channel"
BACKLOG: Final = 8
MOST_CONNECTIONS: Final = 4  # of who asks there is one; two while it is replaced
MODE: Final = 0o600
CLOSE_SECONDS: Final = 1.0  # to take what was said, at the end


def name_of(number: int) -> str:
    """Return the name of a worker's socket, in the run directory."""
    return f"worker.{number}{SUFFIX}"


class Channel:
    """The socket of a worker, and who is connected to it.

    Args:
        folder: the run directory.
        policing: returns what is in force.
        generation: returns its number.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        policing: Callable[[], Policing],
        generation: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._name = name_of(number)
        self._policing = policing
        self._generation = generation
        self._tell = tell
        self._server: asyncio.Server | None = None
        self._offered: tuple[int, list[Place]] = 0, []
        self._leaving = False
        self.connections: set[Connection] = set()
        self.idle = asyncio.Event()  # nothing is being answered
        self.idle.set()

    async def open(self) -> None:
        """Listen. Where that cannot be, it is told, and nobody asks."""
        try:
            listening = self._bound()
        except OSError as error:
            self._tell(f"no endpoint is asked: {self._name}: {error}")
            return
        loop = asyncio.get_running_loop()
        self._offered = self._now()
        self._server = await loop.create_unix_server(partial(Connection, self), sock=listening)

    def _bound(self) -> socket.socket:
        """Return the listening socket, in place of one whose worker is gone. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._folder / self._name)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            os.fchmod(made.fileno(), MODE)  # before it has a name: there is no moment without it
            with Name(self._folder, self._name) as name:
                made.bind(name)
            made.listen(BACKLOG)
        except OSError:
            made.close()
            raise
        return made

    def _now(self) -> tuple[int, list[Place]]:
        endpoints = self._policing().endpoints
        return self._generation(), [Place(each.method, each.path) for each in endpoints]

    def look(self) -> None:
        """Tell what can be asked, if that has changed. Called once a second, and at a reload."""
        now = self._now()
        if now != self._offered and not self._leaving:
            self._offered = now
            for each in self.connections:
                each.offer()

    def offer(self, answerer: Answerer) -> bytes:
        generation, places = self._offered
        return answerer.offer(generation, places, leaving=self._leaving)

    def leave(self) -> None:
        """Take no more questions; those which are being answered go on."""
        self._leaving = True
        self._close_socket()
        for each in self.connections:
            each.offer()

    def close(self) -> None:
        """The worker ends: whoever still waits for an answer hears that there is none."""
        self._leaving = True
        self._close_socket()
        for each in list(self.connections):
            each.close()

    def _close_socket(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._folder / self._name)

    def counted(self) -> None:
        """How many questions are being answered has changed."""
        if any(each.answering for each in self.connections):
            self.idle.clear()
        else:
            self.idle.set()

    async def answer(self, asked: Asked) -> tuple[HttpResponse, bytes] | None:
        """Return the answer, None where nobody here has one."""
        policing = self._policing()
        endpoint = found(policing.endpoints, asked.head.method, asked.head.path)
        server = policing.server
        if endpoint is None or server is None:
            return None
        policing.enter()
        try:
            response = await server.serve(endpoint, Request(asked.head, asked.content))
        finally:
            policing.leave()
        return response.head, response.content


class Connection(asyncio.Protocol):
    """One who asks.

    Attributes:
        answering: the questions which are being answered.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._answerer = Answerer()
        self._transport: asyncio.Transport
        self._taken = asyncio.Event()  # what was said, by the other side
        self._taken.set()
        self.answering: dict[int, asyncio.Task[None]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        user = user_of(transport.get_extra_info("socket"))
        if user not in (0, os.geteuid()) or len(self._channel.connections) >= MOST_CONNECTIONS:
            self._transport.abort()
            return
        self._channel.connections.add(self)
        self.offer()

    def offer(self) -> None:
        self._transport.write(self._channel.offer(self._answerer))

    def data_received(self, data: bytes) -> None:
        if self not in self._channel.connections:
            return
        try:
            for event in self._answerer.feed(data):
                if isinstance(event, Asked):
                    self._begin(event)
                elif isinstance(event, Withdrawn):
                    self._withdrawn(event.number)
                else:
                    self._transport.write(event)
        except ChannelError:
            self._transport.abort()

    def _begin(self, asked: Asked) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(asked))
        self.answering[asked.number] = task
        self._channel.counted()
        task.add_done_callback(partial(self._done, asked.number))

    def _withdrawn(self, number: int) -> None:
        task = self.answering.get(number)
        if task is not None:
            task.cancel()

    async def _answer(self, asked: Asked) -> None:
        answer = await self._channel.answer(asked)
        if answer is None:
            self._transport.write(self._answerer.refuse(asked.number, "unknown"))
            return
        for octets in self._framed(asked.number, *answer):
            # Answers wait here, and not in memory, for who does not take them.
            await self._taken.wait()
            self._transport.write(octets)

    def _framed(self, number: int, head: HttpResponse, content: bytes) -> Iterator[bytes]:
        try:
            return self._answerer.reply(number, head, content)
        except ChannelError:
            return self._answerer.reply(number, HttpResponse(500, []), b"the answer is too long\n")

    def _done(self, number: int, task: asyncio.Task[None]) -> None:
        del self.answering[number]
        self._channel.counted()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._transport.abort()  # Who waits hears that there is no answer.
            raise error  # A fault of ours: the loop tells it.
        if task.cancelled() and not self._transport.is_closing():
            self._transport.write(self._answerer.refuse(number, "withdrawn"))

    def pause_writing(self) -> None:
        self._taken.clear()

    def resume_writing(self) -> None:
        self._taken.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel.connections.discard(self)
        self._taken.set()
        for task in list(self.answering.values()):
            task.cancel()
        self._channel.counted()

    def close(self) -> None:
        """Say what is still to be said, and end."""
        for task in list(self.answering.values()):
            task.cancel()
        self._transport.close()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
