"""A stage: sessions, queues and policy of one worker, put together without a server.

    stage = Stage(configuration, loop)
    client = stage.connect("192.0.2.1")
    client.say("EHLO client.example")
    await stage.settle()
    client.heard()

The parts are those of a server, see `run/assemble`; only the ground they stand on is other: the
clock is virtual, the spool is in memory, names and databases say what they are told to say, and
nobody delivers.
"""

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, cast

from angarium.config.resolve import Configuration
from angarium.core.errors import Error
from angarium.core.ident import Idents
from angarium.core.message import DEFAULT_BINDING, DEFAULT_BINDING_GROUP, Message, Recipient
from angarium.core.reply import Reply
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.events.schema import Rejection
from angarium.inbound import policed
from angarium.inbound.profile import Profiles
from angarium.inbound.services import Services
from angarium.inbound.smtp import SmtpSession
from angarium.modules.means import Means
from angarium.net.dnscache import Resolver
from angarium.net.sweep import Sweep
from angarium.outbound.bounce import Bounces
from angarium.outbound.demands import Heard
from angarium.outbound.options import Reports
from angarium.outbound.route import Router
from angarium.outbound.settle import Settle
from angarium.policy.parcels import Parcel
from angarium.policy.shared.node import Shared
from angarium.queue.admit import Admit
from angarium.queue.board import Board
from angarium.queue.throttle import LocalLedger
from angarium.queue.timer import Timer
from angarium.run.doors import Sessions
from angarium.run.host import Host
from angarium.run.policing import Ruling, guard_of
from angarium.run.scoreboard import Row
from angarium.run.stage.answers import Databases, Names
from angarium.run.stage.memory import MemorySpool
from angarium.run.stage.virtual import VirtualClock, VirtualLoop

LISTEN: Final = "127.0.0.1:25"
LOCAL: Final = ("127.0.0.1", 25)
# Turns of the loop in which work that waits for nothing is done.
TURNS: Final = 50


def _unheard(heard: Heard) -> None:
    """No connection is made from a stage."""


class Stage:
    """See above.

    Attributes:
        names, databases: what is to be said by DNS and databases.
        spool: what was taken in, and what became of it.
        rejections: what was refused.
        panics: lines of paniclog.
    """

    def __init__(self, configuration: Configuration, loop: VirtualLoop) -> None:
        """Raises Error: policy cannot be used."""
        # What modules write goes with the stage.
        self._folder = tempfile.TemporaryDirectory(prefix="angarium-stage-")
        self.loop = loop
        self.clock = clock = VirtualClock(loop)
        self.configuration = configuration
        random = Random(1)
        self.names, self.databases = Names(), Databases()
        self.spool = spool = MemorySpool(clock)
        self.rejections: list[Rejection] = []
        self.panics: list[str] = []
        ledger = LocalLedger(clock)
        self.board = board = Board(
            spool, Timer(int(clock.time())), configuration, clock, ledger=ledger, random=random
        )
        self.admit = admit = Admit(spool, board)
        host = Host(configuration)
        bounces = Bounces(host.external, random, configuration.top(Reports).bounce_size_limit)
        self.settle = Settle(spool, board, admit, bounces, clock, random)
        self.sweep = Sweep(clock)
        self._idents = Idents(2)
        metrics = Metrics()
        shared = Shared(clock, 0)
        sessions = Sessions(cast(Row, _Row()))
        sessions.follow(shared)
        self.services = services = Services(
            profiles=Profiles(configuration, host.name),
            admit=admit,
            ledger=ledger,
            sweep=self.sweep,
            clock=clock,
            idents=self._idents,
            next_id=spool.next_id,
            large=spool.large,
            reject=self.rejections.append,
            program="Angarium",
            loop=loop,
            blackholed=host.blackholed,
            sessions=sessions,
        )
        resolver = Resolver(self.names, loop, clock)
        means = partial(
            Means,
            loop=loop,
            clock=clock,
            random=random,
            resolver=resolver,
            admit=admit,
            board=board,
            ledger=ledger,
            metrics=metrics,
            state=Path(self._folder.name),
            number=0,
            host=host.name,
            panic=self._panic,
            guard=guard_of(configuration, self._panic),
            shared=shared,
            counts=services.counts,
            next_id=spool.next_id,
            spawn=loop.create_task,
            datasources=cast(Datasources, self.databases),
            router=Router(resolver, random, host.is_itself, host.relays),
        )
        self._ruling = Ruling(
            means, services, admit, self.settle, bounces, partial(_refused, self, bounces), _unheard
        )
        try:
            policing = self._ruling.prepare(configuration)
        except Error:
            self._folder.cleanup()
            raise
        self._ruling.enforce(policing, configuration, reload=True)
        services.profiles = Profiles(configuration, host.name, policing=services.policing)
        self.sweep.start(loop)

    def _panic(self, module: str, text: str) -> None:
        self.panics.append(f"{module}: {text}")

    def connect(self, address: str, port: int = 34567, local: tuple[str, int] = LOCAL) -> "Client":
        """Let a client connect."""
        where = self.configuration.listens("esmtp_listener")
        listen = where[0].name if where else LISTEN
        return Client(policed.session(self.services, listen), (address, port), local)

    async def quiet(self) -> None:
        """Let all run that waits for nothing."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def close(self) -> None:
        """End what policy has running."""
        self.sweep.stop()
        for session in list(self.services.sessions):
            session.abort()
        self._ruling.policing.replace()
        self._folder.cleanup()


class _Row:
    """The scoreboard's row, for nobody to look at."""

    def count(self, sessions: int) -> None:
        """There is no other worker to be told."""


class Client:
    """A client, as its session sees it; an `asyncio.Transport`, as far as sessions need one."""

    def __init__(self, session: SmtpSession, peer: tuple[str, int], local: tuple[str, int]) -> None:
        self.session = session
        self.closed = False
        self._names = {"peername": peer, "sockname": local}
        self._written = b""
        self._read = 0
        session.connection_made(cast(asyncio.Transport, self))

    def send(self, octets: bytes) -> None:
        if not self.closed:
            self.session.data_received(octets)

    def heard(self) -> list[str]:
        """Return the lines which came since this was last asked."""
        new = self._written[self._read :]
        self._read = len(self._written)
        return new.decode("utf-8", "replace").splitlines()

    @property
    def waiting(self) -> bool:
        """Whether nothing has come since somebody looked."""
        return self._read == len(self._written)

    def leave(self) -> None:
        """Close the connection."""
        if not self.closed:
            self.closed = True
            self.session.connection_lost(None)

    # What a session asks of a transport.

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._names.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is always room."""

    def write(self, octets: bytes) -> None:
        self._written += octets

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """What a client says is given to its session when it says it."""

    resume_reading = pause_reading

    def close(self) -> None:
        self.leave()

    abort = close


def _refused(
    stage: Stage, bounces: Bounces, message: Message, recipient: Recipient, reply: Reply
) -> Parcel | None:
    group = recipient.binding_group or DEFAULT_BINDING_GROUP
    binding = recipient.binding or DEFAULT_BINDING
    shape = stage.board.shape_of((group, binding, recipient.domain))
    report = bounces.refused(message, recipient, shape, reply, stage.clock.time())
    return None if report is None else (report.message, report.recipients)
