"""What each process knows of itself."""

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from angarium.console.question import Of, question
from angarium.console.sums import Table

_STATUS: Final = Path("/proc/self/status")
_KIB: Final = 1024


class Resident(msgspec.Struct, frozen=True):
    """Octets of a process, or of several: resident now, at most so far, and of its address space.

    `shared`: those of files and of memory which processes share, counted in each.
    """

    resident: int
    peak: int
    shared: int
    virtual: int

    def __add__(self, other: "Resident") -> "Resident":
        return Resident(
            self.resident + other.resident,
            self.peak + other.peak,
            self.shared + other.shared,
            self.virtual + other.virtual,
        )


@question("process memory", of=Of.ALL)
def memory(_process: Any) -> Table[Resident]:
    """Return the memory of this process, by its number."""
    return Table({str(os.getpid()): resident()})


def resident(status: Path = _STATUS) -> Resident:
    """Return the memory of the process which calls, as proc(5) has it."""
    lines = (line.partition(":") for line in status.read_text(encoding="ascii").splitlines())
    values = {name: value for name, _, value in lines}

    def octets(name: str) -> int:
        return int(values[name].split()[0]) * _KIB

    shared = octets("RssFile") + octets("RssShmem")
    return Resident(octets("VmRSS"), octets("VmHWM"), shared, octets("VmSize"))
