"""The power is cut at any change of the disk; a shard keeps its promises, life after life."""

from collections import Counter

import pytest

from helpers.power import Story
from helpers.rounds import Seeds

pytestmark = pytest.mark.torture


def test_nothing_is_lost_or_invented_wherever_the_power_is_cut(
    seeds: Seeds, tally: Counter[str]
) -> None:
    for seed in seeds(25, 4000):
        story = Story(seed)
        story.run()
        tally.update(story.counts)
