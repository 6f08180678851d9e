"""msys.expandMacro: macros in texts, for the session and message a script is called for."""

from collections.abc import Awaitable
from typing import cast

from angarium.core.address import split
from angarium.mail.auth.spf.client import UNKNOWN
from angarium.modules.lua import current
from angarium.modules.lua.bind import Runtime, lua
from angarium.modules.means import Means
from angarium.net.dnscache import Resolver
from angarium.net.fcdns import names_of
from angarium.policy.context import Session
from angarium.policy.macros import asks_name, expand
from angarium.policy.mail import Mail
from angarium.policy.situation import situation


@lua("msys.expandMacro", since="3.0")
def expand_macro(lua: Runtime, text: bytes) -> bytes | Awaitable[bytes]:
    """Return a text with what its macros stand for.

    %{vctx_conn:key}, %{vctx_mess:key}, %{spfv1:ir} and other letters of SPF, %{rfc822:date},
    %{rfc2822:headers}, body, message, text, part; and the letters of custom_logger.
    """
    session, mail = current.about(lua)
    if asks_name(text) and session is not None and lua.may_wait:
        return _with_name(lua, text, session, mail)
    return _expanded(lua, text, session, mail, UNKNOWN)


async def _with_name(lua: Runtime, text: bytes, session: Session, mail: Mail | None) -> bytes:
    """Ask for the name of the peer first."""
    resolver = cast(Resolver, lua.services.part(Resolver, "DNS"))
    names = await names_of(resolver, session.address)
    sender = "" if mail is None else split(mail.sender)[1]
    domain = sender or session.variables.get("ehlo_domain", "")
    return _expanded(lua, text, session, mail, names.best(domain) or UNKNOWN)


def _expanded(
    lua: Runtime, text: bytes, session: Session | None, mail: Mail | None, name: str
) -> bytes:
    found = lua.services.parts.get(Means)
    host = found.host if isinstance(found, Means) else ""
    now = lua.services.clock.time()
    return expand(text, situation(session, mail, now=now, host=host, peer_name=name))
