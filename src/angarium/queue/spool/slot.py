"""A slot: what is kept in memory of a recipient's entry while it is not being worked on.

27 octets in a `bytes`; ten million of them fit into a few gigabytes. It says where the entry
goes, when it is due, and where its record lies. Where its message has a priority or a fairness key
4 more follow: its lane (`core/lane`), which all changes leave as it is. They cost no memory, for
Python gives 64 octets to either.
"""

import struct
from typing import Final, NamedTuple

SLOT: Final = struct.Struct("<IIHBIIII")
SIZE: Final = SLOT.size
KEYED: Final = struct.Struct(f"<Q{SIZE}s")  # id and slot, as a checkpoint holds them
ROUTE: Final = struct.Struct("<I")
HEAD: Final = struct.Struct("<II")  # route and due
TIMING: Final = struct.Struct("<IH")
PLACE: Final = struct.Struct("<III")
_WHERE: Final = struct.Struct("<III")
LANED: Final = struct.Struct("<QI")  # id and lane, as a checkpoint holds them

LARGE: Final = 1  # flag: the body is a file of its own
SHARED: Final = 2  # flag: other recipients have the same content

MAX_ATTEMPTS: Final = 0xFFFF
MAX_DUE: Final = 0xFFFF_FFFF


class Slot(NamedTuple):
    """A slot, unpacked.

    `due` is Unix time, 0 for an entry that is active from the start. `segment` and `offset` name
    the record in the shard's data log, `recipient` the offset of the recipient in that record.
    """

    route: int
    due: int
    attempts: int
    flags: int
    segment: int
    offset: int
    recipient: int
    size: int

    def pack(self) -> bytes:
        return SLOT.pack(*self)


def unpack(slot: bytes) -> Slot:
    return Slot._make(SLOT.unpack_from(slot))


def due_of(slot: bytes) -> int:
    """Return when the entry is due, without unpacking the rest."""
    return int.from_bytes(slot[4:8], "little")


def route_of(slot: bytes) -> int:
    return int.from_bytes(slot[:4], "little")


def place_of(slot: bytes) -> tuple[int, int]:
    """Return (segment, offset) of the record: equal for the recipients of one content."""
    segment, offset, _ = _WHERE.unpack_from(slot, 11)
    return segment, offset


def with_route(slot: bytes, route: int) -> bytes:
    return ROUTE.pack(route) + slot[4:]


def with_timing(slot: bytes, due: int, attempts: int) -> bytes:
    timing = TIMING.pack(min(max(due, 0), MAX_DUE), min(attempts, MAX_ATTEMPTS))
    return b"".join((slot[:4], timing, slot[10:]))


def with_place(slot: bytes, segment: int, offset: int, recipient: int) -> bytes:
    return b"".join((slot[:11], PLACE.pack(segment, offset, recipient), slot[23:]))


def lane_in(slot: bytes) -> int:
    """Return the lane of an entry."""
    return int.from_bytes(slot[SIZE:], "little") if len(slot) > SIZE else 0


def lane_tail(lane: int) -> bytes:
    """Return what follows in the slot of an entry with that lane."""
    return lane.to_bytes(4, "little") if lane else b""
