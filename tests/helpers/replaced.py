"""A program for the tests of `run/replace`: takes the place of another and says what it found."""

import os
import signal
import sys

from angarium.run.replace import HEARD, hear, inherit


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> None:
    given = inherit(int(sys.argv[1]))
    say(f"{os.getpid()}")
    say(os.read(given.lock, 100).decode())
    say("blocked" if signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= HEARD else "open")
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, lambda number, _: say(f"heard {number}"))
    hear()


if __name__ == "__main__":
    main()
