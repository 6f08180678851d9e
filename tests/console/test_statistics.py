"""What the console keeps for a node."""

import pytest

from angarium.console.errors import CommandError
from angarium.console.statistics import MAX_NAME, MOST, Statistics


def test_a_counter_is_made_when_it_is_added_to() -> None:
    kept = Statistics()
    kept.add("a", 5, 1.0)
    kept.add("a", -2, 2.0)
    assert (kept.counter("a").value, kept.counter("a").since) == (3, 1.0)
    with pytest.raises(CommandError, match="no counter b"):
        kept.counter("b")


def test_counters_are_bounded() -> None:
    kept = Statistics()
    with pytest.raises(CommandError, match="characters"):
        kept.add("x" * (MAX_NAME + 1), 1, 1.0)
    for number in range(MOST):
        kept.add(str(number), 1, 1.0)
    with pytest.raises(CommandError, match="no more are kept"):
        kept.add("one more", 1, 1.0)
    kept.add("0", 1, 1.0)
    assert kept.counter("0").value == 2
