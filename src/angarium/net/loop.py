"""Event loops, the real clock, and what a loop's pauses are measured by.

uvloop where it is; plain asyncio is a tested fallback, taken when ANGARIUM_LOOP=asyncio says so or
uvloop is missing. A worker runs no thread which computes, so a pause of the loop is either work of
ours done in too large a piece, or the collector of garbage: both are measured.
"""

import asyncio
import gc
import importlib.util
import os
import time
from dataclasses import dataclass
from typing import Final, Literal

from angarium.core.clock import Clock

LoopName = Literal["uvloop", "asyncio"]
VARIABLE: Final = "ANGARIUM_LOOP"
# The youngest generation is collected after so many new containers. 700, Python's own, means ten
# thousand collections a minute under load; what we make dies by its reference count.
THRESHOLDS: Final = (50_000, 20, 100)
BEAT_SECONDS: Final = 0.1


class RealClock:
    """The clock of the system."""

    __slots__ = ()

    # The functions themselves, not methods which call them: they are called with every read.
    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)  # last, as it hides the module


def install(name: str = "") -> LoopName:
    """Make event loops of this process those of uvloop, if it may and can; return which it is.

    `name` is "uvloop", "asyncio", or "" for what the environment says.
    """
    wanted = name or os.environ.get(VARIABLE, "")
    if wanted != "asyncio" and importlib.util.find_spec("uvloop") is not None:
        import uvloop  # noqa: PLC0415 - it is optional

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        return "uvloop"
    asyncio.set_event_loop_policy(None)
    return "asyncio"


def settle_memory() -> None:
    """Take what lives now out of the collector's sight; called after start and after recovery.

    A collection of everything costs 3 ms where entries are packed, and grows with what it must look
    at (ARCHITECTURE section 3).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@dataclass(slots=True)
class Pauses:
    """Pauses in seconds: how many were seen, their sum, the longest since it was last taken."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def take_longest(self) -> float:
        longest, self.longest = self.longest, 0.0
        return longest


class LagWatch:
    """Measures how late the loop runs what is due: `lag`; and the collector's pauses: `collector`.

    A beat every tenth of a second, so a pause is seen to its length less at most one beat.
    """

    __slots__ = ("_beat_at", "_clock", "_collecting_since", "_loop", "_timer", "collector", "lag")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._beat_at = 0.0
        self._collecting_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.lag = Pauses()
        self.collector = Pauses()

    def start(self) -> None:
        gc.callbacks.append(self._collected)
        self._wait()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            gc.callbacks.remove(self._collected)

    def _wait(self) -> None:
        self._beat_at = self._clock.monotonic() + BEAT_SECONDS
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        self.lag.add(max(0.0, self._clock.monotonic() - self._beat_at))
        self._wait()

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting_since = self._clock.monotonic()
        elif self._collecting_since:
            self.collector.add(self._clock.monotonic() - self._collecting_since)
            self._collecting_since = 0.0
