"""What is measured, as text for Prometheus: format 0.0.4, or OpenMetrics 1.0 for who asks for it.

One family for each declaration of `events/metrics`, and a few for the busiest queues. Rule: **the
number of series is bounded by declarations**, the number of processes and `overview.MOST`; no name
of a domain, an address or a customer makes a series but of those queues.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from angarium.events.metrics import BUCKETS, METRICS, MICRO, Metric, Value
from angarium.web.overview import Queue, Sample

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
OTHER: Final = "other"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_BOUNDS: Final = tuple(repr(float(2**bucket) / MICRO) for bucket in range(BUCKETS - 1))
_QUEUES: Final[Sequence[tuple[str, str, Callable[[Queue], int]]]] = (
    ("active", "Recipients who wait for a connection, of the busiest queues.", lambda q: q.active),
    ("delayed", "Recipients who wait for their next attempt.", lambda q: q.delayed),
    ("in_flight", "Recipients on whom a connection works.", lambda q: q.in_flight),
    ("connections", "Connections of the queue.", lambda q: q.connections),
)


def wants_openmetrics(accept: str) -> bool:
    """Say whether a client prefers OpenMetrics, by its Accept field."""
    best: dict[str, float] = {}
    for each in accept.split(","):
        kind, *parameters = (part.strip() for part in each.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                quality = _number(value)
        best[kind.lower()] = max(best.get(kind.lower(), 0.0), quality)
    plain = max(best.get("text/plain", 0.0), best.get("text/*", 0.0))
    return best.get("application/openmetrics-text", 0.0) > plain


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def exposition(sample: Sample, queues: Sequence[Queue], *, openmetrics: bool, version: str) -> str:
    """Return all families.

    Args:
        queues: the busiest, of all workers together.
    """
    lines = list(_about(version, openmetrics=openmetrics))
    for metric in METRICS.values():
        lines += _family(metric, sample, openmetrics=openmetrics)
    lines += _busiest(sample, queues)
    if openmetrics:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def _about(version: str, *, openmetrics: bool) -> Iterator[str]:
    kind = "info" if openmetrics else "gauge"
    family = "angarium_build" if openmetrics else "angarium_build_info"
    yield f"# HELP {family} The version which runs."
    yield f"# TYPE {family} {kind}"
    yield f"angarium_build_info{{{_label('version', version)}}} 1"


def _family(metric: Metric, sample: Sample, *, openmetrics: bool) -> Iterator[str]:
    """Yield the lines of a declaration; none if nobody measures it."""
    rows = list(_rows(metric, sample))
    if not rows:
        return
    counts = metric.kind == "counter"
    name = metric.exposed
    family = f"{name}_total" if counts and not openmetrics else name
    kind = metric.kind if metric.kind in ("counter", "histogram") else "gauge"
    yield f"# HELP {family} {_help(metric.doc)}"
    yield f"# TYPE {family} {kind}"
    if openmetrics and metric.unit and metric.exposed.endswith(f"_{metric.unit}"):
        yield f"# UNIT {family} {metric.unit}"
    for labels, value, total in rows:
        if isinstance(value, list):
            yield from _histogram(name, value, total)
        else:
            yield f"{name}{'_total' * counts}{labels} {_shown(value)}"


def _rows(metric: Metric, sample: Sample) -> Iterator[tuple[str, Value, float]]:
    """Yield labels and value of each series, and the sum of a histogram."""
    if metric.each:
        for process, values in sample.rows.items():
            value = values.get(metric.name)
            if value is not None:
                yield f"{{{_label('process', process)}}}", value, 0.0
        return
    names: Mapping[str, str] = dict.fromkeys(metric.keys, "")
    if metric.values:
        named = zip(metric.keys, metric.values, strict=True)
        names = {key: f"{{{_label(metric.label, value)}}}" for key, value in named}
    for key, labels in names.items():
        value = sample.total.get(key)
        if value is not None:
            total = sample.total.get(f"{metric.name}|seconds", 0.0)
            yield labels, value, total if not isinstance(total, list) else 0.0


def _histogram(name: str, counts: Sequence[int], total: float) -> Iterator[str]:
    reached = 0
    for bound, count in zip(_BOUNDS, counts, strict=False):
        reached += count
        yield f'{name}_bucket{{le="{bound}"}} {reached}'
    reached = sum(counts)
    yield f'{name}_bucket{{le="+Inf"}} {reached}'
    yield f"{name}_sum {_shown(total)}"
    yield f"{name}_count {reached}"


def _busiest(sample: Sample, queues: Sequence[Queue]) -> Iterator[str]:
    for name, doc, value in _QUEUES:
        family = f"angarium_destination_{name}"
        yield f"# HELP {family} {doc}"
        yield f"# TYPE {family} gauge"
        for each in queues:
            labels = ",".join(
                (
                    _label("group", each.group),
                    _label("binding", each.binding),
                    _label("domain", each.domain),
                )
            )
            yield f"{family}{{{labels}}} {value(each)}"
        rest = _whole(sample, name) - sum(map(value, queues))
        labels = ",".join(_label(label, OTHER) for label in ("group", "binding", "domain"))
        yield f"{family}{{{labels}}} {max(0, int(rest))}"


def _whole(sample: Sample, name: str) -> float:
    """Return what all queues have together."""
    if name == "active":
        number = sample.number
        return number("queued") - number("delayed") - number("in_flight")
    return sample.number("connections_out" if name == "connections" else name)


def _label(name: str, value: str) -> str:
    return f'{name}="{value.translate(_ESCAPES)}"'


def _help(doc: str) -> str:
    return " ".join(doc.split()).replace("\\", "\\\\").replace('"', '\\"')


def _shown(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
