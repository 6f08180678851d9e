"""One worker of a simulated node: the parts of `run/assemble`, less those with sockets.

What is put together, and how, is the same; under it are the machine's clock, disk and network.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from angarium.config.resolve import Configuration
from angarium.core.errors import Error
from angarium.core.ident import SHARDS, Idents
from angarium.core.message import Message, Recipient
from angarium.events.metrics import Metrics
from angarium.events.schema import Event
from angarium.journal.commit import Executor
from angarium.journal.errors import SpoolError
from angarium.net.answer import Status
from angarium.net.dns import Done as Answered
from angarium.net.dnscache import Resolver
from angarium.net.sweep import Sweep
from angarium.outbound.bounce import INTERNAL, Bounces
from angarium.outbound.dial import Dialer
from angarium.outbound.hosts import Hosts
from angarium.outbound.pool import Pool
from angarium.outbound.route import Router
from angarium.outbound.settle import Settle
from angarium.queue.admit import Admit
from angarium.queue.board import Board
from angarium.queue.bulk import Suspensions
from angarium.queue.entry import Entry
from angarium.queue.options import Shape
from angarium.queue.soundness import Soundness
from angarium.queue.spool.means import Means, Settings
from angarium.queue.spool.slot import TIMING
from angarium.queue.spool.store import Spool
from angarium.queue.timer import Timer
from angarium.run.holdings import Holdings
from helpers.dns import Zone
from helpers.sim.audit import Audit
from helpers.sim.disk import Chains, Thread, View
from helpers.sim.ledger import Many, One
from helpers.sim.loop import Process
from helpers.sim.net import Net

FOLDER = Path("/spool")


class Names(Resolver):
    """A resolver whose name servers answer late, wrongly or never, as it is set."""

    def __init__(self, zone: Zone, process: Process, random: Random) -> None:
        self._zone = zone
        self._process = process
        self._random = random
        self.failing = 0.0
        self.slow = 0.05
        super().__init__(self, process, process.machine.clock)

    def ask(self, name: str, rrtype: int, done: Answered) -> None:
        random = self._random
        if random.random() < self.failing:
            status = random.choice((Status.SERVFAIL, Status.TIMEOUT))
            self._process.call_later(random.random() * 30.0, done, status)
        else:
            answer = self._zone.response(name, rrtype)
            self._process.call_later(random.random() * self.slow, done, answer)


class WatchedSpool(Spool):
    """A spool which tells the audit what it is told."""

    def __init__(self, means: Means, audit: Audit, schedule: Callable[[int], Any]) -> None:
        super().__init__(means)
        self._audit = audit
        self._schedule = schedule

    def put(self, message: Message, recipients: Sequence[Recipient], durable: Any) -> None:
        def told(error: SpoolError | None) -> None:
            self._audit.durable(recipients, error is not None)
            durable(error)

        super().put(message, recipients, told)
        if recipients[0].id:
            self._audit.put(recipients, report=message.protocol == INTERNAL)

    def settle(self, ident: int, event: Event) -> None:
        super().settle(ident, event)
        self._audit.settled(ident, event, self._shard(ident).state.number - 1)

    def defer(self, ident: int, attempts: int, due: int, event: Event | None) -> None:
        if event is None:
            self._audit.delayed(ident, due)  # By an operator: no attempt was made.
        else:
            self._audit.deferred(ident, attempts, due, event, self._schedule(ident))
        super().defer(ident, attempts, due, event)


class WatchedBoard(Board):
    """A board which tells the audit what it delays."""

    audit: Audit

    def delay(self, entry: Entry, due: int) -> None:
        super().delay(entry, due)
        self.audit.delayed(entry.id, due)

    def put_off(self, ident: int, seconds: float) -> None:
        super().put_off(ident, seconds)
        self.audit.delayed(ident, self.clock.time() + seconds)


class Worker:
    """A worker.

    Args:
        failed: called when it could not start.
        refused: told of a shard which it could not take over.
        unsound: told of what the checker of the server finds.
    """

    def __init__(
        self,
        number: int,
        process: Process,
        *,
        disk: View,
        net: Net,
        zone: Zone,
        ledger: Many | One,
        configuration: Configuration,
        settings: Settings,
        wait: Callable[[], float],
        audit: Audit,
        random: Random,
        workers: int,
        alarm: Callable[[str], None],
        failed: Callable[[Error], None],
        refused: Callable[[str], None],
        unsound: Callable[[str], None],
    ) -> None:
        clock: Any = process.machine.clock
        self.number = number
        self.process = process
        self.disk = disk
        self.ledger = ledger
        self.audit = audit
        self.tasks: set[Any] = set()
        self.ready = self.draining = False
        self.shards: list[str] = []
        self.known: dict[int, Any] = {}  # when it closes
        self.alarm = alarm
        self.failed = failed
        self.refused = refused
        means = Means(
            disk, clock, random, process, partial(self._thread, process, wait), settings,
            alarm=lambda error: alarm(str(error)),
            cpu=lambda: 0.0,
            chains=Chains(disk, process, wait) if random.random() < 0.5 else None,
        )  # fmt: skip
        self.spool = WatchedSpool(means, audit, self._schedule)
        self.board = WatchedBoard(
            self.spool,
            Timer(int(clock.time())),
            configuration,
            clock,
            ledger=ledger,
            random=random,
            workers=workers,
        )
        self.board.audit = audit
        self.suspensions = Suspensions(self.board)
        self.holdings = Holdings(FOLDER, self.spool, self.board, self, self._told, clock)
        self._found, self.spool.found = self.spool.found, self._find
        self.admit = Admit(self.spool, self.board)
        bounces = Bounces("node.test", random)
        self.settle = Settle(self.spool, self.board, self.admit, bounces, clock, random)
        self.names = Names(zone, process, random)
        self.hosts = Hosts(clock)
        dialer = Dialer(
            Router(self.names, random), self.hosts, clock, Idents(SHARDS + number), "node.test",
            net.connect,
        )  # fmt: skip
        self.sweep = Sweep(clock)
        self.pool = Pool(self.board, self.settle, dialer, configuration, self.sweep, clock, alarm)
        self.board.demand = self.pool.demand
        self.board.give_up = self.settle.give_up
        self.board.recall.discard = self.settle.unreadable
        self.soundness = Soundness(
            self.board, self.pool, self.spool.live.parts, self.settle.reported, unsound,
            self.spool.note, Metrics(),
        )  # fmt: skip
        self.soundness.share = 0.1

    def _thread(self, process: Process, wait: Callable[[], float], _name: str) -> Executor:
        return Thread(process, wait)

    def _told(self, text: str, _source: str = "") -> None:
        self.alarm(text)

    def _find(self, ident: int, slot: bytes) -> None:
        due, attempts = TIMING.unpack_from(slot, 4)
        self.audit.found(ident, attempts, due)
        self._found(ident, slot)

    def _schedule(self, ident: int) -> tuple[float, float, float]:
        """Return what the retry of an entry goes by, by its place in the configuration."""
        group, binding, domain = self.spool.routes.key(self.spool.slot(ident).route)
        shape = self.board.configuration.at(Shape, group=group, binding=binding, domain=domain)
        message, _ = self.spool.load(ident)
        expires = message.received_at + shape.message_expiration
        return shape.retry_interval, shape.max_retry_interval, expires

    # `holdings.Reports`.

    def released(self, shard: str) -> None:
        self.shards.remove(shard)

    def adopted(self, shard: str, refusal: str = "") -> None:
        """The supervisor hears of it, and gives what was refused to somebody again."""
        if refusal:
            self.shards.remove(shard)
            self.refused(shard)

    def quarantined(self, ident: int) -> None:
        """The supervisor keeps a list of poison."""

    def spawn(self, work: Any) -> Any:
        task = self.process.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: Any) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.process.call_exception_handler({"message": "task", "exception": error})

    # Its life.

    def start(self, shards: list[str]) -> None:
        self.shards = list(shards)
        self.spawn(self._open(list(shards)))

    async def _open(self, shards: list[str]) -> None:
        try:
            await self.holdings.open(shards[0], ())
        except Error as error:
            self.failed(error)
            return
        self.board.start(self.process.call_later, self.spawn)
        self.soundness.start(self.process.call_later)
        self.sweep.start(self.process)
        self._tick()
        await self.spool.recovered()
        self.recovered(shards[0])
        self.ready = True
        await self.adopt(shards[1:])

    async def adopt(self, shards: Sequence[str]) -> None:
        for each in list(shards):
            await self.holdings.adopt([each])
            if each in self.shards:
                self.recovered(each)

    def recovered(self, shard: str) -> None:
        live, isolated = self.spool.live, set(self.spool.isolated())
        self.audit.recovered(int(shard), lambda ident: ident in live or ident in isolated)

    def _tick(self) -> None:
        self.process.call_later(1.0, self._tick)
        self.names.tick(self.process.machine.clock.now)
        self.holdings.look()

    def configure(self, configuration: Configuration) -> None:
        """As `run/parts.commit`."""
        self.pool.configure(configuration)
        self.board.configure(configuration)

    async def drain(self, seconds: float, over: Callable[[Error | None], None]) -> None:
        """As `run/parts`: let what is under way end, and close."""
        self.draining = True
        self.soundness.stop()
        await self.holdings.stop()
        self.in_doubt()
        await self.pool.close(seconds)
        self.in_doubt()
        while self.admit.submitted:
            await self.sleep(0.01)
        self.board.stop()
        self.sweep.stop()
        self.known = dict(self.spool._by_number)
        try:
            await self.spool.close()
        except Error as error:
            over(error)
        else:
            over(None)

    async def sleep(self, seconds: float) -> None:
        waiting = self.process.create_future()
        self.process.call_later(seconds, waiting.set_result, None)
        await waiting

    def in_doubt(self) -> None:
        """Connections were dropped: their hosts may have what they were sent."""
        for ident in self.hands:
            self.audit.fates[ident].excuses += 1

    @property
    def hands(self) -> list[int]:
        """Entries which connections hold."""
        return [entry.id for entries in self.pool.in_hands() for entry in entries]

    def kill(self) -> None:
        """Die at once."""
        shards = self.known or self.spool._by_number
        written = {shard.number: shard.state.written for shard in shards.values()}
        self.audit.killed(written, self.hands)
        self.ledger.dead = True
        self.disk.kill()
