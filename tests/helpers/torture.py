"""A server that is killed again and again under load, and the reckoning afterwards, by recipient.

    async with torture(tmp_path) as trial:
        await trial.load(100)             so many more messages were acknowledged
        await trial.kill_worker()         and other misfortunes
    await trial.reckon()                  raises AssertionError, with who is missing

What must hold, whatever was killed when:

    every recipient with a 250 was logged as received, and ended, or is queued or quarantined
    every line of the logs is there exactly once
    who arrived twice did so only where the window of RFC 1047 was open: around a death
    `angarium audit` agrees
"""

import asyncio
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

from helpers.pressure import Pressure, pressure
from helpers.world import World

ZONE: Final = """
sink.test MX 10 mx.sink.test
sender.test MX 10 mx.sink.test
held.test MX 10 mx.sink.test
mx.sink.test A 127.0.0.1
"""
# A tenth is refused for good, so that reports are made; some have to come again.
SCRIPT: Final = """
at rcpt to u*7@sink.test reply 550 5.1.1 no such user
at dot probability 0.05 reply 451 4.3.0 later
"""
CONFIG: Final = """
spool_segment_size = "1M"
large_message_threshold = "16k"
checkpoint_interval = 1
max_retry_interval = 1
"""
SENDER: Final = "load@sender.test"
# A peer has said 250, and we die before its delivery is written: a trip of the loop and of the
# disk's thread. The rest is for a machine that has other things to do.
BEFORE: Final = 2.0
AFTER: Final = 1.0  # what was sent may be taken after we are dead
_DIED: Final = re.compile(r'"event": "worker died".*"timestamp": "([^"]+)"')


class Torture:
    """One server under load, and what became of it.

    Attributes:
        deaths: when processes died, Unix time.
    """

    def __init__(self, world: World, load: Pressure, seed: int) -> None:
        self.world = world
        self.deaths: list[float] = []
        self._load = load
        self._random = Random(seed)
        self._told: list[str] = []  # what the server said in its former lives

    @property
    def acknowledged(self) -> list[str]:
        return self._load.acknowledged

    async def load(self, more: int) -> None:
        """Wait until so many more messages were acknowledged."""
        wanted = len(self.acknowledged) + more
        await self.world.until(lambda: len(self.acknowledged) >= wanted, f"{more} more messages")

    def died(self) -> list[float]:
        """Return when workers died by themselves, in this life of the server."""
        found = [_DIED.search(line) for line in self.world.output]
        return [datetime.fromisoformat(each[1]).timestamp() for each in found if each]

    # Misfortunes.

    def kill_worker(self) -> None:
        if pids := self.world.worker_pids():
            os.kill(self._random.choice(pids), signal.SIGKILL)

    def kill_hose(self) -> None:
        if pid := self.world.hose_pid():
            os.kill(pid, signal.SIGKILL)

    async def kill_supervisor(self) -> None:
        """Only the supervisor: its workers are orphans now."""
        self._remember()
        self.world.signal(signal.SIGKILL)
        await self.world.ended()
        await self.world.start()

    async def kill_all(self) -> None:
        self._remember()
        self.world.kill()
        await self.world.ended()
        await self.world.start()

    async def restart(self, fault: str = "") -> int:
        """Stop in order, start with another fault armed; return how many workers had died."""
        await self.world.stop()
        died = self.died()
        self.deaths += died
        self.world.fault = fault
        await self.world.start()
        return len(died)

    async def arm(self, fault: str, deaths: int = 1) -> None:
        """Start with a fault armed until so many processes have died of it; then kill all.

        The server need not become ready.
        """
        self._remember()
        self.world.kill()
        await self.world.ended()
        self.world.fault = fault
        starting = asyncio.ensure_future(self.world.start())
        try:
            await self.world.until(lambda: self._dead() >= deaths, f"deaths by {fault}")
        finally:
            self._remember()
            self.world.kill()
            with suppress(RuntimeError):
                await starting
            await self.world.ended()
        self.world.fault = ""

    async def start(self) -> None:
        await self.world.start()

    def _dead(self) -> int:
        return sum("worker died" in line or "hose died" in line for line in self.world.output)

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
        self._arrived(log)

    def _arrived(self, log: "Log") -> None:
        """Everyone who was delivered arrived, and twice only around a death."""
        at: dict[str, list[float]] = {}
        for mail in self.world.sink.accepted:
            for recipient in mail.recipients:
                at.setdefault(recipient, []).append(mail.at)
        missing = {log.received[ident] for ident in log.delivered} - at.keys()
        assert not missing, f"logged as delivered and never seen: {sorted(missing)[:5]}"
        twice = {who: times for who, times in at.items() if len(times) > 1 and who != SENDER}
        for who, times in twice.items():
            assert any(-AFTER < death - times[0] < BEFORE for death in self.deaths), (
                f"{who} arrived at {times}, deaths were at {self.deaths}"
            )
        sys.stdout.write(f"{len(at)} arrived, {len(twice)} twice, {len(self.deaths)} deaths\n")


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
    rate: float = 200.0,
    seed: int = 0,
    config: str = "",
) -> AsyncIterator[Torture]:
    world = World(folder, CONFIG + config, ZONE, sink=SCRIPT, workers=2)
    async with (
        world,
        pressure(world.port, size=size, patience=20.0, rate=rate, connections=4) as load,
    ):
        yield Torture(world, load, seed)
