"""msys.pbp: what policies in practice use: lists of who is trusted, names of peers, sizes.

A client is on a list if its session, or the message, has a variable dp_whitelist_NAME.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, cast

from angarium.core import units
from angarium.modules.lua.api.session import session_count
from angarium.modules.lua.bind import LuaError, Runtime, Several, Table, lua
from angarium.net.dnscache import Resolver
from angarium.net.fcdns import names_of
from angarium.policy.context import Session, Which

PREFIX: Final = "dp_whitelist_"


def _names(given: object) -> Iterator[str]:
    """Yield names of lists: a name, a table of names, or one with them at honor_whitelist."""
    if isinstance(given, bytes):
        yield given.decode("utf-8", "surrogateescape")
        return
    if given is None or not hasattr(given, "array"):
        return
    table = cast(Table, given)
    inner = table.get("honor_whitelist")
    if inner is not None:
        yield from _names(inner)
    for each in table.array():
        if isinstance(each, bytes):
            yield each.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=256)  # A policy asks the same with each message.
def _octets(size: str) -> int:
    return units.size(size)


def _session(value: object) -> Session:
    if not isinstance(value, Session):
        raise LuaError("an accept construct or a validation context is expected")
    return value


@lua("msys.pbp.check_whitelist")
def check_whitelist(vctx: object, lists: object = None) -> bool:
    """Say whether the client is on one of these lists.

    `lists`: a name, a table of names, or a table with them as `honor_whitelist`.
    """
    session = _session(vctx)
    message = {} if session.mail is None else session.mail.variables(Which.MESSAGE)
    return any(
        f"{PREFIX}{name}" in session.variables or f"{PREFIX}{name}" in message
        for name in _names(lists)
    )


@lua("msys.pbp.set_whitelist")
def set_whitelist(vctx: object, type_: int, name: str, listed: bool = True) -> None:
    """Put the client on a list, or take it off: for the connection or for the message."""
    session, key = _session(vctx), f"{PREFIX}{name}"
    if type_ == Which.CONNECTION:
        if listed:
            session.variables[key] = "true"
        else:
            session.variables.pop(key, None)
        return
    if session.mail is None:
        raise LuaError("there is no message yet")
    if listed:
        session.mail.set(Which.MESSAGE, key, "true")
    else:
        session.mail.delete(Which.MESSAGE, key)


@lua("msys.pbp.fcdns_check")
async def fcdns_check(lua: Runtime, ac: object, vctx: object = None) -> Several:
    """Look up the name of the client, and whether it leads back to it.

    Returns whether it does, and what failed on the way there and back, such as "NXDOMAIN" or
    "TIMEOUT". Sets the variables reverse_dns, the name or "", and fcdns_status, "true" or "false".
    """
    resolver = cast(Resolver, lua.services.part(Resolver, "DNS"))
    session = _session(ac)
    found = await names_of(resolver, session.address)
    name = found.best("") or (found.names[0] if found.names else "")
    good = bool(found.validated)
    session.variables["reverse_dns"] = name
    session.variables["fcdns_status"] = "true" if good else "false"
    reverse = None if found.reverse is None else found.reverse.name
    forward = None if found.forward is None else found.forward.name
    return Several(good, reverse, forward)


@lua("msys.pbp.size_in_bytes", pure=True)
def size_in_bytes(size: bytes) -> int:
    """Return a size such as "30m" in octets."""
    text = size.decode("latin-1").strip()
    try:
        return _octets(text)
    except ValueError as error:
        raise LuaError(f"'{text}' is no size") from error


@lua("ac:pbp_inbound_session_count_service", package="msys.pbp")
def count_service(lua: Runtime, self: Session, service: str = "SMTP", cidr: bytes = b"/32") -> int:
    """Count the sessions of a service which are open from a block around the peer's address."""
    block = self.address.encode() + cidr if cidr.startswith(b"/") else cidr
    return int(session_count(lua, self, block, service))
