"""The busiest queues of a worker: those with the most mail, a few of however many there are.

A worker looks for its own now and then, in a job of slices (`queue/beat`), and writes them to a
file of rows. Rule: **what is kept and told is bounded by MOST**, not by how many domains there are.
"""

import contextlib
import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from angarium.queue.board import Board
from angarium.queue.line import ABSENT, PAUSED, SHUT, SUSPENDED, THROTTLED, Key, Line
from angarium.run.readings import Rows
from angarium.run.scoreboard import MAX_WORKERS
from angarium.web.overview import MOST, Queue

LOOK_SECONDS: Final = 5.0
REST: Final = 200  # times as long as a look took: half a percent of a processor at most
ROW_OCTETS: Final = 32768
_PIECE: Final = 200  # lines or routes between two steps of a job
_WHY: Final = (
    (SUSPENDED, "suspended"),
    (SHUT, "suspend_delivery"),
    (ABSENT, "its address is not on this machine"),
    (PAUSED, "no host could be reached"),
    (THROTTLED, "its rate is used up"),
)

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Queue]).decode


class Found(NamedTuple):
    """A candidate, in the order of the heap."""

    waiting: int
    number: int  # so that no two are equal
    key: Key
    line: Line | None
    delayed: int


class Busiest:
    """The file of all workers' busiest queues."""

    __slots__ = ("_file",)

    def __init__(self, path: Path, *, look_only: bool = False) -> None:
        self._file = Rows(path, MAX_WORKERS, ROW_OCTETS, look_only=look_only)

    def write(self, worker: int, queues: Sequence[Queue], now: float) -> None:
        """Replace a worker's; where their names are so long that all have no room, fewer."""
        kept = list(queues)
        while not self._file.put(worker, _encode(kept), now):
            kept = kept[: len(kept) // 2]

    def read(self, now: float) -> list[Queue]:
        """Return those of all workers; one queue may stand there once for each of them."""
        found = []
        for worker in range(MAX_WORKERS):
            payload = self._file.get(worker, None)
            if payload and self._file.age(worker, now) < 12 * LOOK_SECONDS:
                with contextlib.suppress(msgspec.MsgspecError):  # of another version
                    found += _decode(payload)
        return found

    def close(self) -> None:
        self._file.close()


def opened(path: Path) -> Busiest | None:
    """Return the file; None where the disk has no room for it: mail is more."""
    try:
        return Busiest(path)
    except OSError:
        return None


class Looking:
    """A worker's looks for its busiest queues; without a file it does not look."""

    __slots__ = ("_board", "_file", "_found", "_next", "_told", "_worker", "_working")

    def __init__(self, board: Board, file: Busiest | None, worker: int) -> None:
        self._board = board
        self._file = file
        self._worker = worker
        self._working = False
        self._next = 0.0
        self._told = 0.0
        self._found: list[Queue] = []

    def tick(self) -> None:
        """Begin a look, if it is time for one; called once a second."""
        if self._file is None:
            return
        now = self._board.clock.monotonic()
        if not self._working and now >= self._next:
            self._working = True
            self._board.begin(self._look(now))
        elif now >= self._told + LOOK_SECONDS:
            self._tell(now)  # Of a million a look takes minutes, and who is silent counts as gone.

    def _look(self, begun: float) -> Iterator[None]:
        board, spent = self._board, 0.0
        clock = board.clock.monotonic
        heap: list[Found] = []
        at = clock()
        for found in self._all():
            if found is None:
                spent += clock() - at
                yield
                at = clock()
            elif len(heap) < MOST:
                heapq.heappush(heap, found)
            elif found.waiting > heap[0].waiting:
                heapq.heapreplace(heap, found)
        self._found = [self._queue(each) for each in sorted(heap, reverse=True)]
        self._tell(clock())
        spent += clock() - at
        self._next = begun + max(LOOK_SECONDS, spent * REST)
        self._working = False

    def _tell(self, now: float) -> None:
        self._told = now
        if self._file is not None:
            self._file.write(self._worker, self._found, self._board.clock.time())

    def _all(self) -> Iterator[Found | None]:
        """Yield the lines with mail, and then the routes of delayed mail which have no line.

        None: somebody else may have the loop.
        """
        board = self._board
        # Of the values, for pairs would be 100,000 objects more, and a collection of garbage.
        for number, line in enumerate(list(board.lines.values())):
            delayed = line.delayed
            waiting = line.active + line.in_flight + delayed
            if waiting:
                yield Found(waiting, number, line.key, line, delayed)
            if not number % _PIECE:
                yield None
        counts, routes = board.later.counts, board.spool.routes
        for number in range(len(counts)):
            delayed = counts[number]
            if delayed and (key := routes.key(number)) not in board.lines:
                yield Found(delayed, -1 - number, key, None, delayed)
            if not number % _PIECE:
                yield None

    def _queue(self, found: Found) -> Queue:
        line = found.line
        group, binding, domain = found.key
        if line is None:
            return Queue(group, binding, domain, 0, found.delayed, 0, 0, "")
        sessions = getattr(line.pool, "sessions", ())
        why = next((words for reason, words in _WHY if line.closed & reason), "")
        return Queue(
            group, binding, domain, line.active, found.delayed, line.in_flight, len(sessions), why
        )
