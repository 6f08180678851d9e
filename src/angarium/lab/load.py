"""A load on a mail server: so many messages a second, over so many connections, and what it felt.

    report = await Load(plan, letters).run()

The load is open: with a rate, the time of each message is fixed beforehand, whether the server
keeps up or not, and latency is counted from that time. So a server which stands still for a second
is charged for all who would have come in that second, and not only for the one who was in it.
Without a rate each connection sends its next message when the last one is answered.
"""

import asyncio
import email.utils
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from angarium.core.clock import Clock
from angarium.lab.histogram import Histogram
from angarium.lab.injector import Injector, Outcome
from angarium.lab.letters import Letters

TICK: Final = 0.001  # seconds; messages due within are begun together
AGAIN: Final = 0.1  # seconds before a refused connection is tried again
SWEEP: Final = 1.0  # seconds between looks for servers which say nothing
FAREWELL: Final = 2.0  # seconds for connections to close
CONNECTING: Final = 64  # connections opened at once


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to whom. Times in seconds; 0 is no limit."""

    host: str = "127.0.0.1"
    port: int = 2525
    connections: int = 1
    rate: float = 0.0  # messages a second; 0: as fast as they are answered
    count: int = 0
    duration: float = 0.0
    per_connection: int = 0  # messages before a connection is closed and another opened
    pipelining: bool = True
    idle: int = 0  # connections which greet and then do nothing
    patience: float = 60.0  # without a word from the server; also for what is due at the end


@dataclass(slots=True)
class Report:
    """What happened. Every message begun is acknowledged, refused, lost or of unknown fate."""

    begun: int = 0
    acknowledged: int = 0  # messages
    recipients: int = 0  # of acknowledged messages
    octets: int = 0  # of acknowledged messages
    refused: dict[str, int] = field(default_factory=dict)  # messages, by step and code
    refused_recipients: int = 0  # of messages taken on for others
    lost: int = 0  # the connection went before the content was sent
    unknown: int = 0  # the connection went after that, before the answer
    unsent: int = 0  # due, and not begun when patience ended
    connected: int = 0
    not_connected: int = 0
    cut: int = 0  # connections the server ended
    idle: int = 0  # idle connections still open at the end
    idle_cut: int = 0
    seconds: float = 0.0
    latency: Histogram = field(default_factory=Histogram)  # from when it was due to the 250
    service: Histogram = field(default_factory=Histogram)  # from when it was begun to the 250

    def to_json(self) -> dict[str, object]:
        """Return what `angarium send --json` prints; latencies in milliseconds."""
        names = (name for name in self.__slots__ if name not in ("latency", "service"))
        return {name: getattr(self, name) for name in names} | {
            "rate": round(self.acknowledged / self.seconds, 1) if self.seconds else 0.0,
            "latency_ms": self.latency.summary(),
            "service_ms": self.service.summary(),
        }


class Idle:
    """The owner of connections which do nothing."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.injectors: set[Injector] = set()
        self.ended = False

    def ready(self, injector: Injector) -> None:
        self.injectors.add(injector)

    def answered(self, injector: Injector, outcome: Outcome) -> None:
        """Never: it sends nothing."""

    def lost(self, injector: Injector) -> None:
        self.injectors.discard(injector)
        if not self.ended:
            self._report.idle_cut += 1


class Load:
    """One run of a plan; owns the connections which work.

    Args:
        acknowledged: called with each message the server has taken on.
        clock: for dates and durations.
    """

    def __init__(
        self,
        plan: Plan,
        letters: Letters,
        clock: Clock,
        acknowledged: Callable[[Outcome], None] | None = None,
    ) -> None:
        self.report = Report()
        self._plan = plan
        self._letters = letters
        self._clock = clock
        self._acknowledged = acknowledged
        self._date = email.utils.formatdate(clock.time())
        self._due: deque[float] = deque()  # times of messages not begun yet
        self._next_due = 0.0
        self._scheduled = 0
        # Of an open load it is known beforehand, and no late timer makes it more.
        self._most = math.ceil(plan.rate * plan.duration) or math.inf
        self._started_at = self._ended_at = self._moved_at = 0.0
        self._free: deque[Injector] = deque()  # may have lost their connection
        self._working: set[Injector] = set()
        self._in_flight = 0
        self._over = False  # nothing more becomes due
        self._opening: set[asyncio.Task[None]] = set()
        self._idle = Idle(self.report)
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}

    async def run(self) -> Report:
        """Do it; returns when all is answered, or patience ended."""
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        await self._open_idle()
        self._started_at = self._next_due = self._clock.monotonic()
        self._ended_at = self._moved_at = self._started_at
        if self._plan.rate:
            self._release()
        if self._plan.duration:
            self._later(self._plan.duration, self._elapsed)
        self._later(SWEEP, self._sweep)
        for _ in range(self._plan.connections):
            self._open()
        try:
            await self._done
        finally:
            await self._close()
        self.report.seconds = self._ended_at - self._started_at
        return self.report

    # What an injector tells.

    def ready(self, injector: Injector) -> None:
        self._working.add(injector)
        limit = self._plan.per_connection
        if self._finished() or (limit and injector.sent >= limit):
            injector.quit()
        elif not self._begin(injector):
            self._free.append(injector)

    def answered(self, injector: Injector, outcome: Outcome) -> None:
        now = self._ended_at = self._moved_at = self._clock.monotonic()
        report = self.report
        self._in_flight -= 1
        if outcome.accepted:
            report.acknowledged += 1
            report.octets += outcome.letter.size
            report.recipients += len(outcome.letter.recipients) - len(outcome.refused)
            report.refused_recipients += len(outcome.refused)
            report.latency.add(now - injector.scheduled_at)
            report.service.add(now - injector.started_at)
            if self._acknowledged is not None:
                self._acknowledged(outcome)
        else:
            name = f"{outcome.step.value} {outcome.reply[:3]}"
            report.refused[name] = report.refused.get(name, 0) + 1
        self._look_for_end()

    def lost(self, injector: Injector) -> None:
        limit = self._plan.per_connection
        self._working.discard(injector)
        self._drop_letter(injector)
        if not self._over and not (limit and injector.sent >= limit):
            self.report.cut += 1
        if not self._finished():
            self._open(0.0 if injector.greeted else AGAIN)
        self._look_for_end()

    def _drop_letter(self, injector: Injector) -> None:
        """Count a message whose answer will not come."""
        if injector.letter is not None:
            self._in_flight -= 1
            self.report.unknown += injector.content_sent
            self.report.lost += not injector.content_sent
            injector.letter = None

    # When messages are due.

    def _release(self) -> None:
        """Let become due what is due by now, and come again for the next."""
        now = self._clock.monotonic()
        while self._next_due <= now and self._scheduled < self._most and not self._over:
            self._due.append(self._next_due)
            self._next_due += 1 / self._plan.rate
            self._schedule_one()
        while self._due and self._free:
            injector = self._free.popleft()
            if not injector.gone.done():
                self._begin(injector)
        if self._scheduled < self._most and not self._over:
            self._later(max(TICK, self._next_due - now), self._release)

    def _elapsed(self) -> None:
        if self._plan.rate:
            self._release()
        self.stop()

    def _schedule_one(self) -> None:
        self._scheduled += 1
        if self._scheduled == self._plan.count:
            self.stop()

    def _begin(self, injector: Injector) -> bool:
        """Give the session a message, if one is due."""
        now = self._clock.monotonic()
        if self._due:
            injector.scheduled_at = self._due.popleft()
        elif self._plan.rate or self._over:
            return False
        else:
            injector.scheduled_at = now
            self._schedule_one()
        injector.started_at = self._moved_at = now
        self.report.begun += 1
        self._in_flight += 1
        injector.send(self._letters.next(self._date))
        return True

    def stop(self) -> None:
        """Let nothing more become due; what is due or in flight has the patience left."""
        if not self._over:
            self._over = True
            self._later(self._plan.patience, self._give_up)
            self._loop.call_soon(self._look_for_end)

    def _finished(self) -> bool:
        return self._over and not self._due

    def _look_for_end(self) -> None:
        if self._over and not self._due and not self._in_flight and not self._done.done():
            self._done.set_result(None)

    def _give_up(self) -> None:
        self.report.unsent = len(self._due)
        self._due.clear()
        if not self._done.done():
            self._done.set_result(None)

    # Connections.

    def _open(self, wait: float = 0.0) -> None:
        task = self._loop.create_task(self._connect(self, wait))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, owner: "Load | Idle", wait: float = 0.0) -> None:
        await asyncio.sleep(wait)
        plan = self._plan
        try:
            await self._loop.create_connection(
                lambda: Injector(owner, pipelining=plan.pipelining), plan.host, plan.port
            )
            self.report.connected += 1
        except OSError:
            self.report.not_connected += 1
            if owner is self and not self._finished():
                self._open(AGAIN)

    async def _open_idle(self) -> None:
        for start in range(0, self._plan.idle, CONNECTING):
            some = min(CONNECTING, self._plan.idle - start)
            await asyncio.gather(*(self._connect(self._idle) for _ in range(some)))

    def _sweep(self) -> None:
        """Cut off servers which have said nothing for too long; end where nothing moves."""
        now, patience = self._loop.time(), self._plan.patience
        for injector in list(self._working):
            if injector.letter is not None and now - injector.heard_at > patience:
                injector.abort()
        if not self._in_flight and self._clock.monotonic() - self._moved_at > patience:
            self._over = True
            self._give_up()
        self._later(SWEEP, self._sweep)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._timers[what] = self._loop.call_later(seconds, what)

    async def _close(self) -> None:
        self._over = self._idle.ended = True
        self._due.clear()
        for timer in self._timers.values():
            timer.cancel()
        for task in list(self._opening):
            task.cancel()
        self.report.idle = len(self._idle.injectors)
        everyone = [*self._working, *self._idle.injectors]
        for injector in everyone:
            if injector.letter is not None:
                self._drop_letter(injector)
                injector.abort()
            else:
                injector.quit()
        await asyncio.gather(*self._opening, return_exceptions=True)
        if everyone:
            await asyncio.wait([each.gone for each in everyone], timeout=FAREWELL)
        for injector in everyone:
            injector.abort()
