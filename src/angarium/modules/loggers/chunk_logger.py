"""chunk_logger: writes what scripts want to have logged, without making them wait.

What is said is kept in memory for a moment and written by a thread, in one piece with what came
meanwhile. Each worker writes for itself, whole texts at the end of the file, so those of several
workers do not mix. What a disk cannot take is bounded, and told in paniclog with how much is lost.
A file that was renamed is opened anew, so a rotation needs nobody to tell.
"""

import asyncio
import contextlib
import os
import time
from typing import Any, Final

from angarium.modules.loggers.options.streams import ChunkLogger as Options
from angarium.modules.loggers.places import Places, Sink
from angarium.modules.means import Means
from angarium.modules.options import LOG_MODE

STANZA: Final = "chunk_logger"
# Octets which may wait for the disk: some seconds of a script which says too much.
MOST: Final = 4 << 20
# How long a text waits for others which are written with it.
GATHER_SECONDS: Final = 0.05
FALLBACK: Final = "log/chunk.log"


class ChunkLogger:
    """The log of one stanza, in one worker."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        places = Places.of(means.configuration, means.state)
        destination = options.destination or FALLBACK
        self._sink: Sink | None = places.sink(destination, LOG_MODE)
        self._path = places.path(destination) if self._sink is None else None
        self._form = options.timestamp_format or ""
        self._end = b"\n" if options.add_newline else b""
        self._enabled = options.enabled
        self._means = means
        self._waiting: list[bytes] = []
        self._octets = self._lost = 0
        self._writing: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._file = -1

    def log(self, text: bytes) -> None:
        """Log a text; it is on its way to the file when this returns."""
        if not self._enabled:
            return
        octets = self._stamp() + text + self._end
        if self._octets + len(octets) > MOST:
            self._lost += 1
            return
        self._waiting.append(octets)
        self._octets += len(octets)
        if self._timer is None and self._writing is None:
            self._timer = self._means.loop.call_later(GATHER_SECONDS, self._flush)

    def stop(self) -> None:
        """Write what is left, and close."""
        if self._timer is not None:
            self._timer.cancel()
        self._enabled = False
        if self._writing is None:
            self._last()
        else:
            self._writing.add_done_callback(lambda _done: self._last())

    def _stamp(self) -> bytes:
        if not self._form:
            return b""
        return time.strftime(self._form, time.localtime(self._means.clock.time())).encode()

    def _flush(self) -> None:
        self._timer = None
        octets = self._taken()
        if octets:
            self._writing = self._means.loop.run_in_executor(None, self._put, octets)
            self._writing.add_done_callback(self._written)

    def _taken(self) -> bytes:
        octets = b"".join(self._waiting)
        self._waiting.clear()
        self._octets = 0
        return octets

    def _written(self, done: "asyncio.Future[None]") -> None:
        self._writing = None
        failure = done.exception()
        if failure is not None:
            self._tell(f"texts of scripts could not be written: {failure}")
        if self._lost:
            self._tell(f"{self._lost} texts of scripts are lost: the disk is behind")
            self._lost = 0
        if self._waiting and self._enabled:
            self._flush()

    def _tell(self, text: str) -> None:
        self._means.panic(STANZA, text)

    def _last(self) -> None:
        try:
            self._put(self._taken())
        except OSError as error:
            self._tell(f"texts of scripts could not be written: {error}")
        if self._sink is not None:
            self._sink.close()
        self._close()

    def _put(self, octets: bytes) -> None:
        """Write, in a thread. Raises OSError."""
        if not octets:
            return
        if self._sink is not None:
            for line in octets.splitlines(keepends=True):
                self._sink.append(line)
            return
        self._open()
        view = memoryview(octets)
        while view:
            view = view[os.write(self._file, view) :]

    def _open(self) -> None:
        """Have the file open which has the name now."""
        path: Any = self._path
        if self._file >= 0:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.stat(path), os.fstat(self._file)):
                    return
            self._close()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags, LOG_MODE)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._file = os.open(path, flags, LOG_MODE)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
