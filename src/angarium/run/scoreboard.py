"""What each worker is at, in one shared file which survives the workers.

A row of sixteen octets for each worker:

    working on   id of the recipient whose message is being worked on; 0 in the loop
    sessions     open inbound sessions
    accepting    1 while the worker takes connections

Should a native library crash on a message, the supervisor reads in the first column which one it
was: two crashes on one message quarantine it. The other two are the accept gate: a worker leaves
a connection to the others while its own sessions exceed the mean by one, so that load is even
though all wake for each connection. A row is written by its worker alone.
"""

import mmap
import os
import struct
from pathlib import Path
from typing import Final, Self

MAX_WORKERS: Final = 128
_ROW: Final = struct.Struct("=QII")
_IDENT: Final = struct.Struct("=Q")
_SESSIONS: Final = 8
_ACCEPTING: Final = 12


class Scoreboard:
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
            os.posix_fallocate(descriptor, 0, MAX_WORKERS * _ROW.size)
            self._map = mmap.mmap(descriptor, MAX_WORKERS * _ROW.size)
        finally:
            os.close(descriptor)

    def bury(self, worker: int) -> int:
        """Clear the row of a dead worker; return what it was working on, 0 if nothing."""
        (ident,) = _IDENT.unpack_from(self._map, worker * _ROW.size)
        _ROW.pack_into(self._map, worker * _ROW.size, 0, 0, 0)
        return int(ident)

    def row(self, worker: int) -> "Row":
        return Row(self._map, worker)

    def close(self) -> None:
        self._map.close()


class Row:
    """One worker's row."""

    __slots__ = ("_at", "_idents", "_mine", "_rows")

    def __init__(self, shared: mmap.mmap, worker: int) -> None:
        self._at = worker * _ROW.size
        self._idents = memoryview(shared).cast("Q")
        self._mine = self._at // _IDENT.size
        # Both columns of all rows at once, without a copy: the gate reads them per connection.
        self._rows = memoryview(shared).cast("I")

    def enter(self, ident: int) -> None:
        """Note that code runs over the message of this recipient from now on."""
        self._idents[self._mine] = ident

    def leave(self) -> None:
        """Note that we are back in the loop."""
        self._idents[self._mine] = 0

    def accepting(self, *, yes: bool) -> None:
        self._rows[(self._at + _ACCEPTING) // 4] = int(yes)

    def count(self, sessions: int) -> None:
        """Note how many sessions are open."""
        self._rows[(self._at + _SESSIONS) // 4] = sessions

    def may_accept(self) -> bool:
        """Say whether a connection is ours to take."""
        sessions, accepting = self._rows[2::4].tolist(), self._rows[3::4].tolist()
        among = [count for count, open_ in zip(sessions, accepting, strict=True) if open_]
        mine = self._rows[(self._at + _SESSIONS) // 4]
        return not among or mine * len(among) <= sum(among) + len(among)

    def close(self) -> None:
        self._rows.release()
        self._idents.release()
