"""Whether an author's domain stands behind a message, and what it wants done if not (RFC 7489).

    evaluation = await evaluate(ask, "a.example", Proven(spf="a.example", dkim=("b.example",)))

SPF and DKIM have been checked before; what comes in here are the domains for which they passed.
It is total, and asks at most five questions: two for records, three whether a name exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import idna

from angarium.mail.auth import asking
from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName
from angarium.mail.auth.dmarc.organisation import aligned, organisation
from angarium.mail.auth.dmarc.record import Policy, Record, is_record, parsed
from angarium.mail.format.addresses import mailboxes

MAX_AUTHORS: Final = 10  # domains of one From field; more make it a fault
EVERY: Final = 100


class Result(StrEnum):
    """What an evaluation ends in, as RFC 7489 section 11.2 has it."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Proven:
    """What was proved: the sender's domain by SPF, "" if none, and domains by signatures.

    Attributes:
        open_spf: the sender's domain, if DNS could not tell whether it passes; else "".
        open_dkim: domains of signatures whose keys could not be had now.
    """

    spf: str = ""
    dkim: Sequence[str] = ()
    open_spf: str = ""
    open_dkim: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found about one author's domain.

    Attributes:
        domain: of the author.
        published: whose record it is; "" if there is none.
        policy: what its owner wants for this domain.
        disposition: what is to be done with this message: `policy`, or less by sampling.
        spf: a sender's domain passed SPF and is aligned.
        dkim: a signature passed and its domain is aligned.
        reason: one line for people.
        spared: sampling made `disposition` milder than `policy`.
    """

    result: Result
    domain: str
    published: str = ""
    record: Record | None = None
    policy: Policy = Policy.NONE
    disposition: Policy = Policy.NONE
    spf: bool = False
    dkim: bool = False
    reason: str = ""
    spared: bool = False


def authors(values: Sequence[bytes]) -> tuple[str, ...]:
    """Return the domains of the authors in From fields, each once, for DNS; "": one has none."""
    found: dict[str, None] = {}
    for value in values:
        for each in mailboxes(value):
            found.setdefault(_ascii(each.domain))
    return tuple(found)


def _ascii(domain: str) -> str:
    """Return a domain for DNS; "" if it is none."""
    name = domain.lower().removesuffix(".")
    try:
        name = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""
    return name if asking.is_name(name) and not name.startswith("[") else ""


async def evaluate_all(
    ask: Ask, domains: Sequence[str], proven: Proven, sample: int = 0
) -> Evaluation:
    """Return what counts of all authors: the most severe of what fails (section 6.6.1)."""
    if not domains or "" in domains or len(domains) > MAX_AUTHORS:
        reason = "the message does not say clearly who wrote it"
        return Evaluation(Result.PERMERROR, domains[0] if domains else "", reason=reason)
    found = [await evaluate(ask, domain, proven, sample) for domain in domains]
    severe = list(Policy)
    order = [Result.NONE, Result.PASS, Result.PERMERROR, Result.TEMPERROR, Result.FAIL]
    return max(
        found,
        key=lambda each: (
            order.index(each.result),
            severe.index(each.disposition),
            severe.index(each.policy),
        ),
    )


async def evaluate(ask: Ask, domain: str, proven: Proven, sample: int = 0) -> Evaluation:
    """Return what an author's domain wants.

    Args:
        domain: in lower case, of A-labels.
        sample: 0 to 99, drawn for each message; the policy is for those below its percentage.
    """
    try:
        published, record = await discover(ask, domain)
        if record is None:
            return Evaluation(Result.NONE, domain, reason=f"{domain} has no record")
        policy = await _policy(ask, domain, published, record)
    except NameTrouble:
        return Evaluation(Result.TEMPERROR, domain, reason=f"DNS does not answer about {domain}")
    spf = aligned(domain, proven.spf, strict=record.strict_spf)
    dkim = any(aligned(domain, each, strict=record.strict_dkim) for each in proven.dkim)
    if spf or dkim:
        by = " and ".join([name for name, proves in (("SPF", spf), ("DKIM", dkim)) if proves])
        reason = f"{by} proves {domain}"
        return Evaluation(
            Result.PASS, domain, published, record, policy, spf=spf, dkim=dkim, reason=reason
        )
    if aligned(domain, proven.open_spf, strict=record.strict_spf) or any(
        aligned(domain, each, strict=record.strict_dkim) for each in proven.open_dkim
    ):
        # Section 6.6.2 leaves it to us: who cannot know does not refuse for good.
        reason = f"DNS does not tell whether SPF or DKIM proves {domain}"
        return Evaluation(Result.TEMPERROR, domain, published, record, policy, reason=reason)
    spared = sample >= record.percent
    return Evaluation(
        Result.FAIL,
        domain,
        published,
        record,
        policy,
        policy.milder if spared else policy,
        reason=f"neither SPF nor DKIM proves {domain}",
        spared=spared and policy is not Policy.NONE,
    )


async def discover(ask: Ask, domain: str) -> tuple[str, Record | None]:
    """Return whose record holds for a domain, and the record (section 6.6.3).

    Raises NameTrouble.
    """
    top = organisation(domain)
    for name in dict.fromkeys((domain, top)):
        try:
            texts = await asking.texts(ask, f"_dmarc.{name}")
        except NoSuchName:
            continue
        found = [text for text in texts if is_record(text)]
        if found:  # Several end the search, too.
            return name, parsed(found[0]) if len(found) == 1 else None
    return domain, None


async def _policy(ask: Ask, domain: str, published: str, record: Record) -> Policy:
    if domain == published:
        return record.policy
    if record.missing is not None and not await _exists(ask, domain):
        return record.missing
    return record.subdomain


async def _exists(ask: Ask, domain: str) -> bool:
    """Say whether a name has one of the records which mail asks for (RFC 9091 section 2.6)."""
    for kind in ("A", "MX", "AAAA"):
        try:
            if await ask(domain, kind):
                return True
        except NoSuchName:
            return False
    return False
