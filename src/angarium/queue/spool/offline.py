"""A shard in the hands of a tool: opened, recovered and closed by the code of the server.

    async with opened(disk, "/state/spool/003", clock) as shard:
        shard.entries()         what is in it
        shard.alarms            what a server would have told its operator

Whatever a tool finds, a start finds too, for it is the same reading. On an `Overlay` nothing of it
reaches the disk.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any, Final

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.core.message import Message, Recipient
from angarium.journal.commit import Failure, Job, attempt
from angarium.journal.disk import Disk
from angarium.journal.errors import DamageError
from angarium.queue.spool import checkpoint
from angarium.queue.spool.means import Means, Settings
from angarium.queue.spool.overlay import Overlay
from angarium.queue.spool.shard import Shard
from angarium.queue.spool.slot import Slot, unpack
from angarium.queue.spool.store import Spool

TRIES: Final = 10
# A tool makes no room for a full disk and asks nobody to wait for one.
SETTINGS: Final = Settings(reserve=0, space_low=0, inodes_low=0, checkpoint_seconds=1e9)


class MovedError(Error):
    """A running server changed the shard faster than it could be read."""


class _Inline:
    """An executor without a thread: a tool has nothing else to do."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def submit(self, job: Job, done: Callable[[Any, Failure | None], None]) -> None:
        self._loop.call_soon(done, *attempt(job))

    def stop(self) -> None:
        """Nothing is left to run."""


@dataclass(slots=True)
class Opened:
    """A shard which is open, with everything that is in it."""

    spool: Spool
    directory: str
    disk: Disk
    alarms: list[Error] = field(default_factory=list)

    @property
    def shard(self) -> Shard:
        """The shard itself."""
        shard = self.spool.keepers[self.directory].shard
        assert shard is not None
        return shard

    def entries(self) -> Iterator[tuple[int, Slot, bool]]:
        """Yield (id, slot, whether it is put aside) of each entry, by the place of its content."""
        table = self.shard.table
        every = [(unpack(slot), ident, False) for ident, slot in table.live.items()]
        every += [(unpack(slot), ident, True) for ident, slot in table.isolated.items()]
        every.sort(key=lambda each: (each[0].segment, each[0].offset, each[1]))
        for slot, ident, aside in every:
            yield ident, slot, aside

    def load(self, ident: int) -> tuple[Message, Recipient]:
        """Return an entry's message and recipient. Raises DamageError or OSError."""
        table = self.shard.table
        slot = table.live.get(ident) or table.isolated[ident]
        return self.shard.contents.load(ident, slot)

    def flaw(self, ident: int) -> str:
        """Read an entry with all its octets; return why that cannot be, or ""."""
        try:
            for _ in self.load(ident)[0].body.pieces():
                pass
        except (DamageError, OSError) as error:
            return str(error)
        return ""


@asynccontextmanager
async def opened(
    disk: Disk, directory: str, clock: Clock, settings: Settings = SETTINGS
) -> AsyncIterator[Opened]:
    """Open a shard for changes; it is closed in order, with a checkpoint.

    Raises:
        LockedError, FormatError, SpoolError: as `Spool.open`.
    """
    loop = asyncio.get_running_loop()
    alarms: list[Error] = []
    means = Means(
        disk, clock, SystemRandom(), loop, lambda _: _Inline(loop), settings, alarm=alarms.append
    )
    spool = Spool(means)
    await spool.open(directory)
    try:
        await spool.recovered()
        yield Opened(spool, directory.rstrip("/"), disk, alarms)
    finally:
        await spool.close()


@asynccontextmanager
async def read(disk: Disk, directory: str, clock: Clock) -> AsyncIterator[Opened]:
    """Read a shard, whether a server works on it or not; nothing is changed on the disk.

    Raises:
        MovedError: a server was faster than we, again and again.
        FormatError, SpoolError: as `Spool.open`.
    """
    checkpoints = f"{directory}/{checkpoint.DIRECTORY}"
    for turn in range(TRIES):
        newest = checkpoint.newest(disk.names(checkpoints))
        manager = opened(Overlay(disk), directory, clock)
        try:
            shard = await manager.__aenter__()
        except Error:
            if turn == TRIES - 1 or newest == checkpoint.newest(disk.names(checkpoints)):
                raise
            continue
        try:
            if newest == checkpoint.newest(disk.names(checkpoints)):
                yield shard
                return
        finally:
            await manager.__aexit__(None, None, None)
    raise MovedError("the shard changes faster than it can be read", directory=directory)
