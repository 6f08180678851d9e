"""`Breaker`: a database that is away is not asked by everybody, but now and then by one.

After `FAILURES` failures in sequence it rests for a second, doubled with each trial that fails up
to half a minute, give or take a quarter so that workers do not ask all at once. Then one may try.
"""

from random import Random
from typing import Final

from angarium.core.clock import Clock

FAILURES: Final = 3
FIRST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 30.0
SPREAD: Final = 0.25


class Breaker:
    """Whether one database may be asked.

    Attributes:
        reason: of the last failure.
    """

    __slots__ = ("_clock", "_failures", "_random", "_trying", "_until", "reason")

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._failures = 0
        self._until = 0.0
        self._trying = False
        self.reason = ""

    @property
    def resting(self) -> bool:
        """Return whether it is left alone, but for one who tries."""
        return self._failures >= FAILURES

    @property
    def seconds(self) -> float:
        """Return for how long nobody tries."""
        return max(0.0, self._until - self._clock.monotonic()) if self.resting else 0.0

    def allows(self) -> bool:
        """Return whether it may be asked. Who is told yes says how it went."""
        if not self.resting:
            return True
        if self._trying or self.seconds > 0.0:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        self._failures, self._trying, self.reason = 0, False, ""

    def failed(self, reason: str) -> None:
        self._failures += 1
        self._trying, self.reason = False, reason
        if self.resting:
            doubled = FIRST_SECONDS * 2.0 ** min(self._failures - FAILURES, 10)
            factor = self._random.uniform(1.0 - SPREAD, 1.0 + SPREAD)
            self._until = self._clock.monotonic() + min(doubled, MOST_SECONDS) * factor

    def withdrawn(self) -> None:
        """Say that who was told yes has asked nothing after all."""
        self._trying = False
