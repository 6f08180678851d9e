"""What counting costs: for each message, and once a second.

    .venv/bin/python benchmarks/bench_metrics.py

The budget: 2 % of the processor time of relay at 1 KB, which is 150 to 250 us a message.
"""

import tempfile
import timeit
from pathlib import Path
from typing import Any, Final

import angarium.run.declared  # noqa: F401 - all metrics
from angarium.events.metrics import METRICS, Metrics
from angarium.events.stages import Stages
from angarium.inbound.counts import Counts
from angarium.run.own import Own
from angarium.run.readings import Readings

RELAY_US: Final = (150.0, 250.0)


class Message:
    """As much of a message as is counted."""

    size = 1000
    received_at = 0.0


METRICS_HERE: Final = Metrics()
STAGES: Final = Stages(METRICS_HERE)
COUNTS: Final = Counts(METRICS_HERE, STAGES)
MESSAGE: Final[Any] = Message()


def message() -> None:
    """All that is counted of a message which is taken in, delivered and done with."""
    since = MESSAGE.received_at = STAGES.now()
    COUNTS.took(since, MESSAGE)
    begun = STAGES.begins(since, 0)
    STAGES.attempted(begun)
    STAGES.whole.note(0.01)


def full() -> Metrics:
    """Return metrics in which everything that is declared has a value."""
    made = Metrics()
    for metric in METRICS.values():
        if metric.kind == "histogram":
            made.durations(metric).note(0.003)
        for value in metric.values or ("",):
            if metric.kind != "histogram":
                made.cell(metric, value).value = 123456
    return made


def each_in_us(call: Any, count: int) -> float:
    return min(timeit.repeat(call, number=count, repeat=5)) / count * 1e6


def main() -> None:
    cost = each_in_us(message, 100_000)
    shares = " to ".join(f"{cost / each:.2%}" for each in reversed(RELAY_US))
    print(f"a message: {cost:.2f} us, {shares} of relay at 1 KB")
    with tempfile.TemporaryDirectory() as folder:
        readings, metrics = Readings(Path(folder) / "readings"), full()
        own = Own(metrics)
        write = each_in_us(lambda: readings.write(0, metrics.snapshot(), 1.0), 1000)
        look = each_in_us(lambda: own.look(1.0), 1000)
        readings.close()
    print(f"a second of a worker: {write:.0f} us to write, {look:.0f} us to look at itself")


if __name__ == "__main__":
    main()
