"""What somebody wants done to chosen mail: found first, then taken out of where it waits, in steps.

    errand = Errand(board, choice, means)
    yield from errand.run(Fail(...))                 errand.done, errand.unread

Who runs it takes a step whenever he likes, stops whenever he likes, and closes it: what is held
between two steps then goes back to where it was. Rule: **what has to be read is read before
anything is taken out**; so a queue is without its mail only for the moment in which its ids are
looked through, however long the looking for them took. What an attempt has in its hands is left to
it, and what it puts off meanwhile may be missed, or not.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from angarium.core.errors import Error
from angarium.core.message import Message, Recipient
from angarium.journal.errors import ColdError
from angarium.queue.bulk import vanished
from angarium.queue.choice import Choice
from angarium.queue.entry import Entry
from angarium.queue.line import Line
from angarium.queue.spool.routes import Key
from angarium.queue.spool.slot import lane_in, place_of, route_of

if TYPE_CHECKING:
    from angarium.queue.board import Board

Steps = Generator[float | None, None, None]  # None, or seconds in which there is nothing to do
Chosen = Callable[[int], bool]

CHUNK: Final = 65_536  # ids found before something is done to them: 6 MB
PIECE: Final = 512  # ids looked at in a step, 0.2 ms
BETWEEN: Final = 16  # entries acted on in a step, some 40 us each
LINES: Final = 200  # looked at in a step
AHEAD: Final = 64  # messages read by a thread in one go
WAIT_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed of a worker besides its board.

    Attributes:
        parts: of the table of entries; each is to be read at once.
        in_hands: what connections have taken, and what waits for a report on it.
    """

    parts: Callable[[], Iterable[Mapping[int, bytes]]]
    in_hands: Callable[[], Collection[int]]


class Act:
    """What is done to each entry; it may take some 40 us. By default nothing is.

    Attributes:
        ready: the next one may come.
        to_delayed, to_active: which part of the queues it is about.
        again: an entry it was done to may be met once more, where it is now: so ids are kept.
        in_place: what is delayed stays in the timer, due when it was; `delayed` is quick.
    """

    to_delayed = to_active = True
    again = in_place = False

    @property
    def ready(self) -> bool:
        return True

    def delayed(self, ident: int) -> bool:
        """Do it to one taken out of the timer (or in place), and counted there still.

        Returns whether it was done.

        Raises:
            ColdError: a thread must read it first; nothing has changed.
        """
        raise NotImplementedError

    def active(self, line: Line, item: Entry | int) -> bool:
        """Do it to one taken out of a line, and counted there still. As `delayed`."""
        raise NotImplementedError

    def over(self) -> None:
        """A step has ended: offer lines which have got mail."""


class Errand:
    """One errand.

    Attributes:
        seen: entries looked at while it was looked for those which are meant; where messages are
            read, those which were read.
        done: entries to which it was done.
        unread: entries which may have been meant, and could not be read.
    """

    def __init__(self, board: "Board", choice: Choice, means: Means) -> None:
        self.choice = choice
        self.seen = self.done = self.unread = 0
        self._board = board
        self._means = means
        self._queues = choice.queues()
        self._verdicts: dict[int, tuple[Key, bool]] = {}

    # Looking.

    def look(self) -> Iterator[list[int] | float | None]:
        """Yield what is meant, in pieces, and steps between. Nothing is taken out."""
        board, choice = self._board, self.choice
        live, slots = board.spool.live, choice.slots(board.clock.time())
        chunk: list[int] = []
        for idents in self._tables():
            found = [
                ident
                for ident in idents
                if (slot := live.get(ident)) is not None
                and self._meant(slot)
                and slots(ident, slot)
            ]
            if not choice.by_message:
                self.seen += len(idents)
                yield found
                continue
            chunk += found
            yield None
            if len(chunk) >= CHUNK:
                yield from self._read(chunk)
                chunk = []
        if chunk:
            yield from self._read(chunk)

    def _meant(self, slot: bytes) -> bool:
        """Say whether the queue of an entry is one of those which are meant."""
        route = route_of(slot)
        key = self._board.spool.routes.key(route)
        known = self._verdicts.get(route)
        if known is None or known[0] is not key:  # A number may stand for another route by now.
            known = self._verdicts[route] = key, self._queues(key)
        return known[1]

    def _tables(self) -> Iterator[Sequence[int]]:
        if self.choice.idents:
            yield self.choice.idents
            return
        for part in list(self._means.parts()):
            idents = list(part)
            for at in range(0, len(idents), PIECE):
                yield idents[at : at + PIECE]

    def _read(self, idents: list[int]) -> Iterator[list[int] | float | None]:
        """Yield those whose message is meant: read in the order in which they lie on the disk."""
        live = self._board.spool.live
        places = ((place_of(slot), each) for each in idents if (slot := live.get(each)))
        order = [ident for _, ident in sorted(places)]
        wanted = self.choice.messages()
        yield None
        warm = 0
        for number, ident in enumerate(order):
            self.seen += 1
            if ident not in live:
                continue
            try:
                meant = self._of_message(ident, wanted, cached=number >= warm)
            except ColdError:
                ahead = order[number : number + AHEAD]
                ended = self._board.recall.ahead(ahead)
                while not ended():
                    yield WAIT_SECONDS
                warm = number + len(ahead)
                meant = ident in live and self._of_message(ident, wanted, cached=False)
            if meant:
                yield [ident]
            elif not number % BETWEEN:
                yield None

    def _of_message(
        self, ident: int, wanted: Callable[[Message, Recipient], bool], *, cached: bool
    ) -> bool:
        note = self._board.recall.note
        note.enter(ident)
        try:
            return wanted(*self._board.spool.load(ident, cached=cached))
        except ColdError:
            raise
        except (Error, OSError):
            self.unread += 1
            return False
        finally:
            note.leave()

    # Doing.

    def run(self, act: Act) -> Steps:
        """Do it to all that is meant."""
        board = self._board
        generation = board.generation
        try:
            with board.beat.elsewhere():
                if self.choice.by_queue and not act.again:
                    yield from self._delayed(None, act)
                    yield from self._active(self._queues, None, act)
                else:
                    yield from self._found(act)
        finally:
            if generation != board.generation:
                # What we held while a binding vanished has come back to its line since.
                board.begin(vanished(board))

    def _found(self, act: Act) -> Steps:
        live, key_of = self._board.spool.live, self._board.spool.routes.key
        chunk: set[int] = set()
        keys: set[Key] = set()
        for found in self.look():
            if not isinstance(found, list):
                yield found
                continue
            for ident in found:
                if (slot := live.get(ident)) is not None:
                    chunk.add(ident)
                    keys.add(key_of(route_of(slot)))
            yield None
            if len(chunk) >= CHUNK:
                yield from self._through(keys, chunk, act)
                chunk, keys = set(), set()
        if chunk:
            yield from self._through(keys, chunk, act)

    def _through(self, keys: set[Key], chosen: set[int], act: Act) -> Steps:
        """Do it to these, wherever they are by now; who is done is taken out of the set."""
        if len(chosen) > BETWEEN:
            yield from self._delayed(chosen, act)
            yield from self._active(keys.__contains__, chosen, act)
            return
        # Of few the timer need not be looked through: mostly they are where their due time says.
        board = self._board
        if act.to_delayed and not act.in_place:
            for ident in list(chosen):
                if ident in board.spool.live and board.later.take(ident):
                    yield from self._each(None, [ident], chosen, act)
        yield from self._active(keys.__contains__, chosen, act)
        left = {each for each in chosen if each in board.spool.live}
        if left.difference(self._means.in_hands()):
            yield from self._delayed(chosen, act)

    def _delayed(self, chosen: set[int] | None, act: Act) -> Steps:
        live = self._board.spool.live

        def of_queue(ident: int) -> bool:
            return (slot := live.get(ident)) is not None and self._meant(slot)

        wanted = of_queue if chosen is None else chosen.__contains__

        def done(ident: int) -> bool:
            if wanted(ident) and ident in live and act.delayed(ident):
                self.done += 1
                if chosen is not None:
                    chosen.discard(ident)
            return False

        if act.in_place:
            for _ in self._board.timer.sift(done):
                yield None
        elif act.to_delayed:
            for idents in self._board.timer.sift(wanted):
                yield from self._each(None, idents, chosen, act)
                yield None

    def _active(self, queues: Callable[[Key], bool], chosen: set[int] | None, act: Act) -> Steps:
        board = self._board
        if not act.to_active:
            return
        for number, line in enumerate(list(board.lines.values()), 1):
            if line.active and queues(line.key):
                try:
                    for items in line.sift(_all if chosen is None else chosen.__contains__):
                        yield from self._each(line, items, chosen, act)
                        yield None
                finally:
                    board.offer(line)
                    board.rest(line)
            elif not number % LINES:
                yield None

    def _each(
        self, line: Line | None, items: Sequence[Entry | int], chosen: set[int] | None, act: Act
    ) -> Steps:
        at = 0
        try:
            while at < len(items):
                if not act.ready:
                    yield WAIT_SECONDS
                    continue
                try:
                    done = self._one(line, items[at], act)
                except ColdError:
                    ahead = [each for each in items[at : at + AHEAD] if isinstance(each, int)]
                    ended = self._board.recall.ahead(ahead, taken=True)
                    while not ended():
                        yield WAIT_SECONDS
                    continue
                if done:
                    self.done += 1
                    if chosen is not None:
                        chosen.discard(_ident(items[at]))
                at += 1
                if not at % BETWEEN:
                    act.over()
                    yield None
        finally:
            act.over()
            for item in items[at:]:
                self._back(line, item)

    def _one(self, line: Line | None, item: Entry | int, act: Act) -> bool:
        if line is not None:
            if _ident(item) in self._board.spool.live:
                return act.active(line, item)
            line.lifted(item)
            line.dropped(item)
            return False
        assert isinstance(item, int)
        return item in self._board.spool.live and act.delayed(item)

    def _back(self, line: Line | None, item: Entry | int) -> None:
        """Put back what was taken out and is left alone."""
        board = self._board
        if line is not None:
            line.lifted(item)
            if isinstance(item, Entry):
                line.push(item)
            elif (slot := board.spool.live.get(item)) is not None:
                line.push_id(item, lane_in(slot))
            return
        assert isinstance(item, int)
        if item in board.spool.live:
            board.later.back(item)


def _all(_ident: int) -> bool:
    return True


def _ident(item: Entry | int) -> int:
    return item if isinstance(item, int) else item.id
