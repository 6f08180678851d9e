"""What processes last measured of themselves, in one shared file: for status and metrics.

A process writes its values into its own row once a second, and nobody waits for anybody: a writer
makes the row's number odd, writes, and makes it even again; a reader that saw an odd number, or
two different ones, reads again. A row which has not changed for long is of a process that is gone.

What the dead have counted stays in a row of its own, so that the sum of all rises as counters do.
"""

import errno
import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import msgspec

from angarium.events.metrics import Value, add, metric_of
from angarium.run.scoreboard import HOSE

ROW_OCTETS: Final = 16384  # 80 histograms of 40 small numbers, or a thousand counters
FRESH_SECONDS: Final = 10.0
SUPERVISOR: Final = HOSE + 1
PAST: Final = SUPERVISOR + 1  # what processes have counted that are gone
MONITOR: Final = PAST + 1
ROWS: Final = MONITOR + 1  # the first are those of the workers
_HEAD: Final = struct.Struct("=IId")  # number, length, Unix time
_TRIES: Final = 100

_encode: Final = msgspec.msgpack.Encoder().encode
# What stays true when who counted it is gone, and the rest: who buries it knows no declarations.
_decode: Final = msgspec.msgpack.Decoder(
    tuple[dict[str, float | list[int]], dict[str, float | list[int]]]
).decode


class Rows:
    """A file of rows, each written by one process and read by all; made by who opens it first.

    Args:
        rows: how many there are.
        octets: of a row.
        look_only: never write, and make no file; for a program which an operator runs.

    Raises:
        OSError: there is no such file, or it is not for us.
    """

    __slots__ = ("_map", "_octets", "_rows")

    def __init__(self, path: Path, rows: int, octets: int, *, look_only: bool = False) -> None:
        self._rows = rows
        self._octets = octets
        flags = os.O_RDONLY if look_only else os.O_RDWR | os.O_CREAT
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            if look_only:
                if os.fstat(descriptor).st_size < rows * octets:
                    raise OSError(errno.EINVAL, "of another version, or not written yet", str(path))
                self._map = mmap.mmap(descriptor, rows * octets, access=mmap.ACCESS_READ)
                return
            # With its blocks: on a full disk the first store to a page without one is a SIGBUS.
            os.posix_fallocate(descriptor, 0, rows * octets)
            self._map = mmap.mmap(descriptor, rows * octets)
        finally:
            os.close(descriptor)

    def put(self, row: int, payload: bytes, now: float) -> bool:
        """Replace a row, which its process alone may do; say whether there was room for it."""
        if len(payload) > self._octets - _HEAD.size:
            return False
        at = row * self._octets
        number = _HEAD.unpack_from(self._map, at)[0] | 1
        _HEAD.pack_into(self._map, at, number, 0, now)
        self._map[at + _HEAD.size : at + _HEAD.size + len(payload)] = payload
        _HEAD.pack_into(self._map, at, (number + 1) & 0xFFFFFFFE, len(payload), now)
        return True

    def get(self, row: int, now: float | None) -> bytes | None:
        """Return a row; None if it was not written of late, or never if `now` is None."""
        at = row * self._octets
        for _ in range(_TRIES):
            number, length, written = _HEAD.unpack_from(self._map, at)
            stale = now is not None and abs(now - written) > FRESH_SECONDS
            if not number or (not number & 1 and stale):
                return None
            payload = self._map[at + _HEAD.size : at + _HEAD.size + length]
            if not number & 1 and _HEAD.unpack_from(self._map, at)[0] == number:
                return payload
            os.sched_yield()  # It is being written at this moment.
        return None  # Its writer died over it.

    def age(self, row: int, now: float) -> float:
        """Return the seconds since a row was written."""
        return float(now - _HEAD.unpack_from(self._map, row * self._octets)[2])

    def clear(self, row: int) -> None:
        """Forget a row whose process is gone."""
        _HEAD.pack_into(self._map, row * self._octets, 0, 0, 0.0)

    def close(self) -> None:
        self._map.close()


class Readings:
    """The values of all processes."""

    __slots__ = ("_file",)

    @classmethod
    def fresh(cls, path: Path) -> Self:
        """Make a new file: workers of the last run may still be writing to theirs."""
        path.unlink(missing_ok=True)
        return cls(path)

    def __init__(self, path: Path, *, look_only: bool = False) -> None:
        self._file = Rows(path, ROWS, ROW_OCTETS, look_only=look_only)

    def write(self, row: int, values: Mapping[str, Value], now: float) -> bool:
        """Replace the row of a process, who alone may do so; say whether there was room for it."""
        lasting = {key: each for key, each in values.items() if _lasts(key)}
        passing = {key: each for key, each in values.items() if key not in lasting}
        return self._file.put(row, _encode((lasting, passing)), now)

    def read(self, now: float) -> dict[int, dict[str, Value]]:
        """Return the values of each process which has written of late, by the number of its row."""
        found = {}
        for row in range(ROWS):
            values = self._row(row, None if row == PAST else now)
            if values is not None:
                found[row] = values[0] | values[1]
        return found

    def bury(self, row: int, now: float) -> None:
        """A process is gone: keep what it has counted, and clear its row for the next one."""
        last = self._row(row, None)
        self._file.clear(row)
        if last is not None:
            past, _ = self._row(PAST, None) or ({}, {})
            for key, value in last[0].items():
                past[key] = add(past[key], value) if key in past else value
            self._file.put(PAST, _encode((past, {})), now)

    def _row(self, row: int, now: float | None) -> tuple[dict[str, Value], dict[str, Value]] | None:
        payload = self._file.get(row, now)
        if not payload:
            return None
        try:
            lasting, passing = _decode(payload)
        except msgspec.MsgspecError:
            return None  # Of another version, in an upgrade; or its writer died over it.
        return dict(lasting), dict(passing)

    def close(self) -> None:
        self._file.close()


def _lasts(key: str) -> bool:
    """Say whether a value stays true when who counted it is gone."""
    metric = metric_of(key)
    return metric is not None and metric.kind in ("counter", "histogram") and not metric.each
