"""Another program in our place: the last thing a supervisor does, and the first of its successor.

By exec, so the process stays: nobody who knows its number has to learn another, no child loses its
parent, no lock is let go. Signals wait meanwhile, for a program that has just begun would die of
them; the kernel keeps them until the successor hears.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Final, NoReturn

from angarium.run import handover
from angarium.run.handover import Handover

PROGRAM: Final = "angarium.run.resume"
HEARD: Final = frozenset(
    {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT}
)

Exec = Callable[[str, list[str]], NoReturn]


def replace(given: Handover, execute: Exec = os.execv) -> str:
    """Give our place to the program on the disk; returns only if that failed, with the reason."""
    inherited: list[int] = []
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    try:
        inherited = [handover.write(given), *given.descriptors()]
        for descriptor in inherited:
            os.set_inheritable(descriptor, True)
        sys.stdout.flush()
        sys.stderr.flush()
        # -P: the working directory is the state directory, no place for code.
        execute(sys.executable, [sys.executable, "-P", "-m", PROGRAM, str(inherited[0])])
    except OSError as error:
        for descriptor in inherited:
            os.set_inheritable(descriptor, False)
        if inherited:
            os.close(inherited[0])
        hear()
        return str(error)


def inherit(descriptor: int) -> Handover:
    """Take what the program before us left; what we start ourselves inherits nothing of it.

    Raises:
        HandoverError: we cannot take its place.
    """
    given = handover.read(descriptor)
    os.close(descriptor)
    for each in given.descriptors():
        os.set_inheritable(each, False)
    return given


def deaf() -> None:
    """Hear no signals in this thread: one that it took would be lost when we are replaced."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)


def hear() -> None:
    """Let signals come again: there is somebody who hears them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
