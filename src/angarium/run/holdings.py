"""The shards a worker holds: opened, adopted while mail goes on, given up when they are empty.

A shard that cannot be adopted stays as it is, with an alarm, and the mail of the others goes on. A
message over which workers died is put aside when it is found, with all its recipients.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.core.ident import printed, shard_of
from angarium.journal.errors import LockedError
from angarium.queue.board import Board
from angarium.queue.spool.slot import place_of
from angarium.queue.spool.store import Spool

# A worker that was killed may need a moment to be gone, as when a supervisor is started right
# after the last one was killed.
LOCKED_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.05

ADOPTED: Final = point("shard.adopted", "a worker has taken a shard over")
RELEASED: Final = point("shard.released", "an empty shard is closed, and the supervisor not told")


class Reports(Protocol):
    """Who is told; a `run/process.Process`."""

    def adopted(self, shard: str, refusal: str = "") -> None: ...

    def released(self, shard: str) -> None: ...

    def quarantined(self, ident: int) -> None: ...

    def spawn(self, work: Any) -> None: ...


class Holdings:
    """The shards of one worker.

    Args:
        folder: in which the directories of shards are.
    """

    def __init__(
        self,
        folder: Path,
        spool: Spool,
        board: Board,
        reports: Reports,
        alarm: Callable[[str, str], None],
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._spool = spool
        self._board = board
        self._reports = reports
        self._alarm = alarm
        self._clock = clock
        self._poison: set[int] = set()
        self._places: set[tuple[int, int, int]] = set()  # where poisonous contents lie
        self._adopting: set[asyncio.Task[Any]] = set()
        spool.found = self._found

    async def open(self, name: str, poison: Sequence[int]) -> None:
        """Open the shard for new mail. Raises Error when that cannot be.

        Args:
            poison: recipients over whose message workers died.
        """
        self._poison |= set(poison)
        await self._unlocked(self._spool.open, name)

    async def adopt(self, names: Sequence[str], poison: Sequence[int] = ()) -> None:
        """Take over shards of other workers; return when all their mail is found."""
        self._poison |= set(poison)
        task = asyncio.current_task()
        assert task is not None
        self._adopting.add(task)
        try:
            for name in names:
                try:
                    await self._unlocked(self._spool.adopt, name)
                    FAULTS.hit(ADOPTED)
                except Error as error:
                    self._alarm(f"shard {name} cannot be adopted: {error}", "spool")
                    self._reports.adopted(name, str(error))
                else:
                    self._reports.adopted(name)
            await self._spool.recovered()
        finally:
            self._adopting.discard(task)

    async def _unlocked(self, take: Callable[[str], Any], name: str) -> None:
        """Take a shard, when its last owner is gone."""
        until = self._clock.monotonic() + LOCKED_SECONDS
        while True:
            try:
                await take(str(self._folder / name))
            except LockedError:
                if self._clock.monotonic() >= until:
                    raise
                await asyncio.sleep(POLL_SECONDS)
            else:
                return

    def look(self) -> None:
        """Give up the adopted shards in which nothing is left; once a second."""
        for directory in self._spool.drained():
            self._reports.spawn(self._release(directory))

    async def _release(self, directory: str) -> None:
        name = Path(directory).name
        try:
            await self._spool.release(directory)
        except Error as error:
            self._alarm(f"shard {name} was not closed well: {error}", "spool")
        else:
            FAULTS.hit(RELEASED)
            self._reports.released(name)

    async def stop(self) -> None:
        """Adopt no more; what was not adopted by now is for somebody else."""
        adopting = list(self._adopting)
        for task in adopting:
            task.cancel()
        await asyncio.gather(*adopting, return_exceptions=True)

    # -- poison ---------------------------------------------------------------------------

    def _found(self, ident: int, slot: bytes) -> None:
        if not self._poison:
            self._board.found(ident, slot)
        elif ident in self._poison:
            self._put_aside(ident, slot)
        elif self._places and (shard_of(ident), *place_of(slot)) in self._places:
            self._spool.isolate(ident)
        else:
            self._board.found(ident, slot)

    def _put_aside(self, ident: int, slot: bytes) -> None:
        shard, place = shard_of(ident), place_of(slot)
        self._places.add((shard, *place))
        self._spool.isolate(ident)
        for other, its in list(self._spool.live.items()):
            if shard_of(other) == shard and place_of(its) == place:
                self._board.isolate(other)
        self._alarm(f"message {printed(ident)} was put aside: workers died over it", "spool")
        self._reports.quarantined(ident)
