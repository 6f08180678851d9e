"""Reports of single failures (RFC 7489 section 7.3, RFC 6591), to domains which ask for them.

They tell strangers who writes to whom, so they are off unless wanted, carry no content, and are
counted: a flood of forged mail must not become a flood of reports.
"""

import asyncio
from typing import Final

from angarium.events.metrics import counter
from angarium.mail.auth.asking import Ask, NameTrouble
from angarium.mail.auth.dmarc.evaluate import Evaluation, Result
from angarium.mail.auth.dmarc.record import Policy, Record
from angarium.mail.auth.results import clauses
from angarium.mail.auth.spf.record import Result as SpfResult
from angarium.mail.report.dmarc.letters import Failure, Writer, single
from angarium.modules.daily import inject
from angarium.modules.means import Means
from angarium.modules.sign.daily import destinations
from angarium.modules.sign.found import Found
from angarium.policy.mail import Mail

HOUR: Final = 3600.0
_DELIVERY: Final = {
    Policy.NONE: "delivered",
    Policy.QUARANTINE: "policy",
    Policy.REJECT: "reject",
}

REPORTED: Final = counter("dmarc_failures_reported", "Reports of single failures which were sent.")
SPARED: Final = counter("dmarc_failures_left_out", "Those which were not, as there were too many.")


class Failures:
    """Who makes them, for one worker."""

    def __init__(self, rate: int, means: Means, ask: Ask, writer: Writer) -> None:
        """Args: `rate`: reports in an hour."""
        self._means = means
        self._ask = ask
        self._rate = rate
        self._writer = writer
        self._reported = means.metrics.cell(REPORTED)
        self._spared = means.metrics.cell(SPARED)
        self._since = 0.0
        self._count = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def consider(
        self, address: str, mail: Mail, found: Found, evaluation: Evaluation, disposition: Policy
    ) -> None:
        """Report a message, if its domain wants to hear of it; nobody waits for that."""
        record = evaluation.record
        if record is None or not record.failure or not wanted(record, found, evaluation):
            return
        now = self._means.clock.monotonic()
        if now >= self._since + HOUR:
            self._since, self._count = now, 0
        if self._count >= self._rate:
            self._spared.value += 1
            return
        self._count += 1
        failed = [each for each in found.signatures or () if each.result not in ("pass", "none")]
        failure = Failure(
            evaluation.domain,
            address,
            mail.sender,
            tuple([each.address for each in mail.recipients]),
            self._means.clock.time(),
            _DELIVERY[disposition],
            _alignment(evaluation),
            f"{self._means.host};\r\n\t" + _results(found, evaluation),
            mail.draft.header_octets,
            failed[0].properties.get("header.d", "") if failed else "",
        )
        task = self._means.loop.create_task(self._send(evaluation.published, record, failure))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _send(self, domain: str, record: Record, failure: Failure) -> None:
        means = self._means
        try:
            places = await destinations(self._ask, domain, record.failure)
        except NameTrouble:
            return
        for place in places:
            token = f"{means.random.getrandbits(128):032x}"
            octets = single(failure, self._writer, [place.mailbox], means.clock.time(), token)
            if place.limit and len(octets) > place.limit:
                continue
            if await inject(means, octets, place.mailbox):
                self._reported.value += 1


def wanted(record: Record, found: Found, evaluation: Evaluation) -> bool:
    """Say whether a domain wants a report of this message, by its fo= (section 6.3)."""
    options = record.failures
    if "0" in options and evaluation.result is Result.FAIL:
        return True
    if "1" in options and not (evaluation.spf and evaluation.dkim):
        return True
    signatures = [each.result for each in found.signatures or ()]
    if "d" in options and any(each not in ("pass", "none") for each in signatures):
        return True
    spf = found.spf
    return "s" in options and spf is not None and spf.result is not SpfResult.PASS


def _alignment(evaluation: Evaluation) -> str:
    proofs = [
        name for name, proves in (("dkim", evaluation.dkim), ("spf", evaluation.spf)) if proves
    ]
    return ", ".join(proofs) or "none"


def _results(found: Found, evaluation: Evaluation) -> str:
    from_spf = f"spf={found.spf.result}" if found.spf else "spf=none"
    told = clauses(found.signatures or ()).decode("utf-8", "surrogateescape")
    return f"dmarc={evaluation.result};\r\n\t{from_spf};\r\n\t{told}"
