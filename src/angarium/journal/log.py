"""A directory of segments, written at its end.

Two threads share a log, and this file shows which does what: the loop appends, which costs memory
only, and learns what became of it (`take`, `landed`); the shard's disk thread writes
(`write`, `recycle`, `make_reserve`). What they hand to each other is a list of `Part`s. Only one
such list is under way at a time.

A failed write or sync seals its segment: it is never written or synced again, for after EIO a
second fdatasync reports success for pages which are gone. What was not known to be durable is
lost (`keep` false: those who wait are told) or written again with its own numbers into the next
segment (`keep` true: a change of state must not be lost while this process lives).
"""

import contextlib
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from angarium.core.fault import FAULTS, point
from angarium.journal.disk import ZEROS, Disk, write_all
from angarium.journal.errors import FULL
from angarium.journal.record import END, HEAD_SIZE, encode
from angarium.journal.ring import PIECES, Sync, Write
from angarium.journal.segment import (
    CUT,
    HEADER_SIZE,
    RESERVE,
    SPARE,
    Segment,
    Survey,
    encode_header,
    name_of,
    room,
)

PREPARING: Final = point("journal.preparing", "a segment's file has its name, and no header yet")
WRITTEN: Final = point("journal.written", "records are in the page cache, not synced")
SYNCED: Final = point("journal.synced", "records are on the disk, nobody knows yet")
RECYCLED: Final = point("journal.recycled", "a segment which is no longer needed was put aside")


@dataclass(slots=True)
class Part:
    """Octets which go to one segment in one piece."""

    segment: Segment
    offset: int
    pieces: list[bytes]
    last: int  # number of the last record in it, or of the one before it
    closing: bool = False
    end: int = 0  # offset behind it


@dataclass(slots=True)
class Landed:
    """What became of the parts of one trip."""

    last: int  # number up to which records are written
    synced: int  # ... and on the device
    error: OSError | None = None
    reserve: bool = False  # the reserve had to be used
    place: tuple[int, int] | None = None  # segment and offset behind the last record written


@dataclass(frozen=True, slots=True)
class Manner:
    """How a log is kept.

    Args:
        kind: stands in the header of each segment; 8 octets at most.
        limit: octets of a segment; a larger record gets one of its own.
        keep: hold what is not synced in memory, to write it again after a failure.
        spares: how many files are kept for use as a segment to come: overwriting what was
            written before syncs in half the time of appending (9,344 a second against 4,075).
        allocate: give a new file all its blocks at once.
        reserve: octets set aside for a full disk; 0 for none.
    """

    kind: str
    limit: int
    keep: bool = False
    spares: int = 0
    allocate: bool = True
    reserve: int = 0


class Log:
    """Records in segments, under one directory.

    Args:
        random: gives the nonces, where `nonce` does not make them from the sequence.
        clock: Unix time, for the headers of segments.
        mark: gives what the header of a new segment shall carry.
    """

    __slots__ = (
        "_clock", "_disk", "_freed", "_keep", "_kept", "_mark", "_nonce", "_part", "_parts",
        "_random", "_unused", "directory", "has_reserve", "manner", "number", "octets", "place",
        "segment", "segments", "sequence", "synced", "waiting", "written",
    )  # fmt: skip

    def __init__(
        self,
        disk: Disk,
        directory: str,
        manner: Manner,
        *,
        random: Random,
        clock: Callable[[], float],
        mark: Callable[[], int] = int,
        nonce: Callable[[int], int] | None = None,
    ) -> None:
        self._disk = disk
        self.directory = directory
        self.manner = manner
        self._random = random
        self._nonce = nonce
        self._clock = clock
        self._mark = mark
        self._keep = manner.keep
        self.has_reserve = False
        self._kept: list[tuple[int, int, bytes]] = []  # number, kind, meta; numbers have no gaps
        self._unused: list[str] = []  # the disk thread's
        self._freed: list[Segment] = []  # ... and what it could not put aside yet
        self.segments: dict[int, Segment] = {}
        self.number = 1  # of the next record
        self.sequence = 0
        self.synced = self.written = 0
        self.place = (0, HEADER_SIZE)  # segment and offset behind record `written`
        self.waiting = 0  # octets not yet written
        self.octets = 0  # written since the start
        self.segment = self._new_segment(1, 0, CUT)
        self._part = Part(self.segment, HEADER_SIZE, [], 0)
        self._parts = [self._part]

    # -- the loop's side ------------------------------------------------------------------

    def resume(self, found: Survey, *, number: int = 1, sequence: int = 0) -> None:
        """Go on behind what a survey found, in a new segment.

        Args:
            number: no record may get a lower one; `sequence`: all segments come behind it. Both
                are known to who has put segments aside that had given more.
        """
        self.segments = {each.sequence: each for each in found.segments}
        self._unused = [f"{self.directory}/{name}" for name in found.unused]
        self.sequence = max(found.highest, sequence)
        if found.segments:
            # How many of its numbers the last one has given is not known yet; this many at most,
            # also if the file was longer before a power cut.
            last = found.segments[-1]
            most = max(room(last), self.manner.limit // HEAD_SIZE + 1)
            number = max(number, last.first + most)
        self.restart(number)

    def restart(self, number: int) -> None:
        """Begin a new segment with this number; nothing may be waiting."""
        self.number = number
        self.synced = self.written = number - 1
        self._begin(number, number - 1, CUT)
        self.place = (self.segment.sequence, HEADER_SIZE)

    def append(
        self,
        kind: int,
        meta: bytes,
        run: Sequence[bytes] = (),
        run_size: int = 0,
        run_crc: int = 0,
    ) -> int:
        """Append a record; return its offset in `self.segment`. Its number is `self.number - 1`."""
        number = self.number
        self.number = number + 1
        if self._keep:
            self._kept.append((number, kind, meta))
        return self._place(number, kind, meta, run, run_size, run_crc)

    def _place(
        self,
        number: int,
        kind: int,
        meta: bytes,
        run: Sequence[bytes] = (),
        run_size: int = 0,
        run_crc: int = 0,
    ) -> int:
        size = HEAD_SIZE + len(meta) + run_size
        segment = self.segment
        offset = segment.end
        if offset + size + HEAD_SIZE > segment.limit:
            if offset > HEADER_SIZE:
                self._close_segment(number - 1)
                self._begin(number, number - 1, 0)
                segment, offset = self.segment, HEADER_SIZE
            segment.limit = max(segment.limit, offset + size + HEAD_SIZE)
        part = self._part
        part.pieces.append(
            encode(segment.nonce, number, number - self.synced, kind, meta, run_size, run_crc)
        )
        if run_size:
            part.pieces.extend(run)
        part.last = number
        segment.end = offset + size
        self.waiting += size
        return offset

    def roll(self) -> Segment:
        """Go on in a new segment; return it. The old one is closed by the next trip."""
        if self.segment.end > HEADER_SIZE:
            self._close_segment(self.number - 1)
            self._begin(self.number, self.number - 1, 0)
        return self.segment

    def close_segment(self) -> None:
        """Write that nothing follows: what a clean stop ends with."""
        if self.segment.end > HEADER_SIZE:
            self._close_segment(self.number - 1)

    def _close_segment(self, last: int) -> None:
        segment, part = self.segment, self._part
        part.pieces.append(encode(segment.nonce, last, last - self.synced, END, b""))
        part.last = last
        part.closing = segment.closed = True
        segment.end += HEAD_SIZE
        part.end = segment.end

    def _new_segment(self, first: int, floor: int, flags: int) -> Segment:
        self.sequence += 1
        make = self._nonce
        return Segment(
            self.sequence,
            make(self.sequence) if make is not None else self._random.getrandbits(64),
            first,
            floor,
            flags,
            self._mark(),
            self._clock(),
            self.manner.limit,
        )

    def _begin(self, first: int, floor: int, flags: int) -> None:
        if flags & CUT:
            self._parts = []
            self.waiting = 0
        self.segment = self._new_segment(first, floor, flags)
        self.segments[self.segment.sequence] = self.segment
        self._part = Part(self.segment, HEADER_SIZE, [], first - 1)
        self._parts.append(self._part)

    @property
    def unsynced(self) -> bool:
        """Say whether something is written and not yet known to be on the device."""
        return self.written > self.synced

    def take(self, *, even_nothing: bool = False) -> list[Part]:
        """Take what waits, for the disk thread; [] if nothing does.

        Args:
            even_nothing: give an empty part then: to sync, or to try whether a segment can be
                made.
        """
        parts = self._parts
        if not even_nothing and not self._part.pieces and len(parts) == 1:
            return []
        segment = self.segment
        self._part.end = segment.end
        self._part = Part(segment, segment.end, [], self._part.last)
        self._parts = [self._part]
        self.waiting = 0
        return parts

    def landed(self, landed: Landed) -> None:
        """Learn what became of a trip's parts; after an error, go on in a new segment."""
        if landed.place is not None:
            self.written, self.place = max(self.written, landed.last), landed.place
        if landed.synced > self.synced:
            if self._keep:
                del self._kept[: landed.synced - self.synced]
            self.synced = landed.synced
        if landed.reserve:
            self.has_reserve = False
        if landed.error is not None:
            self._seal()

    def _seal(self) -> None:
        floor = self.synced if self._keep else self.written
        self._begin(floor + 1 if self._keep else self.number, floor, CUT)
        if not self._keep:
            self.synced = self.written = self.number - 1
            self.place = (self.segment.sequence, HEADER_SIZE)
            return
        self.written = floor
        for number, kind, meta in self._kept:
            self._place(number, kind, meta)

    # -- a trip without a thread ----------------------------------------------------------

    def steps(self, parts: Sequence[Part], *, sync: bool) -> list[Write | Sync] | None:
        """Return what the kernel may do by itself; None: `write` has to, for a file is missing."""
        part = parts[0]
        handle = part.segment.handle
        if len(parts) > 1 or handle < 0 or len(part.pieces) > PIECES:
            return None
        steps: list[Write | Sync] = []
        if part.pieces:
            steps.append(Write(handle, part.pieces, part.offset))
        if sync or part.closing:
            steps.append(Sync(handle))
        return steps

    def wrote(self, parts: Sequence[Part], *, sync: bool) -> Landed:
        """Say what became of the parts whose steps were all done."""
        part = parts[0]
        self.octets += part.end - part.offset
        synced = part.last if sync or part.closing else 0
        return Landed(part.last, synced, place=(part.segment.sequence, part.end))

    # -- the disk thread's side -----------------------------------------------------------

    def write(self, parts: Sequence[Part], *, sync: bool) -> Landed:
        """Write the parts, and sync if told to; a segment which is complete is always synced."""
        landed = Landed(0, 0)
        had_reserve = self.has_reserve
        try:
            for part in parts:
                self._write_part(part, sync=sync or part.closing)
                landed.last, landed.place = part.last, (part.segment.sequence, part.end)
                if sync or part.closing:
                    landed.synced = part.last
        except OSError as error:
            landed.error = error
        landed.reserve = had_reserve and not self.has_reserve
        return landed

    def _write_part(self, part: Part, *, sync: bool) -> None:
        segment = part.segment
        if segment.handle < 0:
            self._prepare(segment)
        if part.pieces:
            end = write_all(self._disk, segment.handle, part.pieces, part.offset)
            self.octets += end - part.offset
            FAULTS.hit(WRITTEN, self.manner.kind)
        if sync:
            self._disk.sync(segment.handle)
            FAULTS.hit(SYNCED, self.manner.kind)

    def _prepare(self, segment: Segment) -> None:
        path = f"{self.directory}/{name_of(segment.sequence)}"
        handle = -1
        try:
            handle = self._open_file(path, segment.limit)
            FAULTS.hit(PREPARING, self.manner.kind)
            write_all(self._disk, handle, [encode_header(segment, self.manner.kind)], 0)
            self._disk.sync(handle)
            self._disk.sync_dir(self.directory)
        except OSError:
            with contextlib.suppress(OSError):  # the first failure is the one to tell
                if handle >= 0:
                    self._disk.close(handle)
                self._disk.unlink(path)
            raise
        segment.handle = handle

    def _open_file(self, path: str, limit: int) -> int:
        handle = self._disk.open(path, create=not self._use_spare(path))
        if not self.manner.allocate:
            return handle
        try:
            if self._disk.size(handle) < limit:
                self._disk.allocate(handle, limit)
        except OSError as error:
            self._disk.close(handle)
            self._disk.unlink(path)
            if error.errno not in FULL or not self.has_reserve or limit > self.manner.reserve:
                raise
            self.has_reserve = False
            self._disk.rename(f"{self.directory}/{RESERVE}", path)
            return self._disk.open(path)
        return handle

    def _use_spare(self, path: str) -> bool:
        """Give a spare file this name; return whether there was one."""
        while self._unused:
            spare = self._unused.pop()
            try:
                self._disk.rename(spare, path)
            except FileNotFoundError:
                continue  # somebody has removed it
            except OSError:
                self._unused.insert(0, spare)
                raise
            return True
        return False

    def recycle(self, segments: Sequence[Segment]) -> None:
        """Put files aside in which nothing counts any more.

        What cannot be is tried again with the next ones. Raises the first failure, at the end.
        """
        for segment in segments:
            if segment.handle >= 0:
                self._disk.close(segment.handle)
                segment.handle = -1
        freed, self._freed = [*self._freed, *segments], []
        failure: OSError | None = None
        for segment in freed:
            try:
                self._put_aside(segment)
            except FileNotFoundError:
                continue  # it could not be made, and was sealed
            except OSError as error:
                self._freed.append(segment)
                failure = failure or error
        if failure is not None:
            raise failure

    def _put_aside(self, segment: Segment) -> None:
        path = f"{self.directory}/{name_of(segment.sequence)}"
        if len(self._unused) < self.manner.spares:
            spare = f"{self.directory}/{SPARE}{segment.sequence:010d}"
            self._disk.rename(path, spare)
            self._unused.append(spare)
        else:
            self._disk.unlink(path)
        FAULTS.hit(RECYCLED, self.manner.kind)

    def make_reserve(self) -> None:
        """Set the reserve aside, written once from end to end: no block is missing later."""
        reserve = self.manner.reserve
        if not reserve or self.has_reserve:
            return
        path = f"{self.directory}/{RESERVE}"
        handle = self._disk.open(path, create=True)
        try:
            for offset in range(self._disk.size(handle), reserve, len(ZEROS)):
                piece = ZEROS[: reserve - offset]
                if self._disk.write(handle, [piece], offset) < len(piece):
                    raise OSError(errno.ENOSPC, "no room for the reserve", path)
            self._disk.sync(handle)
        finally:
            self._disk.close(handle)
        self.has_reserve = True

    def close(self) -> None:
        """Close every file; nothing may be under way."""
        for segment in self.segments.values():
            if segment.handle >= 0:
                self._disk.close(segment.handle)
                segment.handle = -1
