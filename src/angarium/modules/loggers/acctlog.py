"""acctlog: who gave which command to the server, and which clients said who they are.

The process which was asked writes it. It goes through no stream: a line is there before the answer
is given. A line is one write with O_APPEND, and is bounded by what a command in a log may have
(`console/session`).
"""

import os
from pathlib import Path

from angarium.events import format as lines
from angarium.modules.loggers.options.logs import EcLogger
from angarium.modules.loggers.places import Places


class AccountLog:
    """The acctlog of one `ec_logger` stanza.

    Raises:
        Error: a destination which cannot be for this.
    """

    __slots__ = ("_file", "_mode", "_path", "_sink", "_stamp")

    def __init__(self, options: EcLogger, places: Places, stamp: lines.Stamp) -> None:
        where = options.acctlog if options.enabled else None
        self._sink = places.sink(where, options.acctlog_log_mode) if where else None
        self._path = places.path(where) if where and self._sink is None else None
        self._mode = options.acctlog_log_mode
        self._stamp = stamp
        self._file = -1

    def write(
        self, at: float, endpoint: str, address: str, user: str, verdict: int, command: str
    ) -> None:
        """Write the line of a command. Raises OSError."""
        if self._wanted:
            at_text = self._stamp(at)
            self._put(lines.account(at_text, endpoint, address, user, verdict, command))

    def login(self, at: float, endpoint: str, address: str, user: str, outcome: int) -> None:
        """Write the line of a client; `outcome` as `events/format` has it. Raises OSError."""
        if self._wanted:
            self._put(lines.authentication(self._stamp(at), endpoint, address, user, outcome))

    @property
    def _wanted(self) -> bool:
        return self._path is not None or self._sink is not None

    def _put(self, line: bytes) -> None:
        octets = line + b"\n"
        if self._path is None:
            if self._sink is not None:
                self._sink.append(octets)
            return
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
        if self._sink is not None:
            self._sink.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
