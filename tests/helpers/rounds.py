"""How long a test of misfortunes goes on: short in ./test, long in `make torture`.

    pytestmark = pytest.mark.torture

    def test_a_rule(seeds: Seeds, tally: Counter[str]) -> None:
        for seed in seeds(20, 2000):        so many in ./test, so many in `make torture`
            chance = random.Random(seed)
            ...
            tally["messages accepted"] += 1  shown at the end, summed over the tests of a file

`make torture ROUNDS=3` is three times the long form: ANGARIUM_ROUNDS=3. ANGARIUM_SEED=n replays
one seed; a failure says which. One marker, two variables and two fixtures (tests/conftest.py).
"""

import os
import random
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

_FACTOR: Final = float(os.environ.get("ANGARIUM_ROUNDS", "0"))
_SEED: Final = os.environ.get("ANGARIUM_SEED", "")
LONG: Final = _FACTOR > 0

Seeds: TypeAlias = Callable[[int, int], Iterator[int]]


def rounds(short: int, long: int) -> int:
    """Return how many rounds to go: `short`, or the long form as often as was asked for."""
    return max(round(long * _FACTOR), 1) if LONG else short


class Draw:
    """The seeds of one test. They differ from run to run; the last one drawn is remembered."""

    __slots__ = ("drawn",)

    def __init__(self) -> None:
        self.drawn: int | None = None

    def __call__(self, short: int, long: int) -> Iterator[int]:
        if _SEED:
            self.drawn = int(_SEED)
            yield self.drawn
            return
        for _ in range(rounds(short, long)):
            self.drawn = random.randrange(1 << 32)
            yield self.drawn
