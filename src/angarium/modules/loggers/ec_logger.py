"""ec_logger: mainlog and rejectlog, and where its paniclog is.

The paniclog is not written by the logger but by each process itself (`events/panic`).
"""

from collections.abc import Sequence
from pathlib import Path

from angarium.core.clock import Clock
from angarium.events import format as lines
from angarium.events.panic import PanicLog
from angarium.events.schema import (
    Delivery,
    Discard,
    Event,
    Heartbeat,
    PermanentFailure,
    Reception,
    Rejection,
    Transfer,
    TransientFailure,
)
from angarium.modules.loggers.logfile import LogFile, path_of
from angarium.modules.loggers.options.logs import EcLogger


class Logger:
    """One `ec_logger` stanza.

    Args:
        base: where relative paths begin.
        stamp: how times are printed.
    """

    __slots__ = ("_main", "_options", "_reject", "_stamp", "_table", "logs")

    def __init__(self, options: EcLogger, base: Path, stamp: lines.Stamp) -> None:
        self._options = options
        self._stamp = stamp
        self._main = _log(options.mainlog, base, options.mainlog_mode)
        self._reject = _log(options.rejectlog, base, options.rejectlog_mode)
        self.logs = [log for log in (self._main, self._reject) if log is not None]
        wanted: dict[type, bool] = {
            Reception: options.log_receptions,
            Delivery: options.log_deliveries,
            Transfer: options.log_deliveries,
            TransientFailure: options.log_transient_failures,
            PermanentFailure: options.log_permanent_failures,
            Discard: options.log_permanent_failures,
        }
        self._table = {
            declared: fields
            for declared, fields in lines.MAINLOG.items()
            if self._main is not None and wanted.get(declared, False)
        }

    @property
    def heartbeat(self) -> float:
        """Return the seconds between heartbeats; 0 is none."""
        return self._options.heartbeat

    def take(self, events: Sequence[Event]) -> None:
        """Make lines of events."""
        table, stamp, line = self._table, self._stamp, lines.line
        main = [
            line(fields(event, stamp(event.at)))
            for event in events
            if (fields := table.get(type(event))) is not None
        ]
        if self._main is not None:
            self._main.add(main)
        if self._reject is not None and self._options.log_rejections:
            self._reject.add(
                lines.rejection(event, stamp(event.at)).encode()
                for event in events
                if type(event) is Rejection
            )

    def beat(self, now: float) -> None:
        """Write that all is well, into each log."""
        at = self._stamp(now)
        if self._main is not None:
            self._main.add([lines.line(lines.MAINLOG[Heartbeat](Heartbeat(now), at))])
        if self._reject is not None:
            self._reject.add([lines.marker(at).encode()])


def panic_log(options: EcLogger, base: Path, clock: Clock, stamp: lines.Stamp) -> PanicLog:
    """Return the paniclog of a stanza, for one process.

    Raises:
        Error: a destination of a kind we do not have.
    """
    path = str(path_of(options.paniclog, base)) if options.paniclog and options.enabled else ""
    return PanicLog(path, clock, options.paniclog_mode, stamp)


def import_log(options: EcLogger, base: Path) -> LogFile | None:
    """Return the importlog of a stanza, None if it has none: for who brings mail in.

    Raises:
        Error: a destination of a kind we do not have.
    """
    return _log(options.importlog if options.enabled else None, base, options.importlog_mode)


def _log(destination: str | None, base: Path, mode: int) -> LogFile | None:
    return LogFile(destination, base, mode) if destination else None
