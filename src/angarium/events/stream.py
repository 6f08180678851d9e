"""Event streams: where they lie and what a record of one holds.

A stream is a directory of journal segments. Its owner, a shard or a process without one, appends
records with rising numbers; a record holds one or more *frames*: where the event came from (which
log of the shard, number there) and its octets. A shard has two, so that refusals, which a peer can
make as many of as it likes, never push deliveries out of retention.

The rule that makes reading simple: **in a stream, the source numbers of one log never fall, unless
an event is told again**. After a crash a shard tells again what may be missing; who reads drops
what it knows, by the source number, which outlives a restart of the reader, and by a window of
(recipient's entry, attempt, kind), for what was told again under a new number.
"""

import struct
from typing import Final

from angarium.events.schema import EventError

MESSAGES: Final = "events"  # name of the directory, in that of the owner
REJECTIONS: Final = "rejections"
KINDS: Final = {MESSAGES: "events", REJECTIONS: "rejects"}  # to the kind of the journal's log

READER: Final = "logs"  # who reads them all for the text logs: name of its cursors

# From which log of a shard an event derives.
NOWHERE: Final = 0  # of no record: a rejection, a server event; never told again
DATA: Final = 1
STATE: Final = 2

_FRAME: Final = struct.Struct("<BQI")  # log, number there, octets of the event


Frame = tuple[int, int, bytes]  # log, number there, octets of the event


def frame(log: int, number: int, octets: bytes) -> bytes:
    """Return an encoded event as it stands in a record; several may be joined."""
    return _FRAME.pack(log, number, len(octets)) + octets


def frames(payload: bytes) -> list[Frame]:
    """Return the frames of a record.

    Raises:
        EventError: this is no payload of ours; the journal has checked that it is what was
            written, so it is of another version.
    """
    found: list[Frame] = []
    at, whole, unpack, head = 0, len(payload), _FRAME.unpack_from, _FRAME.size
    try:
        while at < whole:
            log, number, size = unpack(payload, at)
            start = at + head
            at = start + size
            found.append((log, number, payload[start:at]))
    except struct.error as error:
        raise EventError("frame cut short", at=at, octets=whole) from error
    if at > whole:
        raise EventError("frame cut short", at=at, octets=whole)
    return found
