"""The acctlogs of this node: who gave which command (`modules/loggers/acctlog`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from angarium.config.resolve import Configuration
from angarium.console.access import Peer
from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.modules.loggers.acctlog import AccountLog
from angarium.modules.loggers.options.logs import EcLogger
from angarium.modules.loggers.places import Places
from angarium.run.hose import stamp_of


class Accounts:
    """Those of all ec_loggers of the configuration in force."""

    __slots__ = ("_clock", "_log", "_logs")

    def __init__(self, clock: Clock, log: Any) -> None:
        self._clock = clock
        self._log = log
        self._logs: Sequence[AccountLog] = ()

    def use(self, configuration: Configuration, state: Path) -> None:
        """Go over to those of another generation; relative paths are below the state directory."""
        self.close()
        stamp, places = stamp_of(configuration), Places.of(configuration, state)
        self._logs = [
            AccountLog(options, places, stamp) for _, options in configuration.instances(EcLogger)
        ]

    def write(self, peer: Peer, command: str, verdict: int) -> None:
        """Write a line to each. What cannot be written is told in the service log, with its text.

        Args:
            verdict: 1 it was done, 0 he may not, -1 it failed.
        """
        for each in self._logs:
            try:
                each.write(
                    self._clock.time(), peer.endpoint, peer.address, peer.user, verdict, command
                )
            except (OSError, Error) as error:
                self._log.error(
                    "acctlog cannot be written",
                    reason=str(error), user=peer.user, command=command, verdict=verdict,
                )  # fmt: skip

    def close(self) -> None:
        """Close the files; the next line opens them anew."""
        for each in self._logs:
            each.close()
