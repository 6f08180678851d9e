"""A process dies at each fault point there is, under load; then everything is accounted for.

A point which is declared and not listed here fails the test: say how it is reached.
"""

import importlib
import pkgutil
import random
from collections import Counter
from pathlib import Path

import pytest

import angarium
from angarium.core.fault import POINTS
from helpers.pressure import pressure
from helpers.rounds import LONG, rounds
from helpers.torture import CONFIG, torture

pytestmark = [pytest.mark.slow, pytest.mark.torture]

# At which hit a process dies which is under load. At the first it must be where it comes once in a
# life; where it comes with every message a later one lets the server get somewhere.
UNDER_LOAD = {
    "journal.preparing": 3,
    "journal.written/data": 60,
    "journal.synced/data": 60,
    "journal.written/state": 20,
    "journal.synced/state": 20,
    "journal.written/events": 20,
    "spool.opened": 1,
    "spool.reading": 1,
    "spool.retold": 1,
    "spool.recovered": 1,
    "spool.appended": 40,
    "spool.durable": 40,
    "spool.settled": 40,
    "spool.large": 3,
    "delivery.ending": 40,
    "delivery.ended": 40,
    "settle.confirmed": 40,
    "settle.reported": 3,
    "logfile.written": 5,
    "logfile.reopened": 1,
    "checkpoint.saving": 5,
    "checkpoint.saved": 5,
}
RELOADED = {
    "reload.asked": 1,
    "reload.agreed": 1,
    "reload.told": 1,
    "reload.prepared/worker": 1,
    "reload.prepared/hose": 1,
    "reload.committing/worker": 1,
    "reload.committing/hose": 1,
    "reload.committed/worker": 1,
    "reload.committed/hose": 1,
}
UPGRADED = {
    "upgrade.begun": 1,
    "upgrade.joined": 1,
    "upgrade.handed": 1,
    "process.left/worker": 1,
    "shard.adopted": 1,
    "shard.released": 1,
    "shard.retired": 1,
}
MOVED = {"spool.moving": 1, "spool.moved": 1}
AT_THE_END = ("spool.checkpoint.writing", "spool.checkpoint.named", "journal.recycled")
ELSEWHERE = {
    "attempt.converting": "tests/scenario/test_processes_crash.py: it quarantines the message",
    "import.claimed": "tests/scenario/test_import.py: files are brought in, none twice",
    "import.brought": "as import.claimed",
    "import.removed": "as import.claimed",
}


Points = dict[str, int]


def shares(points: Points, runs: int) -> list[Points]:
    """Deal the points to so many servers: a start costs a second, and deaths make it wait."""
    return [dict(list(points.items())[n::runs]) for n in range(runs)]


def some(points: Points, count: int) -> Points:
    """Return a few of the points, others in each run; in the long form all."""
    return points if LONG else dict(random.sample(list(points.items()), count))


def test_every_point_is_reached_somewhere() -> None:
    for each in pkgutil.walk_packages(angarium.__path__, "angarium."):
        importlib.import_module(each.name)
    listed = {*UNDER_LOAD, *RELOADED, *UPGRADED, *MOVED, *AT_THE_END, *ELSEWHERE}
    assert {each.partition("/")[0] for each in listed} == POINTS.keys()


@pytest.mark.parametrize("points", shares(UNDER_LOAD, 22 if LONG else 3), ids=" ".join)
async def test_a_death_under_load(points: Points, tmp_path: Path, tally: Counter[str]) -> None:
    async with torture(tmp_path) as trial:
        await trial.load(20)
        for _ in range(rounds(1, 3)):
            await trial.arm(points)
            await trial.start()
            await trial.load(20)
        await trial.reckon()
        tally.update(trial.counts)


@pytest.mark.parametrize("points", shares(RELOADED, 9 if LONG else 1), ids=" ".join)
async def test_a_death_in_a_reload(points: Points, tmp_path: Path, tally: Counter[str]) -> None:
    async with torture(tmp_path) as trial:
        for _ in range(rounds(1, 3)):
            await trial.arm(some(points, 4), trial.reload)
            await trial.start()
            await trial.load(20)
        await trial.reckon()
        tally.update(trial.counts)


@pytest.mark.parametrize("points", shares(UPGRADED, 7 if LONG else 1), ids=" ".join)
async def test_a_death_in_an_upgrade(points: Points, tmp_path: Path, tally: Counter[str]) -> None:
    async with torture(tmp_path) as trial:
        for _ in range(rounds(1, 3)):
            await trial.arm(some(points, 3), trial.upgrade)
            await trial.start()
            await trial.load(20)
        await trial.reckon()
        tally.update(trial.counts)


async def test_a_death_while_a_shard_is_closed(tmp_path: Path, tally: Counter[str]) -> None:
    """With its last checkpoint, after which what is older goes."""
    async with torture(tmp_path) as trial:
        for point in AT_THE_END * rounds(1, 5):
            await trial.restart(f"{point}=kill")
            await trial.load(50)
            died = await trial.restart()
            assert died, f"nobody died at {point}"
            tally[f"kills: {point}"] += died
        await trial.reckon()
        tally.update(trial.counts)


async def test_a_death_while_contents_are_moved(tmp_path: Path, tally: Counter[str]) -> None:
    """A few messages which stay keep segments that are else empty: so they are moved."""
    held = 'domain "held.test" { suspend_delivery = true }\n'
    async with torture(tmp_path, config=held, size="8k", rate=0.0) as trial:
        world = trial.world
        async with pressure(world.port, to="held.test", prefix="h", rate=10.0) as stays:
            await trial.arm(MOVED)
            await trial.start()  # what was due when all were killed is still to be answered
        await trial.load(20)
        await world.reload(CONFIG)
        await trial.reckon(stays.acknowledged)
        tally.update(trial.counts)
