"""Everything from the queue to a peer, in memory but for the peer's socket.

async with Sending(peer, zone) as sending:
    sending.put("b@example.test")
    await sending.until(lambda: peer.messages)
"""

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import Any, Self, TypeVar

from angarium.config.held import NOTHING, Held
from angarium.config.option import Options
from angarium.core.body import MemoryBody
from angarium.core.ident import Idents
from angarium.core.message import Message, Recipient
from angarium.events.schema import Delivery, Event, PermanentFailure, TransientFailure
from angarium.net.options.tls import Certificates, OutboundTls
from angarium.net.options.tlspolicy import Dane, MtaSts
from angarium.net.sweep import Sweep
from angarium.outbound.bounce import Bounces
from angarium.outbound.dial import Dialer
from angarium.outbound.hosts import Hosts
from angarium.outbound.options import Transport
from angarium.outbound.pool import Pool
from angarium.outbound.route import Router
from angarium.outbound.settle import Settle
from angarium.outbound.smtp import Session
from angarium.queue.admit import Admit
from angarium.queue.line import Line
from angarium.queue.options import HostLimits, Rollup, Shape
from helpers.dns import FakeDns
from helpers.queues import FakeConfiguration, FakeSpool, Queues

T = TypeVar("T", bound=Options)
PATIENCE = 90.0
ZONE = """
    example.test   MX  10 mx.example.test
    mx.example.test A  127.0.0.1
"""


class RecordingSpool(FakeSpool):
    """Keeps the events which it is given."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.events: list[Event] = []

    def settle(self, ident: int, event: Event | None = None) -> None:
        super().settle(ident)
        if event is not None:
            self.events.append(event)

    def defer(self, ident: int, attempts: int, due: int, event: object = None) -> None:
        super().defer(ident, attempts, due)
        if isinstance(event, Event):
            self.events.append(event)


class Configuration(FakeConfiguration):
    """One value of each class of options everywhere."""

    held: Held = NOTHING

    def instances(self, _stanza: type[T], /) -> list[tuple[str, T]]:
        return []

    def __init__(self, transport: Transport, host: HostLimits, **shape: Any) -> None:
        super().__init__(**shape)
        self.transport = transport
        self.host = host
        self.rollup = Rollup.make()
        self.dane = Dane.make()
        self.sts = MtaSts.make()
        self.tls = OutboundTls.make()
        self.certificates = Certificates.make()

    def at(self, cls: type[T], **place: str) -> T:
        values: dict[type, Options] = {
            Transport: self.transport,
            HostLimits: self.host,
            Rollup: self.rollup,
            Dane: self.dane,
            MtaSts: self.sts,
            OutboundTls: self.tls,
            Certificates: self.certificates,
            Shape: self.shape,
        }
        found = values[cls]
        assert isinstance(found, cls)
        return found


class Sending:
    """A worker's queues and outbound.

    Args:
        zone: for the fake DNS.
        transport, shape, host: options which differ from their defaults.
    """

    def __init__(
        self,
        port: int = 25,
        zone: str = ZONE,
        transport: dict[str, Any] | None = None,
        host: dict[str, Any] | None = None,
        **shape: Any,
    ) -> None:
        options = {"remote_smtp_port": port} | (transport or {})
        self.queues = Queues()
        self.clock = self.queues.clock
        self.spool = self.queues.spool = RecordingSpool(self.clock)
        limits = HostLimits.make(**{"max_outbound_connections": -1} | (host or {}))
        self.queues.configuration = Configuration(Transport.make(**options), limits, **shape)
        self.board = self.queues.start()
        self.sweep = Sweep(self.clock)
        self.alarms: list[str] = []
        random = Random(1)
        self.dns = FakeDns(zone, self.clock)
        self.hosts = Hosts(self.clock)
        self.settle = Settle(
            self.spool,
            self.board,
            Admit(self.spool, self.board),
            Bounces("node.test", random),
            self.clock,
            random,
        )
        self.pool = Pool(
            self.board,
            self.settle,
            Dialer(
                Router(self.dns, random),
                self.hosts,
                self.clock,
                Idents(1),
                "node.test",
            ),
            self.queues.configuration,
            self.sweep,
            self.clock,
            self.alarms.append,
        )

    async def __aenter__(self) -> Self:
        self.board.demand = self.pool.demand
        self.board.give_up = self.settle.give_up
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pool.close(0.0)
        await asyncio.sleep(0)

    def put(
        self,
        *addresses: str,
        sender: str = "a@sender.test",
        body: bytes = b"Subject: hi\r\n\r\nhello\r\n",
        traits: int = 0,
        key: str = "",
        **recipient: Any,
    ) -> Line:
        """Bring a message; return the line of its last recipient."""
        message = Message(sender, MemoryBody(body), traits=traits, received_at=self.clock.time())
        message.fairness_key = key
        recipients = [
            Recipient(each, each.rpartition("@")[2], "default", "default", **recipient)
            for each in addresses
        ]
        self.spool.put(message, recipients, lambda error: None)
        self.board.accepted(message, recipients)
        return self.board.line("default", "default", recipients[-1].domain)

    def put_many(self, count: int, domain: str = "example.test") -> Line:
        """Bring messages to b0, b1 ... of a domain, all before any is asked for."""
        demand, self.board.demand = self.board.demand, lambda line: None
        for number in range(count):
            self.put(f"b{number}@{domain}")
        self.board.demand = demand
        line = self.board.line("default", "default", domain)
        self.board.offer(line)
        return line

    async def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, self.spool.events
            await asyncio.sleep(0.001)

    async def quiet(self) -> None:
        """Wait until nothing is in flight or being opened."""
        await self.until(
            lambda: not self.board.in_flight and not any(o.opening for o in self.pool.outlets)
        )

    async def quiet_opening(self) -> None:
        """Wait until no connection is being opened."""
        await self.until(lambda: not any(each.opening for each in self.pool.outlets))

    async def later(self, seconds: float) -> None:
        """Let time pass, in steps in which the loop has its turn."""
        while seconds > 0:
            step = min(seconds, 1.0)
            self.queues.later(step)
            self.sweep.tick(self.clock.monotonic())
            seconds -= step
            for _ in range(3):
                await asyncio.sleep(0)

    @property
    def sessions(self) -> list[Session]:
        return [session for outlet in self.pool.outlets for session in outlet.sessions]

    @property
    def deliveries(self) -> list[Delivery]:
        return [each for each in self.spool.events if isinstance(each, Delivery)]

    @property
    def delays(self) -> list[TransientFailure]:
        return [each for each in self.spool.events if isinstance(each, TransientFailure)]

    @property
    def failures(self) -> list[PermanentFailure]:
        return [each for each in self.spool.events if isinstance(each, PermanentFailure)]
