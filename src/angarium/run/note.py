"""A worker's note of the message it is working on, which survives the worker.

One shared file, eight octets for each worker. A worker writes the id of a recipient before it
runs code over that message and zero when it returns to the loop; should a native library crash on
a message, the supervisor reads there which one it was. Two crashes on one message quarantine it.
"""

import mmap
import os
import struct
from pathlib import Path
from typing import Final

MAX_WORKERS: Final = 256
_IDENT: Final = struct.Struct("=Q")


class Notes:
    """The file of all notes; the supervisor makes it, workers open it."""

    __slots__ = ("_map",)

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, MAX_WORKERS * _IDENT.size)
            self._map = mmap.mmap(descriptor, MAX_WORKERS * _IDENT.size)
        finally:
            os.close(descriptor)

    def take(self, worker: int) -> int:
        """Return what the dead worker was working on (0: nothing) and clear it."""
        (ident,) = _IDENT.unpack_from(self._map, worker * _IDENT.size)
        self.of(worker).leave()
        return int(ident)

    def of(self, worker: int) -> "Note":
        return Note(self._map, worker * _IDENT.size)

    def close(self) -> None:
        self._map.close()


class Note:
    """One worker's note."""

    __slots__ = ("_at", "_map")

    def __init__(self, shared: mmap.mmap, at: int) -> None:
        self._map = shared
        self._at = at

    def enter(self, ident: int) -> None:
        _IDENT.pack_into(self._map, self._at, ident)

    def leave(self) -> None:
        _IDENT.pack_into(self._map, self._at, 0)
