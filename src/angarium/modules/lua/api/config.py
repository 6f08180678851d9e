"""msys.config: options of the configuration, as the console tells them.

Scripts read; to change something is the console's, for a change is for all workers, checked first
and kept with who made it.
"""

from typing import Any, cast

from angarium.config.option import Option
from angarium.config.path import PathError, find, option_in, parse
from angarium.config.section import Section
from angarium.config.spelling import HIDDEN, plain_value, secret
from angarium.config.where import WhereError
from angarium.console.commands.config import chain_at, said, setting
from angarium.console.errors import CommandError
from angarium.modules.lua.api.core import means
from angarium.modules.lua.bind import LuaError, Runtime, Several, lua


@lua("msys.config", since="3.1")
def config(lua: Runtime, action: str, *parameters: object) -> Several:
    """Return the value of an option, and what the console would print.

    `action`: "get", the value set in exactly this scope, nil if it is not; or "eval", the value
    which holds there. Then the words of the scope and the option: "domain", "example.com",
    "max_outbound_connections".
    """
    if action not in ("get", "eval"):
        raise LuaError(f"msys.config('{action}') is not supported: scripts get and eval only")
    configuration = means(lua).configuration
    words = [_word(each) for each in parameters]
    try:
        place = parse(words, configuration.root)
        if len(place.rest) != 1:
            raise LuaError("scope and option are expected, such as 'domain', NAME, OPTION")
        name = place.rest[0].lower()
        declared = option_in(place.kind, name)
        if action == "eval":
            if declared is None:
                raise LuaError(f"there is no option '{name}' in scope '{said(place)}'")
            value = chain_at(configuration, place).value(declared)
            return Several(_plain(declared, name, value), setting(name, declared, value))
        section = find(configuration.root, place.steps)
    except (PathError, WhereError, CommandError) as error:
        raise LuaError(str(error)) from error
    return _got(section, declared, name, said(place))


def _got(section: Section | None, declared: Option[Any] | None, name: str, scope: str) -> Several:
    if section is None or name not in section.values:
        return Several(None, f"Option '{name}' is not set in scope '{scope}'.")
    value = section.values[name]
    return Several(_plain(declared, name, value), setting(name, declared, value))


def _word(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.14g}"
    raise LuaError("words of a scope are strings")


def _plain(declared: Option[Any] | None, name: str, value: object) -> object:
    """Return a value as scripts get it; of a secret, that there is one."""
    if value is not None and secret(declared, name):
        return HIDDEN
    return cast(object, plain_value(declared, value))
