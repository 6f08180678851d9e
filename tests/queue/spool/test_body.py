"""Octets on the disk, checked as they are read."""

from zlib import crc32

import pytest

from angarium.journal.errors import DamageError
from angarium.journal.segment import Segment
from angarium.queue.spool.body import LargeBody, SpooledBody
from helpers.disk import MemoryDisk

OCTETS = bytes(range(256)) * 10
HEADER = b"Received: x\r\n"


@pytest.fixture
def disk() -> MemoryDisk:
    disk = MemoryDisk()
    handle = disk.open("/x", create=True)
    disk.write(handle, [HEADER, OCTETS], 100)
    return disk


def spooled(disk: MemoryDisk) -> SpooledBody:
    segment = Segment(1, 2, 3, 2, handle=disk.open("/x"))
    crc = crc32(HEADER + OCTETS)
    return SpooledBody(disk, segment, 100 + len(HEADER), len(OCTETS), crc32(HEADER), crc)


def large(disk: MemoryDisk) -> LargeBody:
    handle = disk.open("/large", create=True)
    disk.write(handle, [OCTETS], 0)
    return LargeBody(disk, "/large", 0, 1, len(OCTETS), crc32(OCTETS), True)


@pytest.mark.parametrize("made", [spooled, large])
@pytest.mark.parametrize("at_most", [1, 100, 65536])
def test_pieces_are_the_octets(disk: MemoryDisk, made, at_most: int) -> None:  # type: ignore[no-untyped-def]
    body = made(disk)
    assert b"".join(body.pieces(at_most)) == OCTETS
    assert all(len(piece) <= at_most for piece in body.pieces(at_most))
    assert body.whole() == OCTETS
    assert body.size == len(OCTETS)


@pytest.mark.parametrize(("made", "path"), [(spooled, "/x"), (large, "/large")])
def test_a_damaged_body_is_never_given_whole(disk: MemoryDisk, made, path: str) -> None:  # type: ignore[no-untyped-def]
    body = made(disk)
    disk.damage(path, 200, b"\xff\xfe")
    given = b""
    with pytest.raises(DamageError):  # noqa: PT012 - what was given before it matters
        for piece in body.pieces(1000):
            given += piece
    assert len(given) < len(OCTETS)


def test_a_body_cut_off_is_damaged() -> None:
    disk = MemoryDisk()
    disk.open("/large", create=True)
    body = LargeBody(disk, "/large", 0, 1, 10, 0, True)
    with pytest.raises(DamageError):
        body.whole()


def test_a_segment_is_pinned_while_a_body_reads_from_it(disk: MemoryDisk) -> None:
    body = spooled(disk)
    segment = body._segment
    assert segment.pins == 1
    del body
    assert segment.pins == 0


def test_a_large_body_holds_no_descriptor_between_readings(disk: MemoryDisk) -> None:
    body = large(disk)
    before = len(disk.handles)
    pieces = body.pieces(100)
    next(pieces)
    assert len(disk.handles) == before + 1
    pieces.close()  # type: ignore[attr-defined]
    assert len(disk.handles) == before
