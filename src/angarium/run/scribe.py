"""The process of the hose: runs `run/hoses` until it is told to drain.

python -m angarium.run.scribe LINK FDS        started by the supervisor, by nobody else
"""

import asyncio
from pathlib import Path

from angarium.config.resolve import Configuration
from angarium.journal.disk import FileDisk
from angarium.net import loop as loops
from angarium.run import link, process, watchdog
from angarium.run.hose import Heard
from angarium.run.hoses import Hoses
from angarium.run.own import Own
from angarium.run.process import Process
from angarium.run.readings import Readings
from angarium.run.scoreboard import HOSE


class Scribe(Process):
    """Polls the streams at the pace the hose asks for."""

    what = "hose"

    def __init__(self) -> None:
        super().__init__()
        self._hose: Hoses
        self._readings: Readings
        self._own: Own
        self._clock = loops.RealClock()
        self._told = float("-inf")
        self._stopping = asyncio.Event()
        self.state = Path()  # for questions of the console

    @property
    def heard(self) -> list[Heard]:
        """Return who is told of all events, for who wants to be."""
        return self._hose.heard

    async def start(
        self, start: link.Start, configuration: Configuration, descriptors: dict[str, int]
    ) -> None:
        watchdog.attend(Path(start.state) / "run", HOSE, "hose")
        self._hose = Hoses(configuration, Path(start.state), self._clock, FileDisk(), self.alarm)
        self.state = Path(start.state)
        self._readings = Readings(Path(start.state) / "run" / "readings")
        self._own = Own(self._hose.metrics)
        loops.settle_memory()
        self.ready()
        while not self._stopping.is_set():
            wait = self._hose.poll()
            self._tell()
            try:
                await asyncio.wait_for(self._stopping.wait(), wait)
            except TimeoutError:
                continue
        self._hose.close()

    def _tell(self) -> None:
        """Once a second: what we measured."""
        now = self._clock.monotonic()
        if now >= self._told + 1.0:
            self._told = now
            self._own.look(now)
            self._readings.write(HOSE, self._hose.snapshot(), self._clock.time())

    def prepare(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        self._hose.prepare(configuration)
        # New listening sockets are for the workers. Kept open here they would go on listening when
        # a later configuration has them no more.
        process.close(descriptors.values())

    def commit(self, *, reload: bool) -> None:
        self._hose.commit()

    def abort(self) -> None:
        self._hose.abort()

    def reopen(self) -> None:
        self._hose.reopen()

    async def drain(self, seconds: float) -> None:
        self._stopping.set()
        working = [task for task in self._tasks if task is not asyncio.current_task()]
        await asyncio.gather(*working)


if __name__ == "__main__":
    process.main(Scribe())
