"""Reclaiming the space of contents which are settled.

A data segment in which less than a quarter is still needed has that quarter written again at the
end of the data log, as MOVE records; then nothing in it counts and the next checkpoint frees it.
So a shard never takes more than four times what lives in it, and two segments. Mail that comes in
goes first: compaction writes a fifth of all at most, and more only on a disk that is idle.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Final
from zlib import crc32

from angarium.core.fault import FAULTS, point
from angarium.journal.errors import DamageError, SpoolError
from angarium.journal.scan import Found, Scan
from angarium.journal.segment import Segment, name_of
from angarium.queue.spool import envelope
from angarium.queue.spool.envelope import MOVE, PUT
from angarium.queue.spool.shard import Shard
from angarium.queue.spool.slices import Until, Work

SPARSE: Final = 0.25  # of a segment's octets
SHARE: Final = 0.25  # of what mail writes, which is a fifth of both
PIECE: Final = 1 << 18

MOVING: Final = point("spool.moving", "a content is about to be written again")
MOVED: Final = point("spool.moved", "a content was written again, its old place still counts")


class Budget:
    """How much compaction may write, second by second."""

    __slots__ = ("_left", "_moved", "_rate", "_seen")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left = 0
        self._moved = 0
        self._seen = 0

    def second(self, written: int) -> None:
        """Learn how many octets the data log has written since the start."""
        mail = max(written - self._seen - self._moved, 0)
        self._seen, self._moved = written, 0
        self._left = max(int(mail * SHARE), self._rate - mail)

    def spend(self, octets: int) -> None:
        self._left -= octets
        self._moved += octets

    @property
    def spent(self) -> bool:
        return self._left <= 0


def sparse(shard: Shard) -> list[Segment]:
    """Return the segments worth it, oldest first."""
    position, usage = shard.data.written, shard.table.usage
    found = []
    segments = sorted(shard.data.segments.values(), key=lambda each: each.sequence)
    for segment, following in pairwise(segments):
        if following.first - 1 > position:
            break  # some of its records are still on their way
        used = usage.get(segment.sequence)
        if segment.stuck:
            continue
        if used is not None and used.entries and used.octets < SPARSE * segment.limit:
            found.append(segment)
    return found


class Compaction:
    """Moves what lives out of one segment."""

    __slots__ = ("_budget", "_found", "_segment", "_shard", "moved")

    def __init__(self, shard: Shard, segment: Segment, budget: Budget) -> None:
        self._shard = shard
        self._segment = segment
        self._budget = budget
        self._found: list[Found] = []
        self.moved = 0

    def run(self) -> Work:
        """Do it; when this ends, what was moved is durable in its new place.

        Raises:
            SpoolError: it could not be written; all is where it was.
            OSError: it could not be read.
        """
        shard, segment = self._shard, self._segment
        handle = shard.contents.opened(segment)
        segment.pins += 1
        try:
            scan = Scan(shard.means.disk, handle, segment, self._found.append)
            for _ in scan.run():
                yield from self._move_all(handle)
                yield None
            yield from self._move_all(handle)
            durable = yield Until(shard.commit.flush)
            if not durable:
                raise SpoolError("compaction could not write")
            left = shard.table.usage.get(segment.sequence)
            # What is damaged is not found and stays; to try again each second helps nobody.
            segment.stuck = left is not None and left.entries > 0
        finally:
            segment.pins -= 1

    def _move_all(self, handle: int) -> Work:
        found, self._found[:] = list(self._found), []
        for record in found:
            if record.kind in (PUT, MOVE):
                yield from self._move(record, handle)

    def _move(self, record: Found, handle: int) -> Work:
        shard, table = self._shard, self._shard.table
        sequence, offset = self._segment.sequence, record.offset
        try:
            prefix = envelope.prefix_of(record.meta)
            idents = [ident for ident, _, _ in envelope.items(record.meta, prefix)]
        except DamageError as error:
            shard.means.alarm(error)
            return
        if not any(table.at(ident, sequence, offset) for ident in idents):
            return
        while self._budget.spent or shard.refusal is not None:
            if shard.closing:
                raise SpoolError("compaction is over for now")
            yield Until(partial(_in_a_second, shard))
        FAULTS.hit(MOVING)
        pieces = yield partial(self._read, record, handle)
        living = [ident for ident in idents if table.at(ident, sequence, offset)]
        if not living:
            return
        meta, places = envelope.keep(record.meta, living)
        at = shard.append(MOVE, meta, pieces, record.run, record.run_crc)
        target = shard.data.segment.sequence
        self._budget.spend(len(meta) + record.run)
        shard.when_durable(partial(self._moved, offset, target, at, places))

    def _read(self, record: Found, handle: int) -> list[bytes]:
        """Read the run, on the disk's thread. Damaged octets stay so: their CRC moves with them."""
        disk, pieces, crc = self._shard.means.disk, [], 0
        end = record.run_offset + record.run
        for offset in range(record.run_offset, end, PIECE):
            size = min(PIECE, end - offset)
            piece = disk.read(handle, size, offset).ljust(size, b"\0")
            crc = crc32(piece, crc)
            pieces.append(piece)
        if crc != record.run_crc:
            self._shard.means.loop.call_soon_threadsafe(
                self._shard.means.alarm,
                DamageError(
                    "a content is damaged",
                    segment=name_of(self._segment.sequence),
                    offset=record.offset,
                ),
            )
        return pieces

    def _moved(
        self,
        old: int,
        target: int,
        offset: int,
        places: dict[int, int],
        error: SpoolError | None,
    ) -> None:
        if error is not None:
            return
        FAULTS.hit(MOVED)
        table = self._shard.table
        for ident, recipient in places.items():
            if table.at(ident, self._segment.sequence, old):
                table.move(ident, target, offset, recipient)
                self.moved += 1


def _in_a_second(shard: Shard, resume: Callable[[None], object]) -> None:
    shard.means.loop.call_later(1.0, resume, None)


def on_disk(segments: Sequence[Segment]) -> int:
    """Return the octets which segments take."""
    return sum(segment.limit for segment in segments)
