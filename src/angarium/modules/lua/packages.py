"""What was declared, as the packages scripts see: `msys.base64` and all others.

In Momentum a package is there for every script once one of them required it. Here all are there
from the start, so a script works whichever others are loaded.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from angarium.modules.lua.declare import (
    CONSTANTS,
    FIELDS,
    FUNCTIONS,
    OBJECTS,
    Field,
    LuaFunction,
    Runtime,
    only_kind,
)
from angarium.modules.lua.stubs import (
    GETTER,
    LASTING_GETTER,
    OBJECT_GETTER,
    SETTER,
    adapted,
    holding,
    naming,
    stub,
)
from angarium.modules.lua.values import LARGE, Held


def declare_all() -> None:
    """Import whatever declares something: the modules of `modules/lua/api`."""
    package = import_module("angarium.modules.lua.api")
    for found in iter_modules(package.__path__, f"{package.__name__}."):
        import_module(found.name)


class Packages:
    """Makes tables of packages, and the kinds of objects, in one Lua."""

    def __init__(self, runtime: Runtime, lua: Any, prelude: Any) -> None:
        self._runtime = runtime
        self._lua = lua
        self._prelude = prelude
        self._env = prelude[b"stub"]
        self._tables: dict[str, Any] = {"": lua.globals()}
        self._kinds: dict[str, Any] = {}
        self.makers: dict[str, Callable[[object], object]] = {}

    def install(self) -> None:
        """Make everything which is declared."""
        for kind in OBJECTS.values():
            made = self._prelude[b"define"](kind.name.encode(), kind.userdata)
            self._kinds[kind.name] = made
            self.makers[kind.name] = _maker(made[b"new"])
        for name, value in CONSTANTS.items():
            space, _, last = name.rpartition(".")
            self.table(space)[last.encode()] = value
        for declared in FUNCTIONS.values():
            self._add(declared)
        for name, field in FIELDS.items():
            self._add_field(name, field)

    def find(self, package: str) -> Any:
        """The table of a package of ours, or None."""
        return self._tables.get(package) if package else None

    def table(self, namespace: str) -> Any:
        """The table of a package, made with those above it."""
        found = self._tables.get(namespace)
        if found is None:
            above, _, last = namespace.rpartition(".")
            found = self._tables[namespace] = self._lua.table()
            self.table(above)[last.encode()] = found
        return found

    def _add(self, declared: LuaFunction) -> None:
        if declared.package:
            self.table(declared.package)
        if declared.is_method:
            tag, _, last = declared.name.partition(":")
            at = self._kinds[OBJECTS[tag].name][b"methods"]
        else:
            space, _, last = declared.name.rpartition(".")
            at = self.table(space)
        made = self._adapted(declared)
        now = self._adapted(declared, now=True) if declared.otherwise else None
        at[last.encode()] = self._made(declared.name, stub(declared), made, now)

    def _adapted(self, declared: LuaFunction, *, now: bool = False) -> Callable[..., Any]:
        return adapted(declared, self._runtime, now=now)

    def _add_field(self, name: str, field: Field) -> None:
        tag, _, last = name.partition(".")
        kind = self._kinds[OBJECTS[tag].name]
        read, write, runtime = field.read, field.write, self._runtime
        found = only_kind(field.kind) if field.kind is not None else None
        if found is not None and found.lasting:
            of = naming(lambda held: read(held.it), runtime)
            getter = self._made(name, LASTING_GETTER, of, self._kinds[found.name])
        elif found is not None:
            new = self._kinds[found.name][b"new"]
            getter = self._made(name, OBJECT_GETTER, holding(lambda held: read(held.it)), new)
        else:
            metatable = None if OBJECTS[tag].userdata else kind[b"mt"]
            getter = self._made(name, GETTER, _reading(read, runtime), metatable)
        kind[b"getters"][last.encode()] = getter
        if write is not None:
            kind[b"setters"][last.encode()] = self._made(
                name, SETTER, lambda of, value: write(of.it, runtime.from_lua(value))
            )

    def _made(
        self,
        name: str,
        chunk: str,
        function: Callable[..., Any],
        now: Any = None,
    ) -> Any:
        made = self._lua.compile(chunk.encode(), name=b"=" + name.encode())
        return made(function, self._env, now)


def _maker(new: Callable[[object], object]) -> Callable[[object], object]:
    return lambda made: new(Held(made))


def _reading(read: Callable[[Any], object], runtime: Runtime) -> Callable[[Any], object]:
    to_lua = runtime.to_lua

    def field(of: Held) -> object:
        value = read(of.it)
        return value if value.__class__ is bytes and len(value) <= LARGE else to_lua(value)

    return field
