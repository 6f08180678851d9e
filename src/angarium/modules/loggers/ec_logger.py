"""ec_logger: mainlog, rejectlog and importlog, and where its paniclog is.

The paniclog is not written by the logger but by each process itself (`events/panic`).
"""

from collections.abc import Sequence

from angarium.core.clock import Clock
from angarium.events import format as lines
from angarium.events.panic import PanicLog
from angarium.events.schema import (
    Delivery,
    Discard,
    Event,
    Heartbeat,
    Imported,
    PermanentFailure,
    Reception,
    Rejection,
    Transfer,
    TransientFailure,
)
from angarium.modules.loggers.options.logs import EcLogger
from angarium.modules.loggers.places import Log, Places


class Logger:
    """One `ec_logger` stanza.

    Args:
        places: where logs go.
        stamp: how times are printed.
    """

    __slots__ = ("_import", "_main", "_options", "_reject", "_stamp", "_table", "logs")

    def __init__(self, options: EcLogger, places: Places, stamp: lines.Stamp) -> None:
        self._options = options
        self._stamp = stamp
        self._main = _log(options.mainlog, places, options.mainlog_mode)
        self._reject = _log(options.rejectlog, places, options.rejectlog_mode)
        self._import = _log(options.importlog, places, options.importlog_mode)
        logs = (self._main, self._reject, self._import)
        self.logs = [log for log in logs if log is not None]
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
        if self._import is not None:
            self._import.add(
                lines.imported(event, stamp(event.at))
                for event in events
                if type(event) is Imported
            )

    def beat(self, now: float) -> None:
        """Write that all is well, into each log."""
        at = self._stamp(now)
        if self._main is not None:
            self._main.add([lines.line(lines.MAINLOG[Heartbeat](Heartbeat(now), at))])
        if self._reject is not None:
            self._reject.add([lines.marker(at).encode()])


def panic_log(options: EcLogger, places: Places, clock: Clock, stamp: lines.Stamp) -> PanicLog:
    """Return the paniclog of a stanza, for one process.

    Raises:
        Error: a destination which cannot be for this.
    """
    where = options.paniclog if options.enabled else None
    return panic(where, options.paniclog_mode, places, clock, stamp)


def panic(
    where: str | None, mode: int, places: Places, clock: Clock, stamp: lines.Stamp
) -> PanicLog:
    """Return a paniclog which is at a destination, for one process; None: nowhere.

    Raises:
        Error: a destination which cannot be for this.
    """
    if not where:
        return PanicLog("", clock, mode, stamp)
    if (sink := places.sink(where, mode)) is not None:
        return PanicLog("", clock, mode, stamp, sink)
    return PanicLog(str(places.path(where)), clock, mode, stamp)


def _log(destination: str | None, places: Places, mode: int) -> Log | None:
    return places.log(destination, mode) if destination else None
