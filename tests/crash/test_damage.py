"""Bits flip, blocks vanish, files are cut, lost and doubled: the rules stand in helpers/damage."""

import random
from collections import Counter
from functools import cache

import pytest

from helpers.damage import Spool, check, copy, history, one_fault, torn_copy
from helpers.rounds import Seeds

pytestmark = pytest.mark.torture

WAYS = ("stopped", "switched off", "never a checkpoint", "stopped, never one before")


@cache
def spool(way: int, seed: int) -> Spool:
    """Return a shard to spoil; made once, as that takes longer than to try one."""
    return history(stop=way in (0, 3), checkpoint=way < 2, seed=seed)


def test_nothing_unhurt_is_lost_nothing_is_invented_and_all_damage_is_told(
    seeds: Seeds, tally: Counter[str]
) -> None:
    for seed in seeds(300, 20_000):
        chance = random.Random(seed)
        truth = spool(chance.randrange(len(WAYS)), chance.randrange(8))
        disk = copy(truth.disk)
        path, _ = one_fault(disk, chance)
        result = check(truth, disk, {path})
        tally[f"damage in {path.split('/')[3]}"] += 1
        tally["entries found"] += len(result.found)
        tally["entries unreadable, and kept"] += len(result.unreadable)


def test_whatever_else_is_hurt_the_shard_starts_and_invents_nothing(
    seeds: Seeds, tally: Counter[str]
) -> None:
    for seed in seeds(60, 5_000):
        chance = random.Random(seed)
        truth = spool(chance.randrange(len(WAYS)), chance.randrange(8))
        disk = copy(truth.disk)
        count = chance.randrange(2, 8)
        paths = {one_fault(disk, chance)[0] for _ in range(count)}
        result = check(truth, disk, paths, one=False)
        tally["damages"] += count
        tally["entries found"] += len(result.found)


def test_a_copy_made_beside_a_running_server_starts_and_invents_nothing(
    seeds: Seeds, tally: Counter[str]
) -> None:
    """It may lack mail: only a snapshot, an export or a stopped server gives all of it."""
    for seed in seeds(30, 3_000):
        truth = torn_copy(seed)
        result = check(truth, truth.disk, set(truth.files()), one=False)
        tally["copies"] += 1
        tally["entries found"] += len(result.found)
