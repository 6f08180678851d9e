"""All metrics there are, for who shows what others have counted.

A metric is declared beside what counts it, in a module which a process that only shows it does not
need. Importing this one brings all declarations; it takes some 0.2 s, so the supervisor does not.
"""

import angarium.run.assemble
import angarium.run.hose
import angarium.run.nodewide
import angarium.web.collector  # noqa: F401 - for their declarations
from angarium.events.metrics import METRICS, Metric


def every() -> list[Metric]:
    """Return all metrics, by name."""
    return sorted(METRICS.values(), key=lambda each: each.name)
