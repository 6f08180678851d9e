"""Counters, gauges and histograms: declared once, counted cheaply, added up over processes.

    LINES = counter("log_lines", "Lines written to text logs.")     at import, where it is counted

    self._lines = metrics.cell(LINES)                               once, in who counts
    self._lines.value += 1                                          where it happens

A declaration is a constant; values belong to a `Metrics` of the process, so tests and processes
have their own. Counting is one attribute: no lock, no look-up, no label to join. A metric may have
one label, all of whose values stand in the declaration: each is a cell of its own, named
"metric|value", so nothing that comes from outside can make their number grow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from angarium.core.registry import Registry

Kind = Literal["counter", "sum", "highest", "histogram"]
BUCKETS: Final = 40  # powers of two of microseconds: from 1 us to 6 days
MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Metric:
    """A declaration; `kind` also says how the values of several processes make one.

    Attributes:
        unit: "seconds", "bytes" (as Prometheus calls octets) or "" for a plain number.
        label: what `values` are values of, "" where there is one value only.
        each: also worth reading for each process by itself.
    """

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    label: str = ""
    values: tuple[str, ...] = ()
    each: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names under which its values stand in a snapshot."""
        return tuple(f"{self.name}|{value}" for value in self.values) or (self.name,)

    @property
    def exposed(self) -> str:
        """Return its name for Prometheus, without the suffix of a counter."""
        unit = f"_{self.unit}" if self.unit and not self.name.endswith(f"_{self.unit}") else ""
        return f"angarium_{self.name}{unit}"


METRICS: Final[Registry[Metric]] = Registry("metric")


def counter(
    name: str,
    doc: str,
    *,
    unit: str = "",
    label: str = "",
    values: Sequence[str] = (),
    each: bool = False,
) -> Metric:
    """Declare what only rises while a process lives."""
    return _declare(Metric(name, "counter", doc, unit, label, tuple(values), each))


def gauge(
    name: str,
    doc: str,
    *,
    highest: bool = False,
    unit: str = "",
    label: str = "",
    values: Sequence[str] = (),
    each: bool = False,
) -> Metric:
    """Declare what rises and falls; of several processes the sum counts, or the highest."""
    kind: Kind = "highest" if highest else "sum"
    return _declare(Metric(name, kind, doc, unit, label, tuple(values), each))


def histogram(name: str, doc: str) -> Metric:
    """Declare durations, of which percentiles are asked."""
    return _declare(Metric(name, "histogram", doc, "seconds"))


def _declare(metric: Metric) -> Metric:
    METRICS.add(metric.name, metric, depth=3)
    return metric


class Cell:
    """The value of a counter or a gauge."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class Durations:
    """A histogram: how many durations there were below each power of two of a microsecond.

    Attributes:
        total: seconds of all together.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * BUCKETS
        self.total = 0.0

    def note(self, seconds: float) -> None:
        """Count a duration; one that is negative, for a clock was set back, counts as none."""
        if seconds <= 0.0:
            self.counts[0] += 1
            return
        self.total += seconds
        bucket = int(seconds * MICRO).bit_length()
        self.counts[bucket if bucket < BUCKETS else BUCKETS - 1] += 1


Value = float | list[int]
Snapshot = Mapping[str, Value]


class Metrics:
    """The values of one process."""

    __slots__ = ("_cells", "_durations")

    def __init__(self) -> None:
        self._cells: dict[str, Cell] = {}
        self._durations: dict[str, Durations] = {}

    def cell(self, metric: Metric, value: str = "") -> Cell:
        """Return where to count; the same one for the same declaration.

        Args:
            value: of the label. Raises ValueError if it is none that was declared.
        """
        if not metric.values:
            return self._cells.setdefault(metric.name, Cell())
        if value not in metric.values:
            raise ValueError(f"{value!r} is no {metric.label} of {metric.name}")
        return self._cells.setdefault(f"{metric.name}|{value}", Cell())

    def durations(self, metric: Metric) -> Durations:
        """Return where to note durations."""
        return self._durations.setdefault(metric.name, Durations())

    def snapshot(self) -> dict[str, Value]:
        """Return the values now, by name; the total of a histogram as "name|seconds"."""
        values: dict[str, Value] = {name: cell.value for name, cell in self._cells.items()}
        for name, each in self._durations.items():
            values[name] = list(each.counts)
            values[f"{name}|seconds"] = each.total
        return values


def metric_of(key: str) -> Metric | None:
    """Return the declaration of a value in a snapshot; None where another version made it."""
    return METRICS.get(key.partition("|")[0])


def merged(snapshots: Iterable[Snapshot]) -> dict[str, Value]:
    """Return the values of several processes as those of one; without what is not declared."""
    total: dict[str, Value] = {}
    for snapshot in snapshots:
        for key, value in snapshot.items():
            metric = metric_of(key)
            if metric is not None:
                total[key] = _join(metric.kind, total[key], value) if key in total else value
    return total


def add(one: Value, other: Value) -> Value:
    """Return the sum of two values of a metric."""
    if isinstance(one, list) or isinstance(other, list):
        if not (isinstance(one, list) and isinstance(other, list)):
            raise TypeError("a histogram and a number do not add up")
        return [a + b for a, b in zip(one, other, strict=True)]
    return one + other


def _join(kind: Kind, one: Value, other: Value) -> Value:
    if kind == "highest" and not isinstance(one, list) and not isinstance(other, list):
        return max(one, other)
    return add(one, other)


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
