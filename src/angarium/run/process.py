"""The life of a child process, worker or hose: what the supervisor says, and who does it.

A child lives by its link: everything it is to do comes through it, and when it closes the
supervisor is gone and so are we, at once. Should the loop be stuck by then, the kernel ends us.
What is said before we are ready waits until we are. Subclasses say what; when stands here.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

import setproctitle

from angarium.config.errors import ConfigError
from angarium.config.load import load_snapshot
from angarium.config.resolve import Configuration
from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.run import link, log
from angarium.run.answering import Answering
from angarium.run.link import Link

ORPHANED: Final = 4  # exit code of a child whose supervisor is gone
FAILED: Final = 1
SAID_LOOKS: Final = 100  # whether the last words have been heard
SAID_SECONDS: Final = 0.01  # between two of them

PREPARED: Final = point("reload.prepared", "a child has built the next generation, and not said so")
COMMITTING: Final = point("reload.committing", "a child is told to go over to it")
COMMITTED: Final = point("reload.committed", "a child has gone over to it")
LEFT: Final = point("process.left", "a child has closed everything, and is still there")

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


class Process:
    """A child process. Subclasses override what the messages ask for."""

    what = "child"

    def __init__(self) -> None:
        self.log: Any = None
        self._descriptors: socket.socket
        self._link: Link
        self._tasks: set[asyncio.Task[None]] = set()
        self._early: list[link.Message] | None = []
        self._handed: dict[str, int] = {}
        self._coming: link.Prepare | None = None  # is being read
        self._agreed: link.Commit | None = None  # what was said of it already
        self._draining = False
        self._over: asyncio.Future[int]
        self._answering: Answering | None = None

    # What a subclass does.

    async def start(
        self, start: link.Start, configuration: Configuration, descriptors: dict[str, int]
    ) -> None:
        """Begin to work; call `ready` when others may count on it."""
        raise NotImplementedError

    def prepare(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        """Build a generation beside the present one.

        Raises:
            Error, OSError: refused; then the descriptors stay the caller's.
        """

    def commit(self, *, reload: bool) -> None:
        """Go over to the prepared generation.

        Args:
            reload: what began before it has to end, also where nothing of its has changed.
        """

    def abort(self) -> None:
        """Forget the prepared generation."""

    async def adopt(self, shards: list[str], poison: list[int]) -> None:
        """Take shards over."""

    def reopen(self) -> None:
        """Close and open log files."""

    def told(self, line: link.Told) -> None:
        """Hear a line of the service log."""

    def post(self, mail: link.Post) -> None:
        """Take mail of our own in, and say what came of it."""

    def posted(self, outcome: link.Posted) -> None:
        """Hear what came of mail."""

    @property
    def parts(self) -> object:
        """Return what questions of the console are given (`console/question`)."""
        return self

    async def drain(self, seconds: float) -> None:
        """Finish what is under way, at most for so long, and close everything."""

    def hurry(self) -> None:
        """Drain faster: the operator asked a second time."""

    # What it may call.

    def ready(self) -> None:
        self._link.send(link.Ready())
        early, self._early = self._early, None
        for message in early or ():
            self._obey(message)

    def adopted(self, shard: str, refusal: str = "") -> None:
        self._link.send(link.Adopted(shard, refusal))

    def released(self, shard: str) -> None:
        self._link.send(link.Released(shard))

    def quarantined(self, ident: int) -> None:
        self._link.send(link.Quarantined(ident))

    def send(self, message: link.Message) -> None:
        """Say something to the supervisor."""
        self._link.send(message)

    def alarm(self, text: str, **fields: object) -> None:
        """Tell the operator, through the supervisor."""
        known = "".join(f" {name}={value}" for name, value in fields.items())
        self._link.send(link.Alarm(text + known))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run in the background; a failure which is not foreseen ends the process."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    # What the supervisor says.

    async def run(self, connection: socket.socket, descriptors: socket.socket) -> int:
        """Work until told to drain, or until the supervisor is gone; return the exit code."""
        loop = asyncio.get_running_loop()
        self._over = loop.create_future()
        self._descriptors = descriptors
        self._link = Link(self._received, lambda: self._end(ORPHANED))
        await loop.create_unix_connection(lambda: self._link, sock=connection)
        return await self._over

    def _received(self, message: link.Message) -> None:
        if self._early is None:
            self._obey(message)
        elif isinstance(message, link.Start):
            self.spawn(self._start(message))
        elif isinstance(message, link.Drain):
            self._end(0)  # Nothing was begun.
        else:
            self._early.append(message)

    def _obey(self, message: link.Message) -> None:
        match message:
            case link.Prepare():
                self._coming = message
                self.spawn(self._prepare(message, self._take(message.descriptors)))
            case link.Commit():
                if self._coming is None:
                    self._commit(message)
                else:
                    self._agreed = message
            case link.Abort():
                self._coming = self._agreed = None
                self.abort()
            case link.Adopt(shards, poison):
                self.spawn(self.adopt(shards, poison))
            case link.Reopen():
                self.reopen()
            case link.Told():
                self.told(message)
            case link.Post():
                self.post(message)
            case link.Posted():
                self.posted(message)
            case link.Asked() | link.Withdrawn():
                self._asked(message)
            case link.Drain(seconds):
                self._drain(seconds)
            case _:
                self.log.error("unexpected message", message=repr(message))

    def _asked(self, message: link.Asked | link.Withdrawn) -> None:
        if self._answering is None:
            self._answering = Answering(self.parts, self._link.send, self.log)
        if isinstance(message, link.Asked):
            self._answering.asked(message)
        else:
            self._answering.withdrawn(message.number)

    async def _start(self, start: link.Start) -> None:
        name = f"{self.what} {start.number}"
        setproctitle.setproctitle(f"angarium: {name}")
        self.log = log.setup(name)
        configuration = load_snapshot(
            start.snapshot, start.generation, files=False, held=start.held
        )
        await self.start(start, configuration, self._take(start.descriptors))

    async def _prepare(self, message: link.Prepare, descriptors: dict[str, int]) -> None:
        """Read the generation and build it.

        Reading 100,000 stanzas takes seconds: in a thread, so that whoever is connected goes on.
        """
        try:
            read = await asyncio.to_thread(
                load_snapshot, message.snapshot, message.generation, files=False, held=message.held
            )
            refusal = self._built(read, descriptors) if self._coming is message else ""
        except ConfigError as error:
            refusal = str(error)
        called_off = self._coming is not message  # and another one may be under way
        if called_off or refusal:
            close(descriptors.values())
        if called_off:
            return
        agreed, self._coming, self._agreed = self._agreed, None, None
        self._link.send(link.Prepared(message.generation, refusal))
        if agreed is not None and not refusal:
            self._commit(agreed)

    def _built(self, configuration: Configuration, descriptors: dict[str, int]) -> str:
        try:
            self.prepare(configuration, descriptors)
        except (Error, OSError) as error:
            return str(error)
        FAULTS.hit(PREPARED, self.what)
        return ""

    def _commit(self, message: link.Commit) -> None:
        FAULTS.hit(COMMITTING, self.what)
        self.commit(reload=message.reload)
        FAULTS.hit(COMMITTED, self.what)

    def _take(self, labels: Sequence[str]) -> dict[str, int]:
        """Return the descriptors which came with a message, and no others."""
        self._handed |= link.receive_descriptors(self._descriptors)
        return {label: self._handed.pop(label) for label in labels}

    def _drain(self, seconds: float) -> None:
        if self._draining:
            self.hurry()
            return
        self._draining = True
        self.spawn(self._drained(seconds))

    async def _drained(self, seconds: float) -> None:
        await self.drain(seconds)
        FAULTS.hit(LEFT, self.what)
        for _ in range(SAID_LOOKS):
            if self._link.at_rest:
                break
            await asyncio.sleep(SAID_SECONDS)
        self._end(0)

    def _end(self, status: int) -> None:
        if not self._over.done():
            self._over.set_result(status)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug, or a state we cannot work on: the supervisor decides what comes next.
            self.log.error("cannot go on", exc_info=error)
            self.alarm(f"{type(error).__name__}: {error}")
            self._end(FAILED)


def close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def work_in_batches() -> None:
    """Let whoever runs go on when something comes for us: we find more to do at once.

    On a machine whose processors are busy that is 4 to 8 % less work for each message, and nobody
    waits longer: what is woken in the middle of a burst would only have the first of it.
    """
    with contextlib.suppress(OSError):  # A container may forbid it.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def main(process: Process) -> None:
    """Run a child on the two sockets named by the command line; never returns.

    Nothing is cleaned up at the end: what must be kept is on disk by then, and a worker that
    hangs in its destructors would hold its shards.
    """
    connection, descriptors = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    # A terminal sends Ctrl-C to us too, and some tools end whole groups: the supervisor decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    work_in_batches()
    status = asyncio.run(process.run(connection, descriptors))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
