"""Ids to entries: what left memory is read from the spool when an attempt wants it.

Mostly it is in the page cache and costs 20 us on the loop. What is not, a thread must read: its
line is closed (COLD) meanwhile, and asked again. What cannot be read at all is put aside by the
spool, not ended, unless an operator wants it so; where only the disk failed, it is tried again
later.
"""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from angarium.core.errors import Error
from angarium.journal.errors import ColdError, DamageError
from angarium.queue.entry import UNREAD, Entry, Note
from angarium.queue.line import COLD, Line
from angarium.queue.spool.slot import TIMING, lane_in

if TYPE_CHECKING:
    from angarium.queue.board import Board

AGAIN_SECONDS: Final = 60.0  # until an entry is tried again which the disk did not give

Spawn = Callable[[Coroutine[Any, Any, None]], object]


class Recall:
    """Reads for one board.

    Attributes:
        unreadable: told of each entry that could not be read.
        note: says which one is being read.
        unlink: what is damaged is not put aside but ended by `discard`, with its line and attempts
            (option unlink_on_spool_in_failure).
        spawn: starts a task; None: every read may wait for the disk.
        reading: lines for which threads read, with how many reads.
    """

    __slots__ = ("_board", "_warm", "discard", "note", "reading", "spawn", "unlink", "unreadable")

    def __init__(self, board: "Board") -> None:
        self._board = board
        self.reading: dict[Line, int] = {}
        self._warm: set[int] = set()  # read by a thread: taken without asking whether it is cached
        self.spawn: Spawn | None = None
        self.unreadable: Callable[[int, Error], None] = _ignore
        self.note: Note = UNREAD
        self.unlink = False
        self.discard: Callable[[int, Line, int], None] | None = None

    def entry(self, ident: int, line: Line, *, wait: bool = True) -> Entry | None:
        """Return the entry, counted as resident; None if it cannot be read.

        Args:
            wait: for the disk; where it is False and there is a `spawn`, raises instead:

        Raises:
            ColdError: a thread must read it first, see `warm`.
        """
        board = self._board
        slot = board.spool.live.get(ident)
        if slot is None:
            self._warm.discard(ident)
            board.rooms.forget(ident)
            return None
        kept = board.rooms.taken(ident, line, slot)
        if kept is not None:
            return self._counted(kept)
        cached = not wait and self.spawn is not None and ident not in self._warm
        self.note.enter(ident)
        try:
            message, recipient = board.spool.load(ident, cached=cached)
        except ColdError:
            raise
        except DamageError as error:
            self.damaged(ident, line, TIMING.unpack_from(slot, 4)[1], error)
            return None
        except Error as error:
            self.unreadable(ident, error)
            board.put_off(ident, AGAIN_SECONDS)
            return None
        finally:
            self.note.leave()
        self._warm.discard(ident)
        due, attempts = TIMING.unpack_from(slot, 4)
        return self._counted(Entry(ident, line, message, recipient, attempts, due, lane_in(slot)))

    def _counted(self, entry: Entry) -> Entry:
        self._board.resident += 1
        if entry.line.room is not None:
            entry.line.room.resident += 1
        return entry

    def damaged(self, ident: int, line: Line, attempts: int, error: DamageError) -> None:
        """Put an entry aside, or end it where the option wants that, and tell of it."""
        if self.unlink and self.discard is not None:
            self.discard(ident, line, attempts)
        else:
            self._board.spool.isolate(ident)
        self.unreadable(ident, error)

    def warm(self, line: Line, idents: Sequence[int]) -> None:
        """Let a thread read these entries of the line, and ask it again then."""
        assert self.spawn is not None
        line.close(COLD)
        self.reading[line] = self.reading.get(line, 0) + 1
        self.spawn(self._read(line, idents))

    def ahead(self, idents: Sequence[int], *, taken: bool = False) -> Callable[[], bool]:
        """Let a thread read these, of any lines; return what says whether it has ended.

        Args:
            taken: each is asked for with `entry` next, which need not look whether it is cached.
        """
        if self.spawn is None:
            if taken:
                self._warm.update(idents)
            return lambda: True
        left = [1]
        self.spawn(self._read_ahead(idents, left, taken=taken))
        return lambda: not left

    async def _read_ahead(self, idents: Sequence[int], left: list[int], *, taken: bool) -> None:
        try:
            for ident in idents:
                with suppress(Error):
                    await self._board.spool.load_cold(ident)
                if taken:
                    self._warm.add(ident)
        finally:
            left.clear()

    async def _read(self, line: Line, idents: Sequence[int]) -> None:
        for ident in idents:
            with suppress(Error):  # The load that follows fails in the same way, and says it.
                await self._board.spool.load_cold(ident)
            self._warm.add(ident)
        self.reading[line] -= 1
        if not self.reading[line]:
            del self.reading[line]
        line.open(COLD)
        self._board.offer(line)


def _ignore(ident: int, error: Error) -> None:
    """Nobody is told."""
