"""The module `alerting`: hears the service log, looks at thresholds, tells the receivers.

It is fed once a second and with each line of the log, and is asked nothing: whatever happens here,
mail goes on. What is wrong and who knows it is kept on disk, so a restart tells nobody twice.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from angarium.config import durable
from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.modules.monitor import thresholds
from angarium.modules.monitor.alarms import sign_of
from angarium.modules.monitor.dispatch import Dispatch, Way
from angarium.modules.monitor.incidents import Incidents, Limits
from angarium.modules.monitor.options.alerts import (
    AlertCommand,
    Alerting,
    AlertMail,
    AlertWebhook,
)
from angarium.modules.monitor.receivers import ByCommand, ByMail, ByWebhook, Post
from angarium.modules.monitor.thresholds import Measures

KEPT: Final = "alerts.json"  # in the folder of the monitor
TEST, RESULT = "alert-test", "alert-test.result"  # in the folder of what runs
STARTED: Final = "Angarium "  # begins the line which says that the server has started
LAST_SECONDS: Final = 3.0  # for what is under way at the end
# Kinds whose begin and end is heard, and the reading which says that none of them lasts.
SETTLED: Final = {
    "intake": ("intake_stopped", "delivery_stopped"),
    "binding": ("suspended_bindings",),
    "logs": ("hose_held",),
}


def ways_of(configuration: Configuration, host: str, post: Post) -> dict[str, Way]:
    """Return the receivers of a configuration by name."""
    section = configuration.root.get("alerting")
    ways: dict[str, Way] = {}
    if section is None or not configuration.top(Alerting).enabled:
        return ways
    for name, inner in section.all(AlertMail.stanza).items():
        mail = configuration.of(AlertMail, inner)
        ways[f"mail {name}"] = Way(ByMail(mail, host, post), mail.kinds, mail.interval)
    for name, inner in section.all(AlertWebhook.stanza).items():
        hook = configuration.of(AlertWebhook, inner)
        ways[f"webhook {name}"] = Way(ByWebhook(hook), hook.kinds, hook.interval)
    for name, inner in section.all(AlertCommand.stanza).items():
        run = configuration.of(AlertCommand, inner)
        ways[f"command {name}"] = Way(ByCommand(run), run.kinds, run.interval)
    return ways


def limits_of(options: Alerting) -> Limits:
    return Limits(
        again=options.alerting_cache_ttl,
        quiet=options.quiet,
        gather=options.gather,
        octets=options.alerting_cache_size,
    )


class Alerts:
    """The alerts of one server.

    Args:
        state: the state directory.
        readings: returns the numbers which the processes last measured, added up.
        complain: tells the operator, through the supervisor, of a receiver that fails.
    """

    def __init__(
        self,
        state: Path,
        clock: Clock,
        post: Post,
        readings: Callable[[], Mapping[str, float]],
        complain: Callable[[str], None],
    ) -> None:
        self._state = state
        self._clock = clock
        self._post = post
        self._readings = readings
        self._complain = complain
        self._options = Alerting.make()
        self._folders: tuple[str, ...] = ()
        self._looked = float("-inf")
        self._read: float | None = None  # events, by the last look
        self._testing = False
        self._keeping: asyncio.Future[None] | None = None
        self._incidents = Incidents(Limits())
        self._dispatch = Dispatch(self._incidents, {}, "", clock, complain)
        self._load()

    def use(self, configuration: Configuration, host: str, folders: Iterable[str]) -> None:
        """Go over to a generation.

        Args:
            folders: whose disks are looked at.
        """
        self._options = configuration.top(Alerting)
        self._incidents.limits = limits_of(self._options)
        self._folders = tuple(folders)
        self._dispatch.use(ways_of(configuration, host, self._post), host)

    def hear(self, level: str, text: str, fields: Mapping[str, str]) -> None:
        """Take a line of the service log."""
        now = self._clock.time()
        if text.startswith(STARTED):
            for kind in (*SETTLED, "memory", "stuck"):
                self._incidents.end_all(kind, now)
        sign = sign_of(level, text, fields)
        if sign is None:
            return
        if sign.over:
            self._incidents.end(sign.kind, sign.about, now)
        else:
            self._incidents.begin(sign.kind, sign.about, sign.text, now, lasting=sign.lasting)

    def second(self) -> None:
        """Let a second pass."""
        if self._clock.monotonic() - self._looked >= self._options.check_interval:
            self._looked = self._clock.monotonic()
            self._look()
        self._dispatch.tick()
        if self._incidents.changed and (self._keeping is None or self._keeping.done()):
            self._incidents.changed = False
            # In a thread: a disk that hangs is what we may have to tell of.
            self._keeping = asyncio.ensure_future(
                asyncio.to_thread(_keep, self._state, self._incidents.dump())
            )

    def _look(self) -> None:
        now, values = self._clock.time(), self._readings()
        measures = Measures(
            thresholds.disks(self._folders),
            thresholds.memory(thresholds.MEMINFO.read_text(encoding="ascii")),
            int(values["queued"]) if "queued" in values else None,
            self._lag(values),
        )
        thresholds.look(measures, self._options, self._incidents, now)
        for kind, names in SETTLED.items():
            if all(values.get(name) == 0 for name in names):
                self._incidents.end_all(kind, now)

    def _lag(self, values: Mapping[str, float]) -> float | None:
        """Return how far the logs are behind: what was read last says it, as long as more is."""
        read, before = values.get("hose_events"), self._read
        self._read = read
        if read is None or (read == before and not values.get("hose_held")):
            return 0.0 if read is not None else None
        return values.get("hose_lag_seconds")

    async def asked(self) -> None:
        """Tell every receiver a test, if somebody has asked for one, and write what came of it."""
        asked = self._state / "run" / TEST
        if self._testing or not asked.exists():
            return
        self._testing = True
        try:
            asked.unlink(missing_ok=True)
            result = json.dumps(await self._dispatch.test()).encode()
            _replace(self._state / "run" / RESULT, result)
        except OSError as error:
            self._complain(f"a test of the alerts failed: {error}")
        finally:
            self._testing = False

    async def close(self) -> None:
        await self._dispatch.last(LAST_SECONDS)
        if self._keeping is not None:
            await asyncio.wait([self._keeping], timeout=LAST_SECONDS)
        if self._keeping is None or self._keeping.done():
            await asyncio.to_thread(_keep, self._state, self._incidents.dump())

    def _load(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            try:
                self._incidents.load((self._state / "monitor" / KEPT).read_bytes())
            except ValueError as error:
                self._complain(f"alerts of before are forgotten: {error}")


def _keep(state: Path, octets: bytes) -> None:
    with contextlib.suppress(OSError):  # Of a full disk we tell, and know it till we end.
        folder = state / "monitor"
        folder.mkdir(exist_ok=True)
        _replace(folder / KEPT, octets)


def _replace(path: Path, octets: bytes) -> None:
    coming = f"{path}.new"
    durable.write(coming, octets, 0o600)
    os.replace(coming, path)
