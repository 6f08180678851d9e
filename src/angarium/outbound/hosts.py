"""Which addresses are left alone for a while, because they could not be reached or broke rules.

One memory for all lines of a worker: two domains of one host share what is known of it
(option host_failure_retry). What is over is forgotten by and by; the number kept is bounded.
How long hosts take is kept here too, for operators: noted by the connection, not by the message.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from angarium.core.clock import Clock

MOST: Final = 10_000  # addresses remembered; a tenth of the Internet's mail hosts, in 1.5 MB


_NEWEST: Final = 0.25  # part of the newest in an average, the rest is of those before


@dataclass(slots=True)
class Pace:
    """How long an address takes: averages in which what is older counts less, in seconds.

    Attributes:
        connect: until it has greeted us; `delivery`: for a message. 0.0: not known.
        failed_at: when it failed last, monotonic; 0.0: it has not.
    """

    connect: float = 0.0
    delivery: float = 0.0
    failed_at: float = 0.0


class Hosts:
    """Pauses of addresses. `source` is the local address: a block often knows only one of ours.

    Where TLS failed an address rests for those only who want the same of it, `wanting`.
    """

    __slots__ = ("_clock", "_paces", "_until")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str, Hashable], float] = {}
        self._paces: dict[str, Pace] = {}

    def failed(self, address: str, source: str, pause: float, wanting: Hashable = None) -> None:
        """Leave the address alone for `pause` seconds."""
        now = self._clock.monotonic()
        if len(self._until) >= MOST:
            self._until = {key: until for key, until in self._until.items() if until > now}
            if len(self._until) >= MOST:
                # The first half is the older one; those hosts are merely tried a little early.
                self._until = dict(list(self._until.items())[MOST // 2 :])
        if pause > 0:
            self._until[address, source, wanting] = now + pause
        self._pace(address).failed_at = now

    def reached(
        self, address: str, source: str, seconds: float = 0.0, wanting: Hashable = None
    ) -> None:
        """The address answered as it should; with a greeting after so many seconds."""
        self._until.pop((address, source, None), None)
        if wanting is not None:
            self._until.pop((address, source, wanting), None)
        if seconds:
            pace = self._pace(address)
            pace.connect = _average(pace.connect, seconds)

    def served(self, address: str, mails: int, seconds: float) -> None:
        """A connection has ended on which so many messages took so long together."""
        if mails:
            pace = self._pace(address)
            pace.delivery = _average(pace.delivery, seconds / mails)

    def pace(self, address: str) -> Pace | None:
        """Return how long an address takes, if that is known."""
        return self._paces.get(address)

    def _pace(self, address: str) -> Pace:
        found = self._paces.get(address)
        if found is None:
            if len(self._paces) >= MOST:
                self._paces = dict(list(self._paces.items())[MOST // 2 :])
            found = self._paces[address] = Pace()
        return found

    def paused_until(self, address: str, source: str, wanting: Hashable = None) -> float:
        """Return the monotonic time from which it may be tried; 0.0: now."""
        until = self._until_of((address, source, None))
        if wanting is not None:
            until = max(until, self._until_of((address, source, wanting)))
        return until

    def _until_of(self, key: tuple[str, str, Hashable]) -> float:
        until = self._until.get(key)
        if until is None:
            return 0.0
        if until <= self._clock.monotonic():
            del self._until[key]
            return 0.0
        return until

    @property
    def most(self) -> int:
        """Return how many are remembered at most."""
        return MOST

    def __len__(self) -> int:
        return len(self._until)


def _average(before: float, seconds: float) -> float:
    return seconds if not before else before + _NEWEST * (seconds - before)
