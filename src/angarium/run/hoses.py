"""All hoses of a node: one for what is written to disks, one for each logger which writes to a
program that takes lines at its own pace.

Each has its own place in the streams, so a program that hangs holds back nothing but its own log;
and the streams, as long as `event_retention` and `event_retention_size` say. A logger which is new
begins where the others are.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from angarium.core.clock import Clock
from angarium.events.checkpoint import Keeper, boot_id
from angarium.events.metrics import Metrics, Value
from angarium.events.stream import READER
from angarium.journal.disk import Disk
from angarium.run.hose import HELD, LAG, Configuration, Heard, Hose, readers_of


class Hoses:
    """Used as a `Hose`, of which it takes the arguments."""

    def __init__(
        self,
        configuration: Configuration,
        state: Path,
        clock: Clock,
        disk: Disk,
        alarm: Callable[[str], None],
        boot: str | None = None,
    ) -> None:
        self._state = state
        self._clock = clock
        self._disk = disk
        self._alarm = alarm
        self._boot = boot_id() if boot is None else boot
        self._coming: Configuration | None = None
        self._forget(set(readers_of(configuration, state)))
        self._hoses = {READER: self._made(READER, configuration)}
        self._add(configuration)

    def _made(self, reader: str, configuration: Configuration) -> Hose:
        return Hose(
            configuration,
            self._state,
            self._clock,
            self._disk,
            self._alarm,
            self._boot,
            reader,
        )

    def _add(self, configuration: Configuration) -> None:
        for reader in readers_of(configuration, self._state):
            if reader not in self._hoses:
                self._begin(reader)
                self._hoses[reader] = self._made(reader, configuration)

    def _begin(self, reader: str) -> None:
        """Let a reader which was not there before begin where the others are."""
        folder = self._state / "hose" / reader
        if folder.exists():
            return
        found = Keeper(self._state / "hose" / READER, self._boot).load()
        if found is not None:
            keeper = Keeper(folder, self._boot)
            keeper.lock()
            keeper.save(found.cursors(self._boot), {}, sync=True)
            keeper.unlock()

    def _forget(self, wanted: set[str]) -> None:
        """Remove the places of loggers which are no more: nothing is kept for them."""
        for folder in (self._state / "hose").glob(f"{READER}.*"):
            if folder.name not in wanted:
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def held(self) -> str:
        """Return why logs are not written now; "" if they are."""
        return next((each.held for each in self._hoses.values() if each.held), "")

    @property
    def metrics(self) -> Metrics:
        """Return those of this process, and of the logs which are on disks."""
        return self._hoses[READER].metrics

    def snapshot(self) -> dict[str, Value]:
        """Return the metrics; of what is late or held, those of the log which is worst."""
        values = self.metrics.snapshot()
        for hose in self.all:
            theirs = hose.metrics.snapshot()
            for metric in (LAG, HELD):
                one, other = values[metric.name], theirs[metric.name]
                if not isinstance(one, list) and not isinstance(other, list):
                    values[metric.name] = max(one, other)
        return values

    @property
    def all(self) -> list[Hose]:
        """Return each of them."""
        return list(self._hoses.values())

    @property
    def heard(self) -> list[Heard]:
        """Return who is told of all events: by the reader which writes to disks, so once."""
        return self._hoses[READER].heard

    def poll(self) -> float:
        """Do one step of each; return the seconds until the next one."""
        return min([hose.poll() for hose in self.all])

    def reopen(self) -> None:
        """Close and open the logs, at the next step: somebody has renamed them."""
        for hose in self.all:
            hose.reopen()

    def prepare(self, configuration: Configuration) -> None:
        """First phase of a reload. Raises Error if these loggers cannot be."""
        self._coming = configuration
        for hose in self.all:
            hose.prepare(configuration)

    def commit(self) -> None:
        """Second phase: the prepared loggers write from the next step on."""
        configuration, self._coming = self._coming, None
        if configuration is None:
            return
        wanted = set(readers_of(configuration, self._state))
        for reader in self._hoses.keys() - wanted - {READER}:
            self._hoses.pop(reader).close()
        self._forget(wanted)
        for hose in self.all:
            hose.commit()
        self._add(configuration)

    def abort(self) -> None:
        """Forget what was prepared."""
        self._coming = None
        for hose in self.all:
            hose.abort()

    def close(self) -> None:
        """Write what is left, and the last checkpoints."""
        for hose in self.all:
            hose.close()
