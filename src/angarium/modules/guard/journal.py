"""A map of values (`policy/shared/values`) as a file, so that it survives a restart.

The first worker of the node writes for all; a worker which ends writes what it has heard of late
too, since the first one may be new and not know it yet. What is set is appended every few seconds;
when the file has grown to much more than what is kept, it is written anew. Each piece has its
length and its sum: what a crash cut off, or a disk spoilt, ends the reading there and is told. A
crash of the machine loses the last seconds, which is what a greylist may lose.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from angarium.policy.shared.node import Shared
from angarium.policy.shared.told import Entry, Origin
from angarium.policy.shared.values import Values

MAGIC: Final = b"angarium-values 1\n"
WRITE_SECONDS: Final = 5.0
SPARE: Final = 3  # times what is kept; a file which is longer is written anew
SMALL: Final = 1 << 20  # octets up to which it may grow in any case
PIECE: Final = 1000  # entries of a piece
MOST_PIECE: Final = 64 << 20
FILE: Final[Origin] = (-2, 0)
_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_HEAD: Final = struct.Struct("!II")  # length and CRC-32
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Entry])


class Journal:
    """Keeps one map.

    Args:
        path: of the file; its folder is made.
        tell: told what went wrong, with its level.
    """

    def __init__(
        self,
        shared: Shared,
        values: Values,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        tell: Callable[[str, str], None],
    ) -> None:
        self._shared = shared
        self._values = values
        self._path = path
        self._loop = loop
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._lock = threading.Lock()
        self._size = 0

    def start(self) -> None:
        """Read the file, then write what is set from now on."""
        if self._values.follow():  # Else a generation before us has read it.
            entries, self._size = self._read()
            self._values.merge(FILE, entries)
            self._values.take_set()  # It is in the file already.
        self._timer = self._loop.call_later(WRITE_SECONDS, self._look)

    def stop(self) -> None:
        """Write what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if left := self._values.take_set():
            self._write(left, None)

    def _look(self) -> None:
        self._timer = self._loop.call_later(WRITE_SECONDS, self._look)
        if not self._shared.first:
            self._values.forget_set()  # The first one has it; if it dies, what is left is ours.
            return
        if self._writing is not None and not self._writing.done():
            return
        entries = self._values.take_set()
        anew: list[Entry] | None = None
        if self._size > max(SMALL, SPARE * self._values.octets):
            anew = list(self._values.items())
        if entries or anew is not None:
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, entries, anew))

    def _write(self, entries: list[Entry], anew: list[Entry] | None) -> None:
        """Append, or write all of it. Runs in a thread."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock, self._alone():
                self._written(entries, anew)
        except OSError as error:
            self._tell("ERROR", f"{self._path} is not written: {error.strerror}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other workers from the file: who reads half a piece would take it for damaged."""
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), _LOCK, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _written(self, entries: list[Entry], anew: list[Entry] | None) -> None:
        if anew is not None:
            coming = self._path.with_name(f".{self._path.name}.new")
            coming.write_bytes(b"".join((MAGIC, *_pieces(anew))))
            coming.replace(self._path)
            self._size = self._path.stat().st_size
        elif entries:
            octets = b"".join(_pieces(entries))
            with self._path.open("ab") as file:
                file.write(octets if file.tell() else MAGIC + octets)
                self._size = file.tell()

    def _read(self) -> tuple[list[Entry], int]:
        """Return what the file has, and its length."""
        try:
            with self._alone():
                octets = self._path.read_bytes()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            self._tell("ERROR", f"{self._path} is not read: {error.strerror}")
            return [], 0
        found: list[Entry] = []
        end = len(MAGIC) if octets.startswith(MAGIC) else 0
        for at, entries in _read(octets) if end else ():
            found += entries
            end = at
        if end < len(octets):
            self._tell("ERROR", f"{self._path} is damaged at {end}; the rest of it is left out")
            self._cut(end)
        return found, end

    def _cut(self, end: int) -> None:
        """Take away what cannot be read: what is appended to it could not be either."""
        if self._shared.first:
            try:
                os.truncate(self._path, end)
            except OSError as error:
                self._tell("ERROR", f"{self._path} is not written: {error.strerror}")


def _pieces(entries: list[Entry]) -> Iterator[bytes]:
    each = iter(entries)
    while piece := list(islice(each, PIECE)):
        octets = _ENCODER.encode(piece)
        yield _HEAD.pack(len(octets), zlib.crc32(octets)) + octets


def _read(octets: bytes) -> Iterator[tuple[int, list[Entry]]]:
    """Yield what stands in each piece which is whole, and where it ends."""
    at = len(MAGIC)
    while at + _HEAD.size <= len(octets):
        length, crc = _HEAD.unpack_from(octets, at)
        piece = octets[at + _HEAD.size : at + _HEAD.size + length]
        if length > MOST_PIECE or len(piece) < length or zlib.crc32(piece) != crc:
            return
        try:
            entries = _DECODER.decode(piece)
        except msgspec.DecodeError:
            return
        at += _HEAD.size + length
        yield at, entries
