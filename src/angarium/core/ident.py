"""Identifiers of messages, batches and connections.

A 64-bit integer, from the highest bits down: 32 bits seconds, 8 bits owner (a shard, or from 128
on a worker, for connections), 24 bits counter. So ids sort by time, are unique on a node, and name
the shard that holds the message. They are printed as Momentum prints them, `91/6D-07914-E67BC044`,
which is a bijection: the two lowest octets, the two in the middle as a decimal, the seconds.
"""

import re
from typing import Final

COUNTER_BITS: Final = 24
SHARD_BITS: Final = 8
SHARDS: Final = 1 << SHARD_BITS - 1  # numbers of shards; those above are for connections
_OWNERS: Final = 1 << SHARD_BITS
_COUNTERS: Final = 1 << COUNTER_BITS
_PRINTED: Final = re.compile(r"([0-9A-F]{2})/([0-9A-F]{2})-(\d{5})-([0-9A-F]{8})", re.IGNORECASE)


class Idents:
    """Makes ids for one shard; never one twice, even if the clock is set back.

    Args:
        shard: 0 to 127; SHARDS and more for connections of a worker.
        high_water: the highest id ever made here, from the last run; 0 if none.
    """

    __slots__ = ("_counter", "_seconds", "_shard")

    def __init__(self, shard: int, high_water: int = 0) -> None:
        self._shard = (shard & (_OWNERS - 1)) << COUNTER_BITS
        self._seconds = high_water >> 32
        self._counter = (high_water & (_COUNTERS - 1)) + 1 if high_water else 0

    def next(self, now: float) -> int:
        """Return a new id; `now` is Unix time. A second that overflows borrows from the next."""
        seconds = int(now)
        if seconds > self._seconds:
            self._seconds, self._counter = seconds, 0
        elif self._counter >= _COUNTERS:
            self._seconds, self._counter = self._seconds + 1, 0
        ident = self._seconds << 32 | self._shard | self._counter
        self._counter += 1
        return ident


def shard_of(ident: int) -> int:
    """Return the shard which made the id; SHARDS or more: a worker, for a connection."""
    return ident >> COUNTER_BITS & (_OWNERS - 1)


class _Ends(dict[int, str]):
    """The end of printed ids by their upper 48 bits, which a thousand ids in a row share."""

    def __missing__(self, upper: int) -> str:
        if len(self) >= _ENDS_KEPT:
            self.clear()
        end = self[upper] = f"-{upper & 0xFFFF:05d}-{upper >> 16:08X}"
        return end


_ENDS_KEPT: Final = 4096
_OCTETS: Final = [f"{octet:02X}" for octet in range(256)]
_ends: Final = _Ends()


def printed(ident: int) -> str:
    """Return the form of logs and consoles, e.g. "91/6D-07914-E67BC044"."""
    return f"{_OCTETS[ident >> 8 & 0xFF]}/{_OCTETS[ident & 0xFF]}{_ends[ident >> 16]}"


def parse(text: str) -> int | None:
    """Return the id printed as `text`, or None if it is none."""
    found = _PRINTED.fullmatch(text)
    if found is None or (middle := int(found[3])) > 0xFFFF:
        return None
    return int(found[4], 16) << 32 | middle << 16 | int(found[1], 16) << 8 | int(found[2], 16)
