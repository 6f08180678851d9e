"""What is done to many entries at once: look through them, give up, wake, move, suspend.

Each is a job for `Board.begin`: it goes through the delayed part, then through the lines, in pieces
with the loop's other work between them. Entries go from the delayed part to the active one and not
back, except by an attempt, so none that was there at the beginning is missed but those in flight.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from angarium.core.message import DEFAULT_BINDING, DEFAULT_BINDING_GROUP
from angarium.queue.beat import Steps
from angarium.queue.entry import Entry
from angarium.queue.line import SUSPENDED, Key, Line
from angarium.queue.retry import GiveUp, is_expired
from angarium.queue.spool.slot import lane_in, route_of

if TYPE_CHECKING:
    from angarium.queue.board import Board

End = Callable[[Entry], None]  # ends an entry that was taken: outbound/settle

_BETWEEN: Final = 32  # entries loaded and ended, some 20 us each, between two looks at the clock


@dataclass(frozen=True, slots=True)
class Where:
    """Which lines; None is any."""

    group: str | None = None
    binding: str | None = None
    domain: str | None = None

    def matches(self, key: Key) -> bool:
        group, binding, domain = key
        return (
            (self.binding is None or binding == self.binding)
            and (self.domain is None or domain == self.domain)
            and (self.group is None or group == self.group)
        )


@dataclass(slots=True)
class Tally:
    """How far a job has come."""

    entries: int = 0
    finished: bool = False
    then: Callable[[], None] | None = None
    failed: list[int] = field(default_factory=list)  # could not be read; tried again later

    def finish(self) -> None:
        self.finished = True
        if self.then is not None:
            self.then()


Matches = Callable[[Key], bool]


def delayed_in(board: "Board", matches: Matches) -> Callable[[int], bool]:
    """Return what says of a delayed id whether it is in a line that matches."""
    live, key_of = board.spool.live, board.spool.routes.key

    def wanted(ident: int) -> bool:
        slot = live.get(ident)
        return slot is not None and matches(key_of(route_of(slot)))

    return wanted


def _all(ident: int) -> bool:
    return True


def search(board: "Board", matches: Matches, visit: Callable[[int, bool], None]) -> Steps:
    """Call `visit(id, delayed)` for each entry of the lines; to count, list, or choose by."""
    wanted = delayed_in(board, matches)

    def look(ident: int) -> bool:
        if wanted(ident):
            visit(ident, True)
        return False

    for _ in board.timer.sift(look):
        yield

    def show(ident: int) -> bool:
        visit(ident, False)
        return False

    for line in _lines(board, matches):
        for _ in line.sift(show):
            yield
        board.offer(line)


def fail(
    board: "Board",
    matches: Matches,
    end: End,
    tally: Tally,
    chosen: Callable[[int], bool] = _all,
) -> Steps:
    """End the entries of the lines: with a report, or without one, as `end` does it.

    Args:
        chosen: of those, the ones to end.
    """
    wanted = delayed_in(board, matches)
    for idents in board.timer.sift(lambda ident: wanted(ident) and chosen(ident)):
        for number, ident in enumerate(idents, 1):
            _end(board, board.home(ident), ident, end, tally)
            if not number % _BETWEEN:
                yield
        yield
    for line in _lines(board, matches):
        for items in line.sift(chosen):
            for number, item in enumerate(items, 1):
                line.lifted(item)
                _end(board, line, item, end, tally)
                if not number % _BETWEEN:
                    yield
            yield
        board.offer(line)
    tally.finish()


def _end(board: "Board", line: Line, item: Entry | int, end: End, tally: Tally) -> None:
    entry = board.recall.entry(item, line) if isinstance(item, int) else item
    if entry is None:
        assert isinstance(item, int)
        tally.failed.append(item)
        return
    line.fly(entry)
    end(entry)
    tally.entries += 1


def flush(board: "Board", matches: Matches, tally: Tally) -> Steps:
    """Let the delayed entries of the lines be attempted now."""
    for idents in board.timer.sift(delayed_in(board, matches)):
        touched: dict[Line, None] = {}
        for ident in idents:
            line = board.home(ident)
            line.push_id(ident, lane_in(board.spool.live[ident]))
            touched[line] = None
        tally.entries += len(idents)
        for line in touched:
            board.offer(line)
        yield
    tally.finish()


def move(board: "Board", matches: Matches, group: str, binding: str, tally: Tally) -> Steps:
    """Give the entries of the lines to another binding; what is delayed stays so."""

    def leaves(key: Key) -> bool:
        return matches(key) and key[:2] != (group, binding)

    leaving, live, key_of = delayed_in(board, leaves), board.spool.live, board.spool.routes.key

    def rebind(ident: int) -> bool:
        if leaving(ident):
            before = route_of(live[ident])
            board.spool.rebind(ident, group, binding, key_of(before)[2], None)
            board.later.rerouted(ident, before)
            tally.entries += 1
        return False  # It stays in the timer, due when it was.

    for _ in board.timer.sift(rebind):
        yield
    for line in _lines(board, leaves):
        target = board.line(group, binding, line.domain)
        for items in line.sift(_all):
            for item in items:
                line.lifted(item)
                hand_over(board, item, line, target)
            tally.entries += len(items)
            yield
        board.rest(line)
        board.offer(target)
    tally.finish()


def divert(board: "Board", line: Line, domain: str, then: Callable[[], None]) -> Steps:
    """Give the active entries of a line to the line of another domain, by the same binding."""
    target = board.line(line.group, line.binding, domain)
    for items in line.sift(_all):
        for item in items:
            line.lifted(item)
            hand_over(board, item, line, target)
        yield
    then()
    board.rest(line)
    board.offer(line)  # What came meanwhile.
    board.offer(target)


def hand_over(board: "Board", item: Entry | int, line: Line, target: Line) -> None:
    """Give an entry, which was lifted out of a line, to another one."""
    if isinstance(item, int):
        board.spool.rebind(item, *target.key, None)
        target.push_id(item, lane_in(board.spool.live[item]))
        return
    board.spool.rebind(item.id, *target.key, None)
    recipient = item.recipient
    recipient.binding_group, recipient.binding, recipient.domain = target.key
    item.line = target
    for room, change in ((line.room, -1), (target.room, 1)):
        if room is not None:
            room.resident += change
    target.push(item)


def vanished(board: "Board") -> Steps:
    """Move the mail of bindings which are not configured any more to the default binding."""
    matches: Matches = lambda key: not board.has_binding(key[0], key[1])  # noqa: E731
    return move(board, matches, DEFAULT_BINDING_GROUP, DEFAULT_BINDING, Tally())


def expire(board: "Board") -> Steps:
    """Give up what expired in a line that may not send.

    Where mail moves it gets a last attempt when it comes to the front, unless the option
    never_attempt_expired_messages says no. An id tells when its message came, so nothing is
    loaded to find out.
    """
    for line in list(board.lines.values()):
        stuck = line.stuck or line.shape.never_attempt_expired_messages
        if not (line.active and stuck):
            continue
        now = board.clock.time()
        before = int(now - line.shape.message_expiration)
        for items in line.sift(lambda ident, before=before: ident >> 32 <= before):  # type: ignore[misc]
            for item in items:
                line.lifted(item)
                entry = board.recall.entry(item, line) if isinstance(item, int) else item
                if entry is not None:
                    line.fly(entry)
                    _expire(board, line, entry, now)
            yield
        board.offer(line)
        yield


def _expire(board: "Board", line: Line, entry: Entry, now: float) -> None:
    if board.give_up is not None and is_expired(line.shape, entry.message.received_at, now):
        board.give_up(entry, GiveUp.EXPIRED)
    else:
        line.put_back([entry])


def destage(board: "Board") -> Steps:
    """Let go of what lines hold in memory and can read again."""
    for number, line in enumerate(list(board.lines.values()), 1):
        line.destage()
        if not number % _BETWEEN:
            yield


def _lines(board: "Board", matches: Matches) -> list[Line]:
    return [line for line in board.lines.values() if line.active and matches(line.key)]


class Places(Protocol):
    """Some queues; two of equal words are equal."""

    def matches(self, key: Key) -> bool: ...

    def __hash__(self) -> int: ...


class Suspensions:
    """The lines which an operator has suspended, by what they match; asked for each new line."""

    __slots__ = ("_board", "_places")

    def __init__(self, board: "Board") -> None:
        self._board = board
        self._places: dict[Places, None] = {}
        board.suspended = self.covers

    def __iter__(self) -> Iterator[Places]:
        return iter(self._places)

    def covers(self, key: Key) -> bool:
        return any(where.matches(key) for where in self._places)

    def suspend(self, where: Places) -> None:
        """Send nothing from these lines until `resume`; attempts in flight end by themselves."""
        self._places[where] = None
        self._board.begin(self._apply())

    def resume(self, where: Places) -> bool:
        """End a suspension; say whether there was one."""
        if where not in self._places:
            return False
        del self._places[where]
        self._board.begin(self._apply())
        return True

    def use(self, places: Iterable[Places]) -> None:
        """Suspend these and no others from now on: no line sends which they cover."""
        self._places = dict.fromkeys(places)
        self._board.begin(self._apply())

    def _apply(self) -> Steps:
        for number, line in enumerate(list(self._board.lines.values()), 1):
            if self.covers(line.key):
                line.close(SUSPENDED)
            elif line.closed & SUSPENDED:
                line.open(SUSPENDED)
                self._board.offer(line)
            if not number % _BETWEEN:
                yield
