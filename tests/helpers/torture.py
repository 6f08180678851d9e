"""A server that is killed again and again under load, and the reckoning afterwards, by recipient.

    async with torture(tmp_path) as trial:
        await trial.load(100)             so many more recipients were acknowledged
        await trial.kill_worker()         and other misfortunes
        await trial.reckon()              raises AssertionError, with who is missing

What must hold, whatever was killed when:

    every recipient with a 250 was logged as received, and ended, or is queued or quarantined
    every line of the logs is there exactly once
    who arrived twice did so only where the window of RFC 1047 was open: around a death
    `angarium audit` agrees

`trial.counts` says what happened, for the tally.
"""

import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

from helpers.preload import preload
from helpers.pressure import Pressure, pressure
from helpers.world import World

ZONE: Final = """
sink.test MX 10 mx.sink.test
sender.test MX 10 mx.sink.test
held.test MX 10 mx.sink.test
mx.sink.test A 127.0.0.1
"""
# A part is refused for good, so that reports are made; some have to come again.
SCRIPT: Final = """
at rcpt to u*7.1@sink.test reply 550 5.1.1 no such user
at rcpt to u*.3@sink.test probability 0.2 reply 450 4.2.1 busy
at dot probability 0.05 reply 451 4.3.0 later
"""
CONFIG: Final = """
spool_segment_size = "1M"
large_message_threshold = "16k"
checkpoint_interval = 1
max_retry_interval = 1
upgrade_timeout = 1
binding_group "g" {
  binding "one" { bind_address = "127.0.2.11" }
  binding "two" { bind_address = "127.0.2.12" }
}
"""
# What policy would put into bindings, there before the server starts.
BOUND: Final = [("g", name, f"{name}{n}@sink.test") for name in ("one", "two") for n in range(20)]
SENDER: Final = "load@sender.test"
# A peer has said 250, and we die before its delivery is written: a trip of the loop and of the
# disk's thread. The rest is for a machine that has other things to do.
BEFORE: Final = 4.0
DEATH: Final = 15.0  # seconds for one death and what follows
AFTER: Final = 1.0  # what was sent may be taken after we are dead
ORPHANS: Final = 10.0  # seconds for workers to hear that their supervisor has died
_DIED: Final = re.compile(r'"event": "worker died".*"timestamp": "([^"]+)"')


class Torture:
    """One server under load, and what became of it.

    Attributes:
        deaths: when it was seen that processes had died, Unix time.
        counts: what happened.
    """

    def __init__(self, world: World, load: Pressure, seed: int) -> None:
        self.world = world
        self.deaths: list[float] = []
        self._killed: list[float] = []  # when they did, where that is known
        self.counts: Counter[str] = Counter()
        self._turn = 0
        self._load = load
        self._random = Random(seed)
        self._told: list[str] = []  # what the server said in its former lives

    @property
    def acknowledged(self) -> list[str]:
        return self._load.acknowledged

    async def load(self, more: int) -> None:
        """Wait until so many more recipients were acknowledged."""
        wanted = len(self.acknowledged) + more
        await self.world.until(lambda: len(self.acknowledged) >= wanted, f"{more} more")

    def died(self) -> list[float]:
        """Return when workers died by themselves, in this life of the server."""
        found = [_DIED.search(line) for line in self.world.output]
        return [datetime.fromisoformat(each[1]).timestamp() for each in found if each]

    # Misfortunes.

    def kill_worker(self) -> None:
        if pids := self.world.worker_pids():
            self._kill("a worker", self._random.choice(pids))

    def kill_hose(self) -> None:
        if pid := self.world.hose_pid():
            self._kill("the hose", pid)

    def _kill(self, what: str, pid: int) -> None:
        with suppress(ProcessLookupError):
            self._killed.append(time.time())
            os.kill(pid, signal.SIGKILL)
            self.counts[f"kills: {what}"] += 1

    async def kill_supervisor(self) -> None:
        """Only the supervisor: its workers are orphans now."""
        self.counts["kills: the supervisor"] += 1
        self._killed.append(time.time())
        self.world.signal(signal.SIGKILL)
        await self.world.ended()
        self._remember()
        await self.world.start()

    async def kill_all(self, again: int = 0) -> None:
        """Kill all at once, and then again while it starts and recovers."""
        for _ in range(again + 1):
            self.counts["kills: all processes"] += 1
            self._remember()
            self.world.kill()
            await self.world.ended()
            starting = asyncio.ensure_future(self.world.start())
            if again:
                await asyncio.sleep(self._random.uniform(0.2, 1.5))  # somewhere in the start
                self.world.kill()
                with suppress(RuntimeError):
                    await starting
                await self.world.ended()
                starting = asyncio.ensure_future(self.world.start())
            await starting

    async def reload(self) -> None:
        """Ask for a reload; it may be under way when the next misfortune comes."""
        self._turn += 1
        self.counts["reloads"] += 1
        self.world.configure(f"{self.world.extra}message_expiration = {100_000 + self._turn}\n")
        self.world.signal(signal.SIGHUP)

    async def upgrade(self) -> None:
        """Ask for an upgrade; as with a reload."""
        self.counts["upgrades"] += 1
        self.world.signal(signal.SIGUSR2)

    async def restart(self, fault: str = "") -> int:
        """Stop in order, start with another fault armed; return how many workers had died."""
        await self.world.stop()
        died = self.died()
        self.deaths += died
        self.counts["stops in order"] += 1
        self.world.environment.pop("ANGARIUM_FAULT_ONCE", None)
        self.world.fault = fault
        await self.world.start()
        return len(died)

    async def arm(
        self, points: dict[str, int], provoke: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """Start with points armed, let a process die of each, then kill all.

        The server need not become ready; if it does, `provoke` is called again and again.
        """
        self._remember()
        self.world.kill()
        await self.world.ended()
        spent = self.world.folder / f"spent{self._turn}"
        self._turn += 1
        spent.mkdir()
        self.world.fault = ",".join(f"{name}:{hit}=kill" for name, hit in points.items())
        self.world.environment["ANGARIUM_FAULT_ONCE"] = str(spent)
        starting = asyncio.ensure_future(self._keep_starting())
        provoking = asyncio.ensure_future(self._provoke(provoke))
        try:
            await self.world.until(
                lambda: len(os.listdir(spent)) == len(points),
                f"a death at each of {', '.join(points)}",
                DEATH * (len(points) + 1),
            )
        except TimeoutError as error:
            error.add_note(f"deaths were at {sorted(os.listdir(spent))}")
            raise
        finally:
            await _cancelled(provoking, starting)
            self._remember()
            self.world.kill()
            await self.world.ended()
            self.world.fault = ""
            self._killed += [path.stat().st_mtime for path in spent.iterdir()]
        for name in points:
            self.counts[f"kills: {name}"] += 1

    async def _keep_starting(self) -> None:
        """Start the server again whenever the supervisor itself has died."""
        while True:
            with suppress(RuntimeError):
                await self.world.start()
            await self.world.ended()
            self._remember()

    async def _provoke(self, provoke: Callable[[], Awaitable[object]] | None) -> None:
        while provoke is not None:
            if self.world.running and self.world.ready():
                await provoke()
            await asyncio.sleep(0.5)

    async def start(self) -> None:
        await self.world.start()

    def _remember(self) -> None:
        self.deaths += [*self.died(), time.time()]  # now, too: all are killed, or stopped

    # The reckoning.

    async def reckon(self, others: Sequence[str] = ()) -> None:
        """End the load, let everything be delivered, and compare; `others` were taken on too."""
        await self._load.end()
        self.acknowledged.extend(others)
        world = self.world
        log = Log(world)
        await world.until(lambda: log.settled(self.acknowledged), "the end of every entry")
        self.deaths += self.died()
        found = await world.audit()
        assert found["sound"], found
        log.read()
        log.compare(self.acknowledged, found["sum"])
        repeated = sum(each["repeated"] for each in found["shards"].values())
        assert not repeated, f"ended twice, and only a power cut may bring that about: {found}"
        self._arrived(log)
        self._count(log)

    def _arrived(self, log: "Log") -> None:
        """Everyone who was delivered arrived, and twice only around a death."""
        at: dict[str, list[float]] = {}
        for mail in self.world.sink.accepted:
            for recipient in mail.recipients:
                at.setdefault(recipient, []).append(mail.at)
        missing = {log.received[ident] for ident in log.delivered} - at.keys()
        assert not missing, f"logged as delivered and never seen: {sorted(missing)[:5]}"
        twice = {who: times for who, times in at.items() if len(times) > 1 and who != SENDER}
        spans = self._spans()
        for who, times in twice.items():
            assert any(since - BEFORE < times[0] < until + AFTER for since, until in spans), (
                f"{who} arrived at {times}, deaths were at {spans}"
            )
        self.counts["delivered twice: taken by the peer, not recorded when a process died"] += len(
            twice
        )

    def _spans(self) -> list[tuple[float, float]]:
        """Return in which times processes died.

        That a supervisor has died its workers hear a moment later, and go on until then.
        """
        seen = sorted(self.deaths)
        ends = [next((d for d in seen if d >= since), since) for since in self._killed]
        killed = [(a, min(b, a + ORPHANS)) for a, b in zip(self._killed, ends, strict=True)]
        return sorted([*killed, *((death, death) for death in seen)])

    def _count(self, log: "Log") -> None:
        unasked = set(log.received.values()) - set(self.acknowledged)
        unasked -= {SENDER, *(address for _, _, address in BOUND)}
        counts = self.counts
        counts["recipients acknowledged"] += len(set(self.acknowledged))
        counts["delivered"] += len(log.delivered)
        counts["bounced"] += len(log.failed)
        counts["taken in, and the client not told"] += len(unasked)
        counts["deaths"] += len(self.deaths)


async def _cancelled(*tasks: asyncio.Future[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Log:
    """The mainlog, by recipient id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.received: dict[str, str] = {}
        self.delivered: set[str] = set()
        self.failed: set[str] = set()
        self._doubled: list[str] = []

    def read(self) -> None:
        self.received, self._doubled = {}, []
        self.delivered, self.failed = set(), set()
        seen: Counter[tuple[str, str]] = Counter()
        for line in self._world.log("mainlog"):
            fields = line.split("@")
            if len(fields) < 6 or fields[4] not in ("R", "D", "P"):
                continue
            ident, kind = fields[1], fields[4]
            seen[ident, kind] += 1
            if kind == "R":
                self.received[ident] = f"{fields[5]}@{fields[6]}"
            else:
                (self.delivered if kind == "D" else self.failed).add(ident)
        self._doubled = [f"{kind} {ident}" for (ident, kind), times in seen.items() if times > 1]

    def settled(self, acknowledged: Sequence[str]) -> bool:
        """Say whether everyone is known, and every entry has ended."""
        self.read()
        ended = self.delivered | self.failed
        return set(acknowledged) <= set(self.received.values()) and self.received.keys() <= ended

    def compare(self, acknowledged: Sequence[str], counted: dict[str, int]) -> None:
        assert not self._doubled, f"lines which are there twice: {self._doubled[:5]}"
        assert not self.delivered & self.failed
        assert self.delivered | self.failed == self.received.keys()
        assert set(acknowledged) <= set(self.received.values())
        assert counted["queued"] == counted["quarantined"] == 0
        # A shard that was emptied and removed is in the logs only.
        assert counted["delivered"] <= len(self.delivered)
        assert counted["bounced"] + counted["expired"] <= len(self.failed)


@asynccontextmanager
async def torture(
    folder: Path,
    *,
    size: str = "2k:90,20k:10",
    rate: float = 40.0,
    recipients: int = 3,
    seed: int = 0,
    config: str = "",
) -> AsyncIterator[Torture]:
    world = World(folder, CONFIG + config, ZONE, sink=SCRIPT, workers=2)
    await preload(world.state, BOUND)
    async with (
        world,
        pressure(
            world.port, size=size, patience=90.0, rate=rate, connections=4, recipients=recipients
        ) as load,
    ):
        yield Torture(world, load, seed)
