"""A spool in a test: one life of a worker, from start to kill, on a disk in memory.

Everything runs on the test's own thread and in a fixed order; `Life` has plain methods that run
the loop until what they began is done. The next life begins on the disk the last one left.
"""

import asyncio
import contextlib
import errno
import itertools
import warnings
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, TypeVar

from angarium.core.body import Body, MemoryBody
from angarium.core.errors import Error
from angarium.core.message import Message, Recipient
from angarium.events.schema import Delivery, PermanentFailure
from angarium.journal.commit import Executor, Failure, Job, attempt
from angarium.journal.disk import Disk
from angarium.journal.errors import SpoolError
from angarium.journal.ring import Ended, Sync, Write
from angarium.queue.spool.keeper import Keeper
from angarium.queue.spool.means import Means, Settings
from angarium.queue.spool.store import Spool
from helpers.clock import FakeLoop
from helpers.disk import MemoryDisk

T = TypeVar("T")
SMALL = Settings(
    segment=8192,
    reserve=2 * 8192,
    checkpoint_octets=4096,
    checkpoint_seconds=3600.0,
    space_low=0,
    inodes_low=0,
    compact_rate=1 << 20,
)
HOME = "/spool/000"


class LoopExecutor:
    """An executor whose thread is the loop: a job runs at its next turn, its result comes after."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: list[tuple[Job, Callable[[Any, Failure | None], None]]] = []

    def submit(self, job: Job, done: Callable[[Any, Failure | None], None]) -> None:
        self._jobs.append((job, done))
        self._loop.call_soon(self._run)

    def _run(self) -> None:
        if self._jobs:
            job, done = self._jobs.pop(0)
            self._loop.call_soon(done, *attempt(job))

    def stop(self) -> None:
        while self._jobs:
            self._run()


class LoopChains:
    """As the kernel's ring, but on the loop and on a disk in memory: a step at each turn."""

    def __init__(self, disk: Disk, loop: asyncio.AbstractEventLoop) -> None:
        self._disk = disk
        self._loop = loop

    def submit(self, chain: Sequence[Write | Sync], done: Ended) -> None:
        self._loop.call_soon(self._do, list(chain), 0, done, None)

    def _do(
        self, chain: list[Write | Sync], step: int, done: Ended, failed: tuple[int, int] | None
    ) -> None:
        operation, result, wanted = chain[step], 0, 0
        try:
            if isinstance(operation, Write):
                wanted = sum(map(len, operation.pieces))
                result = self._disk.write(operation.handle, operation.pieces, operation.offset)
            else:
                self._disk.sync(operation.handle)
        except OSError as error:
            result = -(error.errno or errno.EIO)
        if result < 0 and isinstance(operation, Sync):
            failed = failed or (step, result)  # and the chain goes on
        elif result < wanted or result < 0:
            self._loop.call_soon(done, *(failed or (step, result)))
            return
        if step == len(chain) - 1:
            self._loop.call_soon(done, *(failed or (step, result)))
        else:
            self._loop.call_soon(self._do, chain, step + 1, done, failed)


class _Loop(FakeLoop):
    """A loop a test may leave behind, as a process that was killed does."""

    def __del__(self) -> None:
        if not self.is_closed():
            self.close()


class Life:
    """One life of a worker with a spool.

    Where the seed is odd the kernel writes and syncs by itself, else a thread does.
    """

    def __init__(
        self,
        disk: MemoryDisk,
        settings: Settings = SMALL,
        *,
        seed: int = 1,
        start: float | None = None,
    ) -> None:
        self.disk = disk
        self.loop = _Loop()
        if start is not None:
            self.loop.clock.set(start)
        self.alarms: list[Error] = []
        self.found: dict[int, bytes] = {}
        self.outcomes: dict[int, SpoolError | None] = {}  # of puts, by id() of the message
        self.begun: list[Message] = []
        self.means = Means(
            disk, self.loop.clock, Random(seed), self.loop, self._executor, settings,
            alarm=self.alarms.append,
            chains=LoopChains(disk, self.loop) if seed % 2 else None,
        )  # fmt: skip
        self.spool = Spool(self.means, self._found)
        self._numbers = itertools.count(1)

    def _executor(self, name: str) -> Executor:
        return LoopExecutor(self.loop)

    def _found(self, ident: int, slot: bytes) -> None:
        assert ident not in self.found, "found twice"
        self.found[ident] = slot

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def start(self, directory: str = HOME) -> "Life":
        self.run(self.spool.open(directory))
        self.run(self.spool.recovered())
        return self

    def keeper(self, directory: str = HOME) -> Keeper:
        return self.spool.keepers[directory]

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with everything that is to happen in it."""
        self.loop.call_later(seconds, self.loop.stop)
        self.loop.run_forever()

    def begin(
        self,
        *addresses: str,
        body: Body | bytes = b"body\r\n",
        header: bytes = b"Received: x\r\n",
        variables: dict[str, str] | None = None,
        key: str = "",
        priority: int = 0,
    ) -> tuple[Message, list[Recipient]]:
        """Put a message without waiting for the disk."""
        octets = MemoryBody(body) if isinstance(body, bytes) else body
        message = Message("sender@example.com", octets, header, source="192.0.2.1:25025")
        message.variables.update(variables or {})
        message.fairness_key, message.priority = key, priority
        recipients = [
            Recipient(address, address.partition("@")[2], "default", "default")
            for address in addresses or (f"r{next(self._numbers)}@example.org",)
        ]

        def durable(error: SpoolError | None) -> None:
            assert id(message) not in self.outcomes, "told twice"
            self.outcomes[id(message)] = error

        self.begun.append(message)
        self.spool.put(message, recipients, durable)
        return message, recipients

    def put(self, *addresses: str, **kinds: Any) -> list[int]:
        """Put a message; return the ids of its recipients. Raises what prevented it."""
        message, recipients = self.begin(*addresses, **kinds)
        while id(message) not in self.outcomes:
            self.pass_time(0.001)
        error = self.outcomes[id(message)]
        if error is not None:
            raise error
        return [recipient.id for recipient in recipients]

    def deliver(self, ident: int) -> None:
        self.spool.settle(ident, delivery(ident))

    def bounce(self, ident: int) -> None:
        self.spool.settle(ident, failure(ident))

    def stop(self) -> None:
        """End as told to."""
        self.run(self.spool.close())
        self.loop.close()

    def kill(self) -> MemoryDisk:
        """End at once; return the disk with what the kernel had been given."""
        with contextlib.suppress(RuntimeError), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # coroutines which did not get a turn
            self.loop.close()
        self.disk.kill()
        return self.disk


def delivery(ident: int, attempt: int = 0) -> Delivery:
    return Delivery(
        2.0, ident, 1, 7, attempt, "r@example.org", "sender@example.com", "example.org", 100,
        "default", "default", 1.0, "192.0.2.9:25", "250 ok",
    )  # fmt: skip


def failure(ident: int, kind: str = "bounced") -> PermanentFailure:
    return PermanentFailure(
        2.0, ident, 1, 7, 0, "r@example.org", "sender@example.com", "example.org", 0, 100,
        "default", "default", 1.0, "192.0.2.9:25", 4, "550 no", 10, kind,
    )  # fmt: skip
