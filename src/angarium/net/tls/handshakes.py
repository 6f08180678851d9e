"""The handshakes of a worker: how many are under way, and how much of its time they take.

A handshake costs half a millisecond of CPU or more, a hundred times a command of SMTP, and who
begins one need not be able to do anything. So they take turns: while some are due, each turn of the
loop works on them for one slice, and then everybody else comes first. Who says nothing costs
nothing but a timer, for OpenSSL is asked only when octets have come. And where there are too many,
the oldest gives way to the newest: so who opens many and says nothing takes places from himself.
"""

import asyncio
from collections import deque
from typing import Final, Protocol

# One handshake or two. What else is due in the loop waits this much longer for each turn.
SLICE_SECONDS: Final = 0.002
# Under way at once. Each holds up to 100 KB; and 500 use up a whole second of a core.
MOST: Final = 500
# How long one may be under way before it has to give way: as many round trips as it needs, and a
# retransmission.
YOUNG_SECONDS: Final = 3.0


class Shaking(Protocol):
    """The part of a layer which is needed here."""

    def step(self) -> None:
        """Go on with the handshake, by the octets which have come."""
        ...

    def give_way(self) -> None:
        """Give the handshake up, as others need the place."""
        ...


class Handshakes:
    """Those of one loop.

    Args:
        most: as many may be under way. The owner of a connection asks `full`, before it begins one.
    """

    __slots__ = ("_begun", "_due", "_loop", "_most", "_working")

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int = MOST) -> None:
        self._loop = loop
        self._most = most
        self._due: deque[Shaking] = deque()
        self._working = False
        self._begun: dict[Shaking, float] = {}  # when, the oldest first

    @property
    def under_way(self) -> int:
        """Return how many have begun and not ended."""
        return len(self._begun)

    @property
    def full(self) -> bool:
        """Whether no more ought to begin: even the oldest is young."""
        if len(self._begun) < self._most:
            return False
        oldest = next(iter(self._begun.values()), self._loop.time())
        return self._loop.time() - oldest < YOUNG_SECONDS

    def begin(self, layer: Shaking) -> None:
        if 0 < self._most <= len(self._begun):
            next(iter(self._begun)).give_way()  # and so it ends
        self._begun[layer] = self._loop.time()

    def end(self, layer: Shaking) -> None:
        self._begun.pop(layer, None)

    def due(self, layer: Shaking) -> None:
        """Let it take a step when its turn comes; each is in the queue once, by its own care."""
        self._due.append(layer)
        if not self._working:
            self._working = True
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        due, time = self._due, self._loop.time
        until = time() + SLICE_SECONDS
        try:
            while due and time() < until:
                due.popleft().step()
        finally:
            # A bug in what one of them brought about is not the others'.
            self._working = bool(due)
            if due:
                self._loop.call_soon(self._work)
