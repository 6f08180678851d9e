"""One child process of the supervisor: started by exec, watched by a pidfd, spoken to by a link.

Never a fork of a running event loop: the child is a fresh interpreter which inherits two sockets
and gets everything else through them (`run/link`).
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping

from angarium.run import link
from angarium.run.link import Link, Message


class Child:
    """A started child.

    Args:
        program: the module to run, e.g. "angarium.run.worker".
        descriptors: label to file descriptor; handed over, and ours to close afterwards.
        received: called with each message of the child.
        ended: called once, with the exit status (negative: the signal which killed it).
    """

    def __init__(
        self,
        program: str,
        name: str,
        start: link.Start,
        descriptors: Mapping[str, int],
        received: Callable[["Child", Message], None],
        ended: Callable[["Child", int], None],
    ) -> None:
        self.name = name
        self.start = start
        self.ready = False
        self._received = received
        self._ended = ended
        (ours, self._fds), (its_link, its_fds) = link.pair()
        with its_link, its_fds:
            inherited = (its_link.fileno(), its_fds.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-m", program, *map(str, inherited)],
                pass_fds=inherited,
                stdin=subprocess.DEVNULL,
            )
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._link = Link(self._message, self._closed)
        self._connecting = asyncio.ensure_future(self._connect(ours, descriptors))
        asyncio.get_running_loop().add_reader(self._pidfd, self._exited)

    async def _connect(self, ours: socket.socket, descriptors: Mapping[str, int]) -> None:
        loop = asyncio.get_running_loop()
        self.hand_over(descriptors)
        # The socket is the link's from now on.
        await loop.create_unix_connection(lambda: self._link, sock=ours)
        self._link.send(self.start)

    def hand_over(self, descriptors: Mapping[str, int]) -> None:
        """Give descriptors, before the message which needs them."""
        for label, descriptor in descriptors.items():
            link.send_descriptor(self._fds, label, descriptor)

    def send(self, message: Message) -> None:
        self._link.send(message)

    def kill(self) -> None:
        """End it at once; `ended` is called when the kernel has done so."""
        if self._process.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def _message(self, message: Message) -> None:
        if isinstance(message, link.Ready):
            self.ready = True
        self._received(self, message)

    def _closed(self) -> None:
        """The child closed its end: it is ending, and the pidfd will say how."""

    def _exited(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        status = self._process.wait()
        self._connecting.cancel()
        self._link.close()
        self._fds.close()
        self._ended(self, status)


class Backoff:
    """How long to wait before a child is started again: longer while it keeps dying young."""

    __slots__ = ("_failures", "_first", "_longest", "_young")

    def __init__(self, first: float = 0.1, longest: float = 30.0, young: float = 10.0) -> None:
        self._first = first
        self._longest = longest
        self._young = young  # a child which lived longer died of something new
        self._failures = 0

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a child lived so long."""
        self._failures = self._failures + 1 if lived < self._young else 1
        return float(min(self._longest, self._first * 2 ** (self._failures - 1)))
