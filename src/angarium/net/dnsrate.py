"""The rate at which MX records are asked for (options dns_rate_limit_*).

Many new domains at once, or many whose time in the cache is over, are as many questions, and a
resolver which drops some costs more than one which is asked a little later. So questions beyond
the rate wait in a row. Rule: **the row is bounded, and what does not fit is asked at once**: nobody
is refused here.

The rate holds for the node: `take` counts for all workers. It is kept evenly, a tenth of a second's
worth at a time.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from angarium.core.units import Rate

Ask = Callable[[], None]
Take = Callable[[str, Rate], float]  # as `queue.throttle.Ledger.take`

KEY: Final = "dns mx"
LONGEST_SECONDS: Final = 1.0  # until it is looked at again, as the rate may have changed


def unlimited(key: str, rate: Rate) -> float:
    """Count nothing: for who asks a name now and then."""
    return 0.0


class Pacer:
    """The row.

    Attributes:
        rate: None: there is no limit.
        most: questions which may wait.
        counters: immediate, queued, drained, overflow, as Momentum's `summary` has them.
    """

    __slots__ = ("_loop", "_row", "_take", "_timer", "counters", "most", "rate")

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Take = unlimited) -> None:
        self._loop = loop
        self._take = take
        self._row: deque[Ask] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.rate: Rate | None = None
        self.most = 0
        self.counters: Counter[str] = Counter()

    def use(self, rate: Rate | None, most: int) -> None:
        """Go over to another rate; who waits may have waited long enough."""
        self.rate, self.most = rate, most
        self._drain()

    def ask(self, ask: Ask) -> None:
        """Call `ask` when its turn comes."""
        if self.rate is None:
            ask()
            return
        seconds = 0.0 if self._row else self._take(KEY, self.rate)
        if not (self._row or seconds):
            self.counters["immediate"] += 1
            ask()
        elif len(self._row) >= self.most:
            self.counters["overflow"] += 1
            ask()
        else:
            self.counters["queued"] += 1
            self._row.append(ask)
            self._later(seconds)

    def close(self) -> None:
        self._row.clear()
        if self._timer is not None:
            self._timer.cancel()

    def __len__(self) -> int:
        return len(self._row)

    def _later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(min(seconds, LONGEST_SECONDS), self._due)

    def _due(self) -> None:
        self._timer = None
        self._drain()

    def _drain(self) -> None:
        while self._row:
            seconds = 0.0 if self.rate is None else self._take(KEY, self.rate)
            if seconds:
                self._later(seconds)
                return
            self.counters["drained"] += 1
            self._row.popleft()()
