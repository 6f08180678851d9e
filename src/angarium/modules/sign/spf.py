"""spf_v1: may this host send for its sender (RFC 7208)? It refuses nothing: policy does.

The check is made once for a message, at MAIL or with `delay_check` at the first RCPT, and its
result is told three times: to scripts in a variable, to the modules behind it in `found`, and to
readers of the message in its header.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final

from angarium.core.errors import Error
from angarium.events.metrics import counter
from angarium.mail.auth.results import Result as Told
from angarium.mail.auth.spf.check import Finding, check_host, out_of_time
from angarium.mail.auth.spf.client import Client, client_address
from angarium.mail.auth.spf.macros import SyntaxFault
from angarium.mail.auth.spf.received import NAME as RECEIVED_SPF
from angarium.mail.auth.spf.received import received_spf
from angarium.mail.auth.spf.record import Record, Result, parsed
from angarium.modules.means import Means
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.found import found_of, value_of
from angarium.modules.sign.options.spf import Spf as Options
from angarium.policy.context import Session
from angarium.policy.hooks import Data, MailFrom, RcptTo, on
from angarium.policy.mail import Mail
from angarium.policy.verdict import CONT, Verdict

# RFC 7208 section 4.6.4: at least 20 s. It is what a peer waits for, so it is no more.
SECONDS: Final = 20.0
EHLO: Final = "ehlo_domain"
TEXT: Final = "_text"

CHECKED: Final = counter(
    "spf_checked", "Senders checked by SPF.", label="result", values=[str(each) for each in Result]
)


class SenderPolicy:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._options = options
        self._host = means.host
        self._clock = means.clock
        self._tell = means.tell
        self._ask = Asked(means.resolver)
        self._default = rule(options.default_rule, "spf_v1", name)
        self._cells = {each: means.metrics.cell(CHECKED, str(each)) for each in Result}

    @on(MailFrom)
    def sender(self, event: MailFrom) -> Verdict | Awaitable[Verdict]:
        """Check the sender, if that is to be done now."""
        return CONT if self._options.delay_check else self._check(event.session)

    @on(RcptTo)
    def recipient(self, event: RcptTo) -> Verdict | Awaitable[Verdict]:
        """Check the sender with the first recipient of whom this is to be done."""
        mail = event.session.mail
        if not self._options.delay_check or mail is None:
            return CONT
        return CONT if found_of(event.session).spf is not None else self._check(event.session)

    @on(Data)
    def content(self, event: Data) -> Verdict:
        """Put what was found into the header."""
        session = event.session
        if session is None:
            return CONT
        found = found_of(session, event.mail)
        if found.spf is None:
            return CONT
        client = client_of(session, event.mail, self._host, self._clock.time())
        options = self._options
        if options.add_headers and client is not None:
            octets = received_spf(found.spf, client, self._host)
            event.mail.edited.prepend(RECEIVED_SPF, value_of(octets))
        if options.add_authentication_results and client is not None:
            found.report(event.mail, self._host, [told("spf", found.spf, client)])
        return CONT

    async def _check(self, session: Session) -> Verdict:
        mail = session.mail
        if mail is None:
            return CONT
        client = client_of(session, mail, self._host, self._clock.time())
        if client is None:
            return CONT
        finding = await checked(self._ask, client, default=self._default)
        self._cells[finding.result].value += 1
        found_of(session).spf = finding
        options = self._options
        variables = mail.message.variables
        variables[options.context_variable] = str(finding.result)
        variables[options.context_variable + TEXT] = words(
            finding,
            options.fail_fallback_string,
            options.softfail_fallback_string,
            options.nxdomain_override_string,
            options.temperror_override_string,
        )
        self._tell("DEBUG", f"{session.address} {mail.sender!r}: {finding.result}")
        return CONT


def rule(text: str, stanza: str, name: str) -> Record:
    """Return what an option says of domains without a record. Raises Error."""
    terms = text.strip()
    if terms.lower().startswith("v=spf1"):
        terms = terms[6:]
    try:
        return parsed(terms.encode("utf-8"))
    except SyntaxFault as fault:
        raise Error(f"{stanza}: {text!r} is no rule: {fault.message}", stanza=name) from None


def client_of(session: Session, mail: Mail, host: str, now: float) -> Client | None:
    """Return who is to be checked; None where mail does not come from a peer with an address."""
    try:
        address = client_address(session.address)
    except ValueError:
        return None
    return Client(address, session.variables.get(EHLO, ""), mail.sender, host, now)


async def checked(
    ask: Asked, client: Client, *, scope: str = "", default: Record | None = None
) -> Finding:
    """Return what a check finds, within its time.

    A default rule which says nothing either leaves it at none, as RFC 7208 has it.
    """
    try:
        async with asyncio.timeout(SECONDS):
            finding = await check_host(ask, client, scope=scope)
            if default is None or finding.result is not Result.NONE or finding.missing:
                return finding
            ruled = await check_host(ask, client, scope=scope, default=default)
    except TimeoutError:
        return out_of_time(client, "pra" if scope == "pra" else "mailfrom")
    return finding if ruled.result is Result.NEUTRAL else ruled


def told(method: str, finding: Finding, client: Client, author: str = "") -> Told:
    """Return what stands of it in Authentication-Results (RFC 8601 section 2.7.2)."""
    if author:
        properties = {"header.from": author}
    elif client.sender:
        properties = {"smtp.mailfrom": client.sender}
    else:
        properties = {"smtp.helo": client.helo}
    return Told(method, str(finding.result), properties, comment=finding.reason)


def words(finding: Finding, failed: str, softly: str, missing: str, temporary: str) -> str:
    """Return what may be said to the peer about a result; "" where there is nothing to say."""
    if finding.missing:
        return missing
    match finding.result:
        case Result.FAIL:
            return finding.explanation or failed
        case Result.SOFTFAIL:
            return softly
        case Result.TEMPERROR:
            return temporary
        case Result.PERMERROR:
            return finding.reason
        case _:
            return ""
