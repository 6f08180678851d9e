"""What all processes measure, read from the files they write it to: for the web and for `top`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from angarium.events.metrics import Value
from angarium.run.busiest import Busiest
from angarium.run.readings import MONITOR, PAST, SUPERVISOR, Readings
from angarium.run.scoreboard import HOSE
from angarium.web.overview import History, Queue, Sample, together

_NAMES: Final = {HOSE: "hose", SUPERVISOR: "supervisor", PAST: "past", MONITOR: "monitor"}


def name_of(row: int) -> str:
    """Return the process a row belongs to."""
    return _NAMES.get(row, f"worker {row}")


class Watching:
    """The samples of the last minute.

    Args:
        state: the state directory of the server.
        now: Unix time.
        look_only: make no file, and write to none.

    Raises:
        OSError: there is none, or it is not for us to read.
    """

    def __init__(self, state: Path, now: Callable[[], float], *, look_only: bool = False) -> None:
        self._look_only = look_only
        self._path = state / "run" / "readings"
        self._now = now
        self._inode = 0
        self._readings: Readings | None = None
        self._busiest = Busiest(state / "run" / "busiest", look_only=look_only)
        self.history = History()
        self.look()

    def look(self, own: Mapping[str, Mapping[str, Value]] | None = None) -> None:
        """Take a sample; called once a second.

        Args:
            own: rows which stand in no file: the reader's.
        """
        at = self._now()
        rows = {name_of(row): values for row, values in self._opened().read(at).items()}
        self.history.add(Sample.of(at, {**rows, **(own or {})}))

    def _opened(self) -> Readings:
        """Return the file; a server which starts again makes a new one."""
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            inode = self._inode  # It is being made anew at this moment.
        if self._readings is None or inode != self._inode:
            if self._readings is not None:
                self._readings.close()
            self._readings = Readings(self._path, look_only=self._look_only)
            self._inode = self._path.stat().st_ino
        return self._readings

    def queues(self) -> Sequence[Queue]:
        """Return the busiest queues, of all workers together."""
        return together(self._busiest.read(self._now()))

    def close(self) -> None:
        if self._readings is not None:
            self._readings.close()
        self._busiest.close()
