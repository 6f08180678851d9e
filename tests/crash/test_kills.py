"""Processes are killed at random under load; then everything is accounted for, by recipient.

Reloads and upgrades happen meanwhile, and some kills come while a server recovers from the last.
"""

import random
from collections import Counter
from pathlib import Path

import pytest

from helpers.rounds import LONG, Seeds
from helpers.torture import Torture, torture

pytestmark = [pytest.mark.slow, pytest.mark.torture]

LIFE = 12 if LONG else 5  # misfortunes in one life of the folder: the logs are read as a whole


async def test_nothing_is_lost_whatever_is_killed(
    tmp_path: Path, seeds: Seeds, tally: Counter[str]
) -> None:
    for seed in seeds(1, 15):
        chance = random.Random(seed)
        async with torture(tmp_path / str(seed), seed=seed) as trial:
            for _ in range(LIFE):
                await trial.load(chance.randrange(1, 300))
                await misfortune(trial, chance)
            await trial.reckon()
            tally.update(trial.counts)


async def misfortune(trial: Torture, chance: random.Random) -> None:
    match chance.randrange(12):
        case 0 | 1:
            trial.kill_worker()
        case 2:
            trial.kill_worker()
            trial.kill_worker()
        case 3:
            trial.kill_hose()
        case 4:
            await trial.kill_supervisor()
        case 5:
            await trial.kill_all()
        case 6:
            await trial.kill_all(again=chance.randrange(1, 3))
        case 7:
            await trial.restart()
        case 8:
            await trial.reload()
        case 9:
            await trial.reload()
            trial.kill_worker()
        case 10:
            await trial.upgrade()
        case 11:
            await trial.upgrade()
            await trial.load(chance.randrange(1, 60))
            trial.kill_worker()
