"""A log which a program reads from its standard input; it is started without a shell.

The program never makes us wait: what its pipe does not take stays in the streams. When it ends it
is started again, and gets the lines it had left in the pipe once more, from the beginning of a line
on: so each line comes at least once, but for what a program took and did not deal with.
"""

import contextlib
import fcntl
import os
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread
from typing import IO, Final

from angarium.events.checkpoint import File
from angarium.modules.loggers.place import Place
from angarium.modules.store.options import PipeIo

LINE: Final = 65536  # octets of the longest line which is found again
AGAIN_SECONDS: Final = 1.0  # between two starts
PATIENCE_SECONDS: Final = 10.0  # for a program to end by itself, where no timeout is set


class PipeLog:
    """One log which goes to a program.

    Args:
        options: those of `pipe_io`: where its output goes, how long it may take to end.
        base: where relative paths begin.
        clock: a monotonic clock, in seconds.
    """

    __slots__ = (
        "_base", "_clock", "_options", "_place", "_process", "_recent", "_started", "_waiting",
        "name",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        place: Place,
        options: PipeIo,
        base: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._place = place
        self._options = options
        self._base = base
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._started = float("-inf")
        self._recent = b""  # the last octets that were written
        self._waiting = b""

    @property
    def folder(self) -> Path | None:
        return None

    @property
    def slow(self) -> bool:
        return True

    def add(self, lines: Iterable[bytes]) -> None:
        """Add lines to what the next flush writes; they have no line ends."""
        if octets := b"\n".join(lines):
            self._waiting += octets + b"\n"

    def flush(self) -> bool:
        """Write what waits; return whether there was something.

        Raises:
            BlockingIOError: the program takes no more just now; the rest waits.
            OSError: it has ended, or cannot be started; the rest waits.
        """
        if self._process is not None and (code := self._process.poll()) is not None:
            self._ended(code)
        if not self._waiting:
            return False
        file = self._running()
        while self._waiting:
            try:
                written = os.write(file, self._waiting)
            except BrokenPipeError:
                self._ended(None)
                raise
            # What may still be in the pipe, and the line in which that begins.
            kept = fcntl.fcntl(file, fcntl.F_GETPIPE_SZ) + LINE
            self._recent = (self._recent + self._waiting[:written])[-kept:]
            self._waiting = self._waiting[written:]
        return True

    def _running(self) -> int:
        if self._process is None:
            now = self._clock()
            if not self._place.reinvoke and self._started > float("-inf"):
                raise OSError(f"{self._place.path} has ended, and is not to be started again")
            if now - self._started < AGAIN_SECONDS:
                raise BlockingIOError(f"{self._place.path} has just ended")
            self._started = now
            self._process = self._start()
        stdin = self._process.stdin
        assert stdin is not None
        return stdin.fileno()

    def _start(self) -> subprocess.Popen[bytes]:
        options, place = self._options, self._place
        inherited = {} if place.clear_env else dict(os.environ)
        with contextlib.ExitStack() as files:
            process = subprocess.Popen(
                [place.path, *place.arguments],
                stdin=subprocess.PIPE,
                stdout=self._capture(files, options.output_file, options.output_mode),
                stderr=self._capture(files, options.error_file, options.error_mode),
                env=inherited | place.environment,
                bufsize=0,
            )
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        return process

    def _capture(self, files: contextlib.ExitStack, path: str | None, mode: int) -> int | IO[bytes]:
        if not path:
            return subprocess.DEVNULL
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            file = os.open(self._base / path, flags)
        except FileNotFoundError:
            file = os.open(self._base / path, flags | os.O_CREAT, mode)
            os.fchmod(file, mode)  # Whatever the umask is: the option says so.
        return files.enter_context(open(file, "ab"))

    def _ended(self, code: int | None) -> None:
        """The program has ended by itself: what it left in the pipe waits again."""
        process = self._process
        if process is None or process.stdin is None:
            return
        left = _unread(process.stdin.fileno())
        cut = len(self._recent) - left
        begin = self._recent.rfind(b"\n", 0, cut) + 1 if cut > 0 else 0
        self._waiting = self._recent[begin:] + self._waiting
        self._recent = b""
        self._leave(process)
        self._process = None

    def _leave(self, process: subprocess.Popen[bytes]) -> None:
        """End its input, and see to it that it ends; nobody waits for that."""
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        patience = self._options.timeout
        seconds = PATIENCE_SECONDS if patience is None else patience
        Thread(target=_see_off, args=(process, seconds), daemon=True).start()

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
        """Start the program. Raises OSError."""
        self._running()

    def close(self) -> None:
        """End its input; it ends by itself, and has what it left in the pipe.

        What waits is forgotten: the streams have it.
        """
        self._waiting = self._recent = b""
        if (process := self._process) is not None:
            self._process = None
            self._leave(process)
        self._started = float("-inf")


def _see_off(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _unread(file: int) -> int:
    """Return how many octets of a pipe nobody has read."""
    return int(struct.unpack("i", fcntl.ioctl(file, termios.FIONREAD, b"\0" * 4))[0])
