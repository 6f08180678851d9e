"""A simulated node under weather: what comes, what fails, and what an operator does, by the seed.

    World(seed).run()

First it storms: mail comes, hosts, names, disks and workers fail, limits change. Then all is well
and the rest of the mail must end within its time. Between the callbacks of the machine `oracle`
looks at what must hold; `audit` reckons what must have become of every entry.
"""

import gc
import zlib
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.core.body import MemoryBody
from angarium.core.errors import Error
from angarium.core.message import Message, Notify, Recipient
from angarium.journal.errors import SpoolError
from angarium.queue.bulk import Tally
from angarium.queue.line import Key
from angarium.queue.spool.means import Settings
from helpers.disk import MemoryDisk
from helpers.dns import Zone
from helpers.sim import oracle
from helpers.sim.audit import Audit
from helpers.sim.disk import View, waits
from helpers.sim.ledger import Many, One, Reckoning, Shared
from helpers.sim.limits import BINDINGS, DOMAINS, limits
from helpers.sim.loop import Machine
from helpers.sim.net import Mood, Net
from helpers.sim.trouble import befall, mended, resume
from helpers.sim.worker import Worker

STORM_SECONDS: Final = 300.0
CALM_SECONDS: Final = 7200.0
# A line keeps a connection for 5 s or 20 messages while another waits for it; a host which is away
# is left alone for 60 s.
TURN_SECONDS: Final = 60.0
SETTINGS: Final = Settings(
    segment=16384,
    reserve=2 * 16384,
    checkpoint_octets=32768,
    checkpoint_seconds=120.0,
    space_low=0,
    inodes_low=0,
    compact_rate=1 << 20,
)


class BrokenError(AssertionError):
    """Something that must hold did not."""


class World:
    """A node.

    Args:
        seed: of everything.

    Attributes:
        trace: the last things that were done to it, and alarms.
        digest: of all callbacks; equal for equal runs.
    """

    def __init__(self, seed: int, *, digest: bool = False, storm: float = STORM_SECONDS) -> None:
        self.seed = seed
        self.random = random = Random(seed)
        self.storm = storm
        self.machine = Machine(
            Random(random.random()),
            cost=random.choice((1e-6, 2e-5, 2e-4, 1e-3)),
            late=random.choice((0.0, 0.001, 0.05)),
        )
        self.clock = self.machine.clock
        self.trace: deque[str] = deque(maxlen=60)
        self.audit = Audit(self.clock, self.fail)
        self.workers_most = random.choice((1, 1, 2, 3))
        self.reckoning = Reckoning(self.workers_most, self.fail)
        lost, busy = random.choice((0.0, 0.3)), random.choice((0.0, 0.0, 0.05))
        rows = random.choice((16, 256, 256))
        self.shared = (
            Shared(self.workers_most, rows, Random(random.random()), lost, busy)
            if self.workers_most > 1
            else None
        )
        self.disk = MemoryDisk()
        self.disk.make_dir("/spool")
        self.net = Net(Random(random.random()), self._taken, lambda address: "nobody" in address)
        self.zone = Zone(self._zone())
        self.generation = 0
        self.configuration = self._generate()
        self.workers: dict[int, Worker] = {}
        self.graveyard: list[Worker] = []
        self.orphans: list[str] = []  # shards of the dead, for somebody to adopt
        self.next_shard = 0
        self.lives = 0
        self.messages = 0
        self.stalled = 0.0
        self.due: list[tuple[float, int, Callable[[], object]]] = []
        self.digest = 0
        self.calm = False
        self._waiting: dict[tuple[str, Key], tuple[int, float]] = {}  # with how much, since when
        self._digesting = digest
        self.tallies: list[Tally] = []
        self._wait = waits(Random(random.random()), 0.004, random.choice((0.05, 2.0)))

    @property
    def hours(self) -> float:
        return (self.clock.now - 1000.0) / 3600.0

    # What is there.

    def fail(self, text: str) -> None:
        tail = "\n    ".join(self.trace)
        raise BrokenError(f"seed {self.seed}, {self.clock.now - 1000.0:.3f} s: {text}\n    {tail}")

    def note(self, text: str) -> None:
        self.trace.append(f"{self.clock.now - 1000.0:10.3f} {text}")

    def _zone(self) -> str:
        lines = []
        for number, domain in enumerate(DOMAINS):
            hosts = self.random.choice((1, 1, 2))
            for each in range(hosts):
                name = f"mx{each}.{domain}"
                address = f"192.0.2.{10 * number + each + 1}"
                lines.append(f"{domain} 600 MX {10 * (each + 1)} {name}")
                lines.append(f"{name} 600 A {address}")
                self.net.host(name, address)
        lines.append("origin.test 600 A 192.0.2.200")
        self.net.host("origin.test", "192.0.2.200").mood = Mood(self.random, good=True)
        return "\n".join(lines)

    def _generate(self, *, calm: bool = False) -> Configuration:
        """Return a new generation, with limits of its own."""
        self.generation += 1
        return load_text(limits(self.random, calm=calm), self.generation)

    # Mail.

    def submit(self) -> None:
        """Bring a message to some worker, perhaps many times the like."""
        random = self.random
        ready = [each for each in self.workers.values() if each.ready and not each.draining]
        if not ready:
            return
        worker = random.choice(ready)
        many = random.random() < 0.1
        domain = random.choice(DOMAINS)
        group, binding = random.choice(BINDINGS)
        for _ in range(random.randrange(5, 40) if many else 1):
            if not many:
                domain = random.choice(DOMAINS)
                group, binding = random.choice(BINDINGS)
            self._submit(worker, domain, group, binding)

    def _submit(self, worker: Worker, domain: str, group: str, binding: str) -> None:
        random = self.random
        self.messages += 1
        number = self.messages
        sender = f"m{number}@origin.test" if random.random() < 0.3 else ""
        recipients = []
        for each in range(random.choice((1, 1, 1, 2, 5))):
            where = domain if random.random() < 0.8 else random.choice(DOMAINS)
            who = "nobody" if random.random() < 0.05 else "r"
            notify = Notify.SUCCESS if random.random() < 0.05 else Notify.UNSET
            address = f"{who}{number}.{each}@{where}"
            recipients.append(Recipient(address, where, group, binding, notify=notify))
        body = b"Subject: %d\r\n\r\n" % number + b"x\r\n" * random.choice((1, 10, 300))
        message = Message(sender, MemoryBody(body), received_at=self.clock.time())
        self.machine.within(
            worker.process, lambda: worker.admit.submit(message, recipients, self._submitted)
        )

    def _submitted(self, error: SpoolError | None) -> None:
        """The peer hears of it."""

    def _taken(self, wire: Any, rcpts: list[str], content: bytes, *, heard: bool) -> None:
        for each in rcpts:
            self.audit.taken(each, heard=heard)

    # Workers.

    def born(self, number: int, shards: list[str]) -> None:
        random = self.random
        self.lives += 1
        process = self.machine.process(f"worker {number}.{self.lives}")
        if not shards or random.random() < 0.2:
            shards = [f"{self.next_shard:03d}", *shards]
            self.next_shard += 1
        name = process.name
        if self.shared is None:
            ledger: Many | One = One(self.clock, name, self.reckoning)
        else:
            ledger = Many(self.shared, number, self.clock, self.note, name, self.reckoning)
            ends = self.shared.ends[number]
            ends.queue.clear()
            ends.process, ends.read = process, ledger.read
        worker = Worker(
            number, process, disk=View(self.disk), net=self.net, zone=self.zone, ledger=ledger,
            configuration=self.configuration, settings=SETTINGS, wait=self._wait, audit=self.audit,
            random=Random(random.random()), workers=self.workers_most,
            alarm=lambda text: self._alarm(name, text),
            failed=lambda error: self._failed(number, error),
            unsound=lambda text: self.fail(f"{name}: the checker says: {text}"),
            refused=lambda shard: self.later(2.0, lambda: self.adopt([shard])),
        )  # fmt: skip
        self.workers[number] = worker
        self.note(f"{name} begins with {shards}")
        self.machine.within(process, lambda: worker.start(shards))

    def die(self, worker: Worker) -> None:
        """SIGKILL; the supervisor notices, frees what it held and gives its shards to somebody."""
        self.note(f"{worker.process.name} is killed")
        worker.kill()
        self._buried(worker)

    def _buried(self, worker: Worker) -> None:
        number, process = worker.number, worker.process
        if self.workers.get(number) is not worker:
            return
        self.net.lose(process)
        self.machine.remove(process)
        self.graveyard.append(worker)
        del self.workers[number]
        shards = [*worker.shards]

        def noticed() -> None:
            self.reckoning.dead(process.name, shared=self.shared is not None)
            if self.shared is not None:
                self.shared.clear_worker(number)
            self.again(number, shards)

        self.later(self.random.random() * 0.3, noticed)

    def again(self, number: int, shards: list[str]) -> None:
        if self.random.random() < 0.3 and self.adopt(shards, again=False):
            shards = []
        self.born(number, shards)

    def adopt(self, shards: list[str], *, again: bool = True) -> bool:
        """Give shards to some worker; say whether there is one."""
        able = [each for each in self.workers.values() if each.ready and not each.draining]
        if able:
            heir = self.random.choice(able)
            self.note(f"{heir.process.name} adopts {shards}")
            heir.shards += shards  # They are its own from now on, also if it dies before it begins.
            self.machine.within(heir.process, lambda: heir.spawn(heir.adopt(shards)))
        elif again:
            self.later(2.0, lambda: self.adopt(shards))
        return bool(able)

    def _alarm(self, name: str, text: str) -> None:
        said = f"{name}: {text}"
        if not any(each.endswith(said) for each in self.trace):
            self.note(said)

    def _failed(self, number: int, error: Error) -> None:
        """A worker could not start; the supervisor starts it again."""
        self.note(f"worker {number} cannot start: {error}")
        worker = self.workers[number]
        self.later(self.random.random() * 5.0, lambda: self.die(worker))

    def drain(self, worker: Worker) -> None:
        """Stop a worker in order, and start another."""
        self.note(f"{worker.process.name} is told to end")

        def over(error: Error | None) -> None:
            self.note(f"{worker.process.name} has ended: {error}")
            worker.kill()
            self._buried(worker)

        self.machine.within(
            worker.process,
            lambda: worker.spawn(worker.drain(self.random.choice((0.0, 5.0)), over)),
        )

    # What happens.

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        self.due.append((self.clock.now + seconds, len(self.due), call))
        self.due.sort(key=lambda each: each[:2])

    def misfortune(self) -> None:
        """Something goes wrong, or is changed."""
        workers = [each for each in self.workers.values() if each.ready and not each.draining]
        if workers:
            befall(self, self.random.choice(workers))

    # The run.

    def run(self) -> "World":
        enabled = gc.isenabled()
        gc.disable()
        try:
            self._run()
        finally:
            self._close()
            if enabled:
                gc.enable()
        return self

    def _run(self) -> None:
        for number in range(self.workers_most):
            self.born(number, [])
        self._until(self.clock.now + 5.0)
        end = self.clock.now + self.storm
        rate = self.random.choice((2.0, 10.0))
        trouble = self.random.choice((5.0, 20.0, 60.0))
        self._every(rate, end, self.submit)
        self._every(trouble, end, self.misfortune)
        self._until(end)
        self._calm()
        self._until(self.clock.now + CALM_SECONDS, lambda: self._ended)
        self._until(self.clock.now + 120.0)
        self._finish()

    def _every(self, mean: float, end: float, call: Callable[[], None]) -> None:
        def again() -> None:
            if self.clock.now < end:
                self.later(self.random.expovariate(1.0 / mean), again)
                call()

        self.later(self.random.expovariate(1.0 / mean), again)

    def _until(self, end: float, done: Callable[[], bool] = lambda: False) -> None:
        machine, check = self.machine, 0
        while machine.clock.now < end:
            at = min(end, self.due[0][0]) if self.due else end
            if not machine.step(at):
                while self.due and self.due[0][0] <= machine.clock.now:
                    _, _, call = self.due.pop(0)
                    call()
                self._whole()
            if self._digesting:
                self.digest = zlib.crc32(f"{machine.clock.now:.9f}".encode(), self.digest)
            if machine.faults:
                name, context = machine.faults[0]
                error = context.get("exception")
                self.note(f"{name}: {context}")
                raise BrokenError(f"seed {self.seed}: {name} raised {error!r}") from error
            check += 1
            if not check % 64:
                self._whole()
                if done():
                    return

    def _whole(self) -> None:
        lateness = self.stalled + self.machine.lag
        if self.audit.early and all(each.finished for each in self.tallies):
            self.audit.early = False
            self.tallies.clear()
        self.audit.early = bool(self.tallies)
        for worker in self.workers.values():
            if not (worker.process.dead or worker.draining):
                oracle.quick(worker, self.fail)
                oracle.whole(worker, self.fail, lateness=lateness)
        if self.calm:
            self._starving()

    def configure(self) -> None:
        """Let all workers go over to another generation."""
        self.note(f"generation {self.generation + 1}")
        self.configuration = self._generate()
        self._commit()

    def _commit(self) -> None:
        for each in self.workers.values():
            self.machine.within(each.process, partial(each.configure, self.configuration))

    def _starving(self) -> None:
        """Fail where a line with mail has had no turn for longer than all others together need."""
        now = self.clock.now
        waiting: dict[tuple[str, Key], tuple[int, float]] = {}
        for worker in self.workers.values():
            for line in worker.board.lines.values():
                if line.active and not (line.in_flight or line.closed or worker.draining):
                    key = worker.process.name, line.key
                    active, since = self._waiting.get(key, (0, now))
                    waiting[key] = line.active, since if active == line.active else now
        bound = TURN_SECONDS * (len(waiting) + 2)
        for (name, line_key), (_, since) in waiting.items():
            if now - since > bound:
                self.fail(f"{name}: {'/'.join(line_key)} had no turn for {now - since:.0f} s")
        self._waiting = waiting

    def _calm(self) -> None:
        """Everything is well from now on."""
        self.calm = True
        self.note("all is well from now on")
        mended(self)
        self.disk.cold = False
        self.net.shortage = 0.0
        for host in self.net.hosts.values():
            host.mood = Mood(self.random, good=True)
        self.configuration = self._generate(calm=True)
        self._commit()
        for worker in self.workers.values():
            worker.names.failing, worker.names.slow = 0.0, 0.05
            worker.process.stalled_until = 0.0
            resume(self, worker)

    @property
    def _ended(self) -> bool:
        return not self.due and all(
            worker.ready and not len(worker.spool.live) for worker in self.workers.values()
        )

    def _finish(self) -> None:
        self._whole()
        self.audit.over()
        for worker in self.workers.values():
            oracle.empty(worker, self.fail)
        shared = self.shared
        left = [shared.column(number) for number in self.workers] if shared is not None else []
        if any(left):
            self.fail(f"at the end the table has {left}")

    def _close(self) -> None:
        for worker in [*self.workers.values(), *self.graveyard]:
            worker.ledger.dead = True
            worker.process.kill()
            worker.process.bury()
        if self.shared is not None:
            self.shared.close()
