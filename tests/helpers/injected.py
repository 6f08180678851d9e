"""A whole server whose files fail, and whose clock is set, whenever a test says so.

    async with Injected(tmp_path, zone="* A 127.0.0.1") as world:
        world.fail("sync */data/* EIO 0 1")     the next sync of a data segment fails
        world.heal()
        world.set_clock(3600)                   for all its processes at once

The server is the real one; `inject/sitecustomize.py`, which its Python loads first, replaces
functions of `os` and `time` (the rules are explained there).
"""

import os
import re
import struct
from pathlib import Path
from typing import Any

from helpers.outlook import Outlook

INJECT = Path(__file__).with_name("inject")
_NUMBERS = (
    (re.compile(r"state/spool/\d+/"), "spool/"),
    (re.compile(r"\d{10,}|[0-9a-f]{16}"), "N"),
    (re.compile(r"\.\d+$"), ".PID"),
)


class Injected(Outlook):
    """See above; arguments as `World`."""

    def __init__(self, folder: Path, *args: Any, **kinds: Any) -> None:
        super().__init__(folder, *args, **kinds)
        self._rules = folder / "rules"
        self._seen = folder / "seen"
        self._clock = folder / "clock"
        self._rules.write_text("")
        self._seen.write_text("")
        self._stamp = 0
        self.set_clock(0)
        before = os.environ.get("PYTHONPATH", "")
        self.environment = {
            "PYTHONPATH": f"{INJECT}:{before}" if before else str(INJECT),
            "INJECT_ROOT": str(folder),
            "INJECT_RULES": str(self._rules),
            "INJECT_SEEN": str(self._seen),
            "INJECT_CLOCK": str(self._clock),
        }

    def fail(self, *rules: str) -> None:
        """Let these rules be in force, and no others; their counts begin anew."""
        draft = self._rules.with_suffix(".new")
        draft.write_text("".join(f"{rule}\n" for rule in rules))
        self._stamp += 1  # Two changes within a tick of the file system's clock are two.
        os.utime(draft, ns=(self._stamp, self._stamp))
        draft.replace(self._rules)

    def heal(self) -> None:
        """Let nothing fail any more."""
        self.fail()

    def set_clock(self, ahead: float) -> None:
        """Let the server's system clock be so many seconds ahead of ours."""
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(struct.pack("=d", ahead))

    def told_since(self, line: int, text: str) -> bool:
        """Say whether the service log has a text after so many lines."""
        return any(text in each for each in self.output[line:])

    def seen(self) -> set[str]:
        """Return what was done to which files, "OPERATION PATH", numbers left out."""
        return {plain(line) for line in self._seen.read_text().splitlines()}


def plain(line: str) -> str:
    """Leave out what differs from run to run.

    >>> plain("sync state/spool/000/data/0000000001.log")
    'sync spool/data/N.log'
    """
    for pattern, text in _NUMBERS:
        line = pattern.sub(text, line)
    return line
