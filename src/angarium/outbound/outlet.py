"""The connections of one line: when another is opened, and what their failures mean for the line.

Connections follow the queue: a first one when there is mail, then as many more at once as are open
already, while the queue is deeper than they are; `connection_allocation_aggressiveness = high`
opens all that are allowed. Idle ones wait for `idle_timeout` and leave by themselves.

And they follow what the hosts say: when one more is refused while others work, those are enough.
One more is tried after a while, twice as long after each refusal; when it is taken the next one
follows a second later. What was learnt so is forgotten with the last connection.

Where no host can be reached the line rests, and the message at its front fails temporarily, so
that the log says why nothing moves; the others are not tried one by one.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from angarium.core.address import routing_domain, split
from angarium.net.errors import AddressError, NotLocalError
from angarium.net.sweep import NEVER
from angarium.net.tls.contexts import ContextError
from angarium.outbound.aside import WAIVABLE, Aside, carry, is_waived
from angarium.outbound.asking import PolicyTlsError
from angarium.outbound.dial import Full, Resting, Rolled
from angarium.outbound.errors import DeliveryError
from angarium.outbound.means import Means
from angarium.outbound.options import Transport
from angarium.outbound.permits import UNLIMITED, Permit, limits_of
from angarium.outbound.shared import Shared
from angarium.outbound.smtp import Session
from angarium.queue.entry import Entry
from angarium.queue.line import Line
from angarium.queue.options import Shape
from angarium.queue.throttle import BUSY_SECONDS, Grant
from angarium.wire.smtp_transaction import Stage

# Messages in the queue for each connection, from which another one is worth its greeting.
DEPTH: Final = 2
# Messages for which one idle connection is woken, where the host answers at once: the content of
# one then leaves with the commands of the next, which halves the writes.
BRISK_DEPTH: Final = 4
# What is wrong on this machine is looked at again after this.
HERE_SECONDS: Final = 10.0
# A further connection that failed while others work is tried again after this.
FURTHER_SECONDS: Final = 10.0
# After one that was taken above what was enough, the next is tried after this.
STEP_SECONDS: Final = 1.0
# The longest wait after further connections were refused again and again.
MOST_SECONDS: Final = 320.0
# Entries failed in one piece of work; each may make a report, 100 us.
PIECE: Final = 20
# A trunk without connections whose lines wait is looked at again after this.
AGAIN_SECONDS: Final = 60.0
_MANY: Final = 1 << 30


class Outlet:
    """The connections of one line; a `smtp.Owner`."""

    __slots__ = (
        "_enough", "_failing", "_generation", "_idle", "_means", "_more_at", "_more_seconds",
        "_not_before", "asides", "line", "opening", "parting", "sent", "served", "sessions",
        "shared", "slot",
    )  # fmt: skip

    def __init__(self, line: Line, shared: Shared) -> None:
        self.line = line
        self.sessions: set[Session] = set()
        self.parting: set[Session] = set()  # saying QUIT, or carrying what is set aside
        self.asides: set[Aside] = set()
        self.opening = 0
        self.served = 0  # see `smtp.Owner`
        self.slot = 0  # the sweep's
        self.shared = shared
        self._idle: list[Session] = []
        self._not_before = 0.0  # monotonic; until then no connection is opened
        self._enough = 0  # connections, as the hosts see it; 0: they have not refused one
        self._more_at = 0.0  # monotonic; from then on one more is tried
        self._more_seconds = 0.0  # how long was waited for that
        self._failing = False  # all its mail is being failed
        self._generation = -1
        self._means: Means | None = None

    # What the pool and the sessions say.

    def wake(self) -> None:
        """The line has mail and may send."""
        line, idle = self.line, self._idle
        if self._generation != self.shared.generation:
            self._renew()
        if idle and not line.closed:
            each = BRISK_DEPTH if idle[-1].brisk else 1
            for _ in range(min(len(idle), -(-line.active // each))):
                session = idle.pop()
                self.shared.busy(session)
                session.work()
        if line.active and not line.closed and not self.shared.closing:
            shape = line.shape
            if shape.blackhole != "false":
                self._fail_all(self.shared.settle.blackhole)
                return
            few = len(self.sessions) + self.opening < self._target(shape)
            if few and not self.shared.sources.suspended(line):
                self._grow(shape)

    def rested(self, session: Session) -> None:
        self._idle.append(session)
        self.shared.rested(session, self)

    def held(self, session: Session, seconds: float) -> None:
        self.shared.board.wait(self.line, seconds)

    def barred(self, session: Session, seconds: float) -> None:
        self._wait(seconds)

    def set_aside(self, entries: list[Entry], *, stays: bool) -> None:
        """Let a message go by a connection of its own (`aside`)."""
        aside = Aside(entries[0].line, entries, self)
        self.asides.add(aside)
        self.shared.spawn(carry(self, aside, stays=stays))

    def leaving(self, session: Session) -> None:
        # It holds its permit until it is closed, but another may be opened beside it.
        self.sessions.discard(session)
        self.parting.add(session)
        if session in self._idle:
            self._idle.remove(session)
            self.shared.busy(session)

    def over(self, session: Session) -> None:
        self.leaving(session)
        self.parting.discard(session)
        lost, shared = session.lost, self.shared
        shared.dialer.hosts.served(session.hop.address, session.mails, session.spent)
        harmed = lost is not None and lost.stage is not Stage.IDLE and session.spoiled is None
        if harmed and not session.proved:
            # It greeted us and broke off: a fault of the host, until it proves otherwise.
            pause = session.options.host_failure_retry
            shared.dialer.hosts.failed(session.hop.address, session.source, pause)
        self.let_go()
        shared.closed()
        shared.board.offer(self.line)

    def part(self, session: Session) -> None:
        """Let a connection which rests go to another line."""
        self.sessions.discard(session)
        self._idle.remove(session)
        self.shared.busy(session)
        self.let_go()

    def retire(self) -> None:
        """Let every connection end after what is under way."""
        for session in list(self.sessions):
            session.retire()

    # How many connections.

    def _target(self, shape: Shape) -> int:
        """Return how many connections there should be now."""
        active = self.line.active
        cap = shape.max_outbound_connections
        most = active if cap == UNLIMITED else min(active, cap)
        if self._enough:
            more = self.shared.clock.monotonic() >= self._more_at
            most = min(most, self._enough + more)
        if shape.connection_allocation_aggressiveness == "high":
            return most
        return min(most, -(-active // DEPTH), max(1, 2 * len(self.sessions)))

    def _grow(self, shape: Shape) -> None:
        """Open connections up to the target, as far as the limits go."""
        shared = self.shared
        if self.line.parked:
            shared.board.schedule.park(self.line, self.line.parked)  # New mail has its turn too.
        if self._failing or self.line.parked:
            return
        rest = self._not_before - shared.clock.monotonic()
        if rest > 0.0:
            # Woken a moment too early, for times which are close are one to the schedule.
            if self.line.wake_at > self._not_before:
                shared.board.wait(self.line, rest)
            return
        for _ in range(self._target(shape) - len(self.sessions) - self.opening):
            permit = self._permit(shape)
            if permit is None:
                return
            self.opening += 1
            shared.spawn(self._open(permit))

    def _permit(self, shape: Shape) -> Permit | None:
        """Return the permit for another connection; without one the line waits for it."""
        line, shared = self.line, self.shared
        board = shared.board
        throttle = shape.outbound_throttle_connections
        permit = Permit(board.ledger, self, shared.permits)
        first = not self.sessions and not self.opening
        grant = permit.acquire(limits_of(line.key, shape, shared.server, first=first))
        if not grant:
            if grant is Grant.BUSY:
                board.wait(line, BUSY_SECONDS)
            else:
                shared.park(line, permit.denied)
            return None
        if throttle is not None:
            seconds = board.ledger.take(throttle.key, throttle.rate)
            if seconds > 0.0:
                permit.release()
                board.wait(line, seconds)
                return None
        return permit

    async def _open(self, permit: Permit) -> None:
        """Open one connection; what comes of it is ours to deal with."""
        line, shared = self.line, self.shared
        started, wanting = False, ""
        try:
            means = self._for_message(self.means())
            name = self.name(means.options)
            session = await shared.dialer.dial(
                means, permit, name, shared.host_limits, shared.sibling, shared.rolls
            )
            line.connected()
            self.sessions.add(session)
            self.opening -= 1
            started = True
            if self._enough:
                self._welcome()
            session.start(self, permit)
        except DeliveryError as error:
            self._unreachable(error)
        except Resting as resting:
            self._wait(resting.until - shared.clock.monotonic())
        except Rolled as rolled:
            shared.board.detours.roll(line, rolled.domain)
        except Full as full:
            wanting = full.key
            if not wanting:
                self._wait(full.seconds)
        except (AddressError, ContextError, PolicyTlsError) as error:
            # Nothing of this is the fault of a host or of a message (ARCHITECTURE section 3).
            if not (isinstance(error, NotLocalError) and shared.sources.missed(line)):
                shared.alarm(f"binding {line.binding}: {error}")
                self._wait(HERE_SECONDS)
        finally:
            if not started:
                self.opening -= 1
                permit.release()
                self.let_go()
        if wanting:
            shared.park(line, wanting)
        if started:
            self.wake()

    def _renew(self) -> None:
        """Another generation holds: what was made by other options ends after what it does now."""
        self._not_before = 0.0  # It may know other hosts.
        shared, means = self.shared, self.means()
        for session in list(self.sessions):
            limits = shared.host_limits(session.hop.host.lower(), means)
            before = session.toll.throttle if session.toll is not None else None
            alike = all(
                getattr(session.options, name) == getattr(means.options, name)
                for name in Transport.attributes()
            )
            alike = alike and session.terms == means.terms and session.wanted == means.wanted
            alike = alike and session.introduces is means.logins.wanted(means.options)
            if not alike or before != limits.outbound_throttle_messages:
                session.retire()

    def means(self) -> Means:
        """Return what sessions need, for the present generation."""
        shared = self.shared
        if self._means is None or self._generation != shared.generation:
            self._generation = shared.generation
            self._means = shared.means(self.line)
        return self._means

    def _for_message(self, means: Means) -> Means:
        """Return the means of a connection which is opened for the first message there is."""
        securing = self.shared.dialer.securing
        asking = None if securing is None else securing.asking
        if asking is None or not asking.about_messages:
            return means
        batch = self.line.take(1)
        self.line.put_back(batch)
        return replace(means, terms=asking.terms(means.terms, batch[0])) if batch else means

    def name(self, options: Transport) -> str:
        """Return the name for EHLO (option ehlo_hostname)."""
        name = options.ehlo_hostname or "__hostname__"
        if name == "__message__":
            batch = self.line.take(1)
            self.line.put_back(batch)
            name = split(batch[0].message.sender)[1] if batch else ""
        if name != "__hostname__" and (usable := routing_domain(name)) is not None:
            return usable
        return self.shared.dialer.hostname

    # What failures mean.

    def _wait(self, seconds: float) -> None:
        """Open no connection for a while."""
        self._not_before = self.shared.clock.monotonic() + seconds
        self.shared.board.wait(self.line, seconds)

    def _refused(self) -> None:
        """One more than those which work could not be had: they are enough for now."""
        self._enough = max(len(self.sessions), 1)
        if self.shared.clock.monotonic() >= self._more_at:  # Several at once are refused once.
            self._more_seconds = min(max(2.0 * self._more_seconds, FURTHER_SECONDS), MOST_SECONDS)
            self._try_more(self._more_seconds)
        for session in self.sessions:
            # It works with us: what it refuses says nothing to other lines.
            self.shared.dialer.hosts.reached(session.hop.address, session.source)

    def _welcome(self) -> None:
        """A connection was opened; if it is one more than was enough, it is not too many."""
        if len(self.sessions) > self._enough:
            self._enough = len(self.sessions)
            if self.shared.clock.monotonic() >= self._more_at:
                self._more_seconds = 0.0
                self._try_more(STEP_SECONDS)

    def _try_more(self, seconds: float) -> None:
        self._more_at = self.shared.clock.monotonic() + seconds
        self.shared.board.wait(self.line, seconds)

    # Who else wants connections.

    def others_wait(self, key: str) -> bool:
        return self.shared.board.schedule.others_wait(key, self.line)

    def give_way(self, key: str) -> bool:
        return self.shared.board.schedule.give_way(key, self.line)

    def _unreachable(self, error: DeliveryError) -> None:
        """No connection came of it."""
        if not error.temporary:
            self._fail_all(lambda entry: self.shared.settle.failed(entry, error))
            return
        if self.sessions or self.opening > 1:
            self._refused()
            return
        line, shared = self.line, self.shared
        options, shape = self.means().options, line.shape
        now = shared.clock.monotonic()
        tried = error.fields.get("tried", 1)
        count = tried if isinstance(tried, int) else 1
        most = options.mx_failures_to_delay * count
        dead = False
        for _ in range(count):
            dead = line.connect_failed(now, most, options.connect_timeout_to_delay) or dead
        batch = line.take(_MANY)
        if batch and error.reply in WAIVABLE and is_waived(batch[0].message):
            self.set_aside(batch, stays=False)
            batch = []
        for entry in batch:
            shared.settle.failed(entry, error)
        if dead:
            away = shared.board.detours.delayed(line)
            if away is not None and options.gateway is None:  # Behind a gateway all go one way.
                shared.board.detours.divert(line, away[2])
            shared.board.pause(line, shape.retry_interval, str(error.reply))
        else:
            self._wait(options.dead_destination_delay)

    def _fail_all(self, end: Callable[..., None]) -> None:
        """End all that is active in the line, in pieces."""
        if not self._failing:
            self._failing = True
            self.shared.spawn(self._failing_all(end))

    async def _failing_all(self, end: Callable[..., None]) -> None:
        try:
            for _ in self._ends(end):
                await asyncio.sleep(0)
        finally:
            self._failing = False
            self.let_go()

    def _ends(self, end: Callable[..., None]) -> Iterator[None]:
        while batch := self.line.take(PIECE):
            for entry in batch:
                end(entry)
            yield

    def let_go(self) -> None:
        """Without connections the line may be freed, once it need not wait for another."""
        if not self._in_use:
            self._enough, self._more_at, self._more_seconds = 0, 0.0, 0.0
            self.shared.sweep.add(self, max(self._not_before, self.shared.sweep.now()))

    @property
    def connections(self) -> list[Session]:
        """Those which work or rest, and those which say QUIT."""
        return [*self.sessions, *self.parting]

    @property
    def holding(self) -> tuple[float, int, float]:
        """Return until when no connection is opened; how many are enough, and until when."""
        return self._not_before, self._enough, self._more_at

    @property
    def works(self) -> bool:
        """Whether something is under way which asks the line again when it ends."""
        busy = self.opening or self._failing or self.parting or self.asides
        return bool(busy) or len(self.sessions) > len(self._idle)

    @property
    def _in_use(self) -> bool:
        busy = self.sessions or self.parting or self.opening or self._failing or self.asides
        return bool(busy)

    def look(self, now: float) -> float:
        """Let the line go; called by the sweep."""
        if self._in_use:
            return NEVER
        if now < self._not_before:
            return self._not_before
        return NEVER if self.shared.released(self) else now + AGAIN_SECONDS


def held(line: Line) -> int:
    """Return how many connections a line has or opens."""
    outlet = line.pool
    return len(outlet.sessions) + outlet.opening if isinstance(outlet, Outlet) else 0
