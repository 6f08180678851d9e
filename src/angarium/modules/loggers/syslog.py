"""The system log: each line a datagram to its socket, as syslog(3) writes it.

A datagram that is taken is out of our hands, so lines come at least once, and after a crash of the
machine the last ones may come again.
"""

import errno
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from angarium.events.checkpoint import File
from angarium.modules.loggers.place import FACILITIES, PRIORITIES, Place

SOCKET: Final = "/dev/log"
LINE: Final = 8192  # octets; what the common daemons take of a line


class Syslog:
    """Sends lines to the system log of this machine.

    Args:
        ident: who they are from.
        facility: where the place names none.
    """

    __slots__ = ("_clock", "_ident", "_path", "_priority", "_socket")

    def __init__(
        self, place: Place, ident: str, facility: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = place.path or SOCKET
        self._priority = FACILITIES[place.facility or facility] * 8 + PRIORITIES[place.priority]
        self._ident = ident
        self._clock = clock
        self._socket: socket.socket | None = None

    def append(self, octets: bytes) -> None:
        """Send one line, which may have a line end.

        Raises:
            BlockingIOError: it takes no more just now.
            OSError: it could not be sent.
        """
        when = time.strftime("%b %e %H:%M:%S", time.localtime(self._clock()))
        head = f"<{self._priority}>{when} {self._ident}[{os.getpid()}]: ".encode()
        line = octets.rstrip(b"\n")[:LINE]
        try:
            self._opened().send(head + line)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise BlockingIOError(error.errno, "the system log takes no more") from error
            if error.errno == errno.EMSGSIZE and len(line) > LINE // 8:
                self.append(line[: len(line) // 2])
                return
            self.close()  # It may have been started anew.
            raise

    def _opened(self) -> socket.socket:
        if self._socket is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                made.setblocking(False)
                made.connect(self._path)
            except OSError as error:
                made.close()
                raise OSError(error.errno, os.strerror(error.errno or 0), self._path) from error
            self._socket = made
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class SyslogLog:
    """One log in the system log."""

    __slots__ = ("_syslog", "_waiting", "name")

    def __init__(self, name: str, syslog: Syslog) -> None:
        self.name = name
        self._syslog = syslog
        self._waiting: deque[bytes] = deque()

    @property
    def folder(self) -> Path | None:
        return None

    @property
    def slow(self) -> bool:
        return True

    def add(self, lines: Iterable[bytes]) -> None:
        """Add lines to what the next flush sends; they have no line ends."""
        self._waiting.extend(lines)

    def flush(self) -> bool:
        """Send what waits; return whether there was something.

        Raises:
            BlockingIOError: it takes no more just now; the rest waits.
            OSError: it could not be sent; the rest waits.
        """
        if not self._waiting:
            return False
        while self._waiting:
            self._syslog.append(self._waiting[0])
            self._waiting.popleft()
        return True

    def sync(self) -> None:
        """Do nothing: what was taken is out of our hands."""

    @property
    def state(self) -> File | None:
        return None

    def restore(self, known: File) -> int:
        """Take nothing back: it cannot be."""
        return 0

    def regained(self) -> None:
        """Go on as before."""

    def open(self) -> None:
        """Wait for the first line: its socket may come later than we do."""

    def close(self) -> None:
        """Close it. What waits is forgotten: the streams have it."""
        self._waiting.clear()
        self._syslog.close()
