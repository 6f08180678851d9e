"""A program of ours that runs beside the workers and hears only signals: the quickstart's sink."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from angarium.core.clock import Clock
from angarium.run.child import Backoff
from angarium.run.options import Sink

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def _end_with_parent() -> None:
    """Let the kernel end us when the supervisor is killed: nobody else would."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Beside:
    """A subcommand of `angarium`, started again when it ends.

    Args:
        words: the subcommand and its arguments.
        ended: called when it ended after `stop`.
    """

    def __init__(
        self, words: Sequence[str], clock: Clock, log: Any, ended: Callable[[], None]
    ) -> None:
        self._words = list(words)
        self._clock = clock
        self._log = log
        self._ended = ended
        self._backoff = Backoff()
        self._stopping = False
        self._started = 0.0
        self._reap: Callable[[], int] | None = None  # None while it does not run
        self._pidfd = -1
        self.pid = 0  # 0 while it does not run

    @property
    def running(self) -> bool:
        return self._reap is not None

    def start(self) -> None:
        if self._stopping:
            return
        self._started = self._clock.monotonic()
        # A session of its own: Ctrl-C at the terminal is for the supervisor, which stops us last.
        process = subprocess.Popen(
            [sys.executable, "-m", "angarium.run.programs.cli", *self._words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - our other thread has no lock it needs
        )
        self._watch(process.pid, process.wait)

    def resume(self, pid: int) -> None:
        """Go on with the process the program before us has started; 0: start one."""
        if not pid:
            self.start()
            return
        self._started = self._clock.monotonic()
        self._watch(pid, lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    def _watch(self, pid: int, reap: Callable[[], int]) -> None:
        self.pid, self._reap = pid, reap
        self._pidfd = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._exited)

    def change(self, words: Sequence[str]) -> None:
        """Run it with other arguments, if they are others: it is ended and started again."""
        if list(words) != self._words:
            self._words = list(words)
            if self.running:
                os.kill(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        self._stopping = True
        if self.running:
            os.kill(self.pid, signal.SIGTERM)

    def _exited(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        assert self._reap is not None
        status = self._reap()
        self.pid, self._reap = 0, None
        if self._stopping:
            self._ended()
            return
        wait = self._backoff.after(self._clock.monotonic() - self._started)
        self._log.error("program ended", words=self._words, status=status, restart_in=wait)
        loop.call_later(wait, self.start)


def words(options: Sink) -> list[str]:
    """Return the command line of the sink."""
    said = ["sink", "--listen", options.listen]
    if options.record:
        said += ["--record", options.record]
    if options.script:
        said += ["--script", options.script]
    return said
