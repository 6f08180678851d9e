"""Hosts with which TLS has failed, and which are spoken to in clear for a while instead.

For tls = ifavailable only: there is nobody to keep out of it, and a handshake which fails each
time costs a connection each time. What is over is forgotten; the number kept is bounded. Each
worker finds it out by itself.
"""

from dataclasses import dataclass
from typing import Final

from angarium.core.clock import Clock

MOST: Final = 10_000

Place = tuple[str, int]  # address and port


@dataclass(frozen=True, slots=True)
class Fault:
    """Why TLS is left out, and until which time of the monotonic clock."""

    reason: str
    until: float


class Broken:
    """Those hosts."""

    __slots__ = ("_clock", "_faults")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: dict[Place, Fault] = {}

    def note(self, place: Place, reason: str, seconds: float) -> None:
        """TLS has failed with a host: leave it out for a while."""
        if seconds <= 0.0:
            return
        now = self._clock.monotonic()
        self._faults.pop(place, None)
        if len(self._faults) >= MOST:
            self._faults = {key: each for key, each in self._faults.items() if each.until > now}
            while len(self._faults) >= MOST:
                del self._faults[next(iter(self._faults))]
        self._faults[place] = Fault(reason, now + seconds)

    def fault(self, place: Place) -> Fault | None:
        """Return why TLS is left out with a host; None: it is not."""
        found = self._faults.get(place)
        if found is not None and found.until <= self._clock.monotonic():
            del self._faults[place]
            return None
        return found

    def forget(self) -> int:
        """Forget all of them; return how many there were."""
        count = len(self._faults)
        self._faults.clear()
        return count

    @property
    def most(self) -> int:
        """Return how many are remembered at most."""
        return MOST

    def __len__(self) -> int:
        return len(self._faults)
