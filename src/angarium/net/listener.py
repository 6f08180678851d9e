"""Accepts connections on a listening socket which other workers listen on too.

One connection per wake, and none while `may_accept` says no (the ledger: our sessions exceed the
mean of the workers by one): so connections spread evenly, whoever wakes first. A worker which does
not accept leaves the connection in the kernel's queue, where another takes it.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Final

from angarium.net.address import BY_THE_SYSTEM, Buffers
from angarium.net.savedsyn import save_syns

# Seconds until a worker which was told not to accept looks again. Another takes the connection
# meanwhile; if all are full, a client waits this much longer.
GATE_SECONDS: Final = 0.005
SHORTAGE_SECONDS: Final = 0.1  # without memory for a socket, accepting at once fails again
_SHORT: Final = {errno.EMFILE, errno.ENFILE}
_NO_MEMORY: Final = {errno.ENOBUFS, errno.ENOMEM}


def always() -> bool:
    return True


def never() -> bool:
    return False


def nobody(_text: str) -> None:
    """Told nothing further."""


class Listener:
    """Accepts on `sock`, which is open, bound and listening, until `stop`.

    Args:
        factory: makes the protocol of a connection; limits by peer are its matter.
        may_accept: asked once for each connection; no: it is left to another worker.
        refusal: said to who is turned away.
        full: asked then; yes: it is turned away, so that descriptors are left for other things.
        buffers: of its connections; they have them of `sock`.
        tell: called for each which is turned away, with a text which is the same for one reason.
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        factory: Callable[[], asyncio.BaseProtocol],
        may_accept: Callable[[], bool] = always,
        *,
        refusal: bytes = b"",
        full: Callable[[], bool] = never,
        buffers: Buffers = BY_THE_SYSTEM,
        tell: Callable[[str], None] = nobody,
    ) -> None:
        self.sock = sock
        self._loop = loop
        self._factory = factory
        self._may_accept = may_accept
        self._refusal = refusal
        self._full = full
        self._buffers = buffers
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self._opening: set[asyncio.Task[None]] = set()
        self._reserve = -1
        self._listening = False
        self._saves_syns = False
        self.accepted = 0  # connections
        self.refused = 0  # for want of a descriptor, or to keep some
        self.gated = 0  # times we left one to another worker

    def resize(self, buffers: Buffers) -> None:
        """Give further connections other buffers. What was set once the system sets no more."""
        buffers.set(self.sock)

    def save_syns(self, *, yes: bool) -> None:
        """Let the system keep the first packet of each connection, or no longer."""
        if yes != self._saves_syns:
            self._saves_syns = yes
            if not save_syns(self.sock, yes=yes):
                self._tell("the system does not keep the first packets of connections")

    def start(self) -> None:
        self.sock.setblocking(False)
        # Set here, as accepted sockets inherit both.
        self._buffers.set(self.sock)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._listening = True
        self._resume()

    def stop(self) -> None:
        """Accept no more; connections stay. The socket stays open, for others or for `start`."""
        if not self._listening:
            return
        self._listening = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loop.remove_reader(self.sock)
        if self._reserve >= 0:
            os.close(self._reserve)

    def close(self) -> None:
        """Stop, and close our copy of the socket."""
        self.stop()
        self.sock.close()

    async def opened(self) -> None:
        """Return when every connection that was accepted until now has its protocol."""
        await asyncio.gather(*self._opening, return_exceptions=True)

    def _resume(self) -> None:
        self._timer = None
        self._loop.add_reader(self.sock, self._accept)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self.sock)
        self._timer = self._loop.call_later(seconds, self._resume)

    def _accept(self) -> None:
        if not self._may_accept():
            self.gated += 1
            self._pause(GATE_SECONDS)
            return
        try:
            connection, _ = self.sock.accept()
        except BlockingIOError:
            return  # Another worker was faster.
        except OSError as error:
            if error.errno in _SHORT:
                self._turn_away(error)
            elif error.errno in _NO_MEMORY:
                self._pause(SHORTAGE_SECONDS)
            # Else the connection died in the queue, as accept(2) says: ECONNABORTED and others.
            return
        if self._full():
            self._refuse(connection, "sessions leave only the reserve of descriptors")
            return
        self.accepted += 1
        connection.setblocking(False)
        # The loop has no call-back form of it; the task ends within this turn.
        task = self._loop.create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._factory, connection)
        except OSError:
            connection.close()  # Reset before we came to it.

    def _turn_away(self, error: OSError) -> None:
        """Accept with the descriptor kept for this, to refuse.

        Left in the queue the connection would wake us for ever, and its client wait in vain.
        """
        if self._reserve >= 0:
            os.close(self._reserve)
        with contextlib.suppress(OSError):
            connection, _ = self.sock.accept()
            self._refuse(connection, error.strerror or "")
        try:
            self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            # Somebody took it. Without it we can but wait for a descriptor.
            self._reserve = -1
            self._pause(SHORTAGE_SECONDS)

    def _refuse(self, connection: socket.socket, reason: str) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setblocking(False)
            connection.send(self._refusal)
        self.refused += 1
        self._tell(f"connections are refused: {reason}")
