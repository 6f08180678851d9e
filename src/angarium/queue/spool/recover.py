"""Recovery: from the logs of a directory to the entries of a shard, in slices.

The shard takes mail from the first moment, in new segments; what is read here is what was there
when it was opened. The order is that of `replay`: how far the event stream had come, contents and
changes after the checkpoint (telling the stream what it lacks), then the entries. Each entry is
in the table, and the queues hear of it, as soon as it is read: it can be worked on while the rest
is still to come. Bodies are not read, but those of the last records whose sync is not known.

Adopting a shard of a worker that died is nothing else.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from angarium.core.fault import FAULTS, point
from angarium.events.schema import EventError
from angarium.events.stream import DATA as FROM_DATA
from angarium.events.stream import NOWHERE, frames
from angarium.journal.errors import DamageError
from angarium.journal.log import Log
from angarium.journal.record import HEAD_SIZE
from angarium.journal.scan import Found, Outcome, Scan
from angarium.journal.segment import CUT, Segment, after, name_of
from angarium.queue.spool import changes
from angarium.queue.spool.checkpoint import Meta
from angarium.queue.spool.damage import Damage
from angarium.queue.spool.envelope import PREFIX_SIZE, prefix_of
from angarium.queue.spool.replay import Replay
from angarium.queue.spool.routes import Key
from angarium.queue.spool.shard import Shard
from angarium.queue.spool.slices import Work
from angarium.queue.spool.slot import (
    LARGE,
    due_of,
    place_of,
    route_of,
    unpack,
    with_route,
    with_timing,
)

READING: Final = point("spool.reading", "recovery has read contents, and not what became of them")
DRIFT: Final = 2  # seconds; less is no setting of a clock

RETOLD: Final = point("spool.retold", "events of the last run were told again, not yet synced")
RECOVERED: Final = point("spool.recovered", "all entries are there, nothing was cleaned up")

Take = Callable[[Found], None]


class Recovery:
    """The recovery of one shard.

    Args:
        found: is told of every entry the queues shall know.

    Attributes:
        entries: how many were found.
    """

    __slots__ = ("_behind", "_found", "_now", "_shard", "_told", "damage", "entries", "replay")

    def __init__(self, shard: Shard, found: Callable[[int, bytes], None]) -> None:
        self._shard = shard
        self._found = found
        self.entries = 0
        self._now = int(shard.means.clock.time())
        behind = int(shard.inventory.latest) - self._now
        self._behind = behind if behind > DRIFT else 0  # seconds the clock was set back since
        self.damage = Damage(shard.means, shard.directory, shard.logs)
        self.replay = Replay(shard.means.routes)
        self._told = Told(shard.inventory.data.segments)

    def run(self) -> Work:
        """Do it all; to be run by `Slices`.

        Raises:
            OSError: the disk failed. Nothing was changed, the shard can be adopted again.
        """
        shard, inventory = self._shard, self._shard.inventory
        reader = inventory.reader
        meta = reader.meta if reader is not None else None
        told = self._told
        self.damage.survey(inventory)
        if meta is not None:
            told.data, told.state = meta.position, meta.state_number - 1
        wanted = [*after(inventory.messages.segments, meta.stream - 1 if meta else 0)]
        yield from self._scan(shard.messages, wanted, told.take)
        self.replay = Replay(
            shard.means.routes, shard.emit_recovered, told.data, told.state,
            salvaging=reader is None,
        )  # fmt: skip
        yield from self._contents(meta)
        FAULTS.hit(READING)
        yield from self._changes(meta)
        FAULTS.hit(RETOLD)
        shard.release_events()
        self._count(meta.counts if meta is not None else ())
        yield from self._entries()
        if meta is not None:
            yield from self._moved(meta.high)
        for ident, slot, isolated in self.replay.rest():
            self._enter(ident, slot, isolated)
            if not self.entries % 128:
                yield None
        FAULTS.hit(RECOVERED)
        yield from self._clean()
        shard.recovered = True

    # -- the logs -------------------------------------------------------------------------

    def _contents(self, meta: Meta | None) -> Work:
        """Read the data log behind the position of the checkpoint."""
        position = meta.position if meta is not None else 0
        wanted = after(self._shard.inventory.data.segments, position)
        current: list[int] = [0]
        content = self.replay.content

        def take(found: Found) -> None:
            if found.number > position:
                content(found, current[0])

        if wanted and wanted[0].first > position + 1 and not wanted[0].flags & CUT:
            self.damage.faults.append(DamageError("a segment of the data log is missing"))
        for segment in wanted:
            current[0] = segment.sequence
            known = position if segment.first <= position else 0
            synced = max(self._told.of(segment), known)
            start = meta.start_in(segment) if meta is not None else None
            yield from self._scan(self._shard.data, [segment], take, synced, start)

    def _changes(self, meta: Meta | None) -> Work:
        """Read the state log from the checkpoint on.

        A record with a lower number may be there: written again, when a write before the
        checkpoint's beginning had failed. It is in the checkpoint.
        """
        segments = self._shard.inventory.state.segments
        begun, least = (meta.state_segment, meta.state_number) if meta is not None else (0, 0)
        change, current = self.replay.change, [0]

        def take(found: Found) -> None:
            if found.number >= least:
                change(found, current[0])

        wanted = [each for each in segments if each.sequence >= begun]
        if wanted and wanted[0].sequence > begun > 0 and not wanted[0].flags & CUT:
            self.damage.faults.append(DamageError("a segment of the state log is missing"))
        for segment in wanted:
            current[0] = segment.sequence
            yield from self._scan(self._shard.state, [segment], take)

    def _scan(
        self,
        log: Log,
        segments: Sequence[Segment],
        take: Take,
        synced: int = 0,
        start: tuple[int, int] | None = None,
    ) -> Work:
        disk = self._shard.means.disk
        for segment in segments:
            following = _following(log, segment)
            path = f"{log.directory}/{name_of(segment.sequence)}"
            handle = disk.open(path, readonly=True)
            try:
                scan = Scan(
                    disk, handle, segment, take,
                    ceiling=following.floor,
                    synced=synced,
                    follows=not following.flags & CUT,
                    start=start,
                )  # fmt: skip
                outcome: Outcome = yield from scan.run()
            finally:
                disk.close(handle)
            segment.end = outcome.end
            segment.closed = True
            self.damage.gaps += [(log.manner.kind, segment, gap) for gap in outcome.gaps]
            if not (outcome.gaps or following.flags & CUT):
                self.damage.ends_early(log, segment, outcome.last, following)

    def _count(self, counts: Sequence[int]) -> None:
        shard = self._shard
        for index, count in enumerate(counts[: len(shard.counts)]):
            shard.counts[index] += count
        for index, count in enumerate(self.replay.counts):
            shard.counts[index] += count
        shard.high = max(shard.high, self.replay.high)

    # -- the entries ----------------------------------------------------------------------

    def _entries(self) -> Work:
        reader = self._shard.inventory.reader
        if reader is None:
            return
        try:
            yield from reader.entries(self._rows)
        finally:
            reader.close()
        if reader.damaged:
            self.damage.faults.append(DamageError("a checkpoint is damaged"))
            yield from self._salvage(reader.meta.position)

    def _rows(self, rows: list[tuple[int, bytes]], keys: dict[int, Key], isolated: bool) -> None:
        hold, replay, table = self._shard.means.routes.hold, self.replay, self._shard.table
        gone, puts, patches = replay.gone, replay.puts, replay.patches
        for ident, slot in rows:
            if isolated and (ident in table.live or ident in table.isolated):
                continue  # It was isolated, or let free, while the checkpoint was written.
            number = int.from_bytes(slot[:4], "little")
            ours = hold(keys[number])
            if ours != number:
                slot = with_route(slot, ours)  # noqa: PLW2901 - the same entry
            if ident in gone or ident in patches or ident in puts:
                result = replay.resolve(ident, slot, isolated)
                if result is not None:
                    self._enter(ident, *result)
            else:
                self._enter(ident, slot, isolated)

    def _enter(self, ident: int, slot: bytes, isolated: bool) -> None:
        if self._behind:
            slot = self._in_time(slot)
        table = self._shard.table
        table.add(ident, slot)
        self.entries += 1
        if slot[10] & LARGE:
            self._note_file(slot)
        if isolated:
            table.isolate(ident)
        else:
            self._found(ident, slot)

    def _in_time(self, slot: bytes) -> bytes:
        """Return a slot with the due time that was meant, by the clock as it is now."""
        due = due_of(slot)
        if due <= self._now:
            return slot
        return with_timing(slot, max(due - self._behind, self._now), unpack(slot).attempts)

    def _note_file(self, slot: bytes) -> None:
        """Find the name of a large body: what the table must know to remove it at its end."""
        segment, offset = place_of(slot)
        key = segment << 32 | offset
        files = self._shard.table.files
        if key in files:
            return
        name = self.replay.files.get(key, 0)
        if not name:
            shard = self._shard
            where = shard.data.segments.get(segment)
            if where is None:
                return
            handle = shard.contents.opened(where)
            start = shard.means.disk.read(handle, 4096, offset + HEAD_SIZE)
            try:
                name = prefix_of(start[:4096]).large if len(start) >= PREFIX_SIZE else 0
            except DamageError:
                return  # who reads the message will be told
        if name:
            files[key] = name

    def _salvage(self, position: int) -> Work:
        """The checkpoint lost entries: take all contents for live of which no end is known.

        Some of them were delivered before; better twice than not at all.
        """
        table, replay = self._shard.table, Replay(self._shard.means.routes, salvaging=True)
        replay.gone = self.replay.gone
        for segment in self._shard.inventory.data.segments:
            content = partial(_content_until, replay, position, segment.sequence)
            yield from self._scan(self._shard.data, [segment], content)
        for ident, slot, _ in replay.rest():
            if ident in table.live or ident in table.isolated:
                self._shard.means.routes.release(route_of(slot))
            elif (result := self.replay.resolve(ident, slot, isolated=False)) is not None:
                self._enter(ident, *result)
            yield None

    def _moved(self, high: int) -> Work:
        """Find entries whose content was put after the checkpoint and is known by a move only.

        The record that put them was damaged since. Who has a lower id may have ended before the
        checkpoint, while the move was on its way.
        """
        shard, replay = self._shard, Replay(self._shard.means.routes, salvaging=True)
        lost = {
            ident: patch.place[0]
            for ident, patch in self.replay.patches.items()
            if patch.place is not None and ident > high
        }
        for segment in shard.inventory.data.segments:
            if segment.sequence in lost.values():
                content = partial(_content_until, replay, 1 << 64, segment.sequence)
                yield from self._scan(shard.data, [segment], content)
        for ident, slot, _ in replay.rest():
            if ident not in lost:
                shard.means.routes.release(route_of(slot))
            elif (result := self.replay.resolve(ident, slot, isolated=False)) is not None:
                shard.counts[changes.CREATED] += 1
                self._enter(ident, *result)
            yield None

    # -- what is left ---------------------------------------------------------------------

    def _clean(self) -> Work:
        """Keep damage for people, and remove what nothing refers to."""
        shard, inventory = self._shard, self._shard.inventory
        kinds = {True: shard.state.manner.kind, False: shard.data.manner.kind}
        self.damage.records += [
            (kinds[found.kind >= changes.SETTLE], segment, found, error)
            for segment, found, error in self.replay.unread
        ]
        used = {f"{name:016x}" for name in shard.table.files.values()}
        orphans = [name for name in inventory.large if name not in used]
        yield from self.damage.put_aside(inventory, orphans)


class Told:
    """Up to which records of the logs a stream has told its events.

    Of the data log that is known for each segment by itself: what was told was on the disk, so it
    must be there still, and numbers have gaps where a segment follows one that was not closed.
    """

    __slots__ = ("_firsts", "_highest", "data", "state")

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._firsts = [each.first for each in segments]
        self._highest: dict[int, int] = {}  # by number of the first record of the segment
        self.data = 0
        self.state = 0

    def of(self, segment: Segment) -> int:
        """Return the highest number told of a segment of the data log, 0 for none."""
        return self._highest.get(segment.first, 0)

    def take(self, found: Found) -> None:
        try:
            for log, number, _ in frames(found.meta):
                if log == FROM_DATA:
                    self._take(number)
                elif log != NOWHERE:
                    self.state = max(self.state, number)
        except EventError:
            return  # told by who reads the stream

    def _take(self, number: int) -> None:
        if number > self.data:
            self.data = number
            if index := bisect_right(self._firsts, number):
                self._highest[self._firsts[index - 1]] = number


def _following(log: Log, segment: Segment) -> Segment:
    """Return the segment after this one: it says what of this one counts."""
    return min(
        (each for each in log.segments.values() if each.sequence > segment.sequence),
        key=lambda each: each.sequence,
    )


def _content_until(replay: Replay, position: int, segment: int, found: Found) -> None:
    if found.number <= position:
        replay.content(found, segment)
