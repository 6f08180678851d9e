"""The handshakes of a worker: how many are under way, and how much of its time they take.

A handshake costs half a millisecond of CPU or more, a hundred times a command of SMTP, and who
begins one need not be able to do anything. So they take turns: while some are due, each turn of the
loop works on them for one slice, and then everybody else comes first. Who says nothing costs
nothing but a timer, for OpenSSL is asked only when octets have come.
"""

import asyncio
from collections import deque
from typing import Final, Protocol

# One handshake or two. What else is due in the loop waits this much longer for each turn.
SLICE_SECONDS: Final = 0.002
# Under way at once. Each holds up to 100 KB; and 500 use up a whole second of a core.
MOST: Final = 500


class Shaking(Protocol):
    """The part of a layer which is needed here."""

    def step(self) -> None:
        """Go on with the handshake, by the octets which have come."""
        ...


class Handshakes:
    """Those of one loop.

    Args:
        most: as many may be under way. The owner of a connection asks `full`, before it begins one.

    Attributes:
        under_way: which have begun and not ended.
    """

    __slots__ = ("_due", "_loop", "_most", "_working", "under_way")

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int = MOST) -> None:
        self._loop = loop
        self._most = most
        self._due: deque[Shaking] = deque()
        self._working = False
        self.under_way = 0

    @property
    def full(self) -> bool:
        """Whether no more ought to begin."""
        return self.under_way >= self._most

    def begin(self) -> None:
        self.under_way += 1

    def end(self) -> None:
        self.under_way -= 1

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
