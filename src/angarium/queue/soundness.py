"""A check of the queues while they run: everything has an owner and a next event, counts agree.

Bugs in queues are quiet: a message which nobody will ever try again, a count which leaks until a
limit is reached. Here such is looked for all the time, told (alarm, event, metric) and mended: an
entry goes back to its line, a count is set right, a line is asked again.

    lines     count what they have; one with mail that may send is waited for by somebody
    sums      of the lines, and of the routes, are those of the board, the timer and the table
    permits   what the ledger says we hold is what our connections hold
    entries   each in one place: timer, line, hands (`whereabouts`); looked for one by one when
              a sum is wrong, and in every tenth look

Rule: **what is judged is judged in one go, between two callbacks**; what needs longer only makes a
suspect. The check works for 2 ms and then rests a thousand times as long.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from angarium.events import metrics
from angarium.events.metrics import Metrics
from angarium.events.schema import ServerEvent
from angarium.queue.beat import Steps
from angarium.queue.entry import Entry
from angarium.queue.line import ABSENT, COLD, PAUSED, SHUT, SUSPENDED, THROTTLED, Line
from angarium.queue.options import Checking
from angarium.queue.schedule import NEVER, CallLater
from angarium.queue.whereabouts import Hands, Parts, RouteCounts, Whereabouts

if TYPE_CHECKING:
    from angarium.queue.board import Board

SLICE_SECONDS: Final = 0.002
SHARE: Final = 0.001  # of a processor, at most;
URGENT: Final = 20  # so many times as much when something is wrong
DEEP: Final = 10  # looks, of which one looks for every entry
MANY: Final = 100_000  # lines or routes which can be summed up in one go: 8 ms

FOUND: Final = metrics.counter("soundness_found", "Faults in the queues, found and mended.")
LOOKS: Final = metrics.counter("soundness_looks", "Times the queues were looked through.")

Tell = Callable[[str], None]
Note = Callable[[ServerEvent], None]
_DONE: Final = object()
_KEYS: Final = 256  # of the ledger, looked at in one go


class Soundness:
    """Looks through the queues of one worker, again and again.

    Args:
        parts: of the spool's table.
        reported: entries which wait for a report on them to be durable, by id.
        tell: told of what was found, in words.
        note: writes the event.

    Attributes:
        share: of a processor which it may take.
    """

    def __init__(
        self,
        board: "Board",
        hands: Hands,
        parts: Parts,
        reported: Mapping[int, Entry],
        tell: Tell,
        note: Note,
        counted: Metrics,
    ) -> None:
        self._board = board
        self._hands = hands
        self._reported = reported
        self._tell = tell
        self._note = note
        self._clock = board.clock
        self._found_cell, self._looks_cell = counted.cell(FOUND), counted.cell(LOOKS)
        self._entries = Whereabouts(board, hands, parts, reported, self.found)
        self._routes = RouteCounts(board, self.found)
        self._keys: dict[str, None] = {}  # of the ledger, which our connections have held
        self._work: Steps | None = None
        self._begun_at = 0.0
        self._call_later: CallLater | None = None
        self.share = SHARE
        self._looks = 0
        self._urgent = False

    def start(self, call_later: CallLater) -> None:
        """Look from now on, every soundness_interval."""
        self._call_later = call_later
        call_later(self._interval or 1.0, self._turn)

    def stop(self) -> None:
        self._call_later = None

    @property
    def _interval(self) -> float:
        return self._board.configuration.top(Checking).soundness_interval

    def _turn(self) -> None:
        """Work for a slice, if it is time."""
        if self._call_later is None:
            return
        clock, interval, rest = self._clock, self._interval, 1.0
        begin = clock.monotonic()
        try:
            if self._work is None and interval and begin - self._begun_at >= interval:
                self._begun_at, self._work = begin, self.look()
            work, until = self._work, begin + SLICE_SECONDS
            while work is not None:
                if next(work, _DONE) is _DONE:
                    self._work = work = None
                elif clock.monotonic() >= until:
                    break
            rest = (clock.monotonic() - begin) / self.share
            if self._urgent:
                rest /= URGENT
        finally:
            if self._work is None:
                rest = max(rest, min(interval, 1.0) or 1.0)
            self._call_later(rest, self._turn)

    def look(self) -> Steps:
        """Look through everything once; a job."""
        for line in list(self._board.lines.values()):
            self._line(line)
            yield
        while self._board.beat.busy:
            yield  # A job holds some of what is summed up.
        self._sums()
        self._urgent = not self._all_there()
        deep = not self._looks % DEEP
        yield
        yield from self._permits()
        if self._urgent or deep:
            yield from self._entries.look()
            yield from self._routes.look()
            self._urgent = False
        self._looks += 1
        self._looks_cell.value += 1

    def found(self, kind: str, text: str) -> None:
        """Tell what was found."""
        self._found_cell.value += 1
        said = f"queues were not sound, and are mended: {text}"
        self._tell(said)
        board = self._board
        self._note(ServerEvent(self._clock.time(), f"soundness: {kind}", said, board.generation))

    # Sums.

    def _sums(self) -> None:
        """Compare what is kept once with the sum of what is kept many times."""
        board = self._board
        lines = board.lines
        if len(lines) > MANY:
            return
        tally = Counter(each.line for entries in self._hands.in_hands() for each in entries)
        tally.update(each.line for each in self._reported.values())
        for line in {line for line in lines.values() if line.in_flight} | tally.keys():
            if line.in_flight != tally[line]:
                self._correct(line, "in_flight", tally[line])
        flying = tally.total()
        if flying != board.in_flight:
            self.found("sum", f"{flying} entries were in flight, {board.in_flight} were counted")
            board.in_flight = flying
        resident = sum(map(attrgetter("resident"), lines.values())) + flying
        resident += len(board.rooms.kept)
        if resident != board.resident:
            self.found("sum", f"{resident} entries were in memory, {board.resident} were counted")
            board.resident = resident

    def _all_there(self) -> bool:
        """Say whether there are as many entries in all places, and routes, as in the table."""
        board = self._board
        delayed = len(board.timer)
        if len(board.lines) > MANY or len(board.later.counts) > 8 * MANY:
            return False
        active = sum(map(attrgetter("active"), board.lines.values()))
        whole = delayed + active + board.in_flight
        return whole == len(board.spool.live) and sum(board.later.counts) == delayed

    # Lines.

    def _line(self, line: Line) -> None:
        """Compare what a line has with what it counts, and see who will ask it again."""
        board = self._board
        if board.beat.busy:
            return  # A job may hold some of it.
        active, resident = line.counted()
        if active != line.active:
            self._correct(line, "active", active)
        if resident != line.resident:
            self._correct(line, "resident", resident)
        if line.active and board.spool.delivery:
            why = self.stranded(line)
            if why:
                self.found("line", f"{line} would never have been asked again: {why}")
                self._ask(line)

    def _correct(self, line: Line, name: str, value: int) -> None:
        self.found("line", f"{line}: {name} was {getattr(line, name)} and should be {value}")
        setattr(line, name, value)

    def stranded(self, line: Line) -> str:
        """Return why nobody will ever ask a line with mail again; "" if somebody will."""
        board = self._board
        if line.closed:
            return self._shut(line)
        if board.offers(line) or self._timed(line):
            return ""
        if line.parked:
            known = board.ledger.waits(line.parked)
            return "" if known else f"the ledger does not know that it waits for {line.parked}"
        server = self._hands.served_by(line)
        if server is None:
            return "it has no connections and gets none"
        if self._hands.works(server):
            return ""
        if server is line:
            return "its connections rest"
        return self._shut(server) if server.closed else self._resting(server)

    def _resting(self, server: Line) -> str:
        """As `stranded`, for the line whose connections others use."""
        if self._timed(server) or (server.parked and self._board.ledger.waits(server.parked)):
            return ""
        return "the connections it shares rest"

    def _shut(self, line: Line) -> str:
        """As `stranded`, for a line which may not send now."""
        board, reason = self._board, line.closed
        if reason & SUSPENDED and not board.suspended(line.key):
            return "it was suspended by nobody"
        if reason & SHUT and not (line.shape.suspend_delivery or board.is_shut(line.key)):
            return "no option keeps it from sending"
        if reason & COLD and line not in board.recall.reading:
            return "nobody reads its messages"
        if not reason & ~(PAUSED | THROTTLED) and not self._timed(line):
            return "nobody wakes it when its time has come"
        return ""

    def _timed(self, line: Line) -> bool:
        """Say whether a time is set at which it is asked."""
        return line.wake_at < NEVER or self._board.schedule.awaits(line)

    def _ask(self, line: Line) -> None:
        """Open what is closed for no reason, and ask the line."""
        board = self._board
        keep = line.closed & ABSENT
        if board.suspended(line.key):
            keep |= SUSPENDED
        if line.shape.suspend_delivery or board.is_shut(line.key):
            keep |= SHUT
        if line in board.recall.reading:
            keep |= COLD
        if self._timed(line):
            keep |= line.closed & (PAUSED | THROTTLED)
        line.open(~keep)
        board.schedule.unpark(line)
        board.offer(line)

    # Permits.

    def _permits(self) -> Steps:
        """Compare what connections hold with what the ledger has for us."""
        held = _counted(self._hands.held())
        self._keys.update(dict.fromkeys(held))
        for number, key in enumerate(list(self._keys)):
            if not number % _KEYS:
                yield
                held = _counted(self._hands.held())
            count, known = held[key], self._board.ledger.held(key)
            if count != known:
                self.found("permit", f"connections hold {count} of {key}, {known} were counted")
                self._board.ledger.correct(key, count)
            if not count:
                del self._keys[key]


def _counted(held: Iterable[Iterable[str]]) -> Counter[str]:
    return Counter(key for keys in held for key in keys)
