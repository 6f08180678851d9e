"""The DKIM signatures and the ARC chain of a message, checked within a time, its body read where
it is.

verdicts = await checked(mail, means, ask)
chain = await chained(mail, means, ask)
"""

import asyncio
from collections.abc import Collection
from typing import Final

from angarium.mail.auth import arc, dkim
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.asking import Ask
from angarium.mail.auth.digest import BodyHashes, Want, hashed
from angarium.mail.auth.dkim import Verdict
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.signature import Outcome, Policy
from angarium.modules.means import Means
from angarium.policy.mail import Mail

SECONDS: Final = 20.0  # for all questions of one message, as for SPF (RFC 7208 section 4.6.4)
LARGE: Final = 1 << 20  # octets of a body which is not hashed on the loop
POLICY: Final = Policy()
_NOT_NOW: Final = "the key cannot be had now"


async def checked(mail: Mail, means: Means, ask: Ask, policy: Policy = POLICY) -> list[Verdict]:
    """Return a verdict for each signature, from the top.

    What DNS has not said in time cannot be had now.
    """
    fields = Fields(mail.draft.header_octets)
    verdicts = dkim.signatures(fields, policy)
    hashes = await _hashes(mail, means, dkim.wants(verdicts))
    now = means.clock.time()
    try:
        async with asyncio.timeout(SECONDS):
            for verdict in verdicts:
                await dkim.judged(verdict, fields, hashes, ask, now, policy)
    except TimeoutError:
        for verdict in verdicts:
            if verdict.outcome is Outcome.NONE:
                verdict.outcome, verdict.reason = Outcome.TEMPERROR, _NOT_NOW
    return verdicts


async def chained(mail: Mail, means: Means, ask: Ask, policy: Policy = POLICY) -> Chain:
    """Return what the chain of a message is worth; DNS has as long for it as for signatures."""
    fields = Fields(mail.draft.header_octets)
    found = arc.chain(fields, policy)
    hashes = await _hashes(mail, means, arc.wants(found))
    try:
        async with asyncio.timeout(SECONDS):
            return await arc.judged(found, fields, hashes, ask, policy)
    except TimeoutError:
        found.temporary = True
        return found.fail(_NOT_NOW)


async def _hashes(mail: Mail, means: Means, wanted: Collection[Want]) -> BodyHashes:
    if not wanted:
        return {}
    body = mail.draft.body
    if body.size > LARGE:
        return await means.loop.run_in_executor(None, hashed, wanted, body.pieces())
    return hashed(wanted, body.pieces())
