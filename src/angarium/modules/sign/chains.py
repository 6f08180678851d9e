"""Chains of ARC, checked and added to when scripts say so.

    chain = await verify(mail, session, means, ask)             sets arc_cv
    sealed = await seal(mail, means, orders, order, told)       sets arc_seal

`verify` comes before anything is changed in a message, `seal` after everything. Where `verify` was
left out `seal` does it, and then believes of Authentication-Results only what stands before what
came in: the sender could have written the rest.
"""

import re
from typing import Final

from angarium.mail.auth import results
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.results import Result
from angarium.modules.means import Means
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.checking import chained
from angarium.modules.sign.found import FIELD, found_of, value_of
from angarium.modules.sign.openarc import CV, SEALED, TROUBLE
from angarium.modules.sign.orders import Order, Orders
from angarium.policy.context import Session, Which
from angarium.policy.mail import Mail

_UNSEEN: Final = re.compile(rb"[\x00-\x1f\x7f]+")
_ARC: Final = "arc"


async def verify(mail: Mail, session: Session | None, means: Means) -> Chain:
    """Check the chain of a message, and put the result into `arc_cv`: none, pass or fail."""
    if session is not None:
        found_of(session, mail).clean(mail, means.host)
    chain = await _checked(mail, means)
    if session is not None:
        found_of(session, mail).arc = chain
    return chain


async def _checked(mail: Mail, means: Means) -> Chain:
    chain = await chained(mail, means, Asked(means.resolver))
    mail.set(Which.MESSAGE, CV, chain.outcome.value)
    if chain.temporary:
        mail.set(Which.MESSAGE, TROUBLE, chain.reason)
    return chain


async def seal(
    mail: Mail, means: Means, orders: Orders, order: Order, told: bytes = b"", *,
    update: bool = True,
) -> bool:  # fmt: skip
    """Add a set, and say in `arc_seal` what came of it: "ok", or "skip" where nobody may add one.

    Args:
        told: what was found, in the words of Authentication-Results; nothing: what fields of that
            name say under ours.
        update: say in such a field, too, what the chain was worth.

    Raises:
        OrderError: it cannot be done; the variable is not there then.
    """
    result = mail.get(Which.MESSAGE, CV)
    verified = result is not None
    if result is None:
        result = (await _checked(mail, means)).outcome.value
    mail.delete(Which.MESSAGE, SEALED)
    said = _of(told) if told else _heard(mail, means, verified=verified)
    if update:
        _update(mail, means, result)
    done = orders.arc(mail, order, result, _with_chain(said, result))
    sealed = done if isinstance(done, bool) else await done
    mail.set(Which.MESSAGE, SEALED, "ok" if sealed else "skip")
    return sealed


def _of(told: bytes) -> bytes:
    """Return what a script says was found; a name of who says it is left out."""
    said = _UNSEEN.sub(b" ", told).strip(b" ;")
    head, semicolon, rest = said.partition(b";")
    return rest.strip(b" ;") if semicolon and b"=" not in head else said


def _heard(mail: Mail, means: Means, *, verified: bool) -> bytes:
    """Return what fields of ours say."""
    draft = mail.draft
    header = draft.header_octets if verified else draft.front.rstrip(b"\r\n") + b"\r\n"
    return results.said(Fields(header), means.host)


def _with_chain(said: bytes, result: str) -> bytes:
    if results.parsed(b"x; " + said).of(_ARC):
        return said
    clause = results.clauses([Result(_ARC, result)])
    return said + b";\r\n\t" + clause if said else clause


def _update(mail: Mail, means: Means, result: str) -> None:
    """Say in Authentication-Results what the chain was worth, unless it is said already."""
    for value in mail.draft.values(FIELD):
        found = results.parsed(value)
        if found.authserv_id.lower() == means.host.lower() and found.of(_ARC):
            return
    octets = results.written(means.host, [Result(_ARC, result)])
    mail.edited.prepend(FIELD, value_of(octets))
