"""A process dies at each fault point there is, under load; then everything is accounted for.

A point which is declared and not listed here fails the test: say how it is reached.
"""

import importlib
import pkgutil
from pathlib import Path

import pytest

import angarium
from angarium.core.fault import POINTS
from helpers.pressure import pressure
from helpers.rounds import LONG
from helpers.torture import CONFIG, torture

pytestmark = [pytest.mark.slow, pytest.mark.torture]

# At which hit a process dies which is under load. At the first it must be where it comes once in a
# life; where it comes with every message a later one lets the server get somewhere.
UNDER_LOAD = {
    "journal.preparing": 3,
    "journal.written": 60,
    "journal.synced": 60,
    "spool.durable": 40,
    "spool.settled": 40,
    "spool.retold": 1,
    "spool.recovered": 1,
    "spool.large": 3,
    "settle.confirmed": 40,
    "settle.reported": 3,
    "logfile.written": 5,
    "logfile.reopened": 1,
    "checkpoint.saving": 5,
    "checkpoint.saved": 5,
}
AT_THE_END = ("spool.checkpoint.writing", "spool.checkpoint.named", "journal.recycled")
ELSEWHERE = {
    "spool.moved": "test_a_death_while_contents_are_moved",
    "attempt.converting": "tests/scenario/test_processes_crash.py: it quarantines the message",
}


# In CI some points share a server, for a start costs a second; `make torture` has one for each.
SHORT = not LONG


def shares(points: list[str], runs: int) -> list[list[str]]:
    """Deal the points to so many runs, or each to a run of its own."""
    return [points[n::runs] for n in range(runs)] if SHORT else [[each] for each in points]


def test_every_point_is_reached_somewhere() -> None:
    for each in pkgutil.walk_packages(angarium.__path__, "angarium."):
        importlib.import_module(each.name)
    assert {*UNDER_LOAD, *AT_THE_END, *ELSEWHERE} == POINTS.keys()


@pytest.mark.parametrize("points", shares(list(UNDER_LOAD), 3), ids=" ".join)
async def test_a_death_under_load(points: list[str], tmp_path: Path) -> None:
    async with torture(tmp_path) as trial:
        await trial.load(20)
        for point in points:
            await trial.arm(f"{point}:{UNDER_LOAD[point]}=kill", deaths=1 if SHORT else 3)
            await trial.start()
            await trial.load(20)
        await trial.reckon()


@pytest.mark.parametrize("points", shares(list(AT_THE_END), 1), ids=" ".join)
async def test_a_death_while_a_shard_is_closed(points: list[str], tmp_path: Path) -> None:
    """With its last checkpoint, after which what is older goes."""
    async with torture(tmp_path) as trial:
        for point in points:
            await trial.restart(f"{point}=kill")
            await trial.load(50)
            assert await trial.restart(), f"nobody died at {point}"
        await trial.reckon()


async def test_a_death_while_contents_are_moved(tmp_path: Path) -> None:
    """A few messages which stay keep segments that are else empty: so they are moved."""
    held = 'domain "held.test" { suspend_delivery = true }\n'
    async with torture(tmp_path, config=held, size="8k", rate=0.0) as trial:
        world = trial.world
        async with pressure(world.port, to="held.test", prefix="h", rate=10.0) as stays:
            await trial.arm("spool.moved=kill")
        await trial.start()
        await trial.load(20)
        await world.reload(CONFIG)
        await trial.reckon(stays.acknowledged)
