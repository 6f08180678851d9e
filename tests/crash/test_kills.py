"""Processes are killed at random under load; then everything is accounted for, by recipient.

Short in CI; `make torture` goes on for long, each run with another seed.
"""

import random
import sys
from pathlib import Path

import pytest

from helpers.rounds import rounds
from helpers.torture import torture

pytestmark = [pytest.mark.slow, pytest.mark.torture]

ROUNDS = rounds(8, 200)
LIFE = 40  # rounds in one life of the folder: the logs are read as a whole


@pytest.mark.parametrize("part", range(-(-ROUNDS // LIFE)))
async def test_nothing_is_lost_whatever_is_killed(tmp_path: Path, part: int) -> None:
    seed = random.randrange(1 << 32)
    sys.stdout.write(f"seed {seed}\n")  # shown where it fails
    chance = random.Random(seed)
    async with torture(tmp_path, seed=seed) as trial:
        for _ in range(min(LIFE, ROUNDS - part * LIFE)):
            await trial.load(chance.randrange(1, 150))
            match chance.randrange(8):
                case 0 | 1 | 2:
                    trial.kill_worker()
                case 3:
                    for _ in range(2):
                        trial.kill_worker()
                case 4:
                    trial.kill_hose()
                case 5:
                    await trial.kill_supervisor()
                case 6:
                    await trial.kill_all()
                case 7:
                    await trial.restart()
        await trial.reckon()
