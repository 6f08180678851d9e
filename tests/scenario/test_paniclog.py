"""paniclog: what an operator must see is there, told by whom it concerns, once."""

import os
import re
import signal
from pathlib import Path

import pytest

from helpers.world import World

AGAIN = "worker is started again"


@pytest.mark.slow
async def test_starts_reloads_deaths_and_the_end_are_in_it(tmp_path: Path) -> None:
    async with World(tmp_path) as world:
        [pid] = world.worker_pids()
        os.kill(pid, signal.SIGKILL)
        await world.logged("paniclog", "worker died")
        await world.until(lambda: any("started again" in each for each in world.output), "another")
        await world.until(world.worker_pids, "a worker")
        await world.reload("# nothing new\n")
        assert await world.stop() == 0
        told = [re.sub(r"^\d+:", "", line) for line in world.log("paniclog")]
    wanted = (
        r"Milestone: Angarium \S+ started, generation 1",
        r"core: worker died worker=0 status=-9",
        r"Milestone: reloaded, generation 2",
        r"Milestone: stopping, within 30 s",
        r"Milestone: stopped",
    )
    assert len(told) == len(wanted), told
    for line, pattern in zip(told, wanted, strict=True):
        assert re.fullmatch(pattern, line), told


@pytest.mark.slow
async def test_flags_say_what_is_in_it_and_the_same_is_there_once(tmp_path: Path) -> None:
    config = """
        debug_flags { info = ( START ) error = ( ) }
        debug_throttle_max_num_same_message = 1
        debug_throttle_period_secs = 60
    """
    async with World(tmp_path, config) as world:
        for number in (1, 2):
            [pid] = world.worker_pids()
            os.kill(pid, signal.SIGKILL)
            await world.until(
                lambda number=number: sum(AGAIN in line for line in world.output) == number,  # type: ignore[misc]
                AGAIN,
            )
            await world.until(world.worker_pids, "a worker")
        assert sum(AGAIN in line for line in world.log("paniclog")) == 1
        assert not any("worker died" in line for line in world.log("paniclog"))
        await world.reload("# as by default\n")
        [pid] = world.worker_pids()
        os.kill(pid, signal.SIGKILL)
        await world.logged("paniclog", "worker died")
