"""What was seen of the domains of authors: rows for the reports of DMARC."""

from pathlib import Path
from typing import Final

from angarium.events.metrics import counter
from angarium.mail.auth.dmarc.evaluate import Evaluation
from angarium.mail.auth.dmarc.record import Policy
from angarium.mail.report.dmarc.aggregate import Row, Signature
from angarium.modules.days import Days
from angarium.modules.means import Means
from angarium.modules.sign.found import Found

MAX_SIGNATURES: Final = 10  # of a message which are told

LOST: Final = counter("dmarc_rows_lost", "Rows for reports of DMARC which there was no room for.")

Seen = Days[Row]


def seen(folder: Path, means: Means) -> Seen:
    """Return what a worker has seen, and the files of all."""
    return Days(folder, means, Row, LOST)


def row_of(
    address: str,
    sender: str,
    found: Found,
    evaluation: Evaluation,
    disposition: Policy,
    local: str = "",
) -> Row:
    """Return the row of a message.

    Args:
        local: why a policy of ours held, and not that of its domain; "" if it did not.
    """
    spf = found.spf
    reasons: tuple[tuple[str, str], ...] = ()
    if local:
        reasons += (("local_policy", local),)
    elif evaluation.spared:
        reasons += (("sampled_out", ""),)
    elif disposition is not evaluation.disposition:
        reasons += (("local_policy", "this host does not follow all policies"),)
    return Row(
        address,
        str(disposition),
        "pass" if evaluation.dkim else "fail",
        "pass" if evaluation.spf else "fail",
        evaluation.domain,
        sender.rpartition("@")[2].lower(),
        spf.domain if spf else "",
        str(spf.result) if spf else "",
        ("helo" if spf.identity == "helo" else "mfrom") if spf else "",
        tuple(
            Signature(
                each.properties.get("header.d", ""),
                each.properties.get("header.s", ""),
                each.result,
            )
            for each in (found.signatures or ())[:MAX_SIGNATURES]
            if each.properties
        ),
        reasons,
    )
