"""The sockets by which consoles connect: our own, and those of the Control_Listener.

Our own, STATE/run/control, is there as long as we live, so that there is always a way in. The
others are opened and closed with all listening sockets (`run/sockets`); nobody but the supervisor
has them.
"""

import asyncio
import os
import socket
import ssl
from functools import partial
from pathlib import Path
from typing import Any

from angarium.config.resolve import Configuration, Endpoint
from angarium.console.attempts import Attempts
from angarium.console.client import SOCKET
from angarium.console.node import Node
from angarium.console.question import GONE, STARTING
from angarium.console.questions.tls import WEB, renew, renew_of_http
from angarium.console.server import Server
from angarium.core.clock import Clock
from angarium.net.options.tls import Certificates, InboundTls, TlsLibrary
from angarium.net.options.tls_check import NO_FILE
from angarium.run.control import Control, OwnDoor, by_kernel, opened
from angarium.run.fronts import Fronts
from angarium.run.gate import LISTENER, Gate
from angarium.run.scheduling import Scheduling
from angarium.run.sockets import Sockets, shown


class Consoles:
    """All of one node."""

    def __init__(
        self, server: Server, node: Node, sockets: Sockets, clock: Clock, log: Any
    ) -> None:
        self._server = server
        self._node = node
        self._sockets = sockets
        self._attempts = Attempts(clock)
        self._log = log
        self._scheduling = Scheduling(server, node, clock, log)
        self._fronts = Fronts(LISTENER, self._tell)
        self._told: set[str] = set()  # in this generation
        self._own: Control | None = None
        self._open: dict[Endpoint, tuple[Control, Gate]] = {}
        self._starting: set[asyncio.Task[None]] = set()  # or under way

    async def open(self, folder: Path, kept: int | None) -> None:
        """Listen in a folder, or go on with the socket of the program before us.

        Mail goes on where that cannot be.
        """
        self.use(self._live())
        try:
            listening = opened(folder) if kept is None else socket.socket(fileno=kept)
            door = OwnDoor(by_kernel(str(folder / SOCKET)))
            self._own = Control(listening, self._server, self._node, door, self._log)
            await self._own.start()
        except OSError as error:
            self._log.error("no console can connect", reason=str(error))

    def use(self, configuration: Configuration) -> None:
        """Accept at the sockets of a configuration, which are open by now, and at no others."""
        self._scheduling.use(configuration)
        wanted = set(configuration.listens(LISTENER)) & self._sockets.open.keys()
        self._fronts.use(configuration, wanted)
        self._told.clear()
        for where in [each for each in self._open if each not in wanted]:
            self._open.pop(where)[0].close()
        for where in wanted:
            if where not in self._open:
                self._begin(where)
            self._open[where][1].context = self._context(configuration, where)

    def renewed(self) -> None:
        """Certificates have new contents: let all listeners read them, and nothing else be read.

        A reload would bring into force what an operator has begun to write, and undo what he has
        changed by a console.
        """
        self.use(self._live())
        asking = asyncio.ensure_future(self._renew())
        self._starting.add(asking)
        asking.add_done_callback(self._starting.discard)

    async def _renew(self) -> None:
        workers = await self._node.ask(renew())
        web = await self._node.ask(renew_of_http(), only=WEB)
        for answers in (workers, web):
            kept = answers.total.kept if answers.total else ()
            silent = (f"{name} does not answer" for name in answers.stuck)
            # Who begins only now reads what is there.
            wrong = (each for each in answers.failed.values() if each not in (GONE, STARTING))
            for each in (*kept, *silent, *wrong):
                self._log.error("a new certificate is not shown", reason=each)

    def _begin(self, where: Endpoint) -> None:
        listening = socket.socket(fileno=os.dup(self._sockets.open[where].fileno()))
        listening.setblocking(False)
        account = self._server.account
        gate = Gate(where, shown(where), self._live, self._attempts, account, self._log)
        front = partial(self._fronts.before, where)
        control = Control(listening, self._server, self._node, gate, self._log, front)
        self._open[where] = control, gate
        starting = asyncio.ensure_future(control.start())
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)

    def _context(self, configuration: Configuration, where: Endpoint) -> ssl.SSLContext | None:
        """Return what speaks TLS there; where it cannot, what speaks it with nobody."""
        listener = configuration.root.get(LISTENER)
        section = listener.get("listen", where.name) if listener is not None else None
        if where.path or section is None:
            return None
        files = configuration.of(Certificates, section)
        if files.tls_certificate in (None, NO_FILE):
            return None
        # Loaded here, as most consoles have no TLS, and its libraries some megabytes.
        from angarium.net.tls.contexts import ContextError, Contexts  # noqa: PLC0415

        contexts = Contexts(configuration.top(TlsLibrary), held=configuration.held)
        try:
            return contexts.context(files, configuration.of(InboundTls, section))
        except ContextError as error:
            self._log.error("no TLS for consoles", listen=shown(where), reason=str(error))
            return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._log.error("no console can connect", reason=text)

    def _live(self) -> Configuration:
        return self._server.live.configuration

    @property
    def descriptor(self) -> int | None:
        """Return our own listening socket, for the program which takes our place."""
        return self._own.descriptor if self._own is not None else None

    def close(self) -> None:
        self._scheduling.close()
        for control, _ in self._open.values():
            control.close()
        self._open.clear()
        self._fronts.close()
        if self._own is not None:
            self._own.close()
