"""Rates and counts which limit sending, and the ledger they are kept in.

A *count* is how many of something are open at once, a *rate* how many may begin in a time. Both
are known by a key; who shares a key is limited together. `LocalLedger` keeps them for one worker,
`ledger.SharedLedger` for all workers of a node, `cluster/ledger` for many nodes.

Rates are kept by GCRA: one number per key, the time at which the next event would be on schedule.
It says the exact next time, and needs no window to be swept.
"""

import enum
from collections.abc import Callable
from typing import Final, Protocol

from angarium.core.clock import Clock
from angarium.core.units import Rate

# How much of a rate may come at once: what it allows in a tenth of a second. So a high rate costs
# no timer per message, and a low one is kept to the second.
BURST_SECONDS: Final = 0.1
# Before a count of a row whose lock another worker holds is tried again: a change takes 3 us.
BUSY_SECONDS: Final = 0.001
# A connection which holds what others wait for has paid for its greeting after so much of either.
HAND_BACK_MESSAGES: Final = 20
HAND_BACK_SECONDS: Final = 5.0
_SWEEP: Final = 1024  # rates known, from which it pays to look for those that no longer matter


class Grant(enum.Enum):
    """The answer to a wish for a permit; only GRANTED is true."""

    GRANTED = "you have it"
    DENIED = "none is free; on_free says when"
    BUSY = "the row is being changed; ask again in BUSY_SECONDS"

    def __bool__(self) -> bool:
        return self is Grant.GRANTED


class Ledger(Protocol):
    """What is counted, by key. All calls return at once."""

    on_free: Callable[[str], None]  # called with a key of which a permit may be free again
    on_wanted: Callable[[str], None]  # ... of which we hold one that somebody elsewhere waits for

    def acquire(self, key: str, cap: int) -> Grant:
        """Count one more, if fewer than `cap` are counted."""
        ...

    def release(self, key: str) -> None:
        """Count one less."""
        ...

    def take(self, key: str, rate: Rate, n: int = 1) -> float:
        """Count `n` events, if the rate allows one; return 0.0, or else the seconds to wait."""
        ...

    def adjust(self, key: str, rate: Rate, n: int) -> None:
        """Count `n` events more whatever the rate allows; below 0, fewer: they did not happen."""
        ...

    @property
    def contended(self) -> bool:
        """Whether anybody, here or elsewhere, waits for any key; costs next to nothing."""
        ...

    def wanted(self, key: str) -> bool:
        """Say whether somebody elsewhere waits for `key`: then what is not needed is given back."""
        ...

    def give_way(self, key: str) -> bool:
        """Say whether to give back one of `key` which is in use.

        The answer is yes once for each who waits elsewhere and has fewer of it than we have.
        """
        ...

    def waits(self, key: str) -> bool:
        """Say whether we wait for `key`: were denied it, and `forget` was not called since."""
        ...

    def forget(self, key: str) -> None:
        """Nobody here waits for `key` any more."""
        ...

    def held(self, key: str) -> int:
        """Return how many we hold."""
        ...

    def share(self, key: str, cap: int, wanted: int) -> int:
        """Hold as many as are wanted and others leave of `cap`; return how many we hold."""
        ...

    def correct(self, key: str, count: int) -> None:
        """Count so many as held by us: that is what we hold, whatever was counted."""
        ...

    def tick(self) -> None:
        """Do what could not be done at once; called once a second."""
        ...


def burst(rate: Rate) -> int:
    """Return how many events may come at once; at least one."""
    return max(int(BURST_SECONDS / rate.interval), 1)


def nobody(key: str) -> None:
    """Nobody waits."""


class LocalLedger:
    """The ledger of a server with one worker."""

    __slots__ = ("_clock", "_counts", "_rates", "_sweep_at", "_waiting", "on_free", "on_wanted")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._rates: dict[str, float] = {}  # the time the next event is on schedule, monotonic
        self._sweep_at = _SWEEP
        self._waiting: set[str] = set()
        self.on_free: Callable[[str], None] = nobody
        self.on_wanted: Callable[[str], None] = nobody

    def acquire(self, key: str, cap: int) -> Grant:
        count = self._counts.get(key, 0)
        if count >= cap:
            self._waiting.add(key)
            return Grant.DENIED
        self._counts[key] = count + 1
        return Grant.GRANTED

    def release(self, key: str) -> None:
        count = self._counts[key] - 1
        if count:
            self._counts[key] = count
        else:
            del self._counts[key]
        if key in self._waiting:
            self._waiting.remove(key)
            self.on_free(key)

    def take(self, key: str, rate: Rate, n: int = 1) -> float:
        now = self._clock.monotonic()
        at = self._rates.get(key, now)
        early = at - now - (burst(rate) - 1) * rate.interval
        if early > 0.0:
            return early
        self._rates[key] = max(at, now) + n * rate.interval
        if len(self._rates) > self._sweep_at:
            self._rates = {each: at for each, at in self._rates.items() if at > now}
            self._sweep_at = max(_SWEEP, 2 * len(self._rates))
        return 0.0

    def adjust(self, key: str, rate: Rate, n: int) -> None:
        now = self._clock.monotonic()
        self._rates[key] = max(self._rates.get(key, now), now) + n * rate.interval

    @property
    def contended(self) -> bool:
        return bool(self._waiting)

    def wanted(self, key: str) -> bool:
        return False

    def give_way(self, key: str) -> bool:
        return False

    def tick(self) -> None:
        """Nothing is ever late here."""

    def waits(self, key: str) -> bool:
        return key in self._waiting

    def forget(self, key: str) -> None:
        self._waiting.discard(key)

    def held(self, key: str) -> int:
        return self._counts.get(key, 0)

    count = held

    def share(self, key: str, cap: int, wanted: int) -> int:
        self._counts[key] = held = min(wanted, cap)
        return held

    def correct(self, key: str, count: int) -> None:
        self._counts[key] = count
        if not count:
            del self._counts[key]
        if key in self._waiting:
            self._waiting.remove(key)
            self.on_free(key)
