"""Whether the program on the disk could take our place: it is asked before it gets it.

    python -m angarium.run.rehearsal HANDOVER        started by a supervisor, by nobody else

The program that is asked is the new one, which may be broken, of another version, or may read
neither the configuration in force nor the one in the files: then it ends with a reason, and
everything stays as it is.
"""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from angarium.config.errors import ConfigError
from angarium.config.load import load_snapshot, snapshot
from angarium.core.errors import Error
from angarium.run import handover

SECONDS: Final = 30.0  # an interpreter with all modules takes one, on a machine that is busy
PROGRAM: Final = "angarium.run.rehearsal"
PARTS: Final = ("angarium.run.resume", "angarium.run.worker", "angarium.run.scribe")
NOT_PASSED: Final = 1
_SHOWN: Final = 500  # characters of a reason
_OUTPUT: Final = 1 << 16


class Rehearsal:
    """One rehearsal, from the side of the supervisor which may be replaced.

    Args:
        handover: descriptor of what the new program would get; ours to close afterwards.
        done: called once: with the reason why not, or "", and the release of the new program.
    """

    def __init__(self, handover_: int, done: Callable[[str, str], None]) -> None:
        self._done = done
        self._output = os.memfd_create("angarium-rehearsal", os.MFD_CLOEXEC)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", PROGRAM, str(handover_)],
            pass_fds=(handover_,),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
        )
        self._pidfd = os.pidfd_open(self._process.pid)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pidfd, self._ended)
        self._late = loop.call_later(SECONDS, self.end)

    def end(self) -> None:
        """It takes too long, or nobody wants to know any more."""
        self._process.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        self._late.cancel()
        os.close(self._pidfd)
        status = self._process.wait()
        said = os.pread(self._output, _OUTPUT, 0).decode(errors="replace").strip()
        os.close(self._output)
        last = said.splitlines()[-1] if said else ""
        if status == 0:
            self._done("", last)
        elif status == -signal.SIGKILL:
            self._done(f"it did not answer within {SECONDS:g} s", "")
        else:
            self._done(last[:_SHOWN] or f"it ended with status {status}", "")


def main() -> int:
    """Look at everything there is before the place is taken; print our release."""
    try:
        given = handover.read(int(sys.argv[1]))
        for part in PARTS:
            importlib.import_module(part)
        load_snapshot(given.snapshot, given.generation, files=False, held=given.held)
        if not given.files:  # else what is in force stays so, whatever is in the files
            text = snapshot(given.config_path)
            load_snapshot(text, generation=given.generation + 1, held=given.held)
    except (ConfigError, Error, OSError) as error:
        sys.stdout.write(str(error).replace("\n", "; "))
        return NOT_PASSED
    sys.stdout.write(version("angarium"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
