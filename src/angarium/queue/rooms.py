"""How many messages stay in memory: in all, of a binding, of those which failed for now.

The board counts the entries which are in memory (`Board.resident`) and lets none more in above
`resident_limit`; that is our lease of max_resident_messages, which all workers share: once a second
each takes what it may need from the ledger and gives the rest back. So the bound holds for the
node, and no message asks the ledger. A binding which has a bound of its own has a `Room`, whose
entries count in both. That bound is divided by the workers, as bindings are many; so is the one of
what failed, as it is small.

What failed for now and stays in memory is *kept*: its id is in the timer as any other's, and when
it is taken the entry is at hand. Whoever takes another way, a move or an end, need not know: an
entry which does not fit its line any more is read again.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from angarium.config.option import Options
from angarium.core.body import MemoryBody
from angarium.queue.beat import Steps
from angarium.queue.entry import READY, Entry
from angarium.queue.line import Key, Line
from angarium.queue.options import Residence, Shape
from angarium.queue.spool.slot import TIMING

if TYPE_CHECKING:
    from angarium.queue.board import Board

NO_LIMIT: Final = 1 << 62
SHARED: Final = "messages resident"  # key in the ledger
_IDLE_SHARE: Final = 8  # a worker which keeps nothing holds an eighth of its part
_BETWEEN: Final = 256  # lines given their room in one piece of work

OptionsT = TypeVar("OptionsT", bound=Options)


class Settings(Protocol):
    """What is needed of a configuration."""

    def at(self, cls: type[OptionsT], *, group: str, binding: str, domain: str) -> OptionsT: ...

    def top(self, cls: type[OptionsT]) -> OptionsT: ...

    def bindings(self) -> Sequence[tuple[str, str]]: ...


class Room:
    """What a binding with a bound of its own has in memory."""

    __slots__ = ("most", "resident")

    def __init__(self, most: int) -> None:
        self.most = most
        self.resident = 0


class Rooms:
    """The bounds of one board.

    Attributes:
        kept: entries which failed and wait in memory, by id.
    """

    __slots__ = ("_board", "_most", "_most_kept", "_rooms", "_short", "_workers", "kept")

    def __init__(self, board: "Board", workers: int) -> None:
        self._board = board
        self._workers = workers
        self._most = NO_LIMIT
        self._most_kept = 0
        self._short = False
        self._rooms: dict[tuple[str, str], Room] = {}
        self.kept: dict[int, Entry] = {}

    def configure(self, configuration: Settings) -> None:
        """Go over to the bounds of a generation."""
        options = configuration.top(Residence)
        self._most = options.max_resident_messages or NO_LIMIT
        kept = options.max_resident_transfails
        self._most_kept = max(kept // self._workers, 1) if kept else 0
        bounds: dict[tuple[str, str], int] = {}
        for group, binding in configuration.bindings():
            own = configuration.at(Shape, group=group, binding=binding, domain="")
            most = own.max_resident_messages
            if most == options.max_resident_messages:
                most = options.max_resident_messages_per_binding or 0
            if most:  # 0: no bound but that of the server.
                bounds[group, binding] = max(most // self._workers, 1)
        before = {key: room.most for key, room in self._rooms.items()}
        if bounds != before:
            self._rooms = {key: Room(most) for key, most in bounds.items()}
            if self._board.lines:
                self._board.begin(self._move_in())
        self.tick()

    def of(self, key: Key) -> Room | None:
        """Return the room of a line; None: only the bound of the server holds."""
        return self._rooms.get(key[:2]) if self._rooms else None

    def _move_in(self) -> Steps:
        """Give every line its room, with what it has in memory; a job."""
        for number, line in enumerate(list(self._board.lines.values()), 1):
            room = self.of(line.key)
            if room is not line.room:
                line.room = room
                if room is not None:
                    room.resident += line.resident + line.in_flight
            if not number % _BETWEEN:
                yield

    def tick(self) -> None:
        """Take the lease for the next second."""
        board = self._board
        if self._short:
            board.resident_limit = 0
        elif self._most == NO_LIMIT or self._workers == 1:
            board.resident_limit = self._most
        else:
            least = max(self._most // (self._workers * _IDLE_SHARE), 1)
            wanted = max(2 * board.resident, least)
            board.resident_limit = board.ledger.share(SHARED, self._most, wanted)

    def keep_nothing(self, short: bool) -> None:
        """Memory is short, or is not any more: let nothing in, and what is kept go."""
        self._short = short
        if short:
            self._board.resident -= len(self.kept)
            self.kept.clear()
        self.tick()

    # What failed for now.

    def keep(self, entry: Entry) -> None:
        """Keep an entry which is delayed, if there is room; it has left memory for the board."""
        board = self._board
        if (
            len(self.kept) < self._most_kept
            # What was read from the disk has nothing there but an envelope, and holds a segment.
            and isinstance(entry.message.body, MemoryBody)
            and board.resident < board.resident_limit
            and entry.attempts <= entry.line.shape.drop_body_after_trans_fail
        ):
            self.kept[entry.id] = entry
            board.resident += 1

    def taken(self, ident: int, line: Line, slot: bytes) -> Entry | None:
        """Return an entry which was kept, as it is now; None: it must be read."""
        entry = self.kept.pop(ident, None)
        if entry is None:
            return None
        self._board.resident -= 1
        if entry.line.key != line.key:
            return None  # It was moved; its recipient says so on the disk only.
        entry.state = READY
        entry.line = line
        entry.due, entry.attempts = TIMING.unpack_from(slot, 4)
        return entry

    def forget(self, ident: int) -> None:
        """The entry has ended without being taken."""
        if self.kept.pop(ident, None) is not None:
            self._board.resident -= 1
