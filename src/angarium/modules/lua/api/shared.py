"""What the functions about shared things have in common: where they are, and what a key is."""

from typing import cast

from angarium.core.errors import Error
from angarium.modules.lua import current
from angarium.modules.lua.bind import LuaError, Runtime, Table
from angarium.modules.lua.values import TableHandle
from angarium.policy.context import Session
from angarium.policy.shared.blocks import block
from angarium.policy.shared.node import Shared
from angarium.policy.shared.told import Number


def shared(lua: Runtime) -> Shared:
    """Return what is shared on the node. Raises LuaError where there is none."""
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
    if isinstance(key, Session | None):
        written = ""
    elif isinstance(key, bytes):
        written = key.decode("utf-8", "surrogateescape")
    else:
        raise LuaError("an address is a string or an accept construct")
    try:
        return block(written, session.address if session is not None else "")
    except Error as error:
        raise told(error) from error


def options(given: object, name: str) -> tuple[Table | None, object]:
    """Return the table of options, if one is given, and what stands at `name`, or instead of it."""
    if isinstance(given, TableHandle):
        return given, _written(given.get(name))
    return None, _written(given)


def _written(key: object) -> object:
    """Return a key as a string where Lua takes a number for one."""
    number = isinstance(key, int | float) and not isinstance(key, bool)
    return str(key).encode() if number else key


def number(table: Table | None, name: str, default: Number) -> Number:
    """Return a number of the options."""
    if table is None:
        return default
    found = table.number(name, float(default))
    return default if found is None else found
