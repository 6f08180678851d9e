"""Follow a log while another process writes it: records in order, behind a number.

    tail = Tail(disk, directory, "events")
    for number, payload in tail.read(after=41, limit=1000): ...

Numbers rise but are not dense: after a crash a log goes on with one that was surely never given.
What is read may be lost again by a power cut until it is synced; who must know keeps to `safe`.
"""

from typing import Final
from zlib import crc32

from angarium.journal.disk import Disk
from angarium.journal.record import END, HEAD_SIZE, Head, head_at
from angarium.journal.scan import Found, Scan, complete
from angarium.journal.segment import CUT, HEADER_SIZE, Segment, name_of, survey

WINDOW: Final = 1 << 16
STUCK: Final = 20  # reads without a record before octets that are none are looked into


class Tail:
    """The records of one log's directory, as they come."""

    __slots__ = (
        "_at", "_directory", "_disk", "_handle", "_kind", "_next", "_segment", "_stuck",
        "damaged", "missed", "safe",
    )  # fmt: skip

    def __init__(self, disk: Disk, directory: str, kind: str) -> None:
        self._disk = disk
        self._directory = directory
        self._kind = kind
        self._segment: Segment | None = None
        self._handle = -1
        self._at = HEADER_SIZE
        self._next = 1  # number of the next record wanted
        self._stuck = 0
        self.safe = 0  # records up to this number are on the device
        self.missed = 0  # how often records were gone before they were read
        self.damaged = 0  # ... or could not be read

    def read(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return at most `limit` records numbered over `after`, in order; [] for none yet.

        Raises:
            FormatError: the log is of a newer version.
            OSError: the disk failed.
        """
        if after + 1 != self._next:
            self.close()
            self._next = after + 1
        taken: list[tuple[int, bytes]] = []
        while len(taken) < limit and (self._segment is not None or self._enter()):
            if not self._read(taken, limit) and not self._leave():
                break
        self._stuck = 0 if taken else self._stuck + 1
        return taken

    def close(self) -> None:
        if self._handle >= 0:
            self._disk.close(self._handle)
        self._handle, self._segment = -1, None

    def _enter(self) -> bool:
        """Open the segment in which the next record is."""
        found = survey(self._disk, self._directory, self._kind).segments
        if not found:
            return False
        fitting = [each for each in found if each.first <= self._next]
        if not fitting and found[0].first > self._next > 1:
            self.missed += 1
        return self._open(fitting[-1] if fitting else found[0])

    def _open(self, segment: Segment) -> bool:
        self.close()
        path = f"{self._directory}/{name_of(segment.sequence)}"
        self._handle = self._disk.open(path, readonly=True)
        self._segment, self._at = segment, HEADER_SIZE
        return True

    def _read(self, taken: list[tuple[int, bytes]], limit: int) -> bool:
        """Take what a window shows; return whether there may be more in this segment."""
        segment = self._segment
        if segment is None:
            return False
        start, data = self._at, self._disk.read(self._handle, WINDOW, self._at)
        while len(taken) < limit:
            head = head_at(data, self._at - start, segment.nonce)
            meta = None if head is None else self._meta(head, data, start)
            if head is None or meta is None:
                break
            self.safe = max(self.safe, head.number - head.back)
            if head.kind == END:
                return False
            if head.number >= self._next:
                taken.append((head.number, meta))
                self._next = head.number + 1
            self._at += head.size
        return self._at > start

    def _meta(self, head: Head, data: bytes, start: int) -> bytes | None:
        begin = self._at - start + HEAD_SIZE
        meta = data[begin : begin + head.meta]
        if len(meta) < head.meta:
            meta = self._disk.read(self._handle, head.meta, self._at + HEAD_SIZE)
        return meta if len(meta) == head.meta and crc32(meta) == head.meta_crc else None

    def _leave(self) -> bool:
        """Go to the next segment if there is one: nothing is added to this one then."""
        current = self._segment
        if current is None or (not self._stuck and not self._closed(current)):
            return False  # Look into the directory at the second idle read only.
        found = survey(self._disk, self._directory, self._kind).segments
        later = [each for each in found if each.sequence > current.sequence]
        if self._at_record(current):
            return True  # It was added between the two looks.
        if later:
            if not later[0].flags & CUT:
                self.safe = max(self.safe, self._next - 1)
            return self._open(later[0])
        if self._stuck >= STUCK:
            self._stuck = 0
            return self._step_over(current)
        return False

    def _closed(self, segment: Segment) -> bool:
        data = self._disk.read(self._handle, HEAD_SIZE, self._at)
        head = head_at(data, 0, segment.nonce)
        return head is not None and head.kind == END

    def _at_record(self, segment: Segment) -> bool:
        data = self._disk.read(self._handle, WINDOW, self._at)
        head = head_at(data, 0, segment.nonce)
        if head is None or head.kind == END:
            return False
        return self._meta(head, data, self._at) is not None

    def _step_over(self, segment: Segment) -> bool:
        """Something is no record and stays so: is there one behind that says it was one?"""
        # What was read may not have been synced, and be torn by a power cut since.
        scan = Scan(self._disk, self._handle, segment, _nothing, synced=self.safe)
        for gap in complete(scan.run()).gaps:
            if gap.start == self._at and gap.end < self._disk.size(self._handle):
                self._at = gap.end
                self.damaged += 1
                return True
        return False


def _nothing(_: Found) -> None:
    pass
