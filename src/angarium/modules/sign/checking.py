"""The DKIM signatures of a message, checked within a time, with its body read where it is.

verdicts = await checked(mail, means, ask)
"""

import asyncio
from typing import Final

from angarium.mail.auth import dkim
from angarium.mail.auth.asking import Ask
from angarium.mail.auth.digest import BodyHashes, hashed
from angarium.mail.auth.dkim import Verdict
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.signature import Outcome, Policy
from angarium.modules.means import Means
from angarium.policy.mail import Mail

SECONDS: Final = 20.0  # for all questions of one message, as for SPF (RFC 7208 section 4.6.4)
LARGE: Final = 1 << 20  # octets of a body which is not hashed on the loop
POLICY: Final = Policy()


async def checked(mail: Mail, means: Means, ask: Ask, policy: Policy = POLICY) -> list[Verdict]:
    """Return a verdict for each signature, from the top.

    What DNS has not said in time cannot be had now.
    """
    fields = Fields(mail.draft.header_octets)
    verdicts = dkim.signatures(fields, policy)
    wanted = dkim.wants(verdicts)
    hashes: BodyHashes = {}
    if wanted:
        body = mail.draft.body
        if body.size > LARGE:
            pieces = body.pieces()
            hashes = await means.loop.run_in_executor(None, hashed, wanted, pieces)
        else:
            hashes = hashed(wanted, body.pieces())
    now = means.clock.time()
    try:
        async with asyncio.timeout(SECONDS):
            for verdict in verdicts:
                await dkim.judged(verdict, fields, hashes, ask, now, policy)
    except TimeoutError:
        for verdict in verdicts:
            if verdict.outcome is Outcome.NONE:
                verdict.outcome, verdict.reason = Outcome.TEMPERROR, "the key cannot be had now"
    return verdicts
