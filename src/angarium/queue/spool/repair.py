"""Mend a shard: what can be kept is written anew, the rest is put aside. Nothing is deleted.

It is what a start does (damage to `quarantine/`, a damaged checkpoint made again), and what a start
leaves to time: entries that cannot be read are put aside at once, and what lives in a damaged
segment moves to a new one, so that the next start finds nothing to tell.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.journal.disk import Disk
from angarium.journal.scan import Gap, quarantine
from angarium.queue.spool.compact import Budget, Compaction
from angarium.queue.spool.inventory import DATA, LOGS, QUARANTINE
from angarium.queue.spool.offline import Opened, opened
from angarium.queue.spool.slices import Work
from angarium.queue.spool.verify import Finding, verify


@dataclass(slots=True)
class Repaired:
    """What was done.

    Attributes:
        found: what a start tells.
        isolated: entries that were put aside, with the reason.
        moved: entries whose content was written anew.
        kept: entries there are.
    """

    found: list[Error] = field(default_factory=list)
    isolated: dict[int, str] = field(default_factory=dict)
    moved: int = 0
    kept: int = 0

    @property
    def nothing(self) -> bool:
        """Say whether there was nothing to mend."""
        return not (self.found or self.isolated or self.moved)


async def repair(disk: Disk, directory: str, clock: Clock) -> Repaired:
    """Mend the shard of a server that is stopped; on an `Overlay`, say what that would do.

    Raises:
        LockedError: a server works on it.
        FormatError, SpoolError: as `Spool.open`.
    """
    gaps = [each for each in (await verify(disk, directory, clock)).findings if each.log]
    async with opened(disk, directory, clock) as shard:
        done = Repaired(found=list(shard.alarms))
        for ident, _, aside in list(shard.entries()):
            done.kept += 1
            if not aside and (flaw := shard.flaw(ident)):
                shard.spool.isolate(ident)
                done.isolated[ident] = flaw
        for gap in gaps:
            _keep(shard, gap)
        for sequence in sorted({each.sequence for each in gaps if each.log == DATA}):
            segment = shard.shard.data.segments.get(sequence)
            if segment is not None and sequence in shard.shard.table.usage:
                budget = Budget(1 << 60)
                budget.second(0)
                work = Compaction(shard.shard, segment, budget)
                await _done(shard, work.run())
                done.moved += work.moved
    return done


def _keep(shard: Opened, gap: Finding) -> None:
    """Copy the octets of a gap that no start looks at, for its records are older than that."""
    kind = dict(LOGS)[gap.log]
    place = f"{shard.directory}/{QUARANTINE}/{kind}-{gap.sequence:010d}-{gap.start}.bin"
    with suppress(FileNotFoundError):  # the last checkpoint of what was found has freed it
        handle = shard.disk.open(gap.path, readonly=True)
        try:
            quarantine(shard.disk, handle, Gap(gap.start, gap.end), place)
        finally:
            shard.disk.close(handle)


async def _done(shard: Opened, work: Work) -> None:
    waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(failure: Error | OSError | None) -> None:
        if failure is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(failure)

    shard.shard.slices.run(work, done)
    await waiting
