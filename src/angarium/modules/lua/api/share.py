"""msys.shareGet and friends: variables which all scripts of the node share."""

from angarium.modules.lua.api.shared import shared
from angarium.modules.lua.bind import Runtime, lua
from angarium.policy.shared.told import Plain, bounded


@lua("msys.shareGet", since="3.0")
def get(lua: Runtime, key: bytes) -> Plain:
    """Return the value of a shared variable; nil where there is none."""
    return shared(lua).variables.get(key)


@lua("msys.shareSet", since="3.0")
def set_to(lua: Runtime, key: bytes, value: bytes | bool | float | None = None) -> bool:
    """Set a shared variable to a string, a number or a boolean; nil unsets it.

    Returns whether it could be kept: a key and its value have 16,384 octets at most.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return shared(lua).variables.set(key, bounded(value) if number else value)  # type: ignore[arg-type]


@lua("msys.shareUnset", since="3.0")
def unset(lua: Runtime, key: bytes) -> bool:
    """Forget a shared variable; return whether there was one."""
    return shared(lua).variables.unset(key)
