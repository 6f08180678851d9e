"""custom_bounce_logger: bouncelog, with a text of the operator's own as a further last field."""

from collections.abc import Sequence

from angarium.events import format as lines
from angarium.events.schema import Event, Heartbeat
from angarium.modules.loggers.bounce_logger import wanted
from angarium.modules.loggers.macros import Format
from angarium.modules.loggers.options.formats import CustomBounceLogger
from angarium.modules.loggers.places import Log, Places


class Logger:
    """One `custom_bounce_logger` stanza.

    The reason is no more the last field, so an at sign in it is escaped.

    Args:
        places: where logs go.
        stamp: how times are printed.
    """

    __slots__ = ("_format", "_options", "_stamp", "logs")

    def __init__(self, options: CustomBounceLogger, places: Places, stamp: lines.Stamp) -> None:
        self._options = options
        self._stamp = stamp
        hires = stamp is lines.microseconds
        self._format = Format(options.user_string, hires=hires) if options.user_string else None
        self.logs: list[Log] = []
        if options.bouncelog:
            self.logs.append(places.log(options.bouncelog, options.bouncelog_mode))

    @property
    def heartbeat(self) -> float:
        """Return the seconds between heartbeats; 0 is none."""
        return self._options.heartbeat

    def take(self, events: Sequence[Event]) -> None:
        """Make lines of those events which are failures."""
        options, found = self._options, []
        for event in events:
            if type(event) in lines.BOUNCELOG and wanted(
                event,
                transient=options.log_transient_failures,
                inband=options.log_inband_bounces,
                outofband=options.log_outofband_bounces,
            ):
                at = self._stamp(event.at)
                fields = lines.BOUNCELOG[type(event)](event, at)
                if self._format is not None:
                    fields = (*fields, self._format(event, at))
                found.append(lines.line(fields))
        for log in self.logs:
            log.add(found)

    def beat(self, now: float) -> None:
        """Write that all is well."""
        for log in self.logs:
            log.add([lines.line(lines.BOUNCELOG[Heartbeat](Heartbeat(now), self._stamp(now)))])
