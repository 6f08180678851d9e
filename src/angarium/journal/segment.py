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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from angarium.core.errors import context
from angarium.journal.disk import Disk
from angarium.journal.errors import DamageError, FormatError
from angarium.journal.record import HEAD_SIZE, Head, head_at, nonce_at, search_key

FORMAT: Final = 1  # of the file; read_header knows each version we ever wrote
SIGN: Final = b"ANGARIUM"
HEADER_SIZE: Final = 128  # one sector holds it, so it is never half written
CUT: Final = 1  # flag: the segment before was not closed, a torn tail is legal there
SPARE: Final = "spare-"
RESERVE: Final = "reserve"
SEARCH: Final = 1 << 20  # octets read at once where a record is searched
_NAME: Final = re.compile(r"(\d{10})\.seg")
_HEADER: Final = struct.Struct("<8sHH8sQIQQQd")
_VERSION: Final = struct.Struct("<8sH")
_CRC: Final = struct.Struct("<I")


@dataclass(slots=True)
class Segment:
    """One file; what is known of it.

    `handle` is -1 while the file is not open. `end` is the offset behind the last record, as far
    as known; `pins` counts the bodies which may still read from it. `begin` is where its first
    record stands.
    """

    sequence: int
    nonce: int
    first: int
    floor: int
    flags: int = 0
    mark: int = 0  # of whom the log belongs to: the spool keeps its highest id there
    created: float = 0.0
    limit: int = 0
    begin: int = HEADER_SIZE
    end: int = HEADER_SIZE
    handle: int = -1
    pins: int = 0
    closed: bool = False
    stuck: bool = False  # something in it is needed and cannot be moved elsewhere


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

    Whatever a version changes, the CRC of the first 64 octets stays behind them: so a newer version
    is told from damage.

    Raises:
        FormatError: a newer version.
        DamageError: the file of another log.
    """
    if len(data) < HEADER_SIZE or data[:8] != SIGN:
        return None
    (crc,) = _CRC.unpack_from(data, _HEADER.size)
    if crc != crc32(data[: _HEADER.size]):
        return None
    _, version = _VERSION.unpack_from(data)
    if version > FORMAT:
        raise FormatError(
            "written by a newer Angarium; start that one, nothing was touched",
            version=version,
            known=FORMAT,
        )
    _, _, flags, log, nonce, sequence, first, floor, mark, created = _HEADER.unpack_from(data)
    if log.rstrip(b"\0") != kind.encode():
        raise DamageError("a segment of another log", log=log.rstrip(b"\0"), wanted=kind)
    return Segment(sequence, nonce, first, floor, flags, mark, created)


@dataclass(slots=True)
class Survey:
    """What a directory of segments holds, in order of sequence."""

    segments: list[Segment]
    unused: list[str]  # names of files in which nothing counts: spares
    highest: int  # sequence that is taken, 0 for none
    headless: list[Segment] = field(default_factory=list)  # lost their header, are among the others
    unknown: list[str] = field(default_factory=list)  # names of segments in which nothing is known


def survey(
    disk: Disk, directory: str, kind: str, nonce: Callable[[int], int] | None = None
) -> Survey:
    """Look at every header of a directory; no record is read and nothing is changed.

    Args:
        nonce: gives the nonce of a segment that lost its header and its first record, to search
            it for others.

    Raises:
        FormatError: something there was written by a newer version.
        OSError: the disk failed.
    """
    found = Survey([], [], 0)
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
            with context(file=f"{directory}/{name}"):
                segment = _recognise(disk, handle, kind, sequence, found)
            if segment is None and name not in found.unused:
                segment = _headless(disk, handle, sequence, last, nonce)
                if segment is not None:
                    found.headless.append(segment)
                else:
                    blank = nonce is None or _blank(disk, handle)
                    (found.unused if blank else found.unknown).append(name)
        except DamageError:
            found.unknown.append(name)
            continue
        finally:
            disk.close(handle)
        if segment is not None:
            found.segments.append(segment)
            last = segment.first
    return found


def _recognise(disk: Disk, handle: int, kind: str, sequence: int, found: Survey) -> Segment | None:
    segment = read_header(disk.read(handle, HEADER_SIZE, 0), kind)
    if segment is None:
        return None
    segment.limit = disk.size(handle)
    if segment.sequence == sequence:
        return segment
    # It was renamed to become another, and died before it was that one.
    found.unused.append(name_of(sequence))
    return None


def _headless(
    disk: Disk, handle: int, sequence: int, last: int, nonce: Callable[[int], int] | None
) -> Segment | None:
    """Recognise a segment by a record: a header that rotted must not take 64 MB of mail with it.

    That it is no recycled file which never began is told by its numbers: those go on where the one
    before began. Only at the very beginning a nonce can be believed that nobody has foretold:
    elsewhere a body may stand.
    """
    size = disk.size(handle)
    found = nonce_at(disk.read(handle, HEAD_SIZE, HEADER_SIZE), 0)
    place: tuple[int, Head] | None = None
    if found is not None:
        place = first_head(disk, handle, found)
    if (place is None or place[1].number <= last) and nonce is not None:
        found = nonce(sequence)
        place = first_head(disk, handle, found)
    if place is None or found is None or place[1].number <= last:
        return None
    begin, head = place
    return Segment(
        sequence, found, head.number, head.number - 1, CUT, limit=size, begin=begin, end=begin
    )


def first_head(disk: Disk, handle: int, nonce: int) -> tuple[int, Head] | None:
    """Return offset and head of the first sound head of this nonce in a file."""
    key, base = search_key(nonce), HEADER_SIZE
    while True:
        chunk = disk.read(handle, SEARCH + HEAD_SIZE, base)
        place = chunk.find(key)
        while 0 <= place < SEARCH:
            if (head := head_at(chunk, place, nonce)) is not None:
                return base + place, head
            place = chunk.find(key, place + 1)
        if len(chunk) < SEARCH + HEAD_SIZE:
            return None
        base += SEARCH


def _blank(disk: Disk, handle: int) -> bool:
    """Say whether a file has nothing in it: its name is older than its header."""
    at = 0
    while chunk := disk.read(handle, SEARCH, at):
        if chunk.count(0) < len(chunk):
            return False
        at += len(chunk)
    return True


def room(segment: Segment) -> int:
    """Return the most records the file can hold: what its last number can't exceed."""
    return segment.limit // HEAD_SIZE + 1


def after(segments: Sequence[Segment], number: int) -> list[Segment]:
    """Return the segments in which there may be records with numbers above `number`."""
    ends = [following.first - 1 for following in segments[1:]]
    ends += [segment.first + room(segment) - 1 for segment in segments[-1:]]
    return [segment for segment, end in zip(segments, ends, strict=True) if end > number]
