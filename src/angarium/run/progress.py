"""How an upgrade goes, for whoever asked for it: a file of lines in the state directory.

The supervisor writes a line for each step, `angarium upgrade` reads them. Upgrades are numbered;
one which is refused has a number and a line too. The file begins anew with each that is begun, so
it is bounded. It is news, not state: nobody needs it after a crash.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "upgrade.jsonl"

# How an upgrade ends.
DONE: Final = "done"
REFUSED: Final = "refused"
FAILED: Final = "failed"
ENDS: Final = frozenset({DONE, REFUSED, FAILED})


class Step(msgspec.Struct, frozen=True):
    """A line of the file."""

    upgrade: int
    at: float
    stage: str
    text: str


_DECODER: Final = msgspec.json.Decoder(Step)


class Progress:
    """The supervisor's side.

    Args:
        now: Unix time.

    Attributes:
        number: of the upgrade under way, or the last one; 0: there was none yet.
    """

    __slots__ = ("_last", "_now", "_path", "number")

    def __init__(self, run_folder: Path, now: Callable[[], float], number: int = 0) -> None:
        self._path = run_folder / NAME
        self._now = now
        self._last = max((step.upgrade for step in read(run_folder)), default=number)
        self.number = number

    def begin(self, text: str) -> None:
        """Begin another upgrade, and another file."""
        self._last += 1
        self.number = self._last
        scratch = self._path.with_suffix(".new")
        with suppress(OSError):
            scratch.write_bytes(self._line(self.number, "begun", text))
            scratch.replace(self._path)

    def note(self, stage: str, text: str) -> None:
        """A step of the upgrade under way; the last one is one of `ENDS`."""
        self._append(self._line(self.number, stage, text))

    def refuse(self, reason: str) -> None:
        """An upgrade was asked for and is not begun."""
        self._last += 1
        self._append(self._line(self._last, REFUSED, reason))

    def _line(self, number: int, stage: str, text: str) -> bytes:
        return msgspec.json.encode(Step(number, self._now(), stage, text)) + b"\n"

    def _append(self, line: bytes) -> None:
        # Who asked will say that it has heard nothing; mail does not depend on it.
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            file = os.open(self._path, flags, 0o644)
            try:
                os.write(file, line)
            finally:
                os.close(file)


def read(run_folder: Path) -> list[Step]:
    """Return the steps that are known; [] if there never was an upgrade."""
    try:
        lines = (run_folder / NAME).read_bytes().splitlines()
    except OSError:
        return []
    steps = []
    for line in lines:
        with suppress(msgspec.MsgspecError):  # Half a line: the other half comes.
            steps.append(_DECODER.decode(line))
    return steps
