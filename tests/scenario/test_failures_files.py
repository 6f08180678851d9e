"""Each file a running server writes fails, one after the other: what is said, and that it heals.

In `test_failures_sites` it is the shard's disk, in memory; here it is the real server with the
files of all its processes. The table says for each kind of file what a client is told, and what
the operator; afterwards all that was promised has arrived once, and each line is there once.
Short: seven of the cases. `make torture`: all, about 25 s.
"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from helpers.caller import Caller
from helpers.injected import Injected
from helpers.rounds import LONG, Seeds

pytestmark = [pytest.mark.slow, pytest.mark.torture]

ZONE: Final = "* A 127.0.0.1"
CONTENT: Final = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * 25
LARGE: Final = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * 400
CONFIG: Final = """
spool_segment_size = "1M"
spool_reserve = "2M"
spool_space_low = 0
spool_inodes_low = 0
log_space_low = 0
log_inodes_low = 0
checkpoint_interval = 1
large_message_threshold = "16k"
"""
FAILED: Final = "451 4.3.0 transaction failed"
FULL: Final = "452 4.3.1 insufficient system storage"
TAKEN: Final = "250 "
RECORDING: Final = "recording what became of mail failed"
BODY: Final = "writing a large body failed"
WRITTEN: Final = "logs are written again"


@dataclass(frozen=True)
class Case:
    """What fails, what a client may be told meanwhile, and what the operator is."""

    rule: str
    told: tuple[str, ...]
    alarm: str
    content: bytes = CONTENT
    clear: str = ""  # what the operator is told afterwards


CASES: Final = [
    # The same alarm of the same errno is told once a minute: so each has its own here.
    Case("sync */data/*.seg EIO", (FAILED,), "writing mail failed (errno='EIO'"),
    Case("write */data/*.seg EREMOTEIO", (FAILED,), "writing mail failed (errno='EREMOTEIO'"),
    Case("write */data/*.seg ENOSPC", (FULL,), "writing mail failed (errno='ENOSPC'"),
    Case("write */data/*.seg EROFS", (FAILED,), "writing mail failed (errno='EROFS'"),
    Case("write */data/*.seg SHORT", (TAKEN,), ""),
    Case("sync */state/*.seg EIO", (TAKEN, FAILED), f"{RECORDING} (errno='EIO'"),
    Case("write */state/*.seg EROFS", (TAKEN, FAILED), f"{RECORDING} (errno='EROFS'"),
    Case("sync */events/*.seg EREMOTEIO", (TAKEN, FAILED), f"{RECORDING} (errno='EREMOTEIO'"),
    Case("write */events/*.seg ENOSPC", (TAKEN, FULL), f"{RECORDING} (errno='ENOSPC'"),
    Case("write */rejections/*.seg EIO", (TAKEN,), "writing the stream of rejections failed"),
    Case("create */large/* EIO", (FAILED,), f"{BODY} (errno='EIO'", LARGE),
    Case("sync */large/* EROFS", (FAILED,), f"{BODY} (errno='EROFS'", LARGE),
    Case("write */large/* ENOSPC", (FULL,), f"{BODY} (errno='ENOSPC'", LARGE),
    Case("write */checkpoints/* EIO", (TAKEN,), "writing a checkpoint failed"),
    Case("write */log/*.ec EIO", (TAKEN,), "logs cannot be written", clear=WRITTEN),
    Case("write */log/mainlog.ec ENOSPC", (TAKEN,), "logs cannot be written", clear=WRITTEN),
    Case("write */log/mainlog.ec SHORT", (TAKEN,), ""),
    Case("sync */log/mainlog.ec EIO", (TAKEN,), "logs cannot be written", clear=WRITTEN),
    Case("write */hose/* EROFS", (TAKEN,), "logs cannot be written", clear=WRITTEN),
    Case("rename */hose/* EIO", (TAKEN,), "logs cannot be written", clear=WRITTEN),
]


class Trial:
    """One server, and what it promised."""

    def __init__(self, world: Injected) -> None:
        self.world = world
        self.promised: list[str] = []
        self.rejected = 0

    async def send(self, caller: Caller, content: bytes) -> str:
        name = f"r{len(self.promised)}-{time.monotonic_ns()}@x.test"
        reply = await caller.deliver(content, name)
        if reply.startswith(TAKEN):
            self.promised.append(name)
            return TAKEN
        return reply

    async def meet(self, case: Case) -> None:
        """Go through one case until all is as before."""
        world = self.world
        before = len(world.output)
        said: Counter[str] = Counter()
        async with world.call() as caller:
            world.fail(case.rule)
            assert (await caller.say("MAIL FROM:nobody"))[0] == "5"  # a line for the rejectlog
            self.rejected += 1

            async def reaction() -> bool:
                said[await self.send(caller, case.content)] += 1
                told = world.told_since(before, case.alarm)
                return told if case.alarm else said.total() >= 3

            await world.eventually(reaction, f"{case.alarm!r} after {case.rule}")
            world.heal()

            async def again() -> bool:
                return await self.send(caller, case.content) == TAKEN

            await world.eventually(again, f"mail to be taken after {case.rule}")
            if case.clear:
                clear = partial(world.told_since, before, case.clear)
                await world.until(clear, f"{case.clear!r} after {case.rule}")
        assert said.keys() <= {*case.told}, case.rule

    async def reckon(self) -> None:
        """Everyone who was promised to arrived once, and each line is there once."""
        world = self.world
        await world.until(
            lambda: len(world.sink.accepted) >= len(self.promised), "all which was promised"
        )
        arrived = Counter(each for mail in world.sink.accepted for each in mail.recipients)
        assert arrived == Counter(self.promised)
        for kind in "RD":
            lines = await world.logged("mainlog", f"@{kind}@", len(self.promised))
            assert len(lines) == len(set(lines)) == len(self.promised)
        # One less: rejections are not kept for a disk which does not take them.
        await world.logged("rejectlog", "MAIL FROM syntax error", self.rejected - 1)
        ends = await world.settled()
        assert ends["accepted"] == ends["delivered"] == len(self.promised)


async def test_each_file_fails_and_the_server_goes_on_when_it_is_well(
    tmp_path: Path, seeds: Seeds, tally: Counter[str]
) -> None:
    [seed] = seeds(1, 1)
    cases = CASES if LONG else random.Random(seed).sample(CASES, 7)
    async with Injected(tmp_path, CONFIG, ZONE) as world:
        trial = Trial(world)
        for case in cases:
            await trial.meet(case)
            tally["kinds of files which failed"] += 1
        await trial.reckon()
        tally["messages accepted meanwhile"] += len(trial.promised)


@pytest.mark.parametrize(
    "rule",
    [
        "mkdir state/* EROFS",
        "create state/lock EACCES",
        "allocate state/run/scoreboard ENOSPC",
        "create state/run/scoreboard EROFS",
    ],
)
async def test_who_cannot_write_what_a_start_needs_says_so_and_ends(
    tmp_path: Path, rule: str
) -> None:
    world = Injected(tmp_path, CONFIG, ZONE)
    world.fail(rule)
    with pytest.raises(RuntimeError, match="exit 3") as failure:
        async with world:
            pass
    assert "Traceback" not in str(failure.value)
    assert rule.rsplit(maxsplit=1)[-1] in str(failure.value)


async def test_a_worker_whose_shard_cannot_be_written_comes_when_it_can(tmp_path: Path) -> None:
    world = Injected(tmp_path, CONFIG, ZONE)
    world.fail("mkdir state/spool/*/data EROFS")
    starting = asyncio.ensure_future(world.__aenter__())
    try:
        await world.until(lambda: world.told_since(0, "EROFS"), "what is wrong")
        world.heal()
        await starting
        await world.mail("b@x.test")
        await world.came("b@x.test")
    finally:
        await asyncio.wait([starting])
        await world.__aexit__(None, None, None)
