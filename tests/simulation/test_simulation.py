"""A whole node under a virtual clock, thousands of times: nothing lost, nobody starved, no limit
exceeded, whatever fails.

Each seed is a storm of its own (`helpers/sim/world`). One which fails prints itself, and replays
exactly:

    ANGARIUM_SEED=42 .venv/bin/pytest tests/simulation

In `make torture` this is 3000 seeds, about an hour of one core.
"""

from collections import Counter

import pytest

from helpers.rounds import Seeds
from helpers.sim.world import World

pytestmark = [pytest.mark.slow, pytest.mark.torture]

PARTS = 4  # which run beside each other


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_fails_nothing_is_lost_and_nobody_starves(
    part: int, seeds: Seeds, tally: Counter[str]
) -> None:
    for seed in seeds(6, 750):
        world = World(seed).run()
        tally["nodes simulated"] += 1
        tally["minutes which passed"] += round(60 * world.hours)
        tally["callbacks"] += world.machine.steps
        tally["workers born"] += world.lives
        tally["recipients accepted"] += world.audit.counts["accepted"]
        tally["... delivered"] += world.audit.counts["delivered"]
        tally["attempts which failed"] += world.audit.counts["deferred"]
        tally["permits granted"] += world.reckoning.grants
        tally["permits refused"] += world.reckoning.denials


def test_a_seed_is_the_same_story_each_time() -> None:
    first, second = (World(7, digest=True, storm=60.0) for _ in range(2))
    assert first.run().digest == second.run().digest
    assert first.machine.steps == second.machine.steps > 1000
