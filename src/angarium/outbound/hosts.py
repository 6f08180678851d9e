"""Which addresses are left alone for a while, because they could not be reached or broke rules.

One memory for all lines of a worker: two domains of one host share what is known of it
(option host_failure_retry). What is over is forgotten by and by; the number kept is bounded.
"""

from typing import Final

from angarium.core.clock import Clock

MOST: Final = 10_000  # addresses remembered; a tenth of the Internet's mail hosts, in 1.5 MB


class Hosts:
    """Pauses of addresses. `source` is the local address: a block often knows only one of ours."""

    __slots__ = ("_clock", "_until")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}

    def failed(self, address: str, source: str, pause: float) -> None:
        """Leave the address alone for `pause` seconds."""
        now = self._clock.monotonic()
        if len(self._until) >= MOST:
            self._until = {key: until for key, until in self._until.items() if until > now}
            if len(self._until) >= MOST:
                # The first half is the older one; those hosts are merely tried a little early.
                self._until = dict(list(self._until.items())[MOST // 2 :])
        if pause > 0:
            self._until[address, source] = now + pause

    def reached(self, address: str, source: str) -> None:
        """The address answered as it should."""
        self._until.pop((address, source), None)

    def paused_until(self, address: str, source: str) -> float:
        """Return the monotonic time from which it may be tried; 0.0: now."""
        until = self._until.get((address, source))
        if until is None:
            return 0.0
        if until <= self._clock.monotonic():
            del self._until[address, source]
            return 0.0
        return until

    @property
    def most(self) -> int:
        """Return how many are remembered at most."""
        return MOST

    def __len__(self) -> int:
        return len(self._until)
