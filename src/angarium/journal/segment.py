"""A file of records: its header, its name, and which of them a directory holds.

A segment is written once from front to back, then only read. A file may have been another
segment before: the header's sequence must be that of the name, and its nonce is a fresh one, so
what is left of the former is never read. Segments of a log follow each other by sequence, and
the numbers of their records rise through all of them.

`floor` is the number up to which the segments before hold records that count. It is one less
than `first` unless a failed write was followed by this segment: then what lies above it there
was answered with 451, or is written here once more.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from angarium.journal.disk import Disk
from angarium.journal.errors import FormatError
from angarium.journal.record import HEAD_SIZE, nonce_at

FORMAT: Final = 1  # of the file; read_header knows each version we ever wrote
SIGN: Final = b"ANGARIUM"
HEADER_SIZE: Final = 128  # one sector holds it, so it is never half written
CUT: Final = 1  # flag: the segment before was not closed, a torn tail is legal there
SPARE: Final = "spare-"
RESERVE: Final = "reserve"
_NAME: Final = re.compile(r"(\d{10})\.seg")
_HEADER: Final = struct.Struct("<8sHH8sQIQQQd")
_VERSION: Final = struct.Struct("<8sH")
_CRC: Final = struct.Struct("<I")


@dataclass(slots=True)
class Segment:
    """One file; what is known of it.

    `handle` is -1 while the file is not open. `end` is the offset behind the last record, as far
    as known; `pins` counts the bodies which may still read from it.
    """

    sequence: int
    nonce: int
    first: int
    floor: int
    flags: int = 0
    mark: int = 0  # of whom the log belongs to: the spool keeps its highest id there
    created: float = 0.0
    limit: int = 0
    end: int = HEADER_SIZE
    handle: int = -1
    pins: int = 0
    closed: bool = False


def name_of(sequence: int) -> str:
    return f"{sequence:010d}.seg"


def sequence_of(name: str) -> int | None:
    """Return the sequence a file name stands for, or None if it is no segment's."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def encode_header(segment: Segment, kind: str) -> bytes:
    """Return the octets before the first record."""
    header = _HEADER.pack(
        SIGN,
        FORMAT,
        segment.flags,
        kind.encode().ljust(8, b"\0"),
        segment.nonce,
        segment.sequence,
        segment.first,
        segment.floor,
        segment.mark,
        segment.created,
    )
    return (header + _CRC.pack(crc32(header))).ljust(HEADER_SIZE, b"\0")


def read_header(data: bytes, kind: str) -> Segment | None:
    """Return the segment that `data` begins, or None if these octets are no header.

    Raises:
        FormatError: a newer version, or the file of another log.
    """
    if len(data) < HEADER_SIZE or data[:8] != SIGN:
        return None
    _, version = _VERSION.unpack_from(data)
    if version > FORMAT:
        raise FormatError(
            "written by a newer Angarium; start that one, nothing was touched",
            version=version,
            known=FORMAT,
        )
    (crc,) = _CRC.unpack_from(data, _HEADER.size)
    if crc != crc32(data[: _HEADER.size]):
        return None
    _, _, flags, log, nonce, sequence, first, floor, mark, created = _HEADER.unpack_from(data)
    if log.rstrip(b"\0") != kind.encode():
        raise FormatError("a segment of another log", log=log.rstrip(b"\0"), wanted=kind)
    return Segment(sequence, nonce, first, floor, flags, mark, created)


@dataclass(slots=True)
class Survey:
    """What a directory of segments holds, in order of sequence."""

    segments: list[Segment]
    unused: list[str]  # names of files in which nothing counts: spares
    highest: int  # sequence that is taken, 0 for none
    headless: list[int]  # sequences which lost their header and were recognised by a record


def survey(disk: Disk, directory: str, kind: str) -> Survey:
    """Look at every header of a directory; no record is read and nothing is changed.

    Raises:
        FormatError: something there was written by a newer version.
        OSError: the disk failed.
    """
    found = Survey([], [], 0, [])
    last = 0
    for name in disk.names(directory):
        if name.startswith(SPARE):
            found.unused.append(name)
        sequence = sequence_of(name)
        if sequence is None:
            continue
        found.highest = max(found.highest, sequence)
        handle = disk.open(f"{directory}/{name}", readonly=True)
        try:
            segment = _recognise(disk, handle, kind, sequence, last, found)
        finally:
            disk.close(handle)
        if segment is None:
            found.unused.append(name)
        else:
            found.segments.append(segment)
            last = segment.first
    return found


def _recognise(
    disk: Disk, handle: int, kind: str, sequence: int, last: int, found: Survey
) -> Segment | None:
    data = disk.read(handle, HEADER_SIZE + HEAD_SIZE, 0)
    size = disk.size(handle)
    segment = read_header(data, kind)
    if segment is not None:
        segment.limit = size
        # Else it was renamed to become another, and died before it was that one.
        return segment if segment.sequence == sequence else None
    nonce = nonce_at(data, HEADER_SIZE)
    if nonce is None:
        return None
    # A header that rotted must not take 64 MB of mail with it; that it is not a recycled file
    # which never began is told by its numbers: those must go on where the one before began.
    number = int.from_bytes(data[HEADER_SIZE + 12 : HEADER_SIZE + 20], "little")
    if number <= last:
        return None
    found.headless.append(sequence)
    return Segment(sequence, nonce, number, number - 1, CUT, limit=size)


def room(segment: Segment) -> int:
    """Return the most records the file can hold: what its last number can't exceed."""
    return segment.limit // HEAD_SIZE + 1


def after(segments: Sequence[Segment], number: int) -> list[Segment]:
    """Return the segments in which there may be records with numbers above `number`."""
    ends = [following.first - 1 for following in segments[1:]]
    ends += [segment.first + room(segment) - 1 for segment in segments[-1:]]
    return [segment for segment, end in zip(segments, ends, strict=True) if end > number]
