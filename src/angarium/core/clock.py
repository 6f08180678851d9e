"""What a clock is. The real one is in `net/loop`, the fake one in the tests.

Randomness is injected as a `random.Random`, seeded in the tests.
"""

from typing import Protocol


class Clock(Protocol):
    """Two readings of time, both in seconds."""

    def time(self) -> float:
        """Unix time; may jump either way when the system clock is set."""
        ...

    def monotonic(self) -> float:
        """Time since some start; never goes back. For timeouts and intervals."""
        ...
