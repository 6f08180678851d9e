"""acctlog: who gave which command to the server, written by the process which was asked.

It goes through no stream: a line is there before the answer is given. A line is one write with
O_APPEND, and is bounded by what a command in a log may have (`console/session`).
"""

import os
from pathlib import Path

from angarium.events import format as lines
from angarium.modules.loggers.logfile import path_of
from angarium.modules.loggers.options.logs import EcLogger


class AccountLog:
    """The acctlog of one `ec_logger` stanza.

    Raises:
        Error: a destination of a kind we do not have.
    """

    __slots__ = ("_file", "_mode", "_path", "_stamp")

    def __init__(self, options: EcLogger, base: Path, stamp: lines.Stamp) -> None:
        self._path = path_of(options.acctlog, base) if options.acctlog and options.enabled else None
        self._mode = options.acctlog_log_mode
        self._stamp = stamp
        self._file = -1

    def write(
        self, at: float, endpoint: str, address: str, user: str, verdict: int, command: str
    ) -> None:
        """Write one line. Raises OSError."""
        if self._path is None:
            return
        line = lines.account(self._stamp(at), endpoint, address, user, verdict, command)
        octets = line + b"\n"
        if os.write(self._opened(self._path), octets) != len(octets):
            raise OSError(28, "No space left on device", str(self._path))

    def _opened(self, path: Path) -> int:
        if self._file < 0:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
            try:
                self._file = os.open(path, flags)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, flags | os.O_CREAT, self._mode)
                os.fchmod(self._file, self._mode)  # Whatever the umask is: the option says so.
        return self._file

    def close(self) -> None:
        """Close the file; the next line opens the path anew."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
