"""Declared functions as functions of Lua.

A stub is a few lines of Lua which check the arguments and call Python's function as it is, since a
call costs 0.3 µs and each thing done in Python about as much again. Only what Lua cannot convert
(text, tables, functions, anything) goes through a Python function in between.
"""

import inspect
import re
import types
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from angarium.modules.lua.declare import (
    OBJECTS,
    Function,
    LuaFunction,
    ObjectKind,
    Parameter,
    Runtime,
    Table,
    only_kind,
)
from angarium.modules.lua.values import LARGE, SAME, Held

Adapted = Callable[..., Any]
Convert = Callable[[tuple[Any, ...]], list[object]]

# As in threads.lua.
PENDING = b"\0pending"
_PLAIN_RESULTS = frozenset({bool, int, float, bytes, types.NoneType})
# Keys of `wanted` in prelude.lua.
_WANTED = {
    bytes: ("string",),
    str: ("string",),
    int: ("number", "whole"),
    float: ("number",),
    bool: ("boolean",),
    object: ("any",),
    Function: ("function",),
    Table: ("table",),
    types.NoneType: ("none",),
}

_HEAD = """\
local py, env, now = ...
local check, finish, wait, waitable, open = env.check, env.finish, env.wait, env.waitable, env.open
local can_wait, give, again, field = env.can_wait, env.give, env.again, env.field
local pcall, type, getmetatable = env.pcall, env.type, env.getmetatable
local NAME = %s
local REMEMBERED, LONG = 1000, 100  -- results of a pure function; octets of what it was asked
"""

# The functions behind a field.
GETTER = """\
local py, env, MT = ...
local finish, pcall, reference = env.finish, env.pcall, env.reference
local getmetatable = env.getmetatable
return function(self)
  if getmetatable(self) == MT then return finish(pcall(py, self[1])) end
  return finish(pcall(py, (reference(self))))
end
"""
# Of one whose value is an object: `now` makes it.
OBJECT_GETTER = """\
local py, env, new = ...
local give, pcall, reference = env.give, env.pcall, env.reference
return function(self) return give(new, pcall(py, (reference(self)))) end
"""
# The same of an object which lasts: `now` is its kind.
LASTING_GETTER = """\
local py, env, kind = ...
local again, pcall, reference = env.again, env.pcall, env.reference
return function(self) return again(kind, pcall(py, (reference(self)))) end
"""
SETTER = """\
local py, env, now = ...
local finish, pcall, reference, open = env.finish, env.pcall, env.reference, env.open
return function(self, value) finish(pcall(py, (reference(self)), (open(value)))) end
"""


def stub(declared: LuaFunction) -> str:
    """The chunk which, given Python's function and `stub` of the prelude, returns the function."""
    head = [_HEAD % quoted(declared.name.encode())]
    lines: list[str] = []
    names = []
    for number, parameter in enumerate(declared.parameters, 1):
        if parameter.rest:
            names.append("open(...)")
            continue
        name = f"a{number}"
        names.append(name)
        head.append(f"local W{number} = {_wanted(parameter)}")
        if (only := _only_object(parameter)) is not None:
            head.append(f"local M{number} = {_kind(only)}.mt")
        lines.append("  " + _check(parameter, name, number))
    formal = ", ".join("..." if n == "open(...)" else n for n in names)
    if declared.fields:
        lines[-1:] = _fields(declared, head, names)
    passed = ", ".join(["py", *names])
    if declared.seen_as:
        head.append(f"local NEW = {_kind(OBJECTS[declared.seen_as].name)}.new")
        return "\n".join(
            [*head, f"return function({formal})", *lines, f"  return NEW({formal})", "end"]
        )
    if declared.pure:
        head.append("local known, room = {}, REMEMBERED")
        lines.insert(0, "  local found = known[a1] if found ~= nil then return found end")
        lines.append(f"  found = finish(pcall({passed}))")
        lines.append("  if #a1 > LONG then return found end")
        lines.append("  if room == 0 then known, room = {}, REMEMBERED end")
        lines.append("  known[a1], room = found, room - 1")
        lines.append("  return found")
    elif declared.waits:
        if declared.otherwise is None:
            lines.insert(0, "  waitable(NAME)")
        else:
            instead = ", ".join(["now", *names])
            lines.append(f"  if not can_wait() then return finish(pcall({instead})) end")
        lines.append(f"  return finish(wait(pcall({passed})))")
    elif declared.maybe:
        lines.append(f"  return env.maybe(pcall({passed}))")
    elif (kind := _object_result(declared)) is not None:
        if kind.lasting:
            head.append(f"local KIND = {_kind(kind.name)}")
            lines.append(f"  return again(KIND, pcall({passed}))")
        else:
            head.append(f"local NEW = {_kind(kind.name)}.new")
            lines.append(f"  return give(NEW, pcall({passed}))")
    else:
        lines.append(f"  return finish(pcall({passed}))")
    return "\n".join([*head, f"return function({formal})", *lines, "end"])


def _fields(declared: LuaFunction, head: list[str], names: list[str]) -> list[str]:
    """Return the lines which read the fields of a table, or take what is given for the first."""
    table, others = names[-1], [f"f{number}" for number in range(2, len(declared.fields) + 1)]
    names += others
    read = ", ".join(f"t[{quoted(each.name.encode())}]" for each in declared.fields)
    targets = ", ".join([table, *others])
    lines = [f"  local {', '.join(others)}"] if others else []
    test = f'type({table}) == "table" and not env.kinds[getmetatable({table})]'
    lines.append(f"  if {test} then local t = {table} {targets} = {read} end")
    for name, field in zip([table, *others], declared.fields, strict=True):
        head.append(f"local W_{name} = {_wanted(field)}")
        slow = f"{name} = field(W_{name}, {name}, {quoted(field.name.encode())})"
        plain = '"number"' if float in field.types else None
        test = f"if type({name}) ~= {plain} then {slow} end" if plain else slow
        default = literal(field.default)
        lines.append(f"  if {name} == nil then {name} = {default} else {test} end")
    return lines


def adapted(declared: LuaFunction, runtime: Runtime, *, now: bool = False) -> Adapted:
    """The Python function which a stub calls; `now`: the one for where nothing may wait."""
    function = declared.otherwise if now and declared.otherwise else declared.function
    if declared.wants_runtime:
        function = partial(function, runtime)
    given = [one for one in (*declared.parameters, *declared.fields[1:]) if not one.rest]
    rest = any(one.rest for one in declared.parameters)
    steps = [
        (place, convert)
        for place, one in enumerate(given)
        if (convert := _converter(one, runtime)) is not None
    ]
    convert = partial(_converted, steps, len(given) if rest else None, runtime)
    if declared.waits and not now:
        return _waiting(function, convert, runtime)
    if declared.maybe:
        return _maybe(function, convert, runtime)
    plain, giving = function, False
    if (kind := _object_result(declared)) is not None:
        function = naming(function, runtime) if kind.lasting else holding(function)
    elif bytes in declared.results or not all(one in _PLAIN_RESULTS for one in declared.results):
        function, giving = _giving(function, runtime), True
    if not steps and not rest:
        return function
    if rest or len(given) > 4:
        return lambda *given: function(*convert(given))
    if steps[0] == (0, _it):
        if len(steps) == 1:
            text = giving and len(given) == 3
            return _text_of_object(plain, runtime) if text else _of_object(function, len(given))
        if len(steps) == 2 and steps[1][0] == len(given) - 1:
            return _of_object_and_last(function, steps[1][1], len(given))
    if len(steps) == 1:
        return _with_one(function, *steps[0], len(given))
    return lambda *given: function(*convert(given))


def holding(function: Adapted) -> Adapted:
    """Of a function which returns an object, or nothing."""

    def call(*given: Any) -> object:
        result = function(*given)
        return None if result is None else Held(result)

    return call


def naming(function: Adapted, runtime: Runtime) -> Adapted:
    """Of one which returns an object that lasts: its number. Lua asks for the object if need be."""

    def call(*given: Any) -> int | None:
        result = function(*given)
        if result is None:
            return None
        runtime.named = result
        return id(result)

    return call


def _giving(function: Adapted, runtime: Runtime) -> Adapted:
    """Of a function whose result is not the same in Lua, or is a string, which may be large."""
    to_lua = runtime.to_lua

    def call(*given: Any) -> object:
        result = function(*given)
        if result is None or (result.__class__ is bytes and len(result) <= LARGE):
            return result
        return to_lua(result)

    return call


def _of_object(function: Adapted, count: int) -> Adapted:
    """Of a method with nothing else to convert, written out: each is called often."""
    if count == 1:
        return lambda a: function(a.it)
    if count == 2:
        return lambda a, b: function(a.it, b)
    if count == 3:
        return lambda a, b, c: function(a.it, b, c)
    return lambda a, b, c, d: function(a.it, b, c, d)


def _text_of_object(function: Adapted, runtime: Runtime) -> Adapted:
    """`_giving` and `_of_object` in one, for methods such as those which look a variable up."""
    to_lua = runtime.to_lua

    def call(a: Held, b: object, c: object) -> object:
        result = function(a.it, b, c)
        if result.__class__ is bytes and len(result) <= LARGE:
            return result
        return None if result is None else to_lua(result)

    return call


def _of_object_and_last(function: Adapted, convert: Callable[[Any], object], count: int) -> Adapted:
    """Of a method whose last argument is converted too, such as the value which is set."""
    if count == 2:
        return lambda a, b: function(a.it, convert(b))
    if count == 3:
        return lambda a, b, c: function(a.it, b, convert(c))
    return lambda a, b, c, d: function(a.it, b, c, convert(d))


def _with_one(
    function: Adapted, place: int, convert: Callable[[Any], object], count: int
) -> Adapted:
    """Of a function with one argument to convert; where that is the second one, written out."""
    if place == 1 and count == 2:
        return lambda a, b: function(a, convert(b))
    if place == 1 and count == 3:
        return lambda a, b, c: function(a, convert(b), c)
    if place == 1 and count == 4:
        return lambda a, b, c, d: function(a, convert(b), c, d)

    def call(*given: Any) -> object:
        values = [*given]
        values[place] = convert(values[place])
        return function(*values)

    return call


def _kind(name: str) -> str:
    """The kind of object as Lua source."""
    return f"env.by_name[{quoted(name.encode())}]"


def quoted(text: bytes) -> str:
    """A string as Lua source, which is ASCII."""
    return '"' + re.sub(rb"[^ !#-\[\]-~]", lambda m: b"\\%03d" % m[0][0], text).decode() + '"'


def literal(value: object) -> str:
    """A default as Lua source."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return quoted(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, bytes):
        return quoted(value)
    raise TypeError(f"{value!r} is no default of Lua")


def _wanted(parameter: Parameter) -> str:
    keys = dict.fromkeys(key for kind in parameter.types for key in _WANTED.get(kind, ()))
    if float in parameter.types:
        keys.pop("whole", None)
    fields = [f"{key}=true" if key != "function" else '["function"]=true' for key in keys]
    fields.append(f"expected={quoted(parameter.expected.encode())}")
    inner = ", ".join(f"[{quoted(kind.encode())}]=true" for kind in parameter.kinds)
    return "{" + ", ".join(fields) + ", kinds={" + inner + "}}"


def _only_object(parameter: Parameter) -> str | None:
    kinds = [one for one in parameter.types if one is not types.NoneType]
    if len(kinds) != 1 or len(parameter.kinds) != 1:
        return None
    name = parameter.kinds[0]
    return None if any(each.userdata for each in OBJECTS.values() if each.name == name) else name


def _check(parameter: Parameter, name: str, number: int) -> str:
    slow = f"{name} = check(W{number}, {name}, {number}, NAME)"
    kinds = tuple(one for one in parameter.types if one is not types.NoneType)
    if _only_object(parameter) is not None:
        test = f"if getmetatable({name}) == M{number} then {name} = {name}[1] else {slow} end"
    elif kinds in ((bytes,), (str,)):
        test = f'if type({name}) ~= "string" then {slow} end'
    elif kinds == (float,):
        test = f'if type({name}) ~= "number" then {slow} end'
    elif kinds == (int,):
        test = (
            f'if type({name}) ~= "number" or {name} % 1 ~= 0 or {name} > 9007199254740992 '
            f"or {name} < -9007199254740992 then {slow} end"
        )
    else:
        test = slow
    if not parameter.required:
        default = literal(parameter.default)
        return f"if {name} == nil then {name} = {default} else {test} end"
    return test


def _object_result(declared: LuaFunction) -> ObjectKind | None:
    """The kind of object which a function returns, if it is nothing else; Lua wraps it then."""
    kinds = [one for one in declared.results if one is not types.NoneType]
    return only_kind(kinds[0]) if len(kinds) == 1 else None


def _converter(parameter: Parameter, runtime: Runtime) -> Callable[[Any], object] | None:
    kinds = set(parameter.types)
    if parameter.kinds and parameter.required and len(kinds) == 1:
        return _it
    if kinds <= {str, types.NoneType}:
        return _text
    from_lua = runtime.from_lua
    if kinds & {object, Function, Table}:
        return lambda value: (
            value
            if value.__class__ in SAME
            else value.it
            if value.__class__ is Held
            else from_lua(value)
        )
    if parameter.kinds and str not in kinds:
        return lambda value: value.it if isinstance(value, Held) else value
    if str in kinds:
        return lambda value: _text(value) if isinstance(value, bytes) else from_lua(value)
    return None


def _it(held: Held) -> object:
    return held.it


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogateescape")


def _converted(
    steps: list[tuple[int, Callable[[Any], object]]],
    fixed: int | None,
    runtime: Runtime,
    given: tuple[Any, ...],
) -> list[object]:
    """What came, converted; behind `fixed` there may be more of anything."""
    values = [*given]
    for place, convert in steps:
        values[place] = convert(values[place])
    if fixed is not None:
        values[fixed:] = [runtime.from_lua(value) for value in given[fixed:]]
    return values


def _maybe(function: Adapted, convert: Convert, runtime: Runtime) -> Callable[..., object]:
    """Calls a function which waits only at times: it gives its result, or what to wait for."""

    async def wait(awaited: Awaitable[object]) -> object:
        return runtime.to_lua(await awaited)

    def call(*given: Any) -> object:
        result = function(*convert(given))
        if inspect.isawaitable(result):
            return PENDING, wait(result)
        return runtime.to_lua(result)

    return call


def _waiting(
    function: Adapted, convert: Convert, runtime: Runtime
) -> Callable[..., Awaitable[object]]:
    async def wait(arguments: list[object]) -> object:
        return runtime.to_lua(await function(*arguments))

    # Converted before it begins to wait, after which what came may be gone.
    return lambda *given: wait(convert(given))
