"""A worker in operation: its parts, started, told of reloads, and stopped in order."""

import asyncio
import dataclasses
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from angarium.config.resolve import Configuration
from angarium.console.insight import Insight
from angarium.console.statistics import BETWEEN
from angarium.data.source import Settings as SourceSettings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.events.options import Statistics
from angarium.events.signing import Signatures
from angarium.inbound.profile import Profiles, look_at_tls
from angarium.inbound.services import Services
from angarium.modules.auth import ds_core
from angarium.net.loop import LagWatch, RealClock
from angarium.net.options.acme import awaited
from angarium.net.options.authentication import Guessing
from angarium.net.options.resolver import Resolver as ResolverOptions
from angarium.net.options.tls import TlsLibrary
from angarium.net.resolver import Naming
from angarium.net.sweep import Sweep
from angarium.net.tls.contexts import Contexts
from angarium.net.tracing import Tracing
from angarium.outbound.bounce import Bounces
from angarium.outbound.options import Reports
from angarium.outbound.pool import Pool
from angarium.outbound.settle import Settle
from angarium.policy.module import Policing
from angarium.policy.shared.node import Shared
from angarium.queue.admit import Admit
from angarium.queue.board import Board
from angarium.queue.ledger import SharedLedger
from angarium.queue.memory import Memory
from angarium.queue.soundness import Soundness
from angarium.queue.spool.means import Settings
from angarium.queue.spool.options import Spooling
from angarium.queue.spool.store import Spool
from angarium.queue.suspended import Suspended
from angarium.run import link
from angarium.run.alarm import Alarm, Panics
from angarium.run.busiest import Looking
from angarium.run.census import Census
from angarium.run.channel import Channel
from angarium.run.demanding import Demanding
from angarium.run.doors import Doors
from angarium.run.gauges import Gauges
from angarium.run.holdings import Holdings
from angarium.run.hose import panics_of
from angarium.run.host import Host
from angarium.run.logins import Logins
from angarium.run.policing import Ruling
from angarium.run.process import Process, close
from angarium.run.proxying import Proxying
from angarium.run.readings import Readings
from angarium.run.scoreboard import Row
from angarium.run.spooling import settings_of
from angarium.run.spread import Spread

TICK = 1.0
LOOK_SECONDS = 0.01
LINGER_SECONDS = 2.0  # for peers to read the last word
WRITTEN_LOOKS = 500  # for what the disk was given to be written, at the end


@dataclass(frozen=True, slots=True)
class Prepared:
    """The next generation, with what could have been wrong in it."""

    configuration: Configuration
    descriptors: dict[str, int]
    panics: Panics
    settings: Settings
    sources: list[SourceSettings]
    policing: Policing
    contexts: Contexts


@dataclass(eq=False)
class Parts:
    """What `run/assemble` has put together."""

    configuration: Configuration
    state: Path
    loop: asyncio.AbstractEventLoop
    clock: RealClock
    process: Process
    alarm: Alarm
    row: Row
    ledger: SharedLedger
    host: Host
    sweep: Sweep
    spool: Spool
    board: Board
    admit: Admit
    holdings: Holdings
    bounces: Bounces
    settle: Settle
    naming: Naming
    demanding: Demanding
    proxying: Proxying
    pool: Pool
    services: Services
    memory: Memory
    soundness: Soundness
    lag: LagWatch
    doors: Doors
    number: int
    metrics: Metrics
    gauges: Gauges
    busiest: Looking
    census: Census
    readings: Readings
    tracing: Tracing
    suspended: Suspended
    ruling: Ruling
    shared: Shared
    datasources: Datasources
    logins: Logins
    spread: Spread
    channel: Channel
    signatures: Signatures
    _prepared: Prepared | None = None
    _closing: bool = False
    _leaving: bool = False
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def leaving(self) -> bool:
        return self._leaving

    @property
    def insight(self) -> Insight:
        """Return what can be said of what is here, to who asks by the console."""
        return Insight(self)

    async def open(self, home: str, poison: Sequence[int]) -> None:
        """Open the shard for new mail, start the timers and listen.

        Args:
            poison: recipients over which workers died; they are put aside when they are found.
        """
        self.suspended.look()
        await self.holdings.open(home, poison)
        self.spool.on_health(self._health_changed)
        self.loop.add_reader(self.ledger, self.ledger.read)
        self.board.start(self.loop.call_later, self.process.spawn)
        self.soundness.start(self.loop.call_later)
        self.sweep.start(self.loop)
        self.lag.start()
        self.memory.start(self.loop.call_later)
        self._tick()
        await self.spread.known()
        self.doors.change(self.configuration, {})
        await self.channel.open()

    def prepare(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        """Look whether a generation can be. Raises Error where not."""
        panics = panics_of(configuration, self.state, self.clock)
        settings = settings_of(configuration, self.state)
        sources = ds_core.settings_of(configuration)
        self.datasources.prepare(sources)
        contexts = Contexts(
            configuration.top(TlsLibrary), self.alarm, self.clock.monotonic, awaited(configuration),
            configuration.held,
        )  # fmt: skip
        look_at_tls(configuration, contexts)
        policing = self.ruling.prepare(configuration)
        self._prepared = Prepared(
            configuration, descriptors, panics, settings, sources, policing, contexts
        )

    def abort(self) -> None:
        if self._prepared is not None:
            close(self._prepared.descriptors.values())
            self._prepared.policing.replace()
        self._prepared = None

    def commit(self, *, reload: bool) -> None:
        """Go over to the prepared generation.

        Args:
            reload: open sessions are told 421 at their next MAIL; else only those for which
                something has changed.
        """
        if self._prepared is None:
            return
        prepared, self._prepared = self._prepared, None
        self.configuration = prepared.configuration
        self.alarm.panics.use(prepared.panics)
        self.spool.configure(prepared.settings)
        self.admit.trust(memory=self.configuration.top(Spooling).unsafe_spool)
        self.host.use(self.configuration)
        self.naming.apply(self.configuration.top(ResolverOptions))
        self.demanding.use(self.configuration)
        self.proxying.use(self.configuration)
        self.bounces.host = self.host.external
        self.bounces.size_limit = self.configuration.top(Reports).bounce_size_limit
        self.pool.dialer = dataclasses.replace(self.pool.dialer, hostname=self.host.name)
        self.pool.configure(self.configuration)
        self.board.configure(self.configuration)
        self.datasources.configure(prepared.sources)
        self.logins.use(self.configuration, self.state)
        self.signatures.detail = self.configuration.top(Statistics).signing_stats
        self.services.guesses.seconds = self.configuration.top(Guessing).auth_failure_window
        since = self.configuration.generation if reload else self.services.profiles.since
        self.ruling.enforce(prepared.policing, self.configuration, reload=reload)
        policing = self.services.policing
        self.services.profiles = Profiles(
            self.configuration, self.host.name, since, policing, prepared.contexts
        )
        self.doors.change(self.configuration, prepared.descriptors)
        self.channel.look()

    def hurry(self) -> None:
        """Drain faster."""
        self._hurried.set()

    async def drain(self, seconds: float) -> None:
        """Take nothing new and let what is under way end, for so long at most.

        While sessions end, for half of the time at most, deliveries go on as always: what is taken
        in meanwhile is on its way at once. Then no further one begins.
        """
        self._leaving = True
        until = self.clock.monotonic() + seconds
        self.soundness.stop()  # Lines which nobody asks any more are no fault from now on.
        await self.holdings.stop()
        await self.doors.close()
        self.channel.leave()
        for session in list(self.services.sessions):
            session.drain()
        await self._unless_hurried(self.doors.sessions.none.wait(), seconds / 2)
        left = max(0.0, until - self.clock.monotonic())
        await self._unless_hurried(self._end(left), left)
        await self.pool.close(0.0)
        await self._written()
        for session in list(self.services.sessions):
            session.end()
        if self.services.sessions:
            await self._unless_hurried(self.doors.sessions.none.wait(), LINGER_SECONDS)
        for session in list(self.services.sessions):
            session.abort()
        await self._written()

    async def _unless_hurried(self, work: Coroutine[Any, Any, object], seconds: float) -> None:
        """Wait for this, for so long at most, and not if we are hurried."""
        waiting = (asyncio.ensure_future(work), asyncio.ensure_future(self._hurried.wait()))
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _written(self) -> None:
        """Wait for the disk to have what was given to it: a report, and then what it reports."""
        for _ in range(WRITTEN_LOOKS):
            if not self.services.admit.submitted:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Close the shards; what was accepted is durable when this returns."""
        self._closing = True
        self.board.stop()
        self.sweep.stop()
        self.lag.stop()
        self.memory.stop()
        self.naming.close()
        self.channel.close()
        self.ruling.close()
        await self.spread.leave()
        self.spread.close()
        await self.demanding.close()
        self.proxying.proxies.close()
        await self.datasources.close()
        await self.spool.close()
        self.loop.remove_reader(self.ledger)
        self.ledger.close()
        self.logins.close()
        self.alarm.panics.close()

    def last_words(self) -> link.Counted:
        """Return what was counted here that stands in no measurement."""
        names = {name: float(count) for name, count in self.naming.stub.counters.items()}
        names.pop("peak_us", None)
        tallied = self.board.tallies.with_lines(self.board.lines)
        return link.Counted(
            names,
            {BETWEEN.join(key): [e.received, e.sent, e.failed] for key, e in tallied.items()},
            self.signatures.of_bindings(),
        )

    async def _end(self, seconds: float) -> None:
        """Wait until no attempt, no session and no request is under way."""
        await asyncio.gather(
            self.pool.close(seconds), self.doors.sessions.none.wait(), self.channel.idle.wait()
        )

    def _health_changed(self) -> None:
        """Tell that mail is not taken in or not delivered, and that it is again."""
        if self._closing:
            return
        spool = self.spool
        intake = "mail is taken in" if spool.intake else f"no mail is taken in: {spool.refusal}"
        delivery = "" if spool.delivery else "; nothing is delivered, as it can't be recorded"
        self.alarm(intake + delivery, "spool")

    def _tick(self) -> None:
        """Once a second."""
        self.loop.call_later(TICK, self._tick)
        now = self.clock.monotonic()
        self.naming.tick(now)
        self.datasources.tick()
        self.channel.look()
        self.suspended.look()
        self.holdings.look()
        self.gauges.look(self, now, leaving=self._leaving)
        self.busiest.tick()
        if self.configuration.has("snmp"):
            self.census.tick()
        self.readings.write(self.number, self.metrics.snapshot(), self.clock.time())
