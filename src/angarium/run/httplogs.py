"""Where requests by HTTP are noted: the httplogs of all `http_logger`, and paniclog if so wanted.

They are not events of mail, so the process of the web writes them itself, once a second. Rule: **a
log that cannot be written stops nothing**: what it does not take is lost, and told.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.events import format as lines
from angarium.modules.generate.options import HttpLogger
from angarium.modules.loggers.places import Log, Places
from angarium.modules.options import LOG_MODE
from angarium.run.alarm import Alarm
from angarium.run.hose import panics_of, stamp_of
from angarium.web.asked import Asked

MOST_WAITING: Final = 10_000  # lines, until a program or the system log takes more


class HttpLogs:
    """Those of the configuration in force.

    Args:
        state: where relative paths begin.
        tell: tells the operator, through the supervisor.
    """

    def __init__(
        self,
        configuration: Configuration,
        state: Path,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._state = state
        self._clock = clock
        self._logs: list[Log] = []
        self._waiting: dict[str, int] = {}  # lines which a log has not taken, by its name
        self._stamp: lines.Stamp = stamp_of(configuration)
        self._alarm = Alarm(tell, clock, panics_of(configuration, state, clock))
        self._use(configuration)

    def use(self, configuration: Configuration) -> None:
        """Go over to those of another generation."""
        self.close()
        self._stamp = stamp_of(configuration)
        self._alarm.panics.use(panics_of(configuration, self._state, self._clock))
        self._use(configuration)

    def _use(self, configuration: Configuration) -> None:
        places = Places.of(configuration, self._state)
        self._logs = [
            places.log(options.log, LOG_MODE)
            for _, options in configuration.instances(HttpLogger)
            if options.enabled
        ]

    def note(self, asked: Asked) -> None:
        """Note a request in the httplogs."""
        line = lines.escape_rest(asked.line(self._stamp(self._clock.time() - asked.seconds)))
        for log in self._logs:
            log.add((line.encode(),))
            self._waiting[log.name] = self._waiting.get(log.name, 0) + 1

    def note_in_paniclog(self, asked: Asked) -> None:
        """Note a request in the httplogs and in the paniclogs."""
        self.note(asked)
        self._alarm.panics.write("", asked.fault)

    def flush(self) -> None:
        """Write what waits."""
        for log in self._logs:
            try:
                log.flush()
            except BlockingIOError as error:
                if self._waiting.get(log.name, 0) > MOST_WAITING:
                    self._lose(log, error)
            except (OSError, Error) as error:
                self._lose(log, error)
            else:
                self._waiting.pop(log.name, None)

    def _lose(self, log: Log, error: Exception) -> None:
        count = self._waiting.pop(log.name, 0)
        log.close()
        about = f"{log.name} cannot be written"
        self._alarm(f"{about}, {count} lines are lost: {error}", "http_logger", about)

    def reopen(self) -> None:
        """Close the files; the next line opens the paths anew."""
        self.close()

    def close(self) -> None:
        """Write what waits, and close."""
        self.flush()
        for log in self._logs:
            log.close()
        self._alarm.panics.close()
