"""msys.registerControl and msys.registerAuth: what scripts add to the console, and to AUTH.

A command runs in each worker, for each has its own part of the mail. What it prints goes to the
operator, not to paniclog.
"""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, cast

from angarium.modules.lua.api import cidr
from angarium.modules.lua.bind import (
    Function,
    LuaError,
    Runtime,
    Table,
    lua,
    lua_field,
    lua_object,
)
from angarium.policy.module import Command

MOST: Final = 1_000_000  # characters a command may print
_PRINTED: ContextVar[list[str] | None] = ContextVar("printed", default=None)


@lua_object("cc", "command_construct")
class CommandConstruct:
    """A command as it was given: its words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words


lua_field("cc.argc", lambda cc: len(cc.words), doc="How many words, the name of the command too.")
lua_field("cc.argv", lambda cc: dict(enumerate(cc.words)), doc="The words; the name is at 0.")


@dataclass
class Added:
    """What the scripts of a worker have added.

    Attributes:
        commands: for the console, by name.
        schemes: of authentication, by name.
    """

    commands: dict[str, Function] = field(default_factory=dict)
    schemes: dict[str, Table] = field(default_factory=dict)


def added(lua: Runtime) -> Added:
    """Return what the scripts of a worker have added."""
    return cast(Added, lua.services.parts.setdefault(Added, Added()))


def commands_of(lua: Runtime) -> Mapping[str, Command]:
    """Return the commands which scripts have added, and ours about what they have made."""
    own = {name: _bound(function) for name, function in added(lua).commands.items()}
    return {**own, **cidr.commands(lua)}


def _bound(function: Function) -> Command:
    async def command(words: Sequence[str]) -> str:
        lines: list[str] = []
        token = _PRINTED.set(lines)
        try:
            await function(CommandConstruct(words))
        finally:
            _PRINTED.reset(token)
        return "\n".join(lines)[:MOST]

    return command


def shown(otherwise: Callable[[str], None]) -> Callable[[str], None]:
    """Return where what a script prints goes: to who gave its command, else `otherwise`."""

    def show(text: str) -> None:
        lines = _PRINTED.get()
        if lines is None:
            otherwise(text)
        elif sum(map(len, lines)) < MOST:
            lines.append(text)

    return show


@lua("msys.registerControl")
def register_control(lua: Runtime, prefix: str, closure: Function) -> None:
    """Add a command to the console; `closure` is called with the words of it.

    Its argument has `argc`, how many words there are, and `argv`, the words, the name at 0. What
    it prints is shown to the operator.
    """
    name = " ".join(prefix.split())
    if not name:
        raise LuaError("a command has a name")
    added(lua).commands[name] = closure


@lua("msys.registerAuth")
def register_auth(lua: Runtime, schemename: str, authtable: Table) -> None:
    """Add a scheme of authentication: a table with `authenticate`, `enumGroups`, `queryGroups`."""
    if not schemename:
        raise LuaError("a scheme has a name")
    for name, each in authtable.items():
        if name in (b"authenticate", b"enumGroups", b"queryGroups") and not callable(each):
            raise LuaError(f"'{name.decode()}' of '{schemename}' is no function")
    if authtable.get("authenticate") is None:
        raise LuaError(f"the scheme '{schemename}' has no function 'authenticate'")
    added(lua).schemes[schemename] = authtable
