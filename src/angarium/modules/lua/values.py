"""Values between Python and Lua, and the handles Python has on tables and functions."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import NoneType
from typing import Any, Final, Protocol

import msgspec

from angarium.modules.lua.declare import Function, Table, kind_of
from angarium.modules.lua.errors import LuaError

# A table may hold itself.
MOST_LEVELS = 100
# Octets of a string from which room is asked for: below it, what is kept free does.
LARGE = 65536
# Whole numbers which a number of Lua holds.
LARGEST = 2**53
_NO = frozenset({b"false", b"no", b"off", b"0", b""})
# What is the same here and there; a set, as most values are one of these.
SAME: Final = frozenset({NoneType, bytes, bool, int, float})
_SMALL: Final = frozenset({NoneType, bool, float})


class Engine(Protocol):
    """What the conversions need of the runtime."""

    lua_type: Callable[[Any], str | None]

    def new_table(self, array: list[object], pairs: Mapping[object, object]) -> object:
        """A table of Lua."""

    def kept(self, value: object) -> object:
        """A handle on a value which outlives the call it came with."""

    def get(self, table: object, key: object) -> object:
        """What stands in a table."""

    def items(self, table: object) -> Iterator[tuple[object, object]]:
        """What stands in a table, and where."""

    def room_for(self, octets: int) -> None:
        """Whether so much has room in the memory of Lua.

        Raises:
            LuaError: it has not.
        """

    def put(self, table: object, key: object, value: object) -> None:
        """Put a value of Lua into a table of Lua."""

    def proxy(self, name: str, value: object) -> object:
        """An object of ours as scripts hold it."""

    def reference(self, value: object) -> object:
        """The object of ours which a value of Lua stands for, or None."""

    def run(self, function: object, *arguments: object) -> Awaitable[tuple[object, ...]]:
        """Call in a coroutine which may wait."""

    def run_now(self, function: object, *arguments: object) -> tuple[object, ...]:
        """Call where nothing may wait."""


class Held(msgspec.Struct, eq=False):
    """An object of ours as Lua holds it: each handing over is one of its own, never given again.

    lupa frees what it was given twice while Lua still holds it, if the first userdata was found
    dead between the two and is finalized after the second (lupa 2.8, as Lua's collector goes in
    steps). What it is given once it frees once.
    """

    it: Any


def to_lua(engine: Engine, value: object, level: int = 0) -> object:
    """A value as scripts get it; a tuple becomes several of them.

    Raises:
        LuaError: it is nothing Lua knows, or too deep.
    """
    if value.__class__ in _SMALL:
        return value
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        if len(value) > LARGE:
            engine.room_for(len(value))
        return value
    if isinstance(value, (int, float)):
        whole = isinstance(value, int) and -LARGEST <= value <= LARGEST
        return value if whole else float(value)
    if level > MOST_LEVELS:
        raise LuaError("a value is nested too deeply for Lua")
    if isinstance(value, tuple):
        return tuple(to_lua(engine, one, level + 1) for one in value)
    if isinstance(value, list):
        return engine.new_table([_inner(engine, one, level) for one in value], {})
    if isinstance(value, dict):
        pairs = {
            _inner(engine, key, level): _inner(engine, one, level) for key, one in value.items()
        }
        return engine.new_table([], pairs)
    if isinstance(value, TableHandle | FunctionHandle):
        return value.native
    if (kind := kind_of(type(value))) is not None:
        return engine.proxy(kind.name, value)
    raise LuaError(f"Lua has nothing for a {type(value).__name__}")


def from_lua(engine: Engine, value: object) -> object:
    """A value of a script, with handles for tables and functions."""
    if value.__class__ in SAME:
        return value
    if isinstance(value, Held):
        return value.it
    kind = engine.lua_type(value)
    if kind == "table":
        found = engine.reference(value)
        return table_of(engine, value) if found is None else found
    if kind == "function":
        return function_of(engine, value)
    if kind == "userdata":
        return engine.reference(value)
    if kind is None:
        return value
    raise LuaError(f"a {kind} of Lua is not of use here")


def table_of(engine: Engine, value: object) -> Table:
    """A handle on what is known to be a table of a script."""
    return TableHandle(engine, engine.kept(value))


def function_of(engine: Engine, value: object) -> Function:
    """A handle on what is known to be a function."""
    return FunctionHandle(engine, engine.kept(value))


def _inner(engine: Engine, value: object, level: int) -> object:
    """Within a table there is one value: of several the first counts, as in Lua."""
    if isinstance(value, tuple):
        value = list(value)
    return to_lua(engine, value, level + 1)


class TableHandle(Table):
    """A table of a script."""

    __slots__ = ("_engine", "native")

    def __init__(self, engine: Engine, native: Any) -> None:
        self._engine = engine
        self.native = native

    def get(self, key: str | bytes | int) -> object:
        plain = key.encode() if isinstance(key, str) else key
        return from_lua(self._engine, self._engine.get(self.native, plain))

    def set(self, key: str | bytes | int, value: object) -> None:
        name = key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key
        self._engine.put(self.native, name, to_lua(self._engine, value))

    def text(self, key: str, default: bytes | None = None) -> bytes | None:
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bytes):
            return value
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise LuaError(f"bad field '{key}' (string expected)")
        return b"%.14g" % value

    def number(self, key: str, default: float | None = None) -> float | None:
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bytes):
            try:
                return float(value)
            except ValueError:
                pass
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise LuaError(f"bad field '{key}' (number expected)")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bytes):
            return value.lower() not in _NO
        return bool(value)

    def items(self) -> Iterator[tuple[object, object]]:
        for key, value in self._engine.items(self.native):
            yield from_lua(self._engine, key), from_lua(self._engine, value)

    def array(self) -> list[object]:
        found = []
        place = 1
        while (value := self.get(place)) is not None:
            found.append(value)
            place += 1
        return found

    def plain(self) -> object:
        return self._plain(0)

    def _plain(self, level: int) -> object:
        if level > MOST_LEVELS:
            raise LuaError("a table is nested too deeply")
        pairs = {
            key: value._plain(level + 1) if isinstance(value, TableHandle) else value
            for key, value in self.items()
        }
        if pairs and all(place in pairs for place in range(1, len(pairs) + 1)):
            return [pairs[place] for place in range(1, len(pairs) + 1)]
        return pairs


class FunctionHandle(Function):
    """A function of a script."""

    __slots__ = ("_engine", "native")

    def __init__(self, engine: Engine, native: Any) -> None:
        self._engine = engine
        self.native = native

    async def __call__(self, *arguments: object) -> tuple[object, ...]:
        engine = self._engine
        results = await engine.run(self.native, *(to_lua(engine, each) for each in arguments))
        return tuple(from_lua(engine, each) for each in results)

    def now(self, *arguments: object) -> tuple[object, ...]:
        engine = self._engine
        results = engine.run_now(self.native, *(to_lua(engine, each) for each in arguments))
        return tuple(from_lua(engine, each) for each in results)
