"""paniclog: what an operator must see, written directly by each process.

It goes through no stream and no other process, for it must work when those do not. A line is one
write with O_APPEND, so lines of several processes do not mix, and it is bounded. Nothing here
fails: a line that cannot be written is counted, and the next one that can says how many were lost.
"""

import os
from collections.abc import Callable
from typing import Final, Protocol

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.events import format as lines

MAX_LINE: Final = 8192  # octets; a traceback fits, a runaway text does not
_CUT: Final = b"..."


class Sink(Protocol):
    """Takes one line, with its end, at once; raises OSError or Error."""

    def append(self, octets: bytes) -> None: ...
    def close(self) -> None: ...


class PanicLog:
    """The paniclog of this process.

    Args:
        path: "" writes nothing; a folder that is missing is made.
        mode: of a file that is made.
        stamp: `format.seconds`, or `format.microseconds` with log_hires_timestamp.
        sink: takes the lines in place of a file.
    """

    __slots__ = ("_clock", "_file", "_mode", "_path", "_sink", "_stamp", "lost")

    def __init__(
        self,
        path: str,
        clock: Clock,
        mode: int = 0o644,
        stamp: Callable[[float], str] = lines.seconds,
        sink: Sink | None = None,
    ) -> None:
        self._sink = sink
        self._path = path
        self._mode = mode
        self._clock = clock
        self._stamp = stamp
        self._file = -1
        self.lost = 0  # lines which could not be written since the last one that was

    def write(self, source: str, text: str) -> None:
        """Write one line; `source` is the module or the part which speaks."""
        if not self._path and self._sink is None:
            return
        if self.lost and not self._append("paniclog", f"{self.lost} lines were lost"):
            self.lost += 1
            return
        self.lost = 0 if self._append(source, text) else 1

    def _append(self, source: str, text: str) -> bool:
        stamp = self._stamp(self._clock.time())
        octets = lines.panic(stamp, source, text[:MAX_LINE]).encode()
        if len(octets) >= MAX_LINE:
            kept = octets[: MAX_LINE - len(_CUT) - 1].decode("utf-8", "ignore")
            octets = kept.encode() + _CUT
        octets += b"\n"
        try:
            if self._sink is not None:
                self._sink.append(octets)
                return True
            return os.write(self._opened(), octets) == len(octets)
        except (OSError, Error):
            return False

    def _opened(self) -> int:
        if self._file < 0:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
            try:
                self._file = os.open(self._path, flags)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
                self._file = os.open(self._path, flags | os.O_CREAT, self._mode)
                os.fchmod(self._file, self._mode)  # Whatever the umask is: the option says so.
        return self._file

    def reopen(self) -> None:
        """Close the file; the next line opens the path anew."""
        self.close()

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
