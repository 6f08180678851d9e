"""The attempts of clients to authenticate in the acctlogs of a worker, and the key of the node.

Each worker writes its own lines, with O_APPEND, to the files which the supervisor writes commands
to (`run/accounts`).
"""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.inbound.logins import Login, Outcome
from angarium.modules.loggers.acctlog import AccountLog
from angarium.modules.loggers.options.logs import EcLogger
from angarium.modules.loggers.places import Places
from angarium.run.hose import stamp_of

KEY_FILE: Final = "auth.key"
KEY_SIZE: Final = 32
_OUTCOMES: Final = {Outcome.RIGHT: 1, Outcome.WRONG: 0, Outcome.LATE: -1}


class Logins:
    """Those of all ec_loggers of the configuration in force.

    Args:
        tell: is told what cannot be written.
    """

    __slots__ = ("_clock", "_logs", "_tell")

    def __init__(self, clock: Clock, tell: Callable[[str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._logs: Sequence[AccountLog] = ()

    def use(self, configuration: Configuration, state: Path) -> None:
        """Go over to those of another generation; relative paths are below the state directory."""
        self.close()
        stamp, places = stamp_of(configuration), Places.of(configuration, state)
        self._logs = [
            AccountLog(options, places, stamp) for _, options in configuration.instances(EcLogger)
        ]

    def write(self, login: Login) -> None:
        """Write a line to each."""
        for each in self._logs:
            try:
                each.login(
                    self._clock.time(), login.endpoint, login.address, login.user,
                    _OUTCOMES[login.outcome],
                )  # fmt: skip
            except (OSError, Error) as error:
                self._tell(f"acctlog cannot be written: {error}")

    def close(self) -> None:
        """Close the files; the next line opens them anew."""
        for each in self._logs:
            each.close()


def node_key(state: Path) -> bytes:
    """Return a secret which all workers of a node share and keep, made with the first call.

    Of it follow the salts of users who are not there: so they are the same each time, as those of
    users who are.
    """
    path = state / KEY_FILE
    try:
        return path.read_bytes()
    except FileNotFoundError:
        state.mkdir(parents=True, exist_ok=True)
    made = state / f".{KEY_FILE}.{os.getpid()}"
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, secrets.token_bytes(KEY_SIZE))
    finally:
        os.close(handle)
    try:
        os.link(made, path)  # Of workers which begin together the first one has made it.
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path.read_bytes()
