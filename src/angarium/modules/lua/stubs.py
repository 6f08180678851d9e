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
    Parameter,
    Runtime,
    Table,
)
from angarium.modules.lua.values import LARGE

Adapted = Callable[..., Any]

# As in threads.lua.
PENDING = b"\0pending"
_AS_IT_IS = frozenset({bytes, bool, int, float, type(None)})
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
local can_wait = env.can_wait
local pcall, type, getmetatable = env.pcall, env.type, env.getmetatable
local NAME = %s
"""

# The functions behind a field.
GETTER = """\
local py, env, now = ...
local finish, pcall, reference = env.finish, env.pcall, env.reference
return function(self) return finish(pcall(py, (reference(self)))) end
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
        if (kind := _only_object(parameter)) is not None:
            head.append(f"local M{number} = env.by_name[{quoted(kind.encode())}].mt")
        lines.append("  " + _check(parameter, name, number))
    formal = ", ".join("..." if n == "open(...)" else n for n in names)
    passed = ", ".join(["py", *names])
    if declared.waits:
        if declared.otherwise is None:
            lines.insert(0, "  waitable(NAME)")
        else:
            instead = ", ".join(["now", *names])
            lines.append(f"  if not can_wait() then return finish(pcall({instead})) end")
        lines.append(f"  return finish(wait(pcall({passed})))")
    elif declared.maybe:
        lines.append(f"  return env.maybe(pcall({passed}))")
    else:
        lines.append(f"  return finish(pcall({passed}))")
    return "\n".join([*head, f"return function({formal})", *lines, "end"])


def adapted(declared: LuaFunction, runtime: Runtime, *, now: bool = False) -> Adapted:
    """The Python function which a stub calls; `now`: the one for where nothing may wait."""
    function = declared.otherwise if now and declared.otherwise else declared.function
    if declared.wants_runtime:
        function = partial(function, runtime)
    converters = [_converter(one, runtime) for one in declared.parameters if not one.rest]
    rest = any(one.rest for one in declared.parameters)
    plain = all(kind in _PLAIN_RESULTS for kind in declared.results)
    if declared.waits and not now:
        return _waiting(function, converters, rest, runtime)
    if declared.maybe:
        return _maybe(function, converters, rest, runtime)
    if plain and bytes in declared.results:
        function = _with_room(function, runtime)
    if plain and not rest and not any(converters):
        return function
    if not rest and sum(each is not None for each in converters) == 1:
        return _with_one(function, converters, plain, runtime)

    def call(*given: Any) -> object:
        result = function(*_converted(given, converters, rest, runtime))
        return result if plain else runtime.to_lua(result)

    return call


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


def _converter(parameter: Parameter, runtime: Runtime) -> Callable[[Any], object] | None:
    kinds = set(parameter.types)
    if kinds <= {str, types.NoneType}:
        return _text
    if kinds & {object, Function, Table}:
        return runtime.from_lua
    if str in kinds:
        return lambda value: _text(value) if isinstance(value, bytes) else value
    return None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogateescape")


def _converted(
    given: tuple[Any, ...],
    converters: list[Callable[[Any], object] | None],
    rest: bool,
    runtime: Runtime,
) -> list[object]:
    fixed = [
        value if convert is None else convert(value)
        for value, convert in zip(given, converters, strict=False)
    ]
    if rest:
        fixed += [runtime.from_lua(value) for value in given[len(converters) :]]
    return fixed


def _with_one(
    function: Adapted,
    converters: list[Callable[[Any], object] | None],
    plain: bool,
    runtime: Runtime,
) -> Adapted:
    """As the common case, where one argument is converted, if it is no plain value."""
    [place] = [number for number, each in enumerate(converters) if each is not None]
    convert = converters[place]
    assert convert is not None
    as_it_is = _AS_IT_IS if convert is not _text else frozenset((type(None),))

    def call(*given: Any) -> object:
        if len(given) > place and given[place].__class__ not in as_it_is:
            several = list(given)
            several[place] = convert(several[place])
            given = tuple(several)
        result = function(*given)
        return result if plain else runtime.to_lua(result)

    return call


def _with_room(function: Adapted, runtime: Runtime) -> Adapted:
    def call(*given: Any) -> object:
        result = function(*given)
        if result.__class__ is bytes and len(result) > LARGE:
            runtime.room_for(len(result))
        return result

    return call


def _maybe(
    function: Adapted,
    converters: list[Callable[[Any], object] | None],
    rest: bool,
    runtime: Runtime,
) -> Callable[..., object]:
    """Calls a function which waits only at times: it gives its result, or what to wait for."""

    async def wait(awaited: Awaitable[object]) -> object:
        return runtime.to_lua(await awaited)

    def call(*given: Any) -> object:
        result = function(*_converted(given, converters, rest, runtime))
        if inspect.isawaitable(result):
            return PENDING, wait(result)
        return runtime.to_lua(result)

    return call


def _waiting(
    function: Adapted,
    converters: list[Callable[[Any], object] | None],
    rest: bool,
    runtime: Runtime,
) -> Callable[..., Awaitable[object]]:
    async def wait(arguments: list[object]) -> object:
        return runtime.to_lua(await function(*arguments))

    # Converted before it begins to wait, after which what came may be gone.
    return lambda *given: wait(_converted(given, converters, rest, runtime))
