"""msys.validate.dk: signatures of DomainKeys."""

from collections.abc import Awaitable

from angarium.modules.lua.api.signing import carried_out, order_of, orders, responsible_domain
from angarium.modules.lua.bind import Runtime, Several, Table, lua
from angarium.policy.context import Session
from angarium.policy.mail import Mail


@lua("msys.validate.dk.get_responsible_domain", since="3.1")
def get_responsible_domain(
    lua: Runtime, msg: Mail | None = None, vctx: Session | None = None
) -> str:
    """Return the domain which answers for the message: of Sender, else of From."""
    return responsible_domain(lua, msg)


@lua("msys.validate.dk.sign", since="3.1", package="msys.sign.dk")
def sign(
    lua: Runtime, msg: Mail | None, vctx: Session | None, options: Table
) -> Several | Awaitable[Several]:
    """Sign the message by DomainKeys; return true, or false and why not.

    Options, each instead of what `dk_sign` says: base_domain, selector, keyfile, in which %{d} and
    %{s} stand for domain and selector, keybuf. RSA is computed in a thread meanwhile.
    """
    given = order_of(options)
    return carried_out(lua, msg, lambda mail: orders(lua).domainkeys(mail, given))
