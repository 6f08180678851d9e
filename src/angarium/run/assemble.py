"""The composition root: a worker out of its parts. Read it in one sitting.

    mail in     Listener -> SmtpSession -> Admit -> Spool -> Board
    mail out    Board -> Pool -> Dialer -> Session -> Settle -> Spool

What follows from the configuration is set in `Parts.commit`, which a reload calls again;
everything else is made once. Nobody else makes a part that another one needs.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.core.ident import SHARDS, Idents, printed
from angarium.core.message import DEFAULT_BINDING, DEFAULT_BINDING_GROUP, Message, Recipient
from angarium.core.reply import Reply
from angarium.data.sources import Datasources
from angarium.events.checkpoint import passed
from angarium.events.metrics import Metrics
from angarium.events.options import Statistics
from angarium.events.schema import ServerEvent
from angarium.events.signing import Signatures
from angarium.events.stages import Stages
from angarium.inbound.counts import Counts
from angarium.inbound.guesses import Guesses
from angarium.inbound.profile import Profiles
from angarium.inbound.services import Services
from angarium.inbound.smtp import SmtpSession
from angarium.journal.commit import ThreadExecutor
from angarium.journal.disk import FileDisk
from angarium.journal.errors import SpoolError
from angarium.journal.ring import Ring
from angarium.modules.auth import ds_core
from angarium.modules.means import Means as PolicyMeans
from angarium.net.loop import LagWatch, RealClock
from angarium.net.options.acme import awaited
from angarium.net.options.authentication import Guessing
from angarium.net.options.resolver import Resolver as ResolverOptions
from angarium.net.options.tls import TlsLibrary
from angarium.net.resolver import Naming
from angarium.net.sweep import Sweep
from angarium.net.tls.contexts import Contexts
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tracing import Tracing
from angarium.outbound.bounce import Bounces
from angarium.outbound.broken import Broken
from angarium.outbound.demands import Heard
from angarium.outbound.dial import Dialer
from angarium.outbound.hosts import Hosts
from angarium.outbound.options import Reports
from angarium.outbound.pool import Pool
from angarium.outbound.putting_off import PuttingOff
from angarium.outbound.route import Router
from angarium.outbound.secured import Securing
from angarium.outbound.settle import Settle
from angarium.policy.parcels import Parcel
from angarium.policy.shared.node import Shared
from angarium.queue.admit import Admit
from angarium.queue.board import Board
from angarium.queue.footprint import Footprint
from angarium.queue.ledger import SharedLedger
from angarium.queue.memory import Memory, Stage
from angarium.queue.soundness import Soundness
from angarium.queue.spool.means import Means
from angarium.queue.spool.options import Spooling
from angarium.queue.spool.store import Spool
from angarium.queue.suspended import Suspended
from angarium.queue.timer import Timer
from angarium.run import busiest, link
from angarium.run.alarm import Alarm
from angarium.run.busiest import Looking
from angarium.run.census import Census, path_of
from angarium.run.channel import Channel
from angarium.run.demanding import Demanding
from angarium.run.doors import Doors
from angarium.run.gauges import Gauges
from angarium.run.holdings import Holdings
from angarium.run.hose import panics_of
from angarium.run.host import Host
from angarium.run.logins import Logins, node_key
from angarium.run.parts import Parts
from angarium.run.policing import Ruling, guard_of
from angarium.run.process import Process
from angarium.run.proxying import Proxying
from angarium.run.readings import Readings
from angarium.run.scoreboard import Row, Scoreboard
from angarium.run.spooling import settings_of
from angarium.run.spread import Spread
from angarium.wire.smtp_grammar import forget_domains

PROGRAM: Final = "Angarium"


def assemble(
    start: link.Start,
    configuration: Configuration,
    descriptors: dict[str, int],
    process: Process,
) -> Parts:
    """Build a worker; nothing runs yet."""
    loop, clock, random = asyncio.get_running_loop(), RealClock(), SystemRandom()
    state, number = Path(start.state), start.number
    alarm = Alarm(process.alarm, clock, panics_of(configuration, state, clock))
    row = Scoreboard(state / "run" / "scoreboard").row(number)
    ledger = SharedLedger.opened(descriptors, number, clock, alarm)
    host, sweep = Host(configuration), Sweep(clock)
    connections, metrics = Idents(SHARDS + number), Metrics()
    stages = Stages(metrics, clock.time)
    sources = Datasources(clock, random, metrics)
    sources.configure(ds_core.settings_of(configuration))

    spool = Spool(_means(configuration, state, loop, clock, alarm, metrics))
    board = Board(
        spool, Timer(int(clock.time())), configuration, clock, ledger=ledger, random=random,
        workers=start.workers,
    )  # fmt: skip
    holdings = Holdings(state / "spool", spool, board, process, alarm, clock)
    admit = Admit(spool, board)
    admit.trust(memory=configuration.top(Spooling).unsafe_spool)
    admit.lost = partial(_lost, alarm)
    bounces = Bounces(host.external, random, configuration.top(Reports).bounce_size_limit)
    settle = Settle(spool, board, admit, bounces, clock, random)
    settle.stages = stages
    naming = Naming(configuration.top(ResolverOptions), loop, clock, random, take=ledger.take)
    router = Router(naming.resolver, random, host.is_itself, host.relays)
    tracing = Tracing(clock)
    demanding = Demanding(
        configuration, state, naming.resolver, clock, partial(alarm, source="tls policies")
    )
    proxying = Proxying(configuration, naming.resolver, sweep, alarm)
    shared, signatures = Shared(clock, number), _signatures(configuration)
    dialer = Dialer(
        router, Hosts(clock), clock, connections, host.name, stages=stages, tracing=tracing,
        demands=demanding.demands, proxies=proxying.proxies,
        securing=_securing(configuration, loop, clock, shared),
    )  # fmt: skip
    pool = Pool(board, settle, dialer, configuration, sweep, clock, alarm)
    _join(board, pool, settle, row, alarm)
    sessions: set[SmtpSession] = set()
    memory = _memory(
        start.workers, board, admit, (naming.resolver.shrink, sources.shrink, _forget_domains),
        sessions, metrics, partial(_memory_changed, alarm, spool, board, clock),
    )  # fmt: skip
    soundness = Soundness(
        board, pool, spool.live.parts, settle.reported, partial(alarm, source="queues"),
        spool.note, metrics,
    )  # fmt: skip
    services = _services(
        configuration, host, metrics, stages, admit=admit, ledger=ledger, sweep=sweep, clock=clock,
        idents=connections, next_id=spool.next_id, large=spool.large, reject=spool.reject,
        loop=loop, may_greet=memory.may_greet, sessions=sessions, tracing=tracing,
    )  # fmt: skip
    ruling = _ruling(
        (configuration, host, alarm, services, settle, bounces, board), demanding.hear, pool,
        process=process, spool=spool, random=random, resolver=naming.resolver, metrics=metrics,
        state=state, number=number, shared=shared, datasources=sources, router=router, admit=admit,
        put_off=PuttingOff(board, settle, pool, spool.live.parts), signatures=signatures,
    )  # fmt: skip
    doors = Doors(loop, services, row, descriptors, alarm, metrics)
    doors.sessions.follow(shared)
    return Parts(
        configuration=configuration, state=state, loop=loop, clock=clock, process=process,
        alarm=alarm, ledger=ledger, host=host, sweep=sweep, spool=spool, board=board,
        holdings=holdings, bounces=bounces, naming=naming, demanding=demanding, pool=pool,
        proxying=proxying, services=services, soundness=soundness, signatures=signatures,
        channel=_channel(state, number, services, alarm), gauges=Gauges(metrics), metrics=metrics,
        readings=Readings(state / "run" / "readings"), number=number, doors=doors, memory=memory,
        census=Census(path_of(state / "run", number), board), lag=LagWatch(loop, clock, metrics),
        spread=Spread(shared, state / "run", loop, metrics), admit=admit, tracing=tracing, row=row,
        busiest=Looking(board, busiest.opened(state / "run" / "busiest"), number), shared=shared,
        suspended=Suspended(state, board, partial(alarm, source="queues")), datasources=sources,
        logins=_logins(configuration, state, services, shared, alarm), ruling=ruling, settle=settle,
    )  # fmt: skip


def _join(board: Board, pool: Pool, settle: Settle, row: Row, alarm: Alarm) -> None:
    """Let the queues know who sends and who settles."""
    board.demand = pool.demand
    board.give_up = settle.give_up
    settle.note = board.recall.note = row
    board.recall.discard = settle.unreadable
    board.recall.unreadable = partial(_unreadable, alarm)


def _securing(
    configuration: Configuration,
    loop: asyncio.AbstractEventLoop,
    clock: RealClock,
    shared: Shared,
) -> Securing:
    """Return what makes connections to hosts secure."""
    # As many handshakes as connections: those are bounded already.
    handshakes = Handshakes(loop, most=0)
    library, kept = configuration.top(TlsLibrary), configuration.held
    return Securing(clock, handshakes, Broken(shared), library, awaited(configuration), kept)


def _services(
    configuration: Configuration, host: Host, metrics: Metrics, stages: Stages, **parts: Any
) -> Services:
    """Return what sessions of reception share."""
    return Services(
        profiles=Profiles(configuration, host.name), program=PROGRAM, blackholed=host.blackholed,
        counts=Counts(metrics, stages), **parts,
    )  # fmt: skip


def _ruling(
    known: tuple[Configuration, Host, Alarm, Services, Settle, Bounces, Board],
    hear: Callable[[Heard], None],
    pool: Pool,
    *,
    process: Process,
    spool: Spool,
    admit: Admit,
    **parts: Any,
) -> Ruling:
    """Return what makes and enforces policy, with that of this configuration in force."""
    configuration, host, alarm, services, settle, bounces, board = known

    def means(generation: Configuration) -> PolicyMeans:
        return PolicyMeans(
            generation, services.loop, services.clock, board=board, ledger=services.ledger,
            admit=admit, counts=services.counts, host=host.name, panic=alarm.panics.write,
            guard=guard_of(generation, alarm.panics.write), next_id=spool.next_id,
            spawn=process.spawn, **parts,
        )  # fmt: skip

    report = partial(_refused, bounces, board, services.clock)
    ruling = Ruling(
        means, services, admit, settle, bounces, report, hear, logins=pool.logins,
        securing=pool.dialer.securing,
    )  # fmt: skip
    ruling.begin(configuration, partial(alarm, source="policy"))
    services.profiles = Profiles(
        configuration,
        host.name,
        policing=services.policing,
        contexts=_contexts(configuration, alarm, services.clock),
    )
    return ruling


def _signatures(configuration: Configuration) -> Signatures:
    """Return what counts signatures."""
    return Signatures(configuration.top(Statistics).signing_stats)


def _contexts(configuration: Configuration, alarm: Alarm, clock: Clock) -> Contexts:
    """Return what makes contexts of TLS; which of them cannot be, is told."""
    tell = partial(alarm, source="tls")
    return Contexts(
        configuration.top(TlsLibrary), tell, clock.monotonic, awaited(configuration),
        configuration.held,
    )  # fmt: skip


def _channel(state: Path, number: int, services: Services, alarm: Alarm) -> Channel:
    """Return what answers who asks for endpoints, by the policy in force."""
    return Channel(
        state / "run",
        number,
        lambda: services.policing,
        lambda: services.profiles.generation,
        partial(alarm, source="endpoints"),
    )


def _logins(
    configuration: Configuration, state: Path, services: Services, shared: Shared, alarm: Alarm
) -> Logins:
    """Return what writes attempts to authenticate to acctlog; sessions get all they need for it."""
    logins = Logins(services.clock, partial(alarm, about="acctlog cannot be written"))
    logins.use(configuration, state)
    services.account = logins.write
    services.auth_key = node_key(state)
    services.trouble = partial(alarm, source="authentication")
    services.guesses = Guesses(shared, configuration.top(Guessing).auth_failure_window)
    return logins


def _refused(
    bounces: Bounces,
    board: Board,
    clock: Clock,
    message: Message,
    recipient: Recipient,
    reply: Reply,
) -> Parcel | None:
    """Return what the sender is told of a recipient whom policy refused."""
    group, binding = recipient.binding_group, recipient.binding
    key = (group or DEFAULT_BINDING_GROUP, binding or DEFAULT_BINDING, recipient.domain)
    report = bounces.refused(message, recipient, board.shape_of(key), reply, clock.time())
    return None if report is None else (report.message, report.recipients)


def _memory(
    workers: int,
    board: Board,
    admit: Admit,
    caches: tuple[Callable[[], Iterator[None]], ...],
    sessions: set[SmtpSession],
    metrics: Metrics,
    told: Callable[[Stage, str], None],
) -> Memory:
    """Return what looks at the memory, and what it may ask to give some back."""
    return Memory(
        board,
        admit,
        Footprint(workers),
        told,
        RealClock(),
        metrics,
        caches=caches,
        shed=partial(_shed, sessions),
    )


def _means(
    configuration: Configuration,
    state: Path,
    loop: asyncio.AbstractEventLoop,
    clock: RealClock,
    alarm: Alarm,
    metrics: Metrics,
) -> Means:
    """Return the world as the spool sees it."""
    return Means(
        FileDisk(configuration.top(Spooling).spool_mode),
        clock,
        SystemRandom(),
        loop,
        lambda name: ThreadExecutor(loop, name, partial(os._exit, 1)),
        settings_of(configuration, state),
        alarm=partial(_spool_alarm, alarm),
        passed=partial(passed, state / "hose"),
        chains=_ring(loop),
        metrics=metrics,
    )


def _ring(loop: asyncio.AbstractEventLoop) -> Ring | None:
    """Let the kernel write and sync by itself, if this one can."""
    ring = Ring.open()
    if ring is not None:
        loop.add_reader(ring.fileno(), ring.reap)
    return ring


def _spool_alarm(alarm: Alarm, error: Error) -> None:
    """Tell a failure of the spool. That the disk fails is one thing to say, whatever the file."""
    failing = f"{error.message} {error.fields.get('errno')}"
    alarm(str(error), "spool", failing if isinstance(error, SpoolError) else "")


def _lost(alarm: Alarm, message: Message, error: SpoolError) -> None:
    """Tell of mail whose peer was told 250 and which could not be written: _unsafe_spool."""
    alarm(f"message {printed(message.batch)} was accepted and is lost: {error}", "spool")


def _unreadable(alarm: Alarm, ident: int, error: Error) -> None:
    alarm(f"message {printed(ident)} cannot be read: {error}", "spool")


def _memory_changed(
    alarm: Alarm, spool: Spool, board: Board, clock: RealClock, _stage: Stage, text: str
) -> None:
    alarm(text)
    spool.note(ServerEvent(clock.time(), "memory", text, board.generation))


def _forget_domains() -> Iterator[None]:
    forget_domains()
    yield


def _shed(sessions: set[SmtpSession]) -> None:
    for session in list(sessions):
        session.shed()
