"""Octets of a message that lie on the disk, read by pieces and checked against their CRC.

The last piece is held back until all of them are known to be what was written: who passes on
what he gets never completes a damaged message.
"""

from collections.abc import Iterator
from typing import Final
from zlib import crc32

from angarium.journal.disk import Disk
from angarium.journal.errors import DamageError
from angarium.journal.segment import Segment

CHUNK: Final = 65536


class SpooledBody:
    """A body in a data segment, which stays there while this object lives (`Segment.pins`)."""

    __slots__ = ("_begun", "_crc", "_disk", "_offset", "_segment", "size")

    def __init__(
        self, disk: Disk, segment: Segment, offset: int, size: int, begun: int, crc: int
    ) -> None:
        """Args: `begun`, `crc`: of what stands before the body in its run, and of both."""
        self._disk = disk
        self._segment = segment
        self._offset = offset
        self._begun = begun
        self._crc = crc
        self.size = size
        segment.pins += 1

    def __del__(self) -> None:
        self._segment.pins -= 1

    def pieces(self, at_most: int = CHUNK) -> Iterator[bytes]:
        """Yield the octets. Raises DamageError instead of the last of them."""
        return _pieces(
            self._disk, self._segment.handle, self._offset, self.size, self._begun, self._crc,
            at_most,
        )  # fmt: skip

    def whole(self) -> bytes:
        return b"".join(self.pieces(self.size or 1))

    def unchecked(self) -> Iterator[bytes]:
        """Yield what there is of the octets, damaged or not."""
        return _whatever(self._disk, self._segment.handle, self._offset, self.size)

    def __repr__(self) -> str:
        return f"<SpooledBody of {self.size} octets in segment {self._segment.sequence}>"


class LargeBody:
    """A body in a file of its own.

    Attributes:
        name: of the file, a number unique in its shard; `shard` is the number of that.
        taken: a record refers to the file already; another message copies it.
    """

    __slots__ = ("_disk", "crc", "name", "path", "shard", "size", "taken")

    def __init__(
        self, disk: Disk, path: str, shard: int, name: int, size: int, crc: int, taken: bool
    ) -> None:
        self._disk = disk
        self.path = path
        self.shard = shard
        self.name = name
        self.size = size
        self.crc = crc
        self.taken = taken

    def pieces(self, at_most: int = CHUNK) -> Iterator[bytes]:
        """Yield the octets. Raises DamageError instead of the last of them."""
        try:
            handle = self._disk.open(self.path, readonly=True)
        except FileNotFoundError as error:
            raise DamageError("a body is missing", path=self.path) from error
        try:
            yield from _pieces(self._disk, handle, 0, self.size, 0, self.crc, at_most)
        finally:
            self._disk.close(handle)

    def whole(self) -> bytes:
        return b"".join(self.pieces(1 << 20))

    def unchecked(self) -> Iterator[bytes]:
        """Yield what there is of the octets, damaged or not."""
        try:
            handle = self._disk.open(self.path, readonly=True)
        except FileNotFoundError:
            return
        try:
            yield from _whatever(self._disk, handle, 0, self.size)
        finally:
            self._disk.close(handle)

    def __repr__(self) -> str:
        return f"<LargeBody of {self.size} octets in {self.path}>"


def _pieces(
    disk: Disk, handle: int, offset: int, left: int, crc: int, wanted: int, at_most: int
) -> Iterator[bytes]:
    while left:
        piece = disk.read(handle, min(left, at_most), offset)
        if not piece:
            raise DamageError("a body is cut off", missing=left)
        crc = crc32(piece, crc)
        left -= len(piece)
        offset += len(piece)
        if not left and crc != wanted:
            raise DamageError("a body is damaged", octets=offset)
        yield piece


def _whatever(disk: Disk, handle: int, offset: int, left: int) -> Iterator[bytes]:
    while left and (piece := disk.read(handle, min(left, CHUNK), offset)):
        yield piece
        left, offset = left - len(piece), offset + len(piece)
