"""msys.registerModule: by which scripts say what they want to be asked."""

from dataclasses import dataclass, field
from typing import cast

from angarium.modules.lua.bind import LuaError, Runtime, Table, lua
from angarium.policy.hooks import ABSENT, HOOKS

LIFE = ("init", "deinit", "rsrc_setup")
CALLOUTS = frozenset((*LIFE, *HOOKS, *ABSENT, "config_rsrc_setup"))


@dataclass(slots=True)
class Registered:
    """The tables of callouts which scripts have registered, by name."""

    modules: dict[str, Table] = field(default_factory=dict)


def registered(lua: Runtime) -> Registered:
    return cast(Registered, lua.services.parts.setdefault(Registered, Registered()))


@lua("msys.registerModule", since="3.0")
def register_module(lua: Runtime, modname: str, table: Table) -> None:
    """Register the callouts of a script: functions of a table, by the names of hooks.

    The name is that of the script's stanza; under another one it never runs.
    """
    known = {key.decode("utf-8", "replace") for key, _ in table.items() if isinstance(key, bytes)}
    if not known & CALLOUTS:
        raise LuaError(f"no usable methods found for module {modname}")
    registered(lua).modules[modname] = table
