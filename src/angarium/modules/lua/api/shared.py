"""What the functions about shared things have in common: where they are, and what a key is."""

from typing import cast

from angarium.core.errors import Error
from angarium.modules.lua import current
from angarium.modules.lua.bind import LuaError, Runtime
from angarium.policy.context import Session
from angarium.policy.shared.blocks import block, packed
from angarium.policy.shared.node import Shared


def shared(lua: Runtime) -> Shared:
    """Return what is shared on the node. Raises LuaError where there is none."""
    found = lua.services.parts.get(Shared)
    if isinstance(found, Shared):
        return found
    return cast(Shared, lua.services.part(Shared, "what is shared on the node"))


def told(error: Error) -> LuaError:
    """Return an error as a script gets it."""
    return LuaError(error.message)


def address(lua: Runtime, key: object) -> tuple[bytes, int]:
    """Return the address a script means, and how many of its bits count.

    Args:
        key: "addr", "addr/bits", "/bits" of the peer, an accept construct, or nil: the peer.

    Raises:
        LuaError: it is none, or nobody is connected.
    """
    session = key if isinstance(key, Session) else current.session(lua)
    try:
        if session is not None and session.address and (key is None or key is session):
            found = packed(session.address)
            return found, len(found) * 8
        if key is not None and not isinstance(key, bytes):
            raise LuaError("an address is a string or an accept construct")
        written = "" if key is None else key.decode("utf-8", "surrogateescape")
        return block(written, session.address if session is not None else "")
    except Error as error:
        raise told(error) from error
