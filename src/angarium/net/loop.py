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
from collections.abc import Callable
from typing import Final, Literal

from angarium.core.clock import Clock
from angarium.events.metrics import Metric, Metrics, counter, gauge, histogram

LoopName = Literal["uvloop", "asyncio"]
VARIABLE: Final = "ANGARIUM_LOOP"
# The youngest generation is collected after so many new containers. 700, Python's own, means ten
# thousand collections a minute under load; what we make dies by its reference count.
THRESHOLDS: Final = (50_000, 20, 100)
# 200 beats a second cost 0.1 % of a processor, and an idle loop sleeps between them.
BEAT_SECONDS: Final = 0.01
NOTHING_SECONDS: Final = 0.002  # a timer counts in milliseconds: less is no pause
LONG_SECONDS: Final = 0.020  # what no pause of ours should exceed

PAUSES: Final = histogram("loop_pauses", "How late the loop ran what was due.")
LONGEST: Final = gauge(
    "loop_pause", "Longest pause of a loop in the last second.", highest=True, unit="seconds"
)
TOO_LONG: Final = counter("loop_pauses_long", "Pauses of the loop over 20 ms.")
OWN_PAUSES: Final = histogram("loop_work", "Work of the loop without a look at what is due.")
OWN_LONGEST: Final = gauge(
    "loop_work_longest", "Longest of it in the last second.", highest=True, unit="seconds"
)
OWN_TOO_LONG: Final = counter("loop_work_long", "Such work over 20 ms.")
COLLECTIONS: Final = histogram("collections", "Pauses for the collection of garbage.")
COLLECTION: Final = gauge(
    "collection", "Longest of these in the last second.", highest=True, unit="seconds"
)
COLLECTED_LONG: Final = counter("collections_long", "Collections over 20 ms.")


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


class Pauses:
    """Pauses of one kind: a histogram of all, the longest of the last second, those too long."""

    __slots__ = ("_latest", "_longest", "_many", "_too_long")

    def __init__(self, metrics: Metrics, all_: Metric, longest: Metric, too_long: Metric) -> None:
        self._many = metrics.durations(all_)
        self._longest = metrics.cell(longest)
        self._too_long = metrics.cell(too_long)
        self._latest = 0.0

    def add(self, seconds: float) -> None:
        if seconds > NOTHING_SECONDS:
            self._many.note(seconds)
            self._latest = max(self._latest, seconds)
            if seconds > LONG_SECONDS:
                self._too_long.value += 1

    def second(self) -> None:
        """A second has passed: what was its longest pause is now to be read."""
        self._longest.value, self._latest = self._latest, 0.0


class LagWatch:
    """Measures how late the loop runs what is due, and the pauses of the collector.

    A beat every few milliseconds, so a pause is seen to its length less at most one beat. A pause
    is *ours* as far as the loop's thread computed meanwhile; for the rest the machine was busy with
    others, or a thread had the interpreter.

    Args:
        cpu: processor seconds of the loop's thread.
    """

    __slots__ = (
        "_at", "_clock", "_collecting_since", "_cpu", "_cpu_at", "_loop", "_second_at", "_timer",
        "collector", "lag", "ours",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        metrics: Metrics,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._cpu = cpu
        self._at = self._cpu_at = self._second_at = 0.0
        self._collecting_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.lag = Pauses(metrics, PAUSES, LONGEST, TOO_LONG)
        self.ours = Pauses(metrics, OWN_PAUSES, OWN_LONGEST, OWN_TOO_LONG)
        self.collector = Pauses(metrics, COLLECTIONS, COLLECTION, COLLECTED_LONG)

    def start(self) -> None:
        gc.callbacks.append(self._collected)
        self._second_at = self._clock.monotonic()
        self._wait(self._cpu())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            gc.callbacks.remove(self._collected)

    def _wait(self, cpu: float) -> None:
        self._at = self._clock.monotonic() + BEAT_SECONDS
        self._cpu_at = cpu
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        now = self._clock.monotonic()
        late = now - self._at
        self.lag.add(late)
        cpu = self._cpu()
        self.ours.add(min(late, cpu - self._cpu_at))
        if now - self._second_at >= 1.0:
            self._second_at = now
            for each in (self.lag, self.ours, self.collector):
                each.second()
        self._wait(cpu)

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting_since = self._clock.monotonic()
        elif self._collecting_since:
            self.collector.add(self._clock.monotonic() - self._collecting_since)
            self._collecting_since = 0.0
