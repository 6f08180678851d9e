"""One child process of the supervisor: started by exec, watched by a pidfd, spoken to by a link.

Never a fork of a running event loop: the child is a fresh interpreter which inherits two sockets
and gets everything else through them (`run/link`). A supervisor which is replaced in place keeps
its children: what is needed for that is a `Kept`, and the same two sockets.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from angarium.run import link
from angarium.run.link import Link, Message

LAST_WORDS_SECONDS: Final = 1.0

Received = Callable[["Child", Message], None]
Ended = Callable[["Child", int], None]


class Kept(msgspec.Struct, frozen=True):
    """A child, for the program which takes the supervisor's place."""

    name: str
    pid: int
    ready: bool
    link: int  # descriptor
    descriptors: int  # that of the socket which hands over descriptors
    heard: bytes  # the beginning of a message of the child


class Child:
    """A child which runs.

    Args:
        reap: waits for the process, which has ended, and returns its exit status.
        received: called with each message of the child.
        ended: called once, with the exit status (negative: the signal which killed it).
        heard: what came of a message before.

    Attributes:
        leaving: it was told to end.
    """

    def __init__(
        self,
        name: str,
        pid: int,
        reap: Callable[[], int],
        sockets: tuple[socket.socket, socket.socket],
        received: Received,
        ended: Ended,
        *,
        ready: bool = False,
        heard: bytes = b"",
    ) -> None:
        self.name = name
        self.pid = pid
        self.ready = ready
        self.leaving = False
        self._reap = reap
        self._received = received
        self._ended = ended
        self._socket, self._fds = sockets
        self._pidfd = os.pidfd_open(pid)
        self._link = Link(self._message, self._closed, heard)
        self._silent = False  # the link has ended
        self._status: int | None = None
        loop = asyncio.get_running_loop()
        # The socket is the link's from now on.
        self._connecting = asyncio.ensure_future(
            loop.create_unix_connection(lambda: self._link, sock=self._socket)
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
        self._signal(signal.SIGKILL)

    def abort(self) -> None:
        """End it with its last words, also one that was stopped."""
        self._signal(signal.SIGABRT)
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._status is None:  # Until then the number is its own.
            os.kill(self.pid, number)

    @property
    def at_rest(self) -> bool:
        """Say whether all we said is on its way, so that another can go on speaking."""
        return self._status is None and self._link.at_rest

    @property
    def clogged(self) -> bool:
        """Say whether it does not take what we say; one which is just being resumed may."""
        return self._status is None and self._link.clogged

    def keep(self) -> Kept:
        """Stop listening and return what another needs to go on; only while `at_rest`."""
        heard = self._link.pause()
        return Kept(
            self.name, self.pid, self.ready, self._socket.fileno(), self._fds.fileno(), heard
        )

    def go_on(self) -> None:
        """Listen again: nobody has taken our place."""
        self._link.resume()

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
        self._status = self._reap()
        # Its last words are still in the link. Should somebody hold the other end open: not for us.
        loop.call_later(LAST_WORDS_SECONDS, self._link.close)
        self._end()

    def _end(self) -> None:
        if self._silent and self._status is not None:
            self._fds.close()
            self._ended(self, self._status)


def spawn(
    program: str,
    name: str,
    start: link.Start,
    descriptors: Mapping[str, int],
    received: Received,
    ended: Ended,
) -> Child:
    """Start a child.

    Args:
        program: the module to run, e.g. "angarium.run.worker".
        descriptors: label to file descriptor; handed over, and ours to close afterwards.
    """
    (ours, our_fds), (its_link, its_fds) = link.pair()
    with its_link, its_fds:
        inherited = (its_link.fileno(), its_fds.fileno())
        process = subprocess.Popen(
            # -P: the working directory is the state directory, no place for code.
            [sys.executable, "-P", "-m", program, *map(str, inherited)],
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
        )
    child = Child(name, process.pid, process.wait, (ours, our_fds), received, ended)
    child.hand_over(descriptors)
    child.send(msgspec.structs.replace(start, descriptors=list(descriptors)))
    return child


def resumed(kept: Kept, received: Received, ended: Ended) -> Child:
    """Go on with a child which the program before us has started."""
    sockets = socket.socket(fileno=kept.link), socket.socket(fileno=kept.descriptors)

    def reap() -> int:
        return os.waitstatus_to_exitcode(os.waitpid(kept.pid, 0)[1])

    return Child(
        kept.name, kept.pid, reap, sockets, received, ended, ready=kept.ready, heard=kept.heard
    )


class Backoff:
    """How long to wait before a child is started again: longer while it keeps dying young."""

    __slots__ = ("_first", "_longest", "_young", "failures")

    def __init__(self, first: float = 0.1, longest: float = 30.0, young: float = 10.0) -> None:
        self._first = first
        self._longest = longest
        self._young = young  # a child which lived longer died of something new
        self.failures = 0

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a child lived so long."""
        self.failures = self.failures + 1 if lived < self._young else 1
        return float(min(self._longest, self._first * 2 ** (self.failures - 1)))
