"""All lines of a worker, and the time that passes for them.

    accepted(message, recipients)   new mail, durable                        (admit)
    found(ident, slot)              an entry of an earlier run               (recovery)
    line.take(), put_back()         an attempt's batch                       (outbound)
    delay(entry, due), ended(entry) what became of an entry that was taken   (outbound/settle)
    demand(line)                    called by us: it has mail and may send

What is delayed is kept by `delayed`, and who works when by `beat`. When an entry is due its id goes
to its line, and it becomes an object when somebody takes it (promotion by demand).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Final, Protocol, TypeVar

from angarium.config.option import Options
from angarium.core.clock import Clock
from angarium.core.message import DEFAULT_BINDING, DEFAULT_BINDING_GROUP, Message, Recipient
from angarium.journal.errors import DamageError
from angarium.queue.beat import Beat, Steps
from angarium.queue.bulk import expire, vanished
from angarium.queue.delayed import Delayed
from angarium.queue.detours import Detours
from angarium.queue.entry import DELAYED, ENDED, FLYING, Entry, wrong
from angarium.queue.idle import Idle
from angarium.queue.line import PAUSED, THROTTLED, Key, Line, weights_of
from angarium.queue.options import ServerLimits, Shape
from angarium.queue.recall import Recall, Spawn
from angarium.queue.retry import GiveUp, is_expired, spread
from angarium.queue.rooms import NO_LIMIT, Rooms
from angarium.queue.schedule import Alarm, CallLater, Schedule
from angarium.queue.spool.options import Spooling
from angarium.queue.spool.slot import HEAD, SIZE, lane_in
from angarium.queue.tally import Audit, Tallies
from angarium.queue.throttle import Ledger, LocalLedger
from angarium.queue.timer import Timer

SWEEP_SECONDS: Final = 60.0  # between two looks for what expired in its line
_OFFERED: Final = 64  # lines asked in one piece of a job


OptionsT = TypeVar("OptionsT", bound=Options)


class Routes(Protocol):
    """Numbers of the spool for (group, binding, domain)."""

    def key(self, number: int) -> Key: ...

    def find(self, key: Key) -> int | None: ...


class Store(Protocol):
    """What the board needs of the spool."""

    @property
    def live(self) -> Mapping[int, bytes]: ...

    @property
    def routes(self) -> Routes: ...

    @property
    def delivery(self) -> bool: ...

    def load(self, ident: int, *, cached: bool = False) -> tuple[Message, Recipient]: ...

    async def load_cold(self, ident: int) -> object: ...

    def isolate(self, ident: int) -> None: ...

    def defer(self, ident: int, attempts: int, due: int, event: None) -> None: ...

    def rebind(self, ident: int, group: str, binding: str, domain: str, event: None) -> None: ...


class Settings(Protocol):
    """What the board needs of a configuration."""

    generation: int

    def at(self, cls: type[OptionsT], *, group: str, binding: str, domain: str) -> OptionsT: ...

    def top(self, cls: type[OptionsT]) -> OptionsT: ...

    def bindings(self) -> Sequence[tuple[str, str]]: ...

    def shrink(self) -> Iterator[None]: ...


def _no_demand(line: Line) -> None:
    """Nobody delivers."""


def _not_suspended(key: Key) -> bool:
    return False


class Board:
    """The queues of one worker.

    Args:
        ledger: where rates are counted; one of its own if it is left out.
        workers: of the node; what is limited in all is divided by it.
    """

    def __init__(
        self,
        spool: Store,
        timer: Timer,
        configuration: Settings,
        clock: Clock,
        *,
        ledger: Ledger | None = None,
        random: Random | None = None,
        workers: int = 1,
    ) -> None:
        self.spool = spool
        self.timer = timer
        self.clock = clock
        self.later = Delayed(timer, spool, clock)
        self.beat = Beat(self._piece, self.tick, clock)
        self.begin, self.work = self.beat.begin, self.beat.work
        self.ledger: Ledger = LocalLedger(clock) if ledger is None else ledger
        self.schedule = Schedule()
        self.recall = Recall(self)
        self.detours = Detours(self)
        self.lines: dict[Key, Line] = {}
        self.in_flight = 0
        # Entries in memory: of the lines, in flight, and kept by `rooms` until they are due.
        self.resident = 0
        self.resident_limit = NO_LIMIT
        self.rooms = Rooms(self, workers)
        self._delivered = spool.delivery  # since all lines were offered
        # Set by outbound: what to do with a line that has mail and may send, and with an entry
        # that is given up without an attempt.
        self.demand: Callable[[Line], None] = _no_demand
        self.give_up: Callable[[Entry, GiveUp], None] | None = None
        self._random = Random() if random is None else random
        self.tallies = Tallies()
        self.audits: tuple[Audit, ...] = ()
        self._idle = Idle(self.lines, self.tallies.freed)
        self.suspended: Callable[[Key], bool] = _not_suspended
        self._bindings: set[tuple[str, str]] = set()
        self._groups: dict[str, list[str]] = {}
        self._swept_at = clock.monotonic()
        self._fresh: dict[Line, None] = {}  # lines which got mail in this turn of the loop
        self.configure(configuration)
        self.ledger.on_free = self._freed

    def configure(self, configuration: Settings) -> None:
        """Go over to a generation; lines look their options up again when they are used next."""
        self.configuration = configuration
        self.generation = configuration.generation
        bindings = set(configuration.bindings())
        if self._bindings - bindings:
            self.begin(vanished(self))
        self._bindings = bindings
        self._groups = {}
        for group, binding in configuration.bindings():
            self._groups.setdefault(group, []).append(binding)
        self.detours.forget()
        self.recall.unlink = configuration.top(Spooling).unlink_on_spool_in_failure
        self.rooms.configure(configuration)
        shape = configuration.top(Shape)
        self.schedule.configure(shape.priority_shares, weights_of(shape))
        self._default_shut = configuration.top(ServerLimits).default_binding == "suspended"
        if self.lines:
            self.begin(self.offer_all())

    def shape_of(self, key: Key) -> Shape:
        group, binding, domain = key
        return self.configuration.at(Shape, group=group, binding=binding, domain=domain)

    def is_shut(self, key: Key) -> bool:
        """Say whether default_binding = suspended keeps this line's mail."""
        return self._default_shut and key[:2] == (DEFAULT_BINDING_GROUP, DEFAULT_BINDING)

    def bindings_of(self, group: str) -> list[str]:
        return self._groups.get(group, [])

    def has_binding(self, group: str, binding: str) -> bool:
        return (group, binding) in self._bindings

    # Lines

    def line(self, group: str, binding: str, domain: str) -> Line:
        """Return the line, made if it is not there; of the default binding if that vanished."""
        key = (group, binding, domain)
        return self.lines.get(key) or self._make(key)

    def _make(self, key: Key) -> Line:
        if key[:2] not in self._bindings:
            key = (DEFAULT_BINDING_GROUP, DEFAULT_BINDING, key[2])
            if key in self.lines:
                return self.lines[key]
        line = self.lines[key] = Line(self, key, self.suspended(key))
        line.room = self.rooms.of(key)
        self.rest(line)
        return line

    def delayed_of(self, key: Key) -> int:
        return self.later.of(key)

    @property
    def delayed(self) -> int:
        return len(self.timer)

    @property
    def active(self) -> int:
        return len(self.spool.live) - len(self.timer) - self.in_flight

    @property
    def delivering(self) -> bool:
        """Whether mail may be sent: what becomes of it can be recorded.

        Who is told no is offered his line again when it may: that may be before the next tick.
        """
        if not self.spool.delivery:
            self._delivered = False
        return self.spool.delivery

    def offers(self, line: Line) -> bool:
        """Say whether the line is going to be offered in this turn, or with the next tick."""
        return line in self._fresh or not self._delivered

    def offer(self, line: Line) -> None:
        """Call `demand` if the line has mail and may send."""
        if line.active and not line.closed and self.delivering:
            self.demand(line)

    def _offer_soon(self, line: Line) -> None:
        """Offer the line at the end of this turn: once for all mail which one trip made durable."""
        if self.beat.call_later is None:
            self.offer(line)
            return
        if not self._fresh:
            self.beat.call_later(0.0, self._offer_fresh)
        self._fresh[line] = None

    def _offer_fresh(self) -> None:
        fresh, self._fresh = self._fresh, {}
        for line in fresh:
            self.offer(line)

    def offer_all(self) -> Steps:
        """Offer every line; a job."""
        for number, line in enumerate(list(self.lines.values()), 1):
            self.schedule.unpark(line)  # What it waits for may have another limit now.
            line.open(THROTTLED)
            # Looks up suspend_delivery of this generation; what comes due later finds it so.
            line.shape  # noqa: B018
            self.offer(line)
            if not number % _OFFERED:
                yield

    def wait(self, line: Line, seconds: float) -> None:
        """Offer the line again in so many seconds."""
        self.schedule.wait(line, self.clock.monotonic() + seconds)

    def pause(self, line: Line, seconds: float, reason: str) -> None:
        """Let the line rest, spread by delayed_binding_domain_fuzz: nobody can be reached.

        Its mail stays where it is, out of memory; what expires meanwhile is given up.
        """
        seconds += spread(line.shape.delayed_binding_domain_fuzz, self._random)
        line.paused_until = self.clock.monotonic() + seconds
        line.pause_reason = reason
        line.close(PAUSED)
        line.destage()
        self.schedule.wait(line, line.paused_until)

    def resume(self, line: Line) -> None:
        """End a pause before its time."""
        line.paused_until, line.pause_reason, line.failures = 0.0, "", 0
        line.open(PAUSED)
        self.offer(line)

    # Entries

    def accepted(self, message: Message, recipients: Sequence[Recipient]) -> None:
        """Take new mail into its lines: it is durable, and its place known to the spool."""
        line: Line | None = None
        key: Key = ("", "", "")
        most = 0
        lane = message.lane if message.fairness_key or message.priority else 0
        for recipient in recipients:
            if (
                line is None
                or recipient.domain != key[2]
                or recipient.binding != key[1]
                or recipient.binding_group != key[0]
            ):
                if line is not None:
                    self._offer_soon(line)
                key = (recipient.binding_group, recipient.binding, recipient.domain)
                line = self.lines.get(key) or self._make(key)
                most = line.shape.max_resident_active_queue
                line.received += 1
                for audit in self.audits:
                    audit.received(recipient.domain)
            if line.key != key:
                self.spool.rebind(recipient.id, *line.key, None)
            room = line.room
            if (
                self.resident < self.resident_limit
                and (most < 0 or line.resident < most)
                and (room is None or room.resident < room.most)
            ):
                self.resident += 1
                if room is not None:
                    room.resident += 1
                line.push(Entry(recipient.id, line, message, recipient, lane=lane))
            else:
                line.push_id(recipient.id, lane)
        if line is not None:
            self._offer_soon(line)

    def found(self, ident: int, slot: bytes) -> None:
        """Take in an entry of an earlier run, or of a shard that was adopted."""
        self.later.found(ident, slot)

    def delay(self, entry: Entry, due: int) -> None:
        """Put an entry that was taken off until `due`; the spool knows already."""
        if entry.state is not FLYING:
            raise wrong(entry, "delay")
        entry.state = DELAYED
        entry.due = due
        self.later.add(entry.id, due)
        self._landed(entry.line)
        self.rooms.keep(entry)

    def ended(self, entry: Entry) -> None:
        """Forget an entry that was taken; the spool knows already."""
        if entry.state is not FLYING:
            raise wrong(entry, "end")
        entry.state = ENDED
        self._landed(entry.line)

    def damaged(self, entry: Entry, error: DamageError) -> None:
        """Put aside an entry that was taken and whose content is damaged."""
        self.recall.damaged(entry.id, entry.line, entry.attempts, error)
        self.ended(entry)

    def _landed(self, line: Line) -> None:
        line.in_flight -= 1
        self.in_flight -= 1
        self.resident -= 1
        if line.room is not None:
            line.room.resident -= 1
        if not line.in_flight and not line.active:
            self.rest(line)

    def put_off(self, ident: int, seconds: float) -> None:
        """Delay an entry that is in no line, without an attempt."""
        self.later.put_off(ident, seconds)

    def isolate(self, ident: int) -> None:
        """Put an entry aside that cannot be worked on; the spool keeps it."""
        self.later.remove(ident)
        self.rooms.forget(ident)
        self.spool.isolate(ident)

    def undelay(self, ident: int) -> Key:
        """Note that an id was taken out of the timer; return the key of its line."""
        return self.spool.routes.key(self.later.undelay(ident))

    def home(self, ident: int) -> Line:
        """As `undelay`, but return the line; the entry moves there if its binding vanished."""
        key = self.undelay(ident)
        line = self.lines.get(key) or self._make(key)
        if line.key != key:
            self.spool.rebind(ident, *line.key, None)
        return line

    def without_expired(self, batch: list[Entry], shape: Shape) -> list[Entry]:
        """Give up what is expired of a batch that was taken, and return the rest."""
        if self.give_up is None:
            return batch
        now, kept = self.clock.time(), []
        for entry in batch:
            if is_expired(shape, entry.message.received_at, now):
                self.give_up(entry, GiveUp.NOT_ATTEMPTED)
            else:
                kept.append(entry)
        return kept

    # Time

    def tick(self, now: float | None = None) -> bool:
        """Let time pass: call it once a second. Returns whether `work` has more to do."""
        self.later.advance()
        if self._delivered != self.spool.delivery:
            self._delivered = self.spool.delivery
            if self._delivered:
                self.begin(self.offer_all())
        self.ledger.tick()
        self.rooms.tick()
        self.wake()
        monotonic = self.clock.monotonic()
        if self.give_up is not None and monotonic - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = monotonic
            self.begin(expire(self))
        return self.work()

    def wake(self) -> None:
        """Offer the lines whose waiting time is over."""
        now = self.clock.monotonic()
        for line in self.schedule.due(now):
            line.open(THROTTLED)
            if line.closed & PAUSED:
                if line.paused_until > now:
                    self.schedule.wait(line, line.paused_until)
                    continue
                line.open(PAUSED)
                line.failures = 0
            self.offer(line)
        if self.schedule.alarm is not None:
            self.schedule.alarm(self.schedule.next)

    def _piece(self) -> bool:
        """Do a piece of what came due; say whether there was some."""
        return self._promote() | self._idle.free(self.clock.monotonic())

    def start(self, call_later: CallLater, spawn: Spawn | None = None) -> None:
        """Run by timers of a loop from now on; `spawn` starts a task on it, for cold reads."""
        self.recall.spawn = spawn
        self.schedule.alarm = Alarm(call_later, self.wake, self.clock).set
        self.beat.start(call_later)

    def stop(self) -> None:
        self.schedule.alarm = self.recall.spawn = None
        self.beat.stop()

    def _promote(self) -> bool:
        """Give a piece of what is due to its lines; say whether there was some."""
        spreading = self.timer.spread()
        due = self.timer.take()
        if not due:
            return spreading
        live, lines, uncount = self.spool.live, self.lines, self.later.uncount
        last, key, line = -1, ("", "", ""), None
        touched: dict[Line, None] = {}
        for ident in due:
            slot = live.get(ident)
            if slot is None:
                continue
            route, _ = HEAD.unpack_from(slot)
            uncount(route)
            if route != last or line is None:
                last, key = route, self.spool.routes.key(route)
                line = lines.get(key) or self._make(key)
                touched[line] = None
            line.push_id(ident, lane_in(slot) if len(slot) > SIZE else 0)
            if line.key != key:
                self.spool.rebind(ident, *line.key, None)
        for each in touched:
            self.offer(each)
        return True

    def rest(self, line: Line) -> None:
        """Put a line which has become idle into the row of those that may be freed."""
        self._idle.add(line, self.clock.monotonic())

    def _freed(self, key: str) -> None:
        self.schedule.free(key, self.offer)
        if not self.schedule.waiting(key):
            self.ledger.forget(key)
