"""What the workers measure of themselves while a benchmark runs: the longest pauses, how deep.

The server writes its readings once a second; they are looked at more often, so none is missed.
"""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from angarium.events.metrics import Value
from angarium.run.readings import Readings
from angarium.run.scoreboard import MAX_WORKERS

LOOK_SECONDS: Final = 0.25
GAUGES: Final = ("loop_pause", "loop_work_longest", "collection")


def readings(state: Path) -> dict[int, dict[str, Value]]:
    """Return what each worker says now."""
    opened = Readings(state / "run" / "readings")
    try:
        found = opened.read(time.time())
        return {row: values for row, values in found.items() if row < MAX_WORKERS}
    finally:
        opened.close()


def total(state: Path, name: str) -> float:
    """Return a gauge or a counter, added up over the workers."""
    found = (each.get(name, 0.0) for each in readings(state).values())
    return sum(value for value in found if not isinstance(value, list))


def until(state: Path, name: str, most: float, seconds: float) -> float:
    """Wait until a gauge is down to `most`; return when, monotonic."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = readings(state)
        if found and total(state, name) <= most:
            return time.monotonic()
        time.sleep(0.05)
    raise TimeoutError(f"{name} is {total(state, name):.0f} after {seconds:.0f} s")


class Watch:
    """The longest of each kind of pause while it is open, in seconds."""

    def __init__(self, state: Path) -> None:
        self._readings = Readings(state / "run" / "readings")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.longest = dict.fromkeys(GAUGES, 0.0)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        for values in self._readings.read(time.time()).values():
            for name in GAUGES:
                value = values.get(name, 0.0)
                if not isinstance(value, list):
                    self.longest[name] = max(self.longest[name], value)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        time.sleep(1.1)  # the last second is written at its end
        self._stop.set()
        self._thread.join()
        self._readings.close()

    def __str__(self) -> str:
        pause, work, collection = (1e3 * self.longest[name] for name in GAUGES)
        return f"longest pause {pause:.1f} ms, own work {work:.1f}, collection {collection:.1f}"
