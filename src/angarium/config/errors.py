"""Faults of a configuration: where, what, and what would have been right."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from angarium.core.errors import Error

TOLD: Final = 20  # notes and warnings which a server tells
SHOWN: Final = 100  # faults printed; a file of another program has thousands
MAX_ERRORS: Final = 1000  # of a configuration; then it is no use to go on
MAX_ALIKE: Final = 10  # places of one note or warning; 100,000 stanzas can have the same
MAX_TOLD: Final = 1000  # notes and warnings in all


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
        return f"{where}: {kind}{self.message}{self._joint}{self.advice}"

    @property
    def _joint(self) -> str:
        """Return what joins the advice: a reason which is a sentence stands as one."""
        if not self.advice:
            return ""
        return ". " if self.advice[0].isupper() and self.advice.endswith(".") else "; "


class Faults:
    """All that was found, within bounds.

    Errors refuse the configuration, so after MAX_ERRORS it is not read on: see `full`. Notes and
    warnings never end the reading. Of those which differ in numbers only the first places are
    kept, and how many more there are.
    """

    __slots__ = ("_errors", "_last", "_more", "_unnamed", "found")

    def __init__(self, found: Sequence[Fault]) -> None:
        self.found = list(found)
        self._errors = sum(each.severity is Severity.ERROR for each in found)
        self._last: dict[str, int] = {}  # index in `found`, by what is said
        self._more: dict[str, int] = {}  # places by what is said, those in `found` too
        self._unnamed = 0

    @property
    def full(self) -> bool:
        return self._errors >= MAX_ERRORS

    def add(self, fault: Fault) -> None:
        if fault.severity is Severity.ERROR:
            self._errors += 1
            self.found.append(fault)
            return
        said = re.sub(r"\d+", "", fault.message)
        count = self._more.get(said, 0)
        if not count and len(self._more) >= MAX_TOLD:
            self._unnamed += 1
            return
        self._more[said] = count + 1
        if count < MAX_ALIKE:
            self._last[said] = len(self.found)
            self.found.append(fault)

    def close(self) -> None:
        """Say of what was left out how often it was."""
        for said, count in self._more.items():
            if count > MAX_ALIKE:
                last = self._last[said]
                message = f"{self.found[last].message}; and in {count - MAX_ALIKE} more places"
                self.found[last] = replace(self.found[last], message=message)
        if self._unnamed:
            message = f"{self._unnamed} more notes and warnings are not told"
            self.found.append(Fault(self.found[0].file, 0, 0, message, "", Severity.WARNING))
        self._more, self._unnamed = {}, 0


class ConfigError(Error):
    """A configuration which cannot be used; `faults` has all that was found, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [str(fault) for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            shown.append(f"and {len(self.faults) - SHOWN} more")
        super().__init__("\n".join(shown))


def told(notes: Sequence[Fault], path: str) -> list[str]:
    """Return what a server says of its notes and warnings: the worst of them, and where all are."""
    worst = sorted(notes, key=lambda each: -each.severity)[:TOLD]
    lines = [str(each) for each in worst]
    if len(notes) > TOLD:
        lines.append(
            f"and {len(notes) - TOLD} more notes and warnings: run `angarium config check {path}`"
        )
    return lines
