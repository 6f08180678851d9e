"""custom_logger: lines of the operator's own making, one format for each kind of event."""

from collections.abc import Sequence

from angarium.events import format as lines
from angarium.events.schema import (
    Delivery,
    Discard,
    Event,
    PermanentFailure,
    Reception,
    Rejection,
    Transfer,
    TransientFailure,
)
from angarium.modules.loggers.macros import Format, sanitizer
from angarium.modules.loggers.options.formats import CustomLogger
from angarium.modules.loggers.places import Log, Places


class Logger:
    """One `custom_logger` stanza.

    Args:
        places: where logs go.
        stamp: how times are printed.

    Raises:
        Error: a destination of a kind we do not have.
    """

    __slots__ = ("_formats", "_stamp", "logs")

    def __init__(self, options: CustomLogger, places: Places, stamp: lines.Stamp) -> None:
        self._stamp = stamp
        made: dict[str, Log] = {}
        self._formats: dict[type, tuple[Format, Log]] = {}
        for events, form, where, mode in _stages(options):
            if not form:
                continue
            place = (where, mode) if where else (options.mainlog, options.mainlog_mode)
            if not place[0]:
                continue
            if place[0] not in made:
                made[place[0]] = places.log(place[0], place[1])
            compiled = Format(
                form,
                hires=stamp is lines.microseconds,
                clean=sanitizer(options.sanitize) if options.sanitize else None,
                namespaces=tuple(each.strip() for each in options.namespace.split(",")),
            )
            for event in events:
                self._formats[event] = compiled, made[place[0]]
        self.logs = list(made.values())

    @property
    def heartbeat(self) -> float:
        """Return the seconds between heartbeats: there are none."""
        return 0.0

    def take(self, events: Sequence[Event]) -> None:
        """Make lines of events. What goes to one log keeps its order."""
        stamp = self._stamp
        made: dict[int, list[bytes]] = {id(log): [] for log in self.logs}
        for event in events:
            found = self._formats.get(type(event))
            if found is not None:
                form, log = found
                line = form(event, stamp(event.at))
                made[id(log)].append(line.encode("utf-8", "replace"))
        for log in self.logs:
            log.add(made[id(log)])

    def beat(self, now: float) -> None:
        """Write nothing: no format is for it."""


Stage = tuple[tuple[type, ...], str | None, str | None, int]


def _stages(options: CustomLogger) -> list[Stage]:
    """Return the events of each stage, its format, its log and the mode of that."""
    return [
        (
            (Reception,),
            options.reception_format,
            options.reception_logfile,
            options.reception_log_mode,
        ),
        (
            (Delivery,),
            options.delivery_format,
            options.delivery_logfile,
            options.delivery_log_mode,
        ),
        (
            (TransientFailure,),
            options.transient_failure_format,
            options.transient_failure_logfile,
            options.transient_failure_log_mode,
        ),
        (
            (PermanentFailure, Discard),
            options.permanent_failure_format,
            options.permanent_failure_logfile,
            options.permanent_failure_log_mode,
        ),
        ((Transfer,), options.xfer_format, options.xfer_logfile, options.xfer_log_mode),
        (
            (Rejection,),
            options.rejection_format,
            options.rejection_logfile,
            options.rejection_log_mode,
        ),
    ]


def paniclog(options: CustomLogger) -> tuple[str | None, int]:
    """Return where faults of the server go too, and the mode of that log; None: nowhere."""
    return options.paniclog if options.log_errors else None, options.paniclog_mode
