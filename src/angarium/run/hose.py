"""The hose: the one process that reads the event streams of all workers.

Here it writes the text logs. If it lags, dies or cannot write, mail goes on; it holds its place
in the streams and goes on from there. One step, `poll`, is a transaction:

    what was not written last time is tried again, and nothing is read before it is written
    read what is new, in one order for the node, about BATCH events of a stream at most
    each logger makes its lines; heartbeats, if nothing is left to read
    write them; then the checkpoint, which says how far the streams and how long the files are

A crash at any point leaves files that are longer than the checkpoint says; they are cut back to
it at the next start, and the events are read again. So each line is there exactly once.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.events import format as lines
from angarium.events import metrics
from angarium.events.checkpoint import File, Keeper, boot_id
from angarium.events.reader import Streams
from angarium.events.schema import Event
from angarium.events.stream import READER
from angarium.journal.disk import Disk
from angarium.modules import index
from angarium.modules.loggers.ec_logger import panic, panic_log
from angarium.modules.loggers.places import Log, Places
from angarium.modules.monitor.tally import FILE as COUNTS
from angarium.modules.monitor.tally import Tally
from angarium.run.alarm import Panics
from angarium.run.flags import GENERIC, Flags
from angarium.run.options import DebugFlags, DebugThrottle, Node

BATCH: Final = 2048  # events of a stream at a time: a few megabytes, lines included
BUSY_SECONDS: Final = 0.05  # until the next look, after one that found something
IDLE_SECONDS: Final = 0.2
LATE_SECONDS: Final = 10.0  # after which it is told that a program takes no lines
HELD_SECONDS: Final = 1.0  # until a log that could not be written is tried again
RESCAN_SECONDS: Final = 1.0
SYNC_SECONDS: Final = 1.0  # a power cut makes so much of the logs be written again

READ: Final = metrics.counter("hose_events", "Events read from the streams.")
LAG: Final = metrics.gauge(
    "hose_lag_seconds",
    "Age of the last event written to the logs, when it was.",
    highest=True,
    unit="seconds",
)
HELD: Final = metrics.gauge("hose_held", "Whether logs cannot be written, 0 or 1.")


class Logger(Protocol):
    """What runs a logger's stanza."""

    logs: list[Log]

    @property
    def heartbeat(self) -> float: ...
    def take(self, events: Sequence[Event]) -> None: ...
    def beat(self, now: float) -> None: ...


Generation = tuple[list[Logger], Panics]
Heard = Callable[[Sequence[Event]], None]


class Configuration(Protocol):
    """What this file needs of a configuration."""

    def top(self, options: Any) -> Any: ...
    def instances(self, stanza: str) -> Sequence[tuple[str, Any]]: ...


def stamp_of(configuration: Configuration) -> lines.Stamp:
    """Return how logs print times."""
    hires = configuration.top(Node).log_hires_timestamp
    return lines.microseconds if hires else lines.seconds


def loggers_of(configuration: Configuration, state: Path) -> list[Logger]:
    """Return the loggers that are configured; relative paths are below the state directory.

    Raises:
        Error: a destination is of a kind we do not have, or two write to one file.
    """
    return [logger for loggers in readers_of(configuration, state).values() for logger in loggers]


def readers_of(configuration: Configuration, state: Path) -> dict[str, list[Logger]]:
    """Return the loggers by the reader which feeds them.

    Those which write to disks share READER. One that writes to a program has its own: else all
    logs would wait for it.

    Raises:
        Error: as `loggers_of`.
    """
    stamp, places = stamp_of(configuration), Places.of(configuration, state)
    found: dict[str, list[Logger]] = {READER: []}
    owners: dict[str, str] = {}
    for stanza in index.LOGGERS:
        for name, options in configuration.instances(stanza):
            if not options.enabled:
                continue
            logger: Logger = index.logger(stanza)(options, places, stamp)
            owner = f"{stanza} {name!r}"
            for log in logger.logs:
                if log.folder is not None and log.name in owners:
                    raise Error("two logs in one file", path=log.name, of=(owners[log.name], owner))
                owners[log.name] = owner
            slow = any(log.slow for log in logger.logs)
            reader = f"{READER}.{stanza}.{quote(name, safe='')}" if slow else READER
            found.setdefault(reader, []).append(logger)
    if configuration.instances("snmp"):
        found[READER].append(Tally(state / "run" / COUNTS))
    return found


def panics_of(configuration: Configuration, state: Path, clock: Clock) -> Panics:
    """Return the paniclogs of all loggers which have one, for this process, and what goes there.

    Raises:
        Error: a destination is of a kind we do not have.
    """
    stamp, places = stamp_of(configuration), Places.of(configuration, state)
    logs = [
        panic_log(options, places, clock, stamp)
        for _, options in configuration.instances("ec_logger")
    ]
    for stanza in index.PANICS:
        for _, options in configuration.instances(stanza):
            where, mode = index.paniclog(stanza)(options)
            if where and options.enabled:
                logs.append(panic(where, mode, places, clock, stamp))
    flags = Flags(configuration.top(DebugFlags), configuration.top(DebugThrottle), clock)
    return Panics(logs, flags)


class Heart:
    """When a heartbeat is due: once in each interval of the clock, whoever restarts meanwhile."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[float, int] = {}

    def due(self, interval: float, now: float) -> bool:
        """Say whether a new interval has begun since the last call for this interval."""
        beat = int(now // interval)
        last = self._last.setdefault(interval, beat)
        self._last[interval] = beat
        return beat > last


class Hose:
    """Reads all streams, writes all text logs.

    Args:
        state: the state directory (`run/plan` says what is in it).
        alarm: told once when logs cannot be written, and once when they can again.
        boot: names this run of the machine.
        reader: whose loggers, see `readers_of`; its checkpoints have this name.
    """

    def __init__(
        self,
        configuration: Configuration,
        state: Path,
        clock: Clock,
        disk: Disk,
        alarm: Callable[[str], None],
        boot: str | None = None,
        reader: str = READER,
    ) -> None:
        self.reader = reader
        self._state = state
        self._clock = clock
        self._disk = disk
        self._alarm = alarm
        self._boot = boot_id() if boot is None else boot
        self._keeper = Keeper(state / "hose" / reader, self._boot)
        self._loggers = readers_of(configuration, state).get(reader, [])
        self._panics = panics_of(configuration, state, clock)
        self._prepared: Generation = ([], Panics())
        self._next: Generation | None = None
        self._streams: Streams | None = None  # from the first step on
        self._known: Mapping[str, File] = {}  # files that are to be cut back
        self._heart = Heart()
        self._rescanned = self._synced = float("-inf")
        self._progress: tuple[tuple[int, int], ...] = ()
        self._unsynced = False
        self._reopen = True  # the first step opens them
        self._held = ""
        self._since: float | None = None  # when a program began to take no more lines
        self._regained = False  # what was there before this run has come again
        self._distrusted = False  # a sync of the logs has failed
        self._missed = self._undecodable = 0
        self._wait = 0.0
        self.heard: list[Heard] = []  # who is told of all events, before the logs are
        self.metrics = metrics.Metrics()
        self._read = self.metrics.cell(READ)
        self._lag = self.metrics.cell(LAG)
        self._holding = self.metrics.cell(HELD)

    # -- what it is told ------------------------------------------------------------------

    def reopen(self) -> None:
        """Close and open the logs, at the next step: somebody has renamed them."""
        self._reopen = True
        self._panics.reopen()

    def prepare(self, configuration: Configuration) -> None:
        """First phase of a reload. Raises Error if these loggers cannot be."""
        self._prepared = (
            readers_of(configuration, self._state).get(self.reader, []),
            panics_of(configuration, self._state, self._clock),
        )

    def commit(self) -> None:
        """Second phase: the prepared loggers write from the next step on."""
        self._next, self._prepared = self._prepared, ([], Panics())
        self._reopen = True

    def abort(self) -> None:
        """Forget what was prepared."""
        self._prepared = ([], Panics())

    # -- what it does ---------------------------------------------------------------------

    @property
    def held(self) -> str:
        """Return why logs are not written now; "" if they are."""
        return self._held

    def poll(self) -> float:
        """Do one step; return the seconds until the next one."""
        try:
            if self._held and (self._reopen or self._distrusted):
                self._start_over()
            streams = self._streams or self._start()
            found = self._step(streams)
        except BlockingIOError as error:
            return self._late(str(error))
        except (OSError, Error) as error:
            return self._hold(str(error))
        self._since = None
        if not self._regained and streams.caught_up:
            self._regained = True
            for log in self._logs:
                log.regained()
        if self._held:
            self._tell(f"logs are written again, after: {self._held}")
            self._held = ""
            self._holding.value = 0
        self._tell_losses(streams)
        if not streams.caught_up:
            self._wait = 0.0
        elif found:
            self._wait = BUSY_SECONDS
        else:
            self._wait = min(IDLE_SECONDS, max(BUSY_SECONDS, self._wait * 2))
        return self._wait

    def _tell(self, text: str) -> None:
        self._alarm(text)
        if self._panics.wants("critical", GENERIC, text):
            self._panics.write("hose", text)

    def _tell_losses(self, streams: Streams) -> None:
        if streams.missed > self._missed:
            self._tell("events were gone before they were read: logs have a gap")
        if streams.undecodable > self._undecodable:
            self._tell("events of a later version were passed over: logs have a gap")
        self._missed, self._undecodable = streams.missed, streams.undecodable

    def _hold(self, reason: str) -> float:
        if not self._held:
            self._tell(f"logs cannot be written, the streams keep the events: {reason}")
        self._held = reason
        self._holding.value = 1
        return HELD_SECONDS

    def _late(self, reason: str) -> float:
        """Who takes the lines takes no more just now."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since >= LATE_SECONDS:
            return self._hold(f"a program takes lines too slowly ({reason})")
        return BUSY_SECONDS

    def _start_over(self) -> None:
        """Go back to the checkpoint: where logs can't be written, their successors may be.

        After a sync that failed, to the one that is synced: the pages which it should have written
        count as clean, and another sync would say that all is well.
        """
        if self._distrusted:
            self._keeper.fall_back()
            self._distrusted, self._reopen = False, True
        if self._streams is None:
            return
        self._streams.close()
        self._streams = None
        self._regained = False
        found = self._keeper.load()
        for log in self._logs:
            log.close()
            if found is not None and (known := found.files.get(log.name)) is not None:
                log.restore(known)

    def _start(self) -> Streams:
        """Take over from the last run: where it was in the streams, and how long its files were."""
        if not self._keeper.lock():
            raise Error("a former hose still writes them")
        found = self._keeper.load()
        if self._keeper.damage:
            self._tell(self._keeper.damage)
        self._known = found.files if found else {}
        roots = (self._state / "spool", self._state / "streams")
        cursors = found.cursors(self._boot) if found else {}
        self._streams = Streams(roots, self._disk, cursors)
        return self._streams

    def _step(self, streams: Streams) -> bool:
        """Return whether there was something to write."""
        now = self._clock.monotonic()
        self._flush()
        if now - self._rescanned >= RESCAN_SECONDS:
            streams.rescan()
            self._rescanned = now
        if self._reopen:
            self._open_logs(streams)
        events = streams.read(BATCH)
        for hear in self.heard:
            hear(events)
        for logger in self._loggers:
            logger.take(events)
        if streams.caught_up:
            self._beat()
        wrote = self._flush()
        if events:
            self._read.value += len(events)
            self._lag.value = max(0.0, self._clock.time() - events[-1].at)
        if wrote or events:
            self._save(streams, sync=False)
        if (progress := streams.progress()) != self._progress:
            # Also when only more of what was read is known to be safe: owners wait for that.
            self._progress = progress
            self._unsynced = True
        if self._unsynced and now - self._synced >= SYNC_SECONDS:
            self._save(streams, sync=True)
            self._synced = now
        return bool(events)

    def _beat(self) -> None:
        now = self._clock.time()
        intervals = {logger.heartbeat for logger in self._loggers} - {0.0}
        due = {interval for interval in intervals if self._heart.due(interval, now)}
        for logger in self._loggers:
            if logger.heartbeat in due:
                logger.beat(now)

    @property
    def _logs(self) -> list[Log]:
        return [log for logger in self._loggers for log in logger.logs]

    def _flush(self) -> bool:
        wrote = [log.flush() for log in self._logs]
        return any(wrote)

    def _save(self, streams: Streams, *, sync: bool) -> None:
        if sync:
            streams.mark()
            self._distrusted = True
            for log in self._logs:
                log.sync()
            self._distrusted = False
        states = {log.name: log.state for log in self._logs}
        files = {path: state for path, state in states.items() if state is not None}
        self._keeper.save(streams.cursors(), {**self._known, **files}, sync=sync)
        self._unsynced = not sync

    def _open_logs(self, streams: Streams) -> None:
        """Close the old files, when a checkpoint has them whole, and open the new ones."""
        if any(log.state for log in self._logs):
            self._save(streams, sync=True)
        for log in self._logs:
            log.close()
        if self._next is not None:
            self._panics.close()
            self._loggers, self._panics = self._next
            self._next = None
        for log in self._logs:
            # At the start: undo what the checkpoint does not know. A file that has been renamed
            # since is cut too, and then left alone.
            if (known := self._known.get(log.name)) is not None:
                log.restore(known)
            log.open()
        self._known = {}
        self._save(streams, sync=True)
        self._reopen = False

    def close(self) -> None:
        """Write what is left, and the last checkpoint; what can't be written stays where it is."""
        if (streams := self._streams) is not None:
            try:
                streams.rescan()
                while self._step(streams) or not streams.caught_up:
                    pass
                self._save(streams, sync=True)
            except (OSError, Error) as error:
                self._hold(str(error))
            if self._distrusted:
                with suppress(OSError):
                    self._keeper.fall_back()
            streams.close()
        for log in self._logs:
            log.close()
        self._panics.close()
        self._keeper.unlock()
