"""Write the manual's page about metrics, docs/reference/metrics.md, from their declarations.

python tools/reference_metrics.py           writes it
python tools/reference_metrics.py --check   ends with 1 if it differs
"""

import sys
from pathlib import Path

from angarium.events.metrics import Metric
from angarium.run.declared import every
from angarium.web.overview import MOST

PAGE = Path(__file__).parent.parent / "docs/reference/metrics.md"
MADE = "<!-- Made by tools/reference_metrics.py from the declarations; edit those. -->\n"
KINDS = {
    "counter": "counter",
    "histogram": "histogram",
    "sum": "gauge",
    "highest": "gauge, highest",
}
HEAD = f"""# Metrics

What `/metrics` of an [`http_listener`](../guide/observe.md) tells, in the text format 0.0.4 of
Prometheus, or in OpenMetrics 1.0 for who asks for that. Values are those of the whole node: of
workers they are added up, or the highest counts. What a worker has counted stays in the sum when it
ends; all begin at 0 when the server is started.

A histogram has buckets at powers of two of a microsecond. A label has only the values named here.
The families `angarium_destination_active`, `_delayed`, `_in_flight` and `_connections`, with the
labels `group`, `binding` and `domain`, are for the {MOST} queues with the most mail; all others are
added up as `other`. So the number of series does not grow with the number of domains.

| metric | kind | labels | what |
|-|-|-|-|
"""


def page() -> str:
    """Return the text of the page."""
    rows = sorted(map(row, every()))
    return f"{MADE}{HEAD}{''.join(rows)}"


def row(metric: Metric) -> str:
    name = f"{metric.exposed}{'_total' * (metric.kind == 'counter')}"
    labels = "`process`" if metric.each else ""
    if metric.label:
        labels = f"`{metric.label}`: {', '.join(metric.values)}"
    return f"| `{name}` | {KINDS[metric.kind]} | {labels} | {' '.join(metric.doc.split())} |\n"


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == page() else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
