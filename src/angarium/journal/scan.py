"""Read a segment from front to back, through whatever happened to it.

A generator that yields where it may be interrupted, so that a long scan can run in slices.

What is not a record is one of two things. A *torn tail* is what a crash left of records nobody
was told were safe: legal, and everything from there on never happened. *Damage* is where a
record must have been: counted, kept for people (`quarantine`), and stepped over. The records
themselves tell which: each says up to which number its log was synced when it was made.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zlib import crc32

from angarium.journal.disk import Disk
from angarium.journal.record import END, HEAD_SIZE, Head, head_at, search_key
from angarium.journal.segment import HEADER_SIZE, SEARCH, Segment

WINDOW: Final = 1 << 16  # octets read at once; a body that ends outside is stepped over
PAUSE: Final = 1 << 14  # octets of records between two yields: a fraction of a millisecond


class Found(NamedTuple):
    """A record, without its run."""

    number: int
    kind: int
    offset: int
    meta: bytes
    run: int
    run_crc: int

    @property
    def run_offset(self) -> int:
        return self.offset + HEAD_SIZE + len(self.meta)


@dataclass(slots=True)
class Gap:
    """Damage: octets from `start` to `end` of a file where records must have been."""

    start: int
    end: int


@dataclass(slots=True)
class Outcome:
    """What a scan has seen."""

    last: int = 0  # number of the last record that counts
    synced: int = 0  # number up to which records must be there, as far as known
    end: int = HEADER_SIZE  # offset behind the last record that counts
    ended: bool = False  # the segment was closed
    gaps: list[Gap] = field(default_factory=list)


class Scan:
    """One reading of one segment.

    Args:
        handle: of the segment's file, open for reading.
        take: gets every record that counts, in order.
        ceiling: numbers above it are void (the next segment's floor).
        synced: number up to which records must be there, where somebody else knows it.
        follows: the next segment was begun because this one was full, so this one must have
            been closed.
        start: (offset, number): where to begin, behind the record of that number.
    """

    __slots__ = (
        "_ceiling", "_disk", "_follows", "_from", "_handle", "_held", "_segment", "_size", "_start",
        "_take", "_window", "outcome",
    )  # fmt: skip

    def __init__(
        self,
        disk: Disk,
        handle: int,
        segment: Segment,
        take: Callable[[Found], None],
        *,
        ceiling: int = 1 << 64,
        synced: int = 0,
        follows: bool = False,
        start: tuple[int, int] | None = None,
    ) -> None:
        self._disk = disk
        self._handle = handle
        self._segment = segment
        self._take = take
        self._ceiling = ceiling
        self._follows = follows
        self._size = disk.size(handle)
        self._window = b""
        self._start = 0  # offset of the window
        self._held: list[Found] = []  # not known to be synced, so their runs are to be checked
        # Elsewhere one knows of a number, and not whether it is one of this segment: numbers leave
        # out some where a log went on after a crash.
        known = synced if segment.first <= synced < ceiling else 0
        self._from, last = start or (segment.begin, segment.first - 1)
        self.outcome = Outcome(last=last, synced=known, end=self._from)

    def run(self) -> Generator[None, None, Outcome]:
        """Read; the outcome is complete when this ends."""
        out = self.outcome
        at = paused = self._from
        while True:
            head = self._head(at)
            meta = b"" if head is None else self._meta(head, at)
            if head is None or meta is None:
                found = yield from self._resynchronise(at)
                if found is None:
                    break
                at = found
                yield
                continue
            if head.number > self._ceiling:
                break
            out.synced = max(out.synced, self._synced_by(head))
            if head.kind == END:
                out.ended, out.end = True, at + head.size
                break
            if at - paused >= PAUSE:
                paused = at
                yield
            self._held.append(Found(head.number, head.kind, at, meta, head.run, head.run_crc))
            out.last = head.number
            at = out.end = at + head.size
            if out.synced >= self._held[0].number:
                self._release()
        yield from self._finish(at)
        return out

    def _synced_by(self, head: Head) -> int:
        """Return up to which number a sound record shows that all were synced.

        The end of a segment shows it of all if another was begun for it was full: that is not
        done before this one is synced.
        """
        if head.kind == END and self._follows:
            return head.number
        return head.number - head.back

    def _read(self, at: int, size: int) -> bytes:
        """Return octets of the file; may be a window which holds them at `at - self._start`."""
        if at < self._start or at + size > self._start + len(self._window):
            self._window = self._disk.read(self._handle, max(size, WINDOW), at)
            self._start = at
        return self._window

    def _head(self, at: int) -> Head | None:
        data = self._read(at, HEAD_SIZE)
        head = head_at(data, at - self._start, self._segment.nonce)
        if head is None or at + head.size > self._size:
            return None
        if head.kind == END:
            return head if head.number >= self.outcome.last else None
        return head if head.number > self.outcome.last else None

    def _meta(self, head: Head, at: int) -> bytes | None:
        data = self._read(at, HEAD_SIZE + head.meta)
        begin = at - self._start + HEAD_SIZE
        meta = data[begin : begin + head.meta]
        return meta if crc32(meta) == head.meta_crc else None

    def _release(self) -> None:
        """Hand on what is known to be synced: its run was, too."""
        held, synced, take = self._held, self.outcome.synced, self._take
        count = 0
        for found in held:
            if found.number > synced:
                break
            take(found)
            count += 1
        del held[:count]

    def _resynchronise(self, at: int) -> Generator[None, None, int | None]:
        """Look for a record behind `at`; return its offset if what is between is damage.

        Is what is missing damage, or was it never synced? The next record may not know, for it can
        have been made in the same trip; any later one may.
        """
        out = self.outcome
        first, behind = None, at + 1
        while True:
            found = yield from self._next(behind)
            if found is None:
                return None
            place, head = found
            if head.number > self._ceiling:
                return None
            first = place if first is None else first
            out.synced = max(out.synced, self._synced_by(head))
            if out.synced > out.last:
                out.gaps.append(Gap(at, first))
                return first
            behind = place + head.size

    def _next(self, base: int) -> Generator[None, None, tuple[int, Head] | None]:
        """Return offset and head of the first sound record at `base` or behind it."""
        key = search_key(self._segment.nonce)
        while base < self._size:
            chunk = self._disk.read(self._handle, SEARCH + len(key), base)
            place = chunk.find(key)
            while place >= 0:
                head = self._head(base + place)
                if head is not None and self._meta(head, base + place) is not None:
                    return base + place, head
                place = chunk.find(key, place + 1)
            if len(chunk) <= SEARCH:
                break
            base += SEARCH
            yield
        return None

    def _finish(self, at: int) -> Generator[None, None, None]:
        out = self.outcome
        self._release()
        for found in self._held:
            yield
            if not self._sound(found):
                # Torn: nobody was told of it, nor of any after it.
                out.last, out.end = found.number - 1, found.offset
                break
            self._take(found)
        self._held.clear()
        lost = min(out.synced, self._ceiling) > out.last
        if not out.ended and (lost or self._follows):
            out.gaps.append(Gap(at, self._size))

    def _sound(self, found: Found) -> bool:
        crc, offset, left = 0, found.run_offset, found.run
        while left:
            piece = self._disk.read(self._handle, min(left, SEARCH), offset)
            if not piece:
                return False
            crc = crc32(piece, crc)
            offset += len(piece)
            left -= len(piece)
        return crc == found.run_crc


def complete(scanning: Generator[None, None, Outcome]) -> Outcome:
    """Run a scan to its end at once: for tools and tests, not for the loop."""
    while True:
        try:
            next(scanning)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def quarantine(disk: Disk, handle: int, gap: Gap, path: str) -> bool:
    """Copy the octets of a gap to `path` for people to look at; False if that was done before."""
    directory, _, name = path.rpartition("/")
    if name in disk.names(directory):
        return False
    disk.make_dir(directory)
    copy = disk.open(path, create=True)
    try:
        for offset in range(gap.start, gap.end, SEARCH):
            piece = disk.read(handle, min(SEARCH, gap.end - offset), offset)
            disk.write(copy, [piece], offset - gap.start)
        disk.sync(copy)
    finally:
        disk.close(copy)
    disk.sync_dir(directory)
    return True
