"""bounce_logger: bouncelog, the failures with their class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from angarium.events import format as lines
from angarium.events.schema import Event, Heartbeat, PermanentFailure, TransientFailure
from angarium.modules.loggers.logfile import LogFile
from angarium.modules.loggers.options.logs import BounceLogger

OUT_OF_BAND: Final = 21  # stage of a failure which came as mail (bounce_codes)
SUBSCRIBE: Final = 80  # class of mail which is no bounce of ours; the manual leaves it out


class Logger:
    """One `bounce_logger` stanza.

    Args:
        base: where relative paths begin.
        stamp: how times are printed.
    """

    __slots__ = ("_log", "_options", "_stamp", "logs")

    def __init__(self, options: BounceLogger, base: Path, stamp: lines.Stamp) -> None:
        self._options = options
        self._stamp = stamp
        self._log = (
            LogFile(options.bouncelog, base, options.bouncelog_mode) if options.bouncelog else None
        )
        self.logs = [self._log] if self._log is not None else []

    @property
    def heartbeat(self) -> float:
        """Return the seconds between heartbeats; 0 is none."""
        return self._options.heartbeat

    def take(self, events: Sequence[Event]) -> None:
        """Make lines of those events which are failures."""
        if self._log is not None:
            self._log.add(
                lines.line(lines.BOUNCELOG[type(event)](event, self._stamp(event.at)))
                for event in events
                if type(event) in lines.BOUNCELOG and self._wants(event)
            )

    def _wants(self, event: Event) -> bool:
        if isinstance(event, TransientFailure):
            return self._options.log_transient_failures
        if not isinstance(event, PermanentFailure) or event.classification == SUBSCRIBE:
            return False
        if event.stage == OUT_OF_BAND:
            return self._options.log_outofband_bounces
        return self._options.log_inband_bounces

    def beat(self, now: float) -> None:
        """Write that all is well."""
        if self._log is not None:
            beat = lines.BOUNCELOG[Heartbeat](Heartbeat(now), self._stamp(now))
            self._log.add([lines.line(beat)])
