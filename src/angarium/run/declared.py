"""All metrics there are, for who shows what others have counted.

A metric is declared beside what counts it, in a module which a process that only shows it does not
need. Importing this one brings all declarations; it takes some 0.2 s, so the supervisor does not.
"""

from pathlib import Path
from typing import Final

import angarium.modules.guard.conntrol
import angarium.modules.guard.dnsbl
import angarium.modules.guard.greylist
import angarium.modules.report.tls_reporting
import angarium.modules.route.seedlist
import angarium.modules.sign.dk_sign
import angarium.modules.sign.dk_validate
import angarium.modules.sign.dkim_validate
import angarium.modules.sign.dmarc
import angarium.modules.sign.openarc
import angarium.modules.sign.signer
import angarium.run.assemble
import angarium.run.certifying
import angarium.run.hose
import angarium.run.httptls
import angarium.run.nodewide
import angarium.web.collector  # noqa: F401 - for their declarations
from angarium.events.metrics import METRICS, Metric

_PACKAGE: Final = Path(__file__).parent.parent


def every() -> list[Metric]:
    """Return all metrics of the package, by name; those of tests are not among them."""
    ours = (each for each in METRICS.values() if _PACKAGE in Path(_file(each)).parents)
    return sorted(ours, key=lambda each: each.name)


def _file(metric: Metric) -> str:
    return METRICS.place(metric.name).file
