"""The process of the monitor: watches the server and tells people, by alerts and by SNMP.

It also has certificates renewed, which is as little part of the way of mail.

python -m angarium.run.monitor LINK FDS        started by the supervisor, by nobody else
"""

import asyncio
import os
import socket
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from angarium.config.resolve import Configuration
from angarium.events.metrics import Metrics
from angarium.modules.monitor import tally
from angarium.modules.monitor.alerts import Alerts
from angarium.net.loop import RealClock
from angarium.run import census, link, process, scoreboard, watchdog
from angarium.run.aides import AGENT
from angarium.run.certifying import Certifier, Means
from angarium.run.host import Host
from angarium.run.own import Own
from angarium.run.process import Process
from angarium.run.readings import MONITOR, Readings
from angarium.run.spooling import settings_of

if TYPE_CHECKING:
    from angarium.modules.monitor.reporting import Reporting

POST_SECONDS: Final = 10.0  # for a worker to take mail of ours in


class Outbox:
    """Mail on its way to a worker.

    Args:
        send: says something to the supervisor.
    """

    def __init__(self, send: Callable[[link.Message], None]) -> None:
        self._send = send
        self._number = 0
        self._waiting: dict[int, asyncio.Future[str]] = {}

    async def post(self, recipients: Sequence[str], content: bytes) -> str:
        """Put a message into the queue; return why that failed, "" if it did not."""
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send(link.Post(number, list(recipients), content))
        try:
            return str(await asyncio.wait_for(answer, POST_SECONDS))
        except TimeoutError:
            return "no worker answers"
        finally:
            del self._waiting[number]

    def answered(self, outcome: link.Posted) -> None:
        waiting = self._waiting.get(outcome.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome.refusal)


class Monitor(Process):
    """Hears the service log, looks at the readings, tells whom the configuration names."""

    what = "monitor"

    def __init__(self) -> None:
        super().__init__()
        self._stopping = asyncio.Event()
        self._clock = RealClock()
        self._outbox = Outbox(self.send)
        self._state: Path
        self._readings: Readings
        self._alerts: Alerts
        self._reporting: Reporting | None = None
        self._metrics = Metrics()
        self._own = Own(self._metrics)
        self.certifier: Certifier
        self._prepared: Configuration | None = None

    async def start(
        self, start: link.Start, configuration: Configuration, descriptors: dict[str, int]
    ) -> None:
        self._state = Path(start.state)
        watchdog.attend(self._state / "run", scoreboard.MONITOR, self.what)
        self._readings = Readings(self._state / "run" / "readings")
        self._alerts = Alerts(self._state, self._clock, self._outbox.post, self._values, self.alarm)
        self.certifier = Certifier(
            self._state, self._clock, self._metrics,
            Means(self._warn, self._say, lambda: self.send(link.Renewed()), self.spawn),
        )  # fmt: skip
        self._use(configuration)
        self._reporting = self._report(configuration, descriptors.get(AGENT))
        self.ready()
        while not self._stopping.is_set():
            self._alerts.second()
            if self._reporting is not None:
                self._reporting.second()
            self.certifier.second()
            self._own.look(self._clock.monotonic())
            self._readings.write(MONITOR, self._metrics.snapshot(), self._clock.time())
            self.spawn(self._alerts.asked())
            try:
                await asyncio.wait_for(self._stopping.wait(), 1.0)
            except TimeoutError:
                continue
        await self._alerts.close()
        if self._reporting is not None:
            await self._reporting.close()

    def _report(self, configuration: Configuration, descriptor: int | None) -> "Reporting | None":
        """Return what speaks SNMP, if the configuration wants it: pysnmp takes 30 MB."""
        if not (configuration.has("snmp") or configuration.has("snmp_traps")):
            return None
        from angarium.modules.monitor.reporting import Reporting, Sources  # noqa: PLC0415

        run = self._state / "run"
        sources = Sources(
            self._values, partial(census.read, run), partial(tally.read, run / tally.FILE)
        )
        return Reporting(
            configuration, Host(configuration).external, self._state, sources, self._clock,
            _started(os.getppid()), self.alarm,
            given=socket.socket(fileno=descriptor) if descriptor is not None else None,
        )  # fmt: skip

    def _warn(self, text: str) -> None:
        """Tell the operator, and whom alerts go to: of our own lines we hear nothing."""
        self.alarm(text)
        self._alerts.hear("error", text, {})

    def _say(self, text: str) -> None:
        self.log.info(text)

    def _use(self, configuration: Configuration) -> None:
        self.certifier.use(configuration)
        logs = settings_of(configuration, self._state).log_folders
        folders = [str(self._state / "spool"), *logs]
        self._alerts.use(configuration, Host(configuration).external, folders)
        if self._reporting is not None:
            self._reporting.use(configuration)

    def _values(self) -> Mapping[str, float]:
        """Return numbers of all processes, added up: nothing else is asked for here."""
        total: defaultdict[str, float] = defaultdict(float)
        for values in self._readings.read(self._clock.time()).values():
            for name, value in values.items():
                if not isinstance(value, list):
                    total[name] += value
        return dict(total)

    def told(self, line: link.Told) -> None:
        self._alerts.hear(line.level, line.text, line.fields)
        if self._reporting is not None:
            self._reporting.hear(line.text)

    def posted(self, outcome: link.Posted) -> None:
        self._outbox.answered(outcome)

    def prepare(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        self._prepared = configuration
        process.close(descriptors.values())

    def commit(self, *, reload: bool) -> None:
        if self._prepared is not None:
            self._use(self._prepared)
        self._prepared = None

    def abort(self) -> None:
        self._prepared = None

    async def drain(self, seconds: float) -> None:
        self._stopping.set()
        self.certifier.close()
        working = [task for task in self._tasks if task is not asyncio.current_task()]
        if working:
            await asyncio.wait(working, timeout=seconds)


def _started(pid: int) -> float:
    """Return the monotonic time at which a process started, as proc(5) has it in field 22."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    ticks = int(stat.rpartition(")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    process.main(Monitor())
