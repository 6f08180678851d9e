"""Reading messages back from the data log.

Two reads at most for one recipient, however many the message has: what is needed of a record is
found from the slot, and each part has a CRC of its own.
"""

from collections import OrderedDict
from typing import Final
from zlib import crc32

from angarium.core.body import Body, MemoryBody
from angarium.core.message import Message, Recipient
from angarium.journal.disk import Disk
from angarium.journal.errors import ColdError, DamageError
from angarium.journal.log import Log
from angarium.journal.record import HEAD_SIZE, Head, head_at
from angarium.journal.segment import Segment, name_of
from angarium.queue.spool.body import LargeBody, SpooledBody
from angarium.queue.spool.envelope import (
    ITEM_SIZE,
    PREFIX_SIZE,
    Prefix,
    envelope_end,
    envelope_of,
    item_size,
    message_of,
    prefix_of,
    recipient_of,
    target_at,
)
from angarium.queue.spool.slot import unpack

FIRST: Final = 1024  # octets read at first: most records with one recipient fit, header and all
OPEN: Final = 256  # segments kept open for reading


class Contents:
    """The messages of a shard's data log.

    Args:
        shard: its number, `large`: the directory of its large bodies.
    """

    __slots__ = ("_disk", "_large", "_log", "_open", "_shard")

    def __init__(self, disk: Disk, log: Log, shard: int, large: str) -> None:
        self._disk = disk
        self._log = log
        self._shard = shard
        self._large = large
        self._open: OrderedDict[int, Segment] = OrderedDict()

    def load(self, ident: int, slot: bytes, *, cached: bool = False) -> tuple[Message, Recipient]:
        """Return the message and the recipient of an entry.

        Args:
            cached: only if that needs no waiting for the device.

        Raises:
            DamageError: it can't be read.
            ColdError: not without waiting.
            OSError: the disk failed.
        """
        where = unpack(slot)
        segment = self._log.segments.get(where.segment)
        if segment is None:
            raise DamageError("a segment is missing", segment=where.segment)
        record = _Record(self._disk, self.opened(segment), where.offset, cached)
        head = head_at(record.part(0, HEAD_SIZE), 0, segment.nonce)
        if head is None:
            raise DamageError("no record there", segment=where.segment, offset=where.offset)
        start = record.part(HEAD_SIZE, PREFIX_SIZE)
        if len(start) < PREFIX_SIZE:
            raise DamageError("a record is cut off", segment=where.segment, offset=where.offset)
        meta = record.part(HEAD_SIZE, envelope_end(start))
        prefix = prefix_of(meta)
        item = record.part(where.recipient, ITEM_SIZE)
        if len(item) == ITEM_SIZE:
            item = record.part(where.recipient, item_size(item))
        found, target = target_at(item, 0)
        if found != ident:
            raise DamageError("another recipient is there", segment=where.segment, id=found)
        envelope = envelope_of(meta, prefix)
        header = record.part(head.size - head.run, envelope.header)
        if len(header) < envelope.header or envelope.header > head.run:
            raise DamageError("a header is cut off", segment=where.segment, offset=where.offset)
        if envelope.header == head.run and crc32(header) != head.run_crc:
            # Where a body follows, that is told with the last of its octets.
            raise DamageError("a header is damaged", segment=where.segment, offset=where.offset)
        body = self._body(segment, where.offset, head, prefix, header)
        message = message_of(envelope, prefix, body, header)
        message.place = where.segment << 32 | where.offset
        return message, recipient_of(ident, target)

    def _body(
        self, segment: Segment, offset: int, head: Head, prefix: Prefix, header: bytes
    ) -> Body:
        if prefix.large:
            path = f"{self._large}/{prefix.large:016x}"
            return LargeBody(
                self._disk, path, self._shard, prefix.large, prefix.large_size, prefix.large_crc,
                True,
            )  # fmt: skip
        size = head.run - len(header)
        if not size:
            return MemoryBody()
        at = offset + head.size - size
        return SpooledBody(self._disk, segment, at, size, crc32(header), head.run_crc)

    def opened(self, segment: Segment) -> int:
        """Return a handle of the segment's file; the oldest unused one is closed for it."""
        if segment.handle < 0:
            path = f"{self._log.directory}/{name_of(segment.sequence)}"
            segment.handle = self._disk.open(path, readonly=True)
        if not segment.closed and segment is self._log.segment:
            return segment.handle
        order = self._open
        order[segment.sequence] = segment
        order.move_to_end(segment.sequence)
        if len(order) > OPEN:
            for sequence, old in list(order.items())[: len(order) - OPEN]:
                if not old.pins and old is not segment:
                    del order[sequence]
                    self.shut(old)
        return segment.handle

    def forget(self, segment: Segment) -> None:
        """The segment is given up; its file is closed by who puts it aside."""
        self._open.pop(segment.sequence, None)

    def shut(self, segment: Segment) -> None:
        """Close a segment's file, if it is open."""
        if segment.handle >= 0:
            self._disk.close(segment.handle)
            segment.handle = -1


class _Record:
    """Parts of a record, most of them from one read."""

    __slots__ = ("_cached", "_disk", "_first", "_handle", "_offset")

    def __init__(self, disk: Disk, handle: int, offset: int, cached: bool) -> None:
        self._disk = disk
        self._handle = handle
        self._offset = offset
        self._cached = cached
        self._first = self._read(FIRST, offset)

    def _read(self, size: int, offset: int) -> bytes:
        if not self._cached:
            return self._disk.read(self._handle, size, offset)
        data = self._disk.read_cached(self._handle, size, offset)
        if data is None:
            raise ColdError("not in the page cache")
        return data

    def part(self, at: int, size: int) -> bytes:
        if at + size <= len(self._first):
            return self._first[at : at + size]
        return self._read(size, self._offset + at)
