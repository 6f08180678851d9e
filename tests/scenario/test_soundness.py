"""The check of the queues, in a server at work: it finds nothing where nothing is wrong."""

import os
import signal
import time
from pathlib import Path

import pytest

from angarium.run.readings import PAST, Readings
from angarium.run.scoreboard import MAX_WORKERS
from helpers.pressure import pressure
from helpers.world import World

CONFIG = """
soundness_interval = 1
max_outbound_connections = 3
server_max_outbound_connections = 4
"""
ZONE = "sink.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\n"


@pytest.mark.slow
async def test_nothing_is_found_under_load_deaths_and_reloads(tmp_path: Path) -> None:
    async with World(tmp_path, CONFIG, zone=ZONE, workers=2) as world:
        readings = Readings(world.state / "run" / "readings")

        def counted(name: str) -> list[object]:
            found = readings.read(time.time())
            return [row.get(name, 0) for number, row in found.items() if number < MAX_WORKERS]

        async with pressure(world.port, connections=4, rate=200) as load:
            for number in range(3):
                most = 150 * number
                await world.until(lambda most=most: len(load.acknowledged) > most, "mail")  # type: ignore[misc]
                await world.reload(f"{CONFIG}\nretry_interval = {number + 1}\n")
            os.kill(world.worker_pids()[0], signal.SIGKILL)
            await world.logged("paniclog", "worker died")
            await world.until(lambda: len(world.worker_pids()) == 2, "two workers")
            looked = lambda: len(looks := counted("soundness_looks")) == 2 and 0 not in looks  # noqa: E731
            await world.until(looked, "a look of each worker")
        assert counted("soundness_found") == [0, 0]
        # Of the one that was killed, too.
        assert readings.read(time.time())[PAST]["soundness_found"] == 0
        assert [line for line in world.log("paniclog") if "not sound" in line] == []
        readings.close()
