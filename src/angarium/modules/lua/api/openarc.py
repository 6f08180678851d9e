"""msys.validate.openarc: chains of ARC, checked and added to.

`verify` before anything is changed in a message, `sign` after everything. Where `verify` was left
out `sign` does it, and then believes of Authentication-Results only what stands before what came
in: the sender could have written the rest.
"""

import re
from collections.abc import Awaitable
from typing import Final

from angarium.mail.auth import results
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.results import Result
from angarium.modules.lua import current
from angarium.modules.lua.api.content import editable, readable
from angarium.modules.lua.api.core import means
from angarium.modules.lua.api.signing import meant, order_of, orders, refused
from angarium.modules.lua.bind import Runtime, Several, Table, lua
from angarium.modules.means import Means
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.checking import chained
from angarium.modules.sign.found import FIELD, found_of, value_of
from angarium.modules.sign.openarc import CV, SEALED, TROUBLE
from angarium.modules.sign.orders import Order, OrderError
from angarium.policy.context import Which
from angarium.policy.mail import Mail

_UNSEEN: Final = re.compile(rb"[\x00-\x1f\x7f]+")
_ARC: Final = "arc"


@lua("msys.validate.openarc.verify", since="5.0")
async def verify(lua: Runtime, msg: Mail | None = None) -> str:
    """Check the chain of the message, and put the result into `arc_cv`: none, pass or fail."""
    mail = meant(lua, msg)
    readable(mail)
    session = current.session(lua)
    if session is not None:
        found_of(session, mail).clean(mail, means(lua).host)
    chain = await _checked(lua, mail)
    if session is not None:
        found_of(session, mail).arc = chain
    return chain.outcome.value


async def _checked(lua: Runtime, mail: Mail) -> Chain:
    there = means(lua)
    chain = await chained(mail, there, Asked(there.resolver))
    mail.set(Which.MESSAGE, CV, chain.outcome.value)
    if chain.temporary:
        mail.set(Which.MESSAGE, TROUBLE, chain.reason)
    if chain.broken:
        lua.panic(f"the ARC chain fails: {chain.reason}")
    return chain


def _sign(
    lua: Runtime, msg: Mail | None, options: Table, ar: bytes | None = None
) -> Awaitable[Several]:
    mail = meant(lua, msg)
    editable(mail)
    given = order_of(options)
    return _sealed(lua, mail, given, ar, quietly=options.flag("skip_ar_header_update"))


@lua("msys.validate.openarc.sign", since="5.0")
def sign(
    lua: Runtime, msg: Mail | None, options: Table, ar: bytes | None = None
) -> Awaitable[Several]:
    """Add a set of ARC, and put "ok" or "skip" into `arc_seal`; return true, or false and why not.

    Options: signing_domain, selector, keyfile or keybuf, authservid, body_canon, digest,
    headerlist, oversign_headerlist, skip_ar_header_update. `ar` is what was found, in the words of
    Authentication-Results; without, it is what such fields of ours say.
    """
    return _sign(lua, msg, options, ar)


@lua("msys.validate.openarc.seal", since="5.0")
def seal(
    lua: Runtime, msg: Mail | None, options: Table, ar: bytes | None = None
) -> Awaitable[Several]:
    """Add a set of ARC: another name of `sign`."""
    return _sign(lua, msg, options, ar)


async def _sealed(
    lua: Runtime, mail: Mail, order: Order, ar: bytes | None, *, quietly: bool
) -> Several:
    result = mail.get(Which.MESSAGE, CV)
    verified = result is not None
    if result is None:
        result = (await _checked(lua, mail)).outcome.value
    mail.delete(Which.MESSAGE, SEALED)
    there = means(lua)
    told = _told(ar, result) if ar else _heard(mail, there, result, verified=verified)
    if not quietly:
        _update(mail, there, result)
    try:
        done = orders(lua).arc(mail, order, result, told)
        sealed = done if isinstance(done, bool) else await done
    except OrderError as fault:
        return refused(lua, fault)
    mail.set(Which.MESSAGE, SEALED, "ok" if sealed else "skip")
    return Several(True) if sealed else Several(False, "the chain had failed before")


def _told(ar: bytes, result: str) -> bytes:
    """Return what a script says was found, with the chain; a name of who says it is left out."""
    said = _UNSEEN.sub(b" ", ar).strip(b" ;")
    head, semicolon, rest = said.partition(b";")
    if semicolon and b"=" not in head:
        said = rest.strip(b" ;")
    return _with_chain(said, result)


def _heard(mail: Mail, there: Means, result: str, *, verified: bool) -> bytes:
    """Return what fields of ours say, with the chain."""
    draft = mail.draft
    header = draft.header_octets if verified else draft.front.rstrip(b"\r\n") + b"\r\n"
    return _with_chain(results.said(Fields(header), there.host), result)


def _with_chain(said: bytes, result: str) -> bytes:
    if results.parsed(b"x; " + said).of(_ARC):
        return said
    clause = results.clauses([Result(_ARC, result)])
    return said + b";\r\n\t" + clause if said else clause


def _update(mail: Mail, there: Means, result: str) -> None:
    """Say in Authentication-Results what the chain was worth, unless it is said already."""
    for value in mail.draft.values(FIELD):
        found = results.parsed(value)
        if found.authserv_id.lower() == there.host.lower() and found.of(_ARC):
            return
    octets = results.written(there.host, [Result(_ARC, result)])
    mail.edited.prepend(FIELD, value_of(octets))
