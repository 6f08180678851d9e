"""One child process of the supervisor: started by exec, watched by a pidfd, spoken to by a link.

Never a fork of a running event loop: the child is a fresh interpreter which inherits two sockets
and gets everything else through them (`run/link`).
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from angarium.run import link
from angarium.run.link import Link, Message

LAST_WORDS_SECONDS: Final = 1.0


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
                # -P: the working directory is the state directory, no place for code.
                [sys.executable, "-P", "-m", program, *map(str, inherited)],
                pass_fds=inherited,
                stdin=subprocess.DEVNULL,
            )
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._link = Link(self._message, self._closed)
        self._silent = False  # the link has ended
        self._status: int | None = None
        loop = asyncio.get_running_loop()
        self.hand_over(descriptors)
        self._link.send(msgspec.structs.replace(start, descriptors=list(descriptors)))
        # The socket is the link's from now on.
        self._connecting = asyncio.ensure_future(
            loop.create_unix_connection(lambda: self._link, sock=ours)
        )
        loop.add_reader(self._pidfd, self._exited)

    def hand_over(self, descriptors: Mapping[str, int]) -> None:
        """Give descriptors, before the message which needs them."""
        with contextlib.suppress(ConnectionError):  # It has just died: `ended` will be called.
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
        """All it has said is heard."""
        self._silent = True
        self._end()

    def _exited(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._status = self._process.wait()
        # Its last words are still in the link. Should somebody hold the other end open: not for us.
        loop.call_later(LAST_WORDS_SECONDS, self._link.close)
        self._end()

    def _end(self) -> None:
        if self._silent and self._status is not None:
            self._fds.close()
            self._ended(self, self._status)


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
