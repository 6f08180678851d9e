"""The disk of a simulated node, as each process sees it.

The processes share one `MemoryDisk`; each has handles and locks of its own, which end with it. A
job of a process's disk thread runs whole, some time after it was given, and its result comes some
time after that.
"""

import errno
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from angarium.journal.commit import Failure, Job, attempt
from angarium.journal.ring import Ended, Sync, Write
from helpers.disk import MemoryDisk
from helpers.sim.loop import Process

Done = Callable[[Any, Failure | None], None]


class View:
    """A process's view of the disk."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk
        self._mine: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk, name)

    def open(self, path: str, *, create: bool = False, readonly: bool = False) -> int:
        handle = self._disk.open(path, create=create, readonly=readonly)
        self._mine.add(handle)
        return handle

    def read(self, handle: int, size: int, offset: int) -> bytes:
        if handle not in self._mine:
            raise OSError(errno.EBADF, "the handle is closed")
        return self._disk.read(handle, size, offset)

    def lock(self, path: str) -> int | None:
        handle = self._disk.lock(path)
        if handle is not None:
            self._mine.add(handle)
        return handle

    def close(self, handle: int) -> None:
        self._mine.discard(handle)
        self._disk.close(handle)

    def kill(self) -> None:
        for handle in self._mine:
            self._disk.close(handle)
        self._mine.clear()


class Thread:
    """An executor: one job at a time, each takes a while.

    Args:
        wait: returns how long a job takes.
    """

    def __init__(self, process: Process, wait: Callable[[], float]) -> None:
        self._process = process
        self._wait = wait
        self._jobs: deque[tuple[Job, Done]] = deque()
        self._working = False

    def submit(self, job: Job, done: Done) -> None:
        self._jobs.append((job, done))
        if not self._working:
            self._working = True
            self._process.call_later(self._wait(), self._run)

    def _run(self) -> None:
        if not self._jobs:
            return  # Stopped meanwhile.
        job, done = self._jobs.popleft()
        result = attempt(job)
        # The loop hears of it in its own time; the thread goes on.
        self._process.call_soon(done, *result)
        if self._jobs:
            self._process.call_later(self._wait(), self._run)
        else:
            self._working = False

    def stop(self) -> None:
        while self._jobs:
            job, done = self._jobs.popleft()
            self._process.call_soon(done, *attempt(job))
        self._working = False


class Chains:
    """As the kernel's ring: the steps of a trip, one after the other, without a thread."""

    def __init__(self, disk: View, process: Process, wait: Callable[[], float]) -> None:
        self._disk = disk
        self._process = process
        self._wait = wait

    def submit(self, chain: Sequence[Write | Sync], done: Ended) -> None:
        self._process.call_later(self._wait(), self._do, list(chain), 0, done)

    def _do(self, chain: list[Write | Sync], step: int, done: Ended) -> None:
        operation, result, wanted = chain[step], 0, 0
        try:
            if isinstance(operation, Write):
                wanted = sum(map(len, operation.pieces))
                result = self._disk.write(operation.handle, operation.pieces, operation.offset)
            else:
                self._disk.sync(operation.handle)
        except OSError as error:
            result = -(error.errno or errno.EIO)
        if result < wanted or step == len(chain) - 1:
            self._process.call_soon(done, step, result)
        else:
            self._process.call_later(self._wait(), self._do, chain, step + 1, done)


def waits(random: Random, fast: float, slow: float) -> Callable[[], float]:
    """Return what gives the time of a job: mostly about `fast`, now and then up to `slow`."""

    def wait() -> float:
        if random.random() < 0.02:
            return random.random() * slow
        return random.random() * fast

    return wait
