"""What stands in logs, read by who knows where they are."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.sums import Table

if TYPE_CHECKING:
    from angarium.console.parts import Parts

TAIL: Final = 64 << 10  # octets looked at
_ELSEWHERE: Final = "://"


class Last(msgspec.Struct, frozen=True):
    """The last lines of a file which all processes write: each reads the same."""

    lines: list[str]
    reason: str = ""

    def __add__(self, other: "Last") -> "Last":
        return max(self, other, key=lambda each: each.lines[-1:])


@question("panics")
def panics(worker: "Parts", count: int) -> Table[Last]:
    """Return the last lines of each paniclog, by its path."""
    found: dict[str, Last] = {}
    for _, options in worker.configuration.instances("ec_logger"):
        where = str(getattr(options, "paniclog", "") or "")
        if not where:
            continue
        if _ELSEWHERE in where:
            found[where] = Last([], "it goes to a program, which keeps it")
            continue
        path = worker.state / where
        found[str(path)] = last(path, count)
    return Table(found)


def last(path: Path, count: int) -> Last:
    """Return the last lines of a file, of its last octets."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            octets = file.read(TAIL)
    except OSError as error:
        return Last([], f"it cannot be read: {error.strerror}")
    lines = octets.decode("utf-8", "replace").splitlines()
    return Last((lines if size <= TAIL else lines[1:])[-count:])
