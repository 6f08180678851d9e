"""What the supervisor tells of the node as a whole, and what it keeps of the dead.

Rule: **it measures, and decides nothing**: whether the node is well is for who reads it
(`web/overview`).
"""

import os
from pathlib import Path
from typing import Final, Protocol

from angarium.core.clock import Clock
from angarium.events.metrics import Metric, Metrics, counter, gauge
from angarium.run.child import Child
from angarium.run.own import Own
from angarium.run.readings import MONITOR, SUPERVISOR, Readings
from angarium.run.scoreboard import HOSE

WORKERS: Final = gauge("workers", "Workers which are to run.")
RUNNING: Final = gauge("workers_running", "Workers which run.")
DEATHS: Final = counter("worker_deaths", "Workers which ended without being told to.")
GENERATION: Final = gauge("generation", "Generation of the configuration in force.")
STARTED: Final = gauge("started", "When the server was started, Unix time.", unit="seconds")
STOPPING: Final = gauge("stopping", "Whether the server is to end, 0 or 1.")
DISK: Final = gauge("disk_size", "Size of the file system of the spool.", unit="bytes")
FREE: Final = gauge("disk_free", "What of it we may still fill.", unit="bytes")
ROWS: Final = gauge("ledger_rows", "Limits which are counted for all workers at present.")

_ROWS_SECONDS: Final = 60.0  # to count them takes 20 ms
_BESIDE: Final = {"hose": HOSE, "monitor": MONITOR}
_WORKER: Final = "worker "


class Fleet(Protocol):
    """What is asked of the workers."""

    stopping: bool
    deaths: int

    @property
    def children(self) -> list[Child]: ...


class Table(Protocol):
    """What is asked of the ledger."""

    def rows(self) -> int: ...


def _row_of(name: str) -> int | None:
    if name in _BESIDE:
        return _BESIDE[name]
    return int(name.removeprefix(_WORKER)) if name.startswith(_WORKER) else None


class NodeWide:
    """The row of the supervisor.

    Args:
        state: the state directory.
        anew: the server starts, and does not go on with the processes of one before it.
    """

    def __init__(self, state: Path, clock: Clock, *, anew: bool) -> None:
        self._state = state
        self._path = state / "run" / "readings"
        self._anew = anew
        self._clock = clock
        self._began = clock.time()
        self._metrics = Metrics()
        self._own = Own(self._metrics)
        self._readings: Readings | None = None
        self._rows_at = 0.0

    def open(self) -> None:
        """Make the file, before anybody writes to it.

        Where the disk has no room for it nothing is told, and mail goes on; `look` tries again.
        """
        try:
            self._readings = Readings.fresh(self._path) if self._anew else Readings(self._path)
        except OSError:
            return
        if not self._anew:
            before = self._readings.read(self._clock.time()).get(SUPERVISOR, {})
            began = before.get(STARTED.name)
            self._began = began if isinstance(began, float) else self._began

    def look(self, fleet: Fleet, table: Table, workers: int, generation: int) -> None:
        """Measure; called once a second."""
        if self._readings is None:
            self._anew = False  # Workers may have made it meanwhile.
            self.open()
        if self._readings is None:
            return
        now = self._clock.monotonic()
        self._own.look(now)
        disk = os.statvfs(self._state)
        if now >= self._rows_at:
            self._rows_at = now + _ROWS_SECONDS
            self._set(ROWS, table.rows())
        self._set(WORKERS, workers)
        self._set(RUNNING, len(fleet.children))
        self._set(DEATHS, fleet.deaths)
        self._set(GENERATION, generation)
        self._set(STARTED, self._began)
        self._set(STOPPING, int(fleet.stopping))
        self._set(DISK, disk.f_blocks * disk.f_frsize)
        self._set(FREE, disk.f_bavail * disk.f_frsize)
        self._readings.write(SUPERVISOR, self._metrics.snapshot(), self._clock.time())

    def bury(self, child: Child) -> None:
        """A child has ended: keep what it counted."""
        row = _row_of(child.name)
        if row is not None and self._readings is not None:
            self._readings.bury(row, self._clock.time())

    def close(self) -> None:
        if self._readings is not None:
            self._readings.close()

    def _set(self, metric: Metric, value: float) -> None:
        self._metrics.cell(metric).value = value
