"""How much waits on each line of a worker, for who shows it: counted every few seconds, in slices.

A worker with 100,000 lines needs a tenth of a second for it, of which no slice takes more than a
millisecond; the more it takes the less often it is done, so it costs half a percent at most.
What is written is bounded: the sums of all bindings, and the longest lines.
"""

import heapq
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from angarium.outbound.outlet import held
from angarium.queue.board import Board

EVERY_SECONDS: Final = 2.0
REST: Final = 200  # times as long as a count took
STALE_SECONDS: Final = 30.0
SLICE: Final = 200  # lines between two looks at the time
LONGEST: Final = 500

Key = tuple[str, str, str]  # group, binding, domain; the domain "" is all of the binding
ACTIVE, DELAYED, CONNECTIONS = range(3)  # columns
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[Key, list[int]]]).decode


class Census:
    """Counts the lines of one worker.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path, board: Board) -> None:
        self._path = path
        self._board = board
        self._busy = False
        self._next = float("-inf")

    def tick(self) -> None:
        """Begin to count, if it is time to; called once a second while somebody reads it."""
        now = self._board.clock.monotonic()
        if not self._busy and now >= self._next:
            self._busy = True
            self._board.begin(self.count(now))

    def count(self, begun: float) -> Iterator[None]:
        """Count all lines and write the file; a job."""
        clock, spent = self._board.clock.monotonic, 0.0
        at = clock()
        sums: dict[Key, list[int]] = {}
        longest: list[tuple[int, Key, list[int]]] = []
        for number, (key, counts) in enumerate(self._all()):
            total = sums.setdefault((key[0], key[1], ""), [0, 0, 0])
            for column, count in enumerate(counts):
                total[column] += count
            item = (sum(counts), key, counts)
            if len(longest) < LONGEST:
                heapq.heappush(longest, item)
            elif item > longest[0]:
                heapq.heapreplace(longest, item)
            if number % SLICE == SLICE - 1:
                spent += clock() - at
                yield
                at = clock()
        self._write([*sums.items(), *((key, counts) for _, key, counts in longest)])
        spent += clock() - at
        self._busy, self._next = False, begun + max(EVERY_SECONDS, spent * REST)

    def _all(self) -> Iterator[tuple[Key, list[int]]]:
        """Yield the lines, and then the routes of delayed mail which have none."""
        board = self._board
        # Keys alone: of pairs there would be as many new objects, which the collector goes through.
        for key in list(board.lines):
            line = board.lines.get(key)
            if line is None:
                continue  # It was let go meanwhile.
            yield key, [line.active + line.in_flight, line.delayed, held(line)]
        counts, routes = board.later.counts, board.spool.routes
        for number in range(len(counts)):
            if counts[number] and (key := routes.key(number)) not in board.lines:
                yield key, [0, counts[number], 0]

    def _write(self, rows: list[tuple[Key, list[int]]]) -> None:
        coming = self._path.with_suffix(".new")
        with suppress(OSError):  # Of a full disk others tell.
            coming.write_bytes(_encode(rows))
            os.replace(coming, self._path)


def paths(run_folder: Path) -> Iterable[Path]:
    return run_folder.glob("census.*.rows")


def path_of(run_folder: Path, worker: int) -> Path:
    return run_folder / f"census.{worker}.rows"


def read(run_folder: Path, now: float | None = None) -> dict[Key, list[int]]:
    """Return the counts of all workers, added up; what is old is of workers which are gone."""
    now = time.time() if now is None else now
    total: dict[Key, list[int]] = {}
    for path in paths(run_folder):
        try:
            if now - path.stat().st_mtime > STALE_SECONDS:
                continue
            rows = _decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        for key, counts in rows:
            before = total.get(key, [0, 0, 0])
            total[key] = [one + other for one, other in zip(before, counts, strict=True)]
    return total
