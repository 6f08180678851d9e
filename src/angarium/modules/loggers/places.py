"""From a destination in a configuration to what writes there.

`log` is for the hose, which has batches of lines and a checkpoint; `sink` for who writes a line at
once and by itself: paniclog and acctlog, of every process.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from angarium.core.errors import Error
from angarium.events.checkpoint import File
from angarium.events.jlog import Writer
from angarium.modules.loggers import place as places
from angarium.modules.loggers.jlogfile import JlogLog
from angarium.modules.loggers.logfile import LogFile
from angarium.modules.loggers.options.streams import SyslogIo
from angarium.modules.loggers.pipe import PipeLog
from angarium.modules.loggers.syslog import Syslog, SyslogLog
from angarium.modules.store.options import PipeIo

TRIES: Final = 200  # of a jlog which another process writes just now: it takes no millisecond


class Log(Protocol):
    """Where lines go; see `logfile` for what each method promises.

    Attributes:
        name: by which a checkpoint knows it.
        folder: the disk it is on; None: none.
        slow: another program takes the lines, at its own pace.
    """

    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> Path | None: ...
    @property
    def slow(self) -> bool: ...
    @property
    def state(self) -> File | None: ...
    def add(self, lines: Iterable[bytes]) -> None: ...
    def flush(self) -> bool: ...
    def sync(self) -> None: ...
    def restore(self, known: File) -> int: ...
    def regained(self) -> None: ...
    def open(self) -> None: ...
    def close(self) -> None: ...


class Sink(Protocol):
    """Takes one line, with its end, at once."""

    def append(self, octets: bytes) -> None: ...
    def close(self) -> None: ...


class JlogSink:
    """A jlog to which each process appends for itself."""

    __slots__ = ("_clock", "_writer")

    def __init__(self, writer: Writer, clock: Callable[[], float]) -> None:
        self._writer = writer
        self._clock = clock

    def append(self, octets: bytes) -> None:
        """Append one message. Raises OSError, JlogError."""
        for left in reversed(range(TRIES)):
            try:
                if self._writer.append([octets], self._clock()):
                    return
            except BlockingIOError:
                if not left:
                    raise
                os.sched_yield()
        raise OSError("others fill the jlog")

    def close(self) -> None:
        self._writer.close()


class Configuration(Protocol):
    """What this file needs of a configuration."""

    def instances(self, stanza: str) -> Sequence[tuple[str, Any]]: ...


class Places:
    """Makes what writes to a destination.

    Args:
        base: where relative paths begin.
        syslog, pipes: options of `syslog_io` and `pipe_io`.
        clock: the time which messages get.
    """

    __slots__ = ("_clock", "_pipes", "_syslog", "base")

    def __init__(
        self,
        base: Path,
        syslog: SyslogIo | None = None,
        pipes: PipeIo | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base = base
        self._syslog = syslog or SyslogIo.make()
        self._pipes = pipes or PipeIo.make()
        self._clock = clock

    @classmethod
    def of(cls, configuration: Configuration, base: Path) -> "Places":
        """Return those of a configuration."""
        syslog = [options for _, options in configuration.instances("syslog_io")]
        pipes = [options for _, options in configuration.instances("pipe_io")]
        return cls(base, syslog[0] if syslog else None, pipes[0] if pipes else None)

    def log(self, destination: str, mode: int = 0o644) -> Log:
        """Return what writes batches of lines there.

        Args:
            mode: of files that are made.

        Raises:
            Error: there is no such kind of destination.
        """
        place = _parsed(destination)
        match place.kind:
            case places.JLOG:
                return JlogLog(Path(place.path), place.subscriber, mode, self._clock)
            case places.PIPE:
                return PipeLog(destination, place, self._pipes, self.base)
            case places.SYSLOG:
                return SyslogLog(destination, self._to_syslog(place))
        return LogFile(place.path, self.base, mode)

    def sink(self, destination: str, mode: int = 0o644) -> Sink | None:
        """Return what writes one line at once there; None: it is a file.

        Raises:
            Error: there is no such kind of destination, or it can't be for this.
        """
        place = _parsed(destination)
        match place.kind:
            case places.JLOG:
                return JlogSink(Writer(Path(place.path), place.subscriber, mode), self._clock)
            case places.SYSLOG:
                return self._to_syslog(place)
            case places.PIPE:
                raise Error("every process writes this log: none to a program", place=destination)
        return None

    def path(self, destination: str) -> Path:
        """Return the path of a destination which is a file."""
        return self.base / _parsed(destination).path

    def _to_syslog(self, place: places.Place) -> Syslog:
        return Syslog(place, self._syslog.ident, self._syslog.default_facility, self._clock)


def _parsed(destination: str) -> places.Place:
    try:
        return places.parse(destination)
    except ValueError as error:
        raise Error("no such log destination", reason=str(error)) from error
