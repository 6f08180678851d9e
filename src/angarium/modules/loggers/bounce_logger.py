"""bounce_logger: bouncelog, the failures with their class."""

from collections.abc import Sequence
from typing import Final

from angarium.events import format as lines
from angarium.events.schema import Event, Heartbeat, PermanentFailure, TransientFailure
from angarium.modules.loggers.options.logs import BounceLogger
from angarium.modules.loggers.places import Log, Places

OUT_OF_BAND: Final = 21  # stage of a failure which came as mail (bounce_codes)
SUBSCRIBE: Final = 80  # class of mail which is no bounce of ours; the manual leaves it out


class Logger:
    """One `bounce_logger` stanza.

    Args:
        places: where logs go.
        stamp: how times are printed.
    """

    __slots__ = ("_log", "_options", "_stamp", "logs")

    def __init__(self, options: BounceLogger, places: Places, stamp: lines.Stamp) -> None:
        self._options = options
        self._stamp = stamp
        self._log = (
            places.log(options.bouncelog, options.bouncelog_mode) if options.bouncelog else None
        )
        self.logs: list[Log] = [self._log] if self._log is not None else []

    @property
    def heartbeat(self) -> float:
        """Return the seconds between heartbeats; 0 is none."""
        return self._options.heartbeat

    def take(self, events: Sequence[Event]) -> None:
        """Make lines of those events which are failures."""
        options = self._options
        if self._log is not None:
            self._log.add(
                lines.line(lines.BOUNCELOG[type(event)](event, self._stamp(event.at)))
                for event in events
                if type(event) in lines.BOUNCELOG
                and wanted(
                    event,
                    transient=options.log_transient_failures,
                    inband=options.log_inband_bounces,
                    outofband=options.log_outofband_bounces,
                )
            )

    def beat(self, now: float) -> None:
        """Write that all is well."""
        if self._log is not None:
            beat = lines.BOUNCELOG[Heartbeat](Heartbeat(now), self._stamp(now))
            self._log.add([lines.line(beat)])


def wanted(event: Event, *, transient: bool, inband: bool, outofband: bool) -> bool:
    """Say whether an event belongs in a bouncelog which has these kinds of failures."""
    if isinstance(event, TransientFailure):
        return transient
    if not isinstance(event, PermanentFailure) or event.classification == SUBSCRIBE:
        return False
    return outofband if event.stage == OUT_OF_BAND else inband
