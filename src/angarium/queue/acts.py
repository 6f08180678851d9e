"""What can be done to queued mail, for `errand`: end it, try it now, let it wait, reroute it.

Each act leaves an entry in exactly one place, and the counts of lines, routes and timer right.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from angarium.queue.bulk import End, hand_over
from angarium.queue.entry import Entry
from angarium.queue.errand import Act
from angarium.queue.line import PAUSED, Key, Line
from angarium.queue.spool.slot import TIMING, lane_in, route_of

if TYPE_CHECKING:
    from angarium.queue.board import Board

Elsewhere = Callable[[Key], Key | None]  # where mail of a queue goes; None: it stays


class Fail(Act):
    """End it.

    Args:
        end: ends an entry that was taken (`outbound/settle`), with a report or without.
        room: says whether one more report may be made.
    """

    def __init__(self, board: "Board", end: End, room: Callable[[], bool]) -> None:
        self._board = board
        self._end = end
        self._room = room

    @property
    def ready(self) -> bool:
        return self._room()

    def delayed(self, ident: int) -> bool:
        board = self._board
        route = route_of(board.spool.live[ident])
        key = board.spool.routes.key(route)
        line = board.line(*key)
        entry = board.recall.entry(ident, line, wait=False)
        board.later.uncount(route)
        if entry is None:
            return False
        if line.key != key:
            board.spool.rebind(ident, *line.key, None)
        line.fly(entry)
        self._end(entry)
        return True

    def active(self, line: Line, item: Entry | int) -> bool:
        entry = self._board.recall.entry(item, line, wait=False) if isinstance(item, int) else item
        line.lifted(item)
        if entry is None:
            return False
        line.fly(entry)
        self._end(entry)
        return True


class PutOff(Fail):
    """Try it later, as after an attempt that failed for now: `end` says what failed it."""

    to_delayed = False


class Flush(Act):
    """Try it now: what is delayed becomes active, and is due also for who finds it on the disk."""

    to_active = False

    def __init__(self, board: "Board") -> None:
        self._board = board
        self._touched: dict[Line, None] = {}

    def delayed(self, ident: int) -> bool:
        board = self._board
        line = board.home(ident)
        slot = board.spool.live[ident]
        board.spool.defer(ident, TIMING.unpack_from(slot, 4)[1], int(board.clock.time()), None)
        line.push_id(ident, lane_in(slot))
        self._touched[line] = None
        return True

    def over(self) -> None:
        for line in self._touched:
            if line.closed & PAUSED:
                self._board.resume(line)
            else:
                self._board.offer(line)
        self._touched.clear()


class Hold(Act):
    """Let what is active wait for so many seconds. That is no attempt, and counts as none."""

    to_delayed = False

    def __init__(self, board: "Board", seconds: int) -> None:
        self._board = board
        self._seconds = seconds

    def active(self, line: Line, item: Entry | int) -> bool:
        board = self._board
        ident = item if isinstance(item, int) else item.id
        due = int(board.clock.time()) + self._seconds
        attempts = TIMING.unpack_from(board.spool.live[ident], 4)[1]
        line.lifted(item)
        line.dropped(item)
        board.spool.defer(ident, attempts, due, None)
        board.later.add(ident, due)
        return True


class Move(Act):
    """Send it another way: what is delayed stays so, and is due when it was.

    Attributes:
        moved: entries which were not on this way already.
    """

    again = in_place = True

    def __init__(self, board: "Board", elsewhere: Elsewhere) -> None:
        self._board = board
        self._elsewhere = elsewhere
        self._touched: dict[Line, None] = {}
        self.moved = 0

    def delayed(self, ident: int) -> bool:
        board = self._board
        route = route_of(board.spool.live[ident])
        key = board.spool.routes.key(route)
        target = self._elsewhere(key)
        if target is not None and target != key:
            board.spool.rebind(ident, *target, None)
            board.later.rerouted(ident, route)
            self.moved += 1
        return target is not None

    def active(self, line: Line, item: Entry | int) -> bool:
        board = self._board
        target = self._elsewhere(line.key)
        line.lifted(item)
        if target is None or target == line.key:
            if isinstance(item, Entry):
                line.push(item)
            else:
                line.push_id(item, lane_in(board.spool.live[item]))
            return target is not None
        to = board.line(*target)
        hand_over(board, item, line, to)
        self._touched[to] = None
        self.moved += 1
        return True

    def over(self) -> None:
        for line in self._touched:
            self._board.offer(line)
        self._touched.clear()
