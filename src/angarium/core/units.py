"""Durations, sizes and rates as people write them.

duration("4 hours")  14400.0      size("10MB")  10485760      rate("300/60")  Rate(300, 60)
"""

import re
from dataclasses import dataclass
from typing import Final

SECONDS: Final = {
    "": 1,
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
    "w": 604800,
    "week": 604800,
}
OCTETS: Final = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_NUMBER_AND_UNIT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` events in each `seconds`."""

    count: int
    seconds: int = 1

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds}"

    @property
    def interval(self) -> float:
        """Seconds between two events at this rate."""
        return self.seconds / self.count


def duration(text: str) -> float:
    """Return seconds. Raises ValueError with what would have been right."""
    found = _NUMBER_AND_UNIT.fullmatch(text)
    unit = found[2].lower() if found else "?"
    if len(unit) > 1 and unit.endswith("s"):
        unit = unit[:-1]
    if found is None or unit not in SECONDS:
        raise ValueError(f"{text!r} is no duration; write seconds, or such as '4 hours'")
    return float(found[1]) * SECONDS[unit]


def size(text: str) -> int:
    """Return octets; K, M, G, T are powers of 1024. Raises ValueError."""
    found = _NUMBER_AND_UNIT.fullmatch(text)
    unit = found[2].lower() if found else "?"
    if len(unit) > 1 and unit.endswith("b"):
        unit = unit.removesuffix("b").removesuffix("i")
    if found is None or unit not in OCTETS:
        raise ValueError(f"{text!r} is no size; write octets, or such as '10M'")
    return int(float(found[1]) * OCTETS[unit])


def rate(text: str) -> Rate:
    """Read "N" (a second) or "N/S" (in S seconds). Raises ValueError."""
    found = re.fullmatch(r"\s*(\d+)\s*(?:/\s*(\d+)\s*)?", text)
    if found is None or found[2] is not None and int(found[2]) == 0:
        raise ValueError(f"{text!r} is no rate; write N (a second) or N/SECONDS")
    return Rate(int(found[1]), int(found[2] or "1"))
