"""What processes last measured of themselves, in one shared file: for status and metrics.

A process writes its values into its own row once a second, and nobody waits for anybody: a writer
makes the row's number odd, writes, and makes it even again; a reader that saw an odd number, or
two different ones, reads again. A row which has not changed for long is of a worker that is gone.
"""

import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import msgspec

from angarium.events.metrics import Value
from angarium.run.scoreboard import HOSE

ROW_OCTETS: Final = 16384  # 80 histograms of 40 small numbers, or a thousand counters
FRESH_SECONDS: Final = 10.0
SUPERVISOR: Final = HOSE + 1
ROWS: Final = SUPERVISOR + 1  # of the workers, the hose and the supervisor
_HEAD: Final = struct.Struct("=IId")  # number, length, Unix time
_TRIES: Final = 100

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(dict[str, float | list[int]]).decode


class Readings:
    """The file with all rows; made by whoever opens it first."""

    __slots__ = ("_map",)

    @classmethod
    def fresh(cls, path: Path) -> Self:
        """Make a new file: workers of the last run may still be writing to theirs."""
        path.unlink(missing_ok=True)
        return cls(path)

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # With its blocks: on a full disk the first store to a page without one is a SIGBUS.
            os.posix_fallocate(descriptor, 0, ROWS * ROW_OCTETS)
            self._map = mmap.mmap(descriptor, ROWS * ROW_OCTETS)
        finally:
            os.close(descriptor)

    def write(self, worker: int, values: Mapping[str, Value], now: float) -> bool:
        """Replace the row of a process, who alone may do so; say whether there was room for it."""
        payload = _encode(values)
        if len(payload) > ROW_OCTETS - _HEAD.size:
            return False
        at = worker * ROW_OCTETS
        number = _HEAD.unpack_from(self._map, at)[0] | 1
        _HEAD.pack_into(self._map, at, number, 0, now)
        self._map[at + _HEAD.size : at + _HEAD.size + len(payload)] = payload
        _HEAD.pack_into(self._map, at, (number + 1) & 0xFFFFFFFE, len(payload), now)
        return True

    def read(self, now: float) -> dict[int, dict[str, Value]]:
        """Return the values of each process which has written of late, by the number of its row."""
        found = {}
        for worker in range(ROWS):
            values = self._row(worker, now)
            if values is not None:
                found[worker] = values
        return found

    def _row(self, worker: int, now: float) -> dict[str, Value] | None:
        at = worker * ROW_OCTETS
        for _ in range(_TRIES):
            number, length, written = _HEAD.unpack_from(self._map, at)
            if not number or (not number & 1 and abs(now - written) > FRESH_SECONDS):
                return None
            payload = self._map[at + _HEAD.size : at + _HEAD.size + length]
            if not number & 1 and _HEAD.unpack_from(self._map, at)[0] == number:
                return dict(_decode(payload))
            os.sched_yield()  # It is being written at this moment.
        return None  # Its writer died over it.

    def close(self) -> None:
        self._map.close()
