"""The power is cut at any change of the disk; a shard keeps its promises, life after life."""

from collections import Counter

import pytest

from helpers.power import Story
from helpers.rounds import LONG, Seeds

pytestmark = pytest.mark.torture


def test_nothing_is_lost_or_invented_wherever_the_power_is_cut(
    seeds: Seeds, tally: Counter[str]
) -> None:
    for seed in seeds(25, 4000):
        story = Story(seed)
        story.run()
        tally.update(story.counts)


def test_every_prefix_of_what_a_life_writes_is_recovered(seeds: Seeds, tally: Counter[str]) -> None:
    for seed in seeds(1, 5):
        step = 1 if LONG else 40
        changes = 1 + seed % step
        while (story := Story(seed)).prefix(changes):
            tally.update(story.counts)
            changes += step
        assert changes > step, "nothing was written"
