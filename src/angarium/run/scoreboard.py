"""What each worker is at, in one shared file which survives the workers.

A row of sixteen octets for each worker:

    working on   id of the recipient whose message is being worked on; 0 in the loop
    sessions     open inbound sessions
    accepting    1 while the worker takes connections, 2 while it would and does not answer

and behind the rows a number for each process, those beside the workers last, which grows by one a
second while its loop runs (`run/watchdog`).

Should a native library crash on a message, the supervisor reads in the first column which one it
was: two crashes on one message quarantine it. The other two are the accept gate: a worker leaves
a connection to the others while its own sessions exceed the mean by one, so that load is even
though all wake for each connection. A row is written by its worker alone; only that a worker does
not answer is written by the supervisor, or the others would go on waiting for it to take its share.
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
_ROWS: Final = MAX_WORKERS * _ROW.size
_BEAT: Final = struct.Struct("=Q")
# Places among the beats, behind those of workers.
HOSE: Final = MAX_WORKERS
MONITOR: Final = HOSE + 1
WEB: Final = HOSE + 2
SIZE: Final = _ROWS + (WEB + 1) * _BEAT.size
OPEN: Final = 1
SHUNNED: Final = 2


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
            os.posix_fallocate(descriptor, 0, SIZE)
            self._map = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)

    def bury(self, worker: int) -> int:
        """Clear the row of a dead worker; return what it was working on, 0 if nothing."""
        ident = self.working_on(worker)
        _ROW.pack_into(self._map, worker * _ROW.size, 0, 0, 0)
        self.still(worker)
        return ident

    def working_on(self, worker: int) -> int:
        """Return the recipient whose message a worker is over, 0 for none."""
        (ident,) = _IDENT.unpack_from(self._map, worker * _ROW.size)
        return int(ident)

    def sessions(self, worker: int) -> int:
        """Return how many inbound sessions a worker has."""
        return int(_ROW.unpack_from(self._map, worker * _ROW.size)[1])

    def beats(self, place: int) -> int:
        """Return how often the loop of a process has come round since its start."""
        (count,) = _BEAT.unpack_from(self._map, _ROWS + place * _BEAT.size)
        return int(count)

    def still(self, place: int) -> None:
        """Forget the beats of a process that has ended."""
        _BEAT.pack_into(self._map, _ROWS + place * _BEAT.size, 0)

    def shun(self, worker: int, *, yes: bool) -> None:
        """Do without a worker that does not answer, or count on it again."""
        before, after = (OPEN, SHUNNED) if yes else (SHUNNED, OPEN)
        if _ROW.unpack_from(self._map, worker * _ROW.size)[2] == before:
            struct.pack_into("=I", self._map, worker * _ROW.size + _ACCEPTING, after)

    def row(self, worker: int) -> "Row":
        return Row(self._map, worker)

    def pulse(self, place: int) -> "Pulse":
        return Pulse(self._map, place)

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
        self._rows = memoryview(shared)[:_ROWS].cast("I")

    def enter(self, ident: int) -> None:
        """Note that code runs over the message of this recipient from now on."""
        self._idents[self._mine] = ident

    def leave(self) -> None:
        """Note that we are back in the loop."""
        self._idents[self._mine] = 0

    def accepting(self, *, yes: bool) -> None:
        self._rows[(self._at + _ACCEPTING) // 4] = OPEN if yes else 0

    def count(self, sessions: int) -> None:
        """Note how many sessions are open."""
        self._rows[(self._at + _SESSIONS) // 4] = sessions

    def may_accept(self) -> bool:
        """Say whether a connection is ours to take."""
        sessions, accepting = self._rows[2::4].tolist(), self._rows[3::4].tolist()
        among = [count for count, how in zip(sessions, accepting, strict=True) if how == OPEN]
        mine = self._rows[(self._at + _SESSIONS) // 4]
        return not among or mine * len(among) <= sum(among) + len(among)

    def close(self) -> None:
        self._rows.release()
        self._idents.release()


class Pulse:
    """What a process shows that its loop runs by: a count, without a call to the system."""

    __slots__ = ("_beats", "_place")

    def __init__(self, shared: mmap.mmap, place: int) -> None:
        self._place = place
        self._beats = memoryview(shared)[_ROWS:].cast("Q")

    def beat(self) -> None:
        self._beats[self._place] += 1
