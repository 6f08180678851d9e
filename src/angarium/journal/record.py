"""The format of a record: a head of fixed size, the meta, and perhaps a run of octets behind.

    head (48) | meta | run

The head says what follows and guards itself and the meta by CRC. The run is content: its CRC
stands in the head, but who reads records steps over it, so recovery never reads a body. The
nonce is that of the segment and the numbers rise, so neither a mail body that looks like a
record nor what a recycled block held before is ever taken for one.

`back` is how many records before this one were not synced when it was made: so a log says by
itself which of its records must be there.
"""

import struct
from typing import Final, NamedTuple
from zlib import crc32

from angarium.journal.errors import DamageError, FormatError

MAGIC: Final = b"\xa7Rec"
VERSION: Final = 1  # of the head; a version's first program reads the one before too
_HEAD: Final = struct.Struct("<4sQQIIIIIBBH")
_CRC: Final = struct.Struct("<I")
_WHOLE: Final = struct.Struct("<4sQQIIIIIBBHI")
HEAD_SIZE: Final = _WHOLE.size
MAX_META: Final = 1 << 28
MAX_BACK: Final = 0xFFFF_FFFF

END: Final = 1  # kind of the last record of a segment that was filled; its number counts


class Head(NamedTuple):
    """What stands before a record."""

    number: int
    kind: int
    meta: int  # octets
    run: int  # octets
    meta_crc: int
    run_crc: int
    back: int

    @property
    def size(self) -> int:
        """Octets of the whole record."""
        return HEAD_SIZE + self.meta + self.run


def encode(
    nonce: int, number: int, back: int, kind: int, meta: bytes, run: int = 0, run_crc: int = 0
) -> bytes:
    """Return head and meta of a record; the `run` octets follow as they are."""
    head = _HEAD.pack(
        MAGIC, nonce, number, len(meta), run, crc32(meta), run_crc, back, kind, VERSION, 0
    )
    return b"".join((head, _CRC.pack(crc32(head)), meta))


def head_at(data: bytes, at: int, nonce: int) -> Head | None:
    """Return the head at `at`, or None if none of this nonce is there.

    Raises:
        FormatError: a sound head of a newer version.
    """
    if len(data) - at < HEAD_SIZE:
        return None
    (magic, own, number, meta, run, meta_crc, run_crc, back, kind, version, _, crc) = (
        _WHOLE.unpack_from(data, at)
    )
    if magic != MAGIC or own != nonce or crc != crc32(data[at : at + _HEAD.size]):
        return None
    if version > VERSION:
        raise FormatError("a record of a newer version", version=version, known=VERSION)
    if meta > MAX_META:
        return None
    return Head(number, kind, meta, run, meta_crc, run_crc, back)


def nonce_at(data: bytes, at: int) -> int | None:
    """Return the nonce of whatever sound head is at `at`: for a segment that lost its own."""
    if len(data) - at < HEAD_SIZE or data[at : at + 4] != MAGIC:
        return None
    fields = _WHOLE.unpack_from(data, at)
    return int(fields[1]) if fields[-1] == crc32(data[at : at + _HEAD.size]) else None


def search_key(nonce: int) -> bytes:
    """Return the octets with which every record of a segment begins."""
    return MAGIC + nonce.to_bytes(8, "little")


def decode(data: bytes, nonce: int) -> tuple[Head, bytes]:
    """Return head and meta of the record with which `data` begins.

    Raises:
        DamageError: there is no sound record.
        FormatError: it is of a newer version.
    """
    head = head_at(data, 0, nonce)
    if head is None:
        raise DamageError("no record", octets=len(data))
    meta = data[HEAD_SIZE : HEAD_SIZE + head.meta]
    if len(meta) < head.meta or crc32(meta) != head.meta_crc:
        raise DamageError("the meta of a record is damaged", number=head.number)
    return head, meta
