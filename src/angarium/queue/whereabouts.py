"""Where entries are: looks for those which are in no place, in two, or counted under a wrong route.

The table says which entries there are, some thousands at a time; the owners (timer, lines, hands)
say what they have. Both change while we look, so the first look only suspects: what it missed, or
met twice, is looked for twice more, and who is still suspected then is judged in one go, while
nothing moves. So a million entries can be looked through in slices, and nobody is accused who was
merely on his way.

Rule: **a judgement is made between two callbacks, with no job under way and for nobody younger
than a minute**: jobs hold entries between their slices, and what comes in is in the table first.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from angarium.queue.beat import Steps
from angarium.queue.entry import Entry
from angarium.queue.line import Line
from angarium.queue.spool.slot import due_of, lane_in, route_of

if TYPE_CHECKING:
    from angarium.queue.board import Board

CHUNK: Final = 65_536  # ids looked for at once: two sets of 4 MB, where there are that many
PIECE: Final = 4096  # ids looked at in one step, 0.2 ms
YOUNG_SECONDS: Final = 60
MOST: Final = 1024  # suspects of one chunk; more come up in the next round
_ROUNDS: Final = 2  # looks for a suspect before it is judged

Ids = Collection[int]
Parts = Callable[[], Iterable[Mapping[int, bytes]]]  # the table, in parts
Found = Callable[[str, str], None]  # kind and text of what was found, and mended


class Hands(Protocol):
    """Who takes entries out of lines: `outbound/pool`."""

    def in_hands(self) -> Iterator[Sequence[Entry]]:
        """Yield what connections have taken and not yet settled, those of one line together."""
        ...

    def served_by(self, line: Line) -> Line | None:
        """Return the line itself, or the one for whose connections it waits; None: nobody."""
        ...

    def works(self, line: Line) -> bool:
        """Say whether a connection is opened, works or ends, after which the line is asked."""
        ...

    def held(self) -> Iterable[Sequence[str]]:
        """Return the keys of the ledger which each connection holds."""
        ...


class Whereabouts:
    """Looks through the table once.

    Args:
        parts: of the table.
        reported: entries which wait for a report on them to be durable, by id.
    """

    def __init__(
        self,
        board: "Board",
        hands: Hands,
        parts: Parts,
        reported: Mapping[int, Entry],
        found: Found,
    ) -> None:
        self._board = board
        self._hands = hands
        self._parts = parts
        self._reported = reported
        self._found = found

    def look(self) -> Steps:
        """Look for every entry."""
        yield from self._side_by_side()
        chunk: set[int] = set()
        for part in list(self._parts()):
            chunk.update(part)
            yield
            if len(chunk) >= CHUNK:
                yield from self._look_for(chunk)
                chunk = set()
        if chunk:
            yield from self._look_for(chunk)

    def _side_by_side(self) -> Steps:
        """Look for ids which are twice in one piece: a set, as it is used below, hides these."""
        twice: set[int] = set()
        for piece in self._owned():
            if len(set(piece)) < len(piece):
                twice.update(each for each, count in Counter(piece).items() if count > 1)
            yield
        if twice:
            while self._board.beat.busy:
                yield
            self._judge(twice)

    def _look_for(self, chunk: set[int]) -> Steps:
        live = self._board.spool.live
        for _ in range(1 + _ROUNDS):
            seen: set[int] = set()
            twice: set[int] = set()
            for piece in self._owned():
                met = chunk.intersection(piece)
                if not seen.isdisjoint(met):
                    twice |= seen & met
                seen |= met
                yield
            missed = chunk - seen
            yield
            suspects = {each for each in islice(missed, MOST) if each in live}
            suspects.update(islice(twice, MOST))
            if not suspects:
                return
            chunk = suspects
            yield
        while self._board.beat.busy:
            yield
        self._judge(chunk)

    def _owned(self) -> Iterator[Ids]:
        """Yield all that is owned, in small pieces, in the direction in which entries move."""
        board = self._board
        for slot in board.timer.members():
            for at in range(0, len(slot), PIECE):
                yield slot[at : at + PIECE]
        for line in list(board.lines.values()):
            if line.active:
                for piece in line.members():
                    for at in range(0, len(piece), PIECE):
                        yield piece[at : at + PIECE]
        for entries in self._hands.in_hands():
            yield _ids(entries)
        yield list(self._reported)

    def _judge(self, suspects: set[int]) -> None:
        """Count the places of each suspect, and mend what is wrong; all in one go."""
        board = self._board
        now = int(board.clock.time())
        places = Counter[int]()
        for piece in self._owned():
            places.update(filter(suspects.__contains__, piece))
        for ident in sorted(suspects):
            slot = board.spool.live.get(ident)
            if slot is None or now - (ident >> 32) < YOUNG_SECONDS:
                continue
            if not places[ident]:
                self._lost(ident, slot)
            elif places[ident] > 1:
                self._doubled(ident, places[ident])

    def _lost(self, ident: int, slot: bytes) -> None:
        """Give an entry which nobody has back to the timer or to its line."""
        board = self._board
        key = board.spool.routes.key(route_of(slot))
        due = due_of(slot)
        if due > board.clock.time():
            board.later.add(ident, due)
        else:
            line = board.line(*key)
            if line.key != key:
                board.spool.rebind(ident, *line.key, None)
            line.push_id(ident, lane_in(slot))
            board.offer(line)
        self._found("orphan", f"an entry of {'/'.join(key)} was in no queue")

    def _doubled(self, ident: int, places: int) -> None:
        """Leave an entry in one place: in hands rather than in a line, there rather than delayed.

        So nothing is sent twice for it from now on; an attempt under way ends by itself.
        """
        board = self._board
        held = (each.id for entries in self._hands.in_hands() for each in entries)
        kept = ident in self._reported or ident in held
        for line in list(board.lines.values()):
            if any(ident in piece for piece in line.members()):
                kept = _only_once(line, ident, kept=kept)
        delayed = False
        while any(ident in slot for slot in board.timer.members()):
            board.later.remove(ident)
            delayed = True
        if delayed and not kept:
            board.later.add(ident, due_of(board.spool.live[ident]))
        self._found("double", f"an entry was in {places} places")


def _ids(entries: Iterable[Entry]) -> list[int]:
    return [each.id for each in entries]


def _only_once(line: Line, ident: int, *, kept: bool) -> bool:
    """Take an entry out of a line, but for one place if it is in no better one; say it is kept."""
    for items in line.sift(lambda each: each == ident):
        for item in items:
            line.lifted(item)
            if kept:
                line.dropped(item)
            elif isinstance(item, int):
                line.push_id(item)
            else:
                line.push(item)
            kept = True
    return kept


class RouteCounts:
    """Compares how many are delayed of each route with what is counted.

    A route of which something was delayed or came due meanwhile is left for another time; so what
    differs is wrong.
    """

    def __init__(self, board: "Board", found: Found) -> None:
        self._board = board
        self._found = found

    def look(self) -> Steps:
        board = self._board
        later, timer, live = board.later, board.timer, board.spool.live
        if timer.spreading:
            return
        edge = timer.edge
        touched: set[int] = set()
        later.touched = touched
        try:
            tally = Counter[bytes]()  # by the route as it stands in the slot
            slots: set[int] = set()
            for slot in timer.members():
                if id(slot) in slots:  # Its second has passed meanwhile.
                    continue
                slots.add(id(slot))
                for at in range(0, len(slot), PIECE // 4):
                    piece = slot[at : at + PIECE // 4]
                    tally.update(each[:4] for each in map(live.get, piece) if each)
                    yield
            if edge == timer.edge:
                self._compare({route_of(each): count for each, count in tally.items()}, touched)
        finally:
            later.touched = None

    def _compare(self, tally: Mapping[int, int], touched: set[int]) -> None:
        counts = self._board.later.counts
        for route, count in enumerate(counts):
            delayed = tally.get(route, 0)
            if count != delayed and route not in touched:
                self._found("route", f"{delayed} were delayed on a route, {count} were counted")
                counts[route] = delayed
