"""senderid: may this host send for the sender, and for who put the message on its way (RFC 4406)?

Sender ID is history (RFC 6686). It is here for policy which reads its variables; the check is that
of `spf`, with records of its own (spf2.0) before those of SPF, and a second one for the author whom
RFC 4407 finds in the header.
"""

from dataclasses import replace
from typing import Final

from angarium.mail.auth.spf.check import Finding
from angarium.mail.auth.spf.client import Client
from angarium.mail.auth.spf.pra import purported
from angarium.mail.auth.spf.received import NAME as RECEIVED_SPF
from angarium.mail.auth.spf.received import received_spf
from angarium.mail.auth.spf.record import Result
from angarium.mail.format.header import Header
from angarium.modules.means import Means
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.found import found_of, value_of
from angarium.modules.sign.options.spf import SenderId as Options
from angarium.modules.sign.spf import TEXT, checked, client_of, rule, told, words
from angarium.policy.context import Session
from angarium.policy.hooks import Data, MailFrom, RcptTo, on
from angarium.policy.mail import Mail
from angarium.policy.verdict import CONT, Verdict

_KEPT: Final = "senderid"  # the sender's finding, in the tables of the session


class SenderId:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._options = options
        self._host = means.host
        self._clock = means.clock
        self._tell = means.tell
        self._ask = Asked(means.resolver)
        self._default = rule(options.default_rule, "senderid", name)
        self._default_author = rule(options.default_pra_rule, "senderid", name)

    @on(MailFrom)
    async def sender(self, event: MailFrom) -> Verdict:
        """Check the sender, if that is to be done now."""
        event.session.tables.pop(_KEPT, None)
        if not self._options.delay_check:
            await self._check(event.session)
        return CONT

    @on(RcptTo)
    async def recipient(self, event: RcptTo) -> Verdict:
        """Check the sender with the first recipient of whom this is to be done."""
        if self._options.delay_check and _KEPT not in event.session.tables:
            await self._check(event.session)
        return CONT

    @on(Data)
    async def content(self, event: Data) -> Verdict:
        """Check who put it on its way, and put what was found into the header."""
        session, mail, options = event.session, event.mail, self._options
        if session is None:
            return CONT
        client = client_of(session, mail, self._host, self._clock.time())
        if client is None:
            return CONT
        author = purported(Header(mail.draft.header_octets))
        finding = await self._author(replace(client, sender=author)) if author else _UNCLEAR
        self._note(mail, options.context_pra_variable, finding)
        sender = session.tables.pop(_KEPT, None)
        if options.add_headers:
            if isinstance(sender, Finding):
                octets = received_spf(sender, client, self._host)
                mail.edited.prepend(RECEIVED_SPF, value_of(octets))
            octets = received_spf(finding, replace(client, sender=author), self._host)
            mail.edited.prepend(RECEIVED_SPF, value_of(octets))
        if options.add_authentication_results:
            results = [told("sender-id", finding, client, author or "unknown")]
            if isinstance(sender, Finding):
                results.append(told("sender-id", sender, client))
            found_of(session, mail).report(mail, self._host, results)
        return CONT

    async def _check(self, session: Session) -> None:
        mail = session.mail
        if mail is None:
            return
        client = client_of(session, mail, self._host, self._clock.time())
        if client is not None:
            finding = await checked(self._ask, client, scope="mfrom", default=self._default)
            session.tables[_KEPT] = finding
            self._note(mail, self._options.context_variable, finding)

    async def _author(self, client: Client) -> Finding:
        return await checked(self._ask, client, scope="pra", default=self._default_author)

    def _note(self, mail: Mail, variable: str, finding: Finding) -> None:
        options = self._options
        variables = mail.message.variables
        variables[variable] = str(finding.result)
        self._tell("DEBUG", f"{finding.identity} of {finding.domain}: {finding.result}")
        variables[variable + TEXT] = words(
            finding,
            options.fail_fallback_string,
            options.softfail_fallback_string,
            options.nxdomain_override_string,
            finding.reason,
        )


_UNCLEAR: Final = Finding(
    Result.PERMERROR, "", "pra", "the header does not say clearly who put it on its way"
)
