"""Logs rotated while mail flows and the hose is killed: each line is there once."""

import asyncio
import bz2
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from angarium.run.programs.upgrade import server
from helpers.world import World

ZONE = "x.test MX 10 mx.x.test\nmx.x.test A 127.0.0.1\n"
MESSAGES = 40


async def rotated(world: World) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.run.programs.rotate", "-r", "1000"),
        *("-l", str(world.logs / "mainlog.ec"), "-l", str(world.logs / "paniclog.ec")),
        *("-s", str(world.state / "run" / "control")),
    )
    assert await process.wait() == 0


def lines(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in folder.glob("mainlog.ec*"):
        octets = path.read_bytes()
        text = (bz2.decompress(octets) if path.suffix == ".bz2" else octets).decode()
        found.update(line for line in text.splitlines() if "@R@" in line or "@D@" in line)
    return found


async def test_each_line_is_in_one_of_the_files_once(tmp_path: Path) -> None:
    async with World(tmp_path, zone=ZONE) as world:
        assert server(world.state) == world.pid

        async def send() -> None:
            for number in range(MESSAGES):
                await world.send("a@h.test", [f"u{number}@x.test"], b"Subject: x\r\n\r\nx\r\n")

        sending = asyncio.ensure_future(send())
        turns = 0
        while not sending.done():
            await rotated(world)
            turns += 1
            if turns == 2:
                hose = world.hose_pid()
                assert hose > 0
                os.kill(hose, signal.SIGKILL)
        await sending
        await world.delivered(MESSAGES)
        await world.until(lambda: sum(lines(world.logs).values()) >= 2 * MESSAGES, "all lines")
        await rotated(world)
        assert await world.stop() == 0
        found = lines(world.logs)
        assert sum(found.values()) == len(found) == 2 * MESSAGES
        assert list(world.logs.glob("mainlog.ec.*.bz2"))
