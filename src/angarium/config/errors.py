"""Faults of a configuration: where, what, and what would have been right."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from angarium.core.errors import Error

SHOWN: Final = 100  # faults printed; a file of another program has thousands


class Severity(enum.IntEnum):
    """An error refuses the configuration, the others are told to the operator."""

    NOTE = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. Lines and columns count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    message: str
    advice: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        kind = "" if self.severity is Severity.ERROR else f"{self.severity.name.lower()}: "
        return f"{where}: {kind}{self.message}" + (f"; {self.advice}" if self.advice else "")


class ConfigError(Error):
    """A configuration which cannot be used; `faults` has all that was found, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [str(fault) for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            shown.append(f"and {len(self.faults) - SHOWN} more")
        super().__init__("\n".join(shown))
