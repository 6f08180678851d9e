"""Counters, gauges and histograms: declared once, counted cheaply, added up over processes.

    LINES = counter("log_lines", "Lines written to text logs.")     at import, where it is counted

    self._lines = metrics.cell(LINES)                               once, in who counts
    self._lines.value += 1                                          where it happens

A declaration is a constant; values belong to a `Metrics` of the process, so tests and processes
have their own. Counting is one attribute: no lock, no look-up, no label to join.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from angarium.core.registry import Registry

Kind = Literal["counter", "sum", "highest", "histogram"]
BUCKETS: Final = 40  # powers of two of microseconds: from 1 us to 6 days
MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Metric:
    """A declaration; `kind` also says how the values of several processes make one."""

    name: str
    kind: Kind
    doc: str


METRICS: Final[Registry[Metric]] = Registry("metric")


def counter(name: str, doc: str) -> Metric:
    """Declare what only rises while a process lives."""
    return _declare(name, "counter", doc)


def gauge(name: str, doc: str, *, highest: bool = False) -> Metric:
    """Declare what rises and falls; of several processes the sum counts, or the highest."""
    return _declare(name, "highest" if highest else "sum", doc)


def histogram(name: str, doc: str) -> Metric:
    """Declare durations, of which percentiles are asked."""
    return _declare(name, "histogram", doc)


def _declare(name: str, kind: Kind, doc: str) -> Metric:
    metric = Metric(name, kind, doc)
    METRICS.add(name, metric, depth=3)
    return metric


class Cell:
    """The value of a counter or a gauge."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class Durations:
    """A histogram: how many durations there were below each power of two of a microsecond."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts = [0] * BUCKETS

    def note(self, seconds: float) -> None:
        """Count a duration; one that is negative, for a clock was set back, counts as none."""
        bucket = int(seconds * MICRO).bit_length() if seconds > 0 else 0
        self.counts[min(bucket, BUCKETS - 1)] += 1


Value = float | list[int]
Snapshot = Mapping[str, Value]


class Metrics:
    """The values of one process."""

    __slots__ = ("_cells", "_durations")

    def __init__(self) -> None:
        self._cells: dict[str, Cell] = {}
        self._durations: dict[str, Durations] = {}

    def cell(self, metric: Metric) -> Cell:
        """Return where to count; the same one for the same declaration."""
        return self._cells.setdefault(metric.name, Cell())

    def durations(self, metric: Metric) -> Durations:
        """Return where to note durations."""
        return self._durations.setdefault(metric.name, Durations())

    def snapshot(self) -> dict[str, Value]:
        """Return the values now, by name."""
        values: dict[str, Value] = {name: cell.value for name, cell in self._cells.items()}
        return values | {name: list(each.counts) for name, each in self._durations.items()}


def merged(snapshots: Iterable[Snapshot]) -> dict[str, Value]:
    """Return the values of several processes as those of one."""
    total: dict[str, Value] = {}
    for snapshot in snapshots:
        for name, value in snapshot.items():
            total[name] = _add(METRICS[name].kind, total[name], value) if name in total else value
    return total


def _add(kind: Kind, one: Value, other: Value) -> Value:
    if isinstance(one, list) or isinstance(other, list):
        if not (isinstance(one, list) and isinstance(other, list)):
            raise TypeError("a histogram and a number do not add up")
        return [a + b for a, b in zip(one, other, strict=True)]
    return max(one, other) if kind == "highest" else one + other


def percentile(counts: list[int], share: float) -> float:
    """Return seconds which `share` (0 to 1) of the durations did not exceed; 0.0 for none.

    It is the upper bound of a bucket, so at most twice too much.
    """
    wanted = share * sum(counts)
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if count and seen >= wanted:
            return float(2**bucket) / MICRO
    return 0.0
