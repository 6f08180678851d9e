"""dmarc: does the author's domain stand behind a message, and what does it want if not (RFC 7489)?

It comes when all who check something have spoken (validate_data_spool). What SPF and DKIM found
stands in `found`; what nobody has looked at it looks at itself, so the module works alone, too.
`action` says how far the wish of a domain is followed; nothing is refused unless it says so.
"""

import asyncio
from typing import Final

from angarium.core.errors import Error
from angarium.core.reply import Reply, from_text
from angarium.events.metrics import counter
from angarium.mail.auth import dkim
from angarium.mail.auth.arc import SEAL
from angarium.mail.auth.dmarc.evaluate import (
    EVERY,
    Evaluation,
    Proven,
    Result,
    authors,
    evaluate_all,
)
from angarium.mail.auth.dmarc.record import Policy
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.results import Result as Told
from angarium.mail.auth.spf.check import Finding
from angarium.mail.auth.spf.record import Result as SpfResult
from angarium.modules.daily import Daily
from angarium.modules.guard.peers import Domains, Exempt
from angarium.modules.means import Means
from angarium.modules.sign import checking
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.daily import Reports, writer_of
from angarium.modules.sign.failures import Failures
from angarium.modules.sign.found import Found, found_of
from angarium.modules.sign.options.dmarc import Dmarc as Options
from angarium.modules.sign.seen import row_of, seen
from angarium.modules.sign.spf import checked, client_of
from angarium.modules.sign.vouching import Voucher, vouched
from angarium.policy.hooks import DataSpool, on
from angarium.policy.mail import Mail
from angarium.policy.verdict import CONT, DONE, Verdict

STANZA: Final = "dmarc"
SECONDS: Final = 20.0  # for the policy of one message, as for SPF and for its signatures
DOMAIN: Final = "dmarc_domain"
POLICY: Final = "dmarc_policy"
DISPOSITION: Final = "dmarc_disposition"
SEALER: Final = "dmarc_arc_sealer"
_DEFERRED: Final = Reply(451, "the DMARC policy of the author's domain cannot be had", "4.7.1")

EVALUATED: Final = counter(
    "dmarc_evaluated", "Messages looked at by DMARC.", label="result", values=list(Result)
)
REFUSED: Final = counter("dmarc_refused", "Messages refused for the author's domain.")
QUARANTINED: Final = counter("dmarc_quarantined", "Messages marked for quarantine.")
VOUCHED: Final = counter(
    "dmarc_vouched", "Messages which failed and were taken because of a chain of ARC."
)


class Dmarc:
    """The module."""

    def __init__(self, _name: str, options: Options, means: Means) -> None:
        self._options = options
        self._means = means
        self._ask = Asked(means.resolver)
        self._exempt = Exempt(options.exempt)
        self._believed = Domains(options.arc_trusted)
        metrics = means.metrics
        self._cells = {each: metrics.cell(EVALUATED, str(each)) for each in Result}
        self._refused, self._quarantined = metrics.cell(REFUSED), metrics.cell(QUARANTINED)
        self._vouched = metrics.cell(VOUCHED)
        self._most = Policy.NONE if options.action == "mark" else Policy(options.action)
        if not self._reply("example.com").permanent:
            raise Error("reply refuses for good: its code is 500 to 599", stanza=STANZA)
        self._writer = writer_of(options, means.host)
        folder = means.state / STANZA
        self._seen = seen(folder, means) if options.reports else None
        self._daily = None
        if self._seen is not None:
            about = Reports(options, means, self._ask, self._writer).about
            self._daily = Daily(means, self._seen, folder, options.report_delay, about)
        self._failures = None
        if options.failure_reports:
            rate = options.failure_report_rate
            self._failures = Failures(rate, means, self._ask, self._writer)

    def start(self) -> None:
        if self._seen and self._daily:
            self._seen.start()
            self._daily.start()

    def stop(self) -> None:
        if self._seen and self._daily:
            self._daily.stop()
            self._seen.stop()

    def _reply(self, domain: str) -> Reply:
        return from_text(self._options.reply.replace("%d", domain), 550)

    @on(DataSpool)
    async def message(self, event: DataSpool) -> Verdict:
        """Look at a message, and do with it what is to be done."""
        session, mail = event.session, event.mail
        if session is None or self._exempt.has(session):
            return CONT
        found = found_of(session, mail)
        evaluation = await self._evaluated(event, found)
        found.dmarc = evaluation
        self._cells[evaluation.result].value += 1
        if self._options.defer_on_trouble and _open(evaluation):
            event.refuse(_DEFERRED)
            return DONE
        voucher = await self._voucher(mail, found, evaluation)
        most = self._most if voucher is None else Policy.NONE
        disposition = min(evaluation.disposition, most, key=list(Policy).index)
        self._note(mail, found, evaluation, disposition, voucher)
        if self._seen is not None and evaluation.record is not None:
            why = voucher.reason if voucher else ""
            row = row_of(session.address, mail.sender, found, evaluation, disposition, why)
            self._seen.add(evaluation.published, evaluation.record.text, row)
        if self._failures is not None:
            self._failures.consider(session.address, mail, found, evaluation, disposition)
        if disposition is Policy.REJECT:
            self._refused.value += 1
            self._means.tell("INFO", f"{session.address}: {evaluation.reason}")
            event.refuse(self._reply(evaluation.domain))
            return DONE
        if disposition is Policy.QUARANTINE:
            self._quarantined.value += 1
            if self._options.quarantine_header:
                mail.edited.prepend(self._options.quarantine_header, f"DMARC: {evaluation.reason}")
        return CONT

    async def _evaluated(self, event: DataSpool, found: Found) -> Evaluation:
        domains = authors(event.mail.draft.values("from"))
        await self._completed(event, found)
        try:
            async with asyncio.timeout(SECONDS):
                sample = self._means.random.randrange(EVERY)
                return await evaluate_all(self._ask, domains, proven_by(found), sample)
        except TimeoutError:
            reason = "DNS did not answer in time"
            return Evaluation(Result.TEMPERROR, domains[0] if domains else "", reason=reason)

    async def _completed(self, event: DataSpool, found: Found) -> None:
        """Check what no module before has checked."""
        mail, means = event.mail, self._means
        if found.spf is None and event.session is not None:
            client = client_of(event.session, mail, means.host, means.clock.time())
            if client is not None:
                found.spf = await checked(self._ask, client)
        if found.signatures is None:
            found.verdicts = await checking.checked(mail, means, self._ask)
            found.signatures = dkim.reported(found.verdicts)

    async def _voucher(self, mail: Mail, found: Found, evaluation: Evaluation) -> Voucher | None:
        """Return who of those whom we believe has seen it pass; None: nobody."""
        if (
            not self._believed
            or evaluation.result is not Result.FAIL
            or SEAL not in mail.draft.names
        ):
            return None
        if found.arc is None:
            found.arc = await checking.chained(mail, self._means, self._ask)
        fields = Fields(mail.draft.header_octets)
        return vouched(found.arc.outcome, fields, evaluation.domain, self._believed)

    def _note(
        self,
        mail: Mail,
        found: Found,
        evaluation: Evaluation,
        disposition: Policy,
        voucher: Voucher | None,
    ) -> None:
        options, variables = self._options, mail.message.variables
        variables[options.context_variable] = str(evaluation.result)
        variables[DOMAIN] = evaluation.domain
        variables[POLICY] = str(evaluation.policy) if evaluation.record else ""
        variables[DISPOSITION] = str(disposition)
        if voucher is not None:
            self._vouched.value += 1
            variables[SEALER] = voucher.domain
        if options.add_authentication_results:
            found.report(mail, self._means.host, [told(evaluation, disposition, voucher)])


def _open(evaluation: Evaluation) -> bool:
    """Say whether what DNS did not tell would make a difference."""
    known = evaluation.record is not None and evaluation.policy is Policy.NONE
    return evaluation.result is Result.TEMPERROR and not known


def told(evaluation: Evaluation, disposition: Policy, voucher: Voucher | None = None) -> Told:
    """Return what stands of it in Authentication-Results."""
    comment = f"p={evaluation.policy} dis={disposition}" if evaluation.record else ""
    comment += f" arc=pass sealer={voucher.domain}" if voucher else ""
    properties = {"header.from": evaluation.domain} if evaluation.domain else {}
    return Told("dmarc", str(evaluation.result), properties, comment=comment)


def proven_by(found: Found) -> Proven:
    """Return the domains for which SPF and DKIM passed, and those about which DNS was silent."""
    spf: Finding | None = found.spf
    return Proven(
        spf.domain if spf is not None and spf.result is SpfResult.PASS else "",
        _domains(found, "pass"),
        spf.domain if spf is not None and spf.result is SpfResult.TEMPERROR else "",
        _domains(found, "temperror"),
    )


def _domains(found: Found, result: str) -> list[str]:
    """Return the domains of signatures which have this result."""
    return [
        each.properties.get("header.d", "").lower()
        for each in found.signatures or ()
        if each.result == result
    ]
