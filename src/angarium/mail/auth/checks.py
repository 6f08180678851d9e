"""All checks of one message: SPF, DKIM, DomainKeys, ARC, and DMARC which puts them together.

    found = await checked(fields, body_pieces, ask, now, client)
    found.spf, found.signatures, found.domainkeys, found.chain, found.dmarc

The body is read once for all of them. It is total: whatever a message and DNS say, there is a
result. Who has only one question asks the engine it is for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from angarium.mail.auth import arc, dkim
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.asking import Ask
from angarium.mail.auth.digest import Hashing
from angarium.mail.auth.dkim import DEFAULT, Verdict
from angarium.mail.auth.dmarc.evaluate import Evaluation, Proven, authors, evaluate_all
from angarium.mail.auth.dmarc.evaluate import Result as Dmarc
from angarium.mail.auth.domainkeys import Check, Status
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.signature import Outcome, Policy
from angarium.mail.auth.spf.check import Finding, check_host
from angarium.mail.auth.spf.client import Client
from angarium.mail.auth.spf.record import Result as Spf

FROM: Final = b"from"


@dataclass(frozen=True, slots=True)
class Checks:
    """What was found.

    Attributes:
        spf: None where the host is not known.
        signatures: of DKIM, from the top.
        domainkeys: the uppermost signature of DomainKeys; its status is NONE without one.
        chain: of ARC.
    """

    spf: Finding | None
    signatures: list[Verdict]
    domainkeys: Check
    chain: Chain
    dmarc: Evaluation

    @property
    def good(self) -> bool:
        """Whether somebody stands behind the message: its author's domain, if that has a policy,
        else whoever sent, signed or handed it on.
        """
        if self.dmarc.result is not Dmarc.NONE:
            return self.dmarc.result is Dmarc.PASS
        return (
            (self.spf is not None and self.spf.result is Spf.PASS)
            or any(each.passed for each in self.signatures)
            or self.domainkeys.status is Status.GOOD
            or self.chain.outcome is Outcome.PASS
        )


async def checked(
    fields: Fields,
    pieces: Iterable[bytes],
    ask: Ask,
    now: float,
    client: Client | None = None,
    policy: Policy = DEFAULT,
) -> Checks:
    """Return what is to be known of a message.

    Args:
        now: Unix time; signatures may have expired by then.
        client: who brought it; None: nobody knows.
    """
    signatures = dkim.signatures(fields, policy)
    chain = arc.chain(fields, policy)
    domainkeys = Check.of(fields)
    hashing = Hashing(dkim.wants(signatures) | arc.wants(chain))
    for piece in pieces:
        hashing.feed(piece)
        domainkeys.feed(piece)
    hashes = hashing.end()
    spf = None if client is None else await check_host(ask, client)
    for each in signatures:
        await dkim.judged(each, fields, hashes, ask, now, policy)
    await arc.judged(chain, fields, hashes, ask, policy)
    await domainkeys.judged(ask)
    passed = spf is not None and spf.result is Spf.PASS
    proven = Proven(
        spf.domain if spf is not None and passed else "",
        [each.domain for each in signatures if each.passed],
    )
    domains = authors([fields.unfolded(row) for row in fields.rows(FROM)])
    return Checks(spf, signatures, domainkeys, chain, await evaluate_all(ask, domains, proven))
