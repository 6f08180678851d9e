"""Snippets of Lua for tests, run as scripts are, and what they return as values of Python."""

import asyncio
from functools import cache
from typing import Any

from angarium.modules.lua.declare import Table
from angarium.modules.lua.packages import declare_all
from angarium.modules.lua.runtime import State
from angarium.modules.lua.services import Services
from helpers.lua import services

declare_all()


def state(with_: Services | None = None) -> State:
    """Return a Lua which knows everything that is declared."""
    return State(with_ or services())


async def running(source: str, lua: State) -> Any:
    """Run a chunk which may wait; return its result, or a list of several."""
    results = await lua.run(lua.load(source.encode(), "test"))
    found = [_plain(lua.from_lua(each)) for each in results]
    return found[0] if len(found) == 1 else found or None


@cache
def _common() -> State:
    """A Lua for chunks which leave nothing behind: to make one takes 40 ms."""
    return state()


def run(source: str, lua: State | None = None) -> Any:
    """Run a chunk; return its result, or a list of several."""
    return asyncio.run(running(source, lua or _common()))


def _plain(value: object) -> object:
    plain = getattr(value, "plain", None)
    return value if plain is None else _table(value)  # type: ignore[arg-type]


def _table(value: Table) -> object:
    return value.plain()
