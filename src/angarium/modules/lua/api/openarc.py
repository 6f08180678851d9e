"""msys.validate.openarc: chains of ARC, checked and added to (`modules/sign/chains`)."""

from collections.abc import Awaitable

from angarium.modules.lua import current
from angarium.modules.lua.api.content import editable, readable
from angarium.modules.lua.api.core import means
from angarium.modules.lua.api.signing import meant, order_of, orders, refused
from angarium.modules.lua.bind import Runtime, Several, Table, lua
from angarium.modules.sign import chains
from angarium.modules.sign.orders import Order, OrderError
from angarium.policy.mail import Mail


@lua("msys.validate.openarc.verify", since="5.0")
async def verify(lua: Runtime, msg: Mail | None = None) -> str:
    """Check the chain of the message, and put the result into `arc_cv`: none, pass or fail."""
    mail = meant(lua, msg)
    readable(mail)
    chain = await chains.verify(mail, current.session(lua), means(lua))
    if chain.broken:
        lua.panic(f"the ARC chain fails: {chain.reason}")
    return chain.outcome.value


def _sign(lua: Runtime, msg: Mail | None, options: Table, ar: bytes | None) -> Awaitable[Several]:
    mail = meant(lua, msg)
    editable(mail)
    quietly = options.flag("skip_ar_header_update")
    return _sealed(lua, mail, order_of(options), ar or b"", quietly=quietly)


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


async def _sealed(lua: Runtime, mail: Mail, order: Order, ar: bytes, *, quietly: bool) -> Several:
    try:
        sealed = await chains.seal(mail, means(lua), orders(lua), order, ar, update=not quietly)
    except OrderError as fault:
        return refused(lua, fault)
    return Several(True) if sealed else Several(False, "the chain had failed before")
