"""All that is declared, asked with what it was not made for: a clear error, and Lua goes on."""

import asyncio
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from angarium.modules.lua.declare import CONSTANTS, FIELDS, FUNCTIONS, OBJECTS, LuaFunction
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.limits import Limits
from angarium.modules.lua.packages import declare_all
from angarium.modules.lua.runtime import State
from angarium.modules.lua.services import Services
from helpers.clock import FakeClock
from helpers.guards import session
from helpers.objects import mail

declare_all()
OURS: Final = sorted(name for name in FUNCTIONS if not name.startswith("test."))
# Values of all kinds, each as an expression of Lua.
ODD: Final = (
    "nil", "true", "0", "-1", "1.5", "2^60", "0/0", "1/0", "''", "'x'", "('long'):rep(20000)",
    "'\\0\\255'", "{}", "{1, 'a', {}}", "{a = {b = 1}}", "function() end", "print",
    "setmetatable({}, {__index = function() error('index') end})",
)  # fmt: skip


PANICS: Final[list[str]] = []


@cache
def lua() -> State:
    """A Lua with no worker around it: what needs one says so. `kinds` has the methods of all."""
    services = Services(FakeClock(), panic=PANICS.append)
    made = State(services, Limits(seconds=5, memory=256 << 20))
    kinds = made.new_table([], {})
    put = made.load(b"local t, k, v = ... t[k] = v", "put")
    for kind in OBJECTS.values():
        made.run_now(put, kinds, kind.name.encode(), methods_of(made, kind.tag))
    made.run_now(made.load(b"kinds = ...", "kinds"), kinds)
    return made


def methods_of(state: State, tag: str) -> object:
    return state.get(state.get(state.kinds, OBJECTS[tag].name.encode()), b"methods")


def call_of(declared: LuaFunction) -> str:
    if declared.is_method:
        tag, _, last = declared.name.partition(":")
        return f"kinds[{OBJECTS[tag].name!r}]['{last}']"
    return declared.name


def arguments(declared: LuaFunction) -> list[str]:
    """Each odd value in each place, and all places odd at once."""
    count = max(len([one for one in declared.parameters if not one.rest]), 1)
    rows = [[value] * count for value in ODD]
    plain = ["'a'"] * count
    for place, value in product(range(count), ODD):
        rows.append([*plain[:place], value, *plain[place + 1 :]])
    return [", ".join(row) for row in rows] + [""]


@pytest.mark.parametrize("name", OURS)
def test_a_function_answers_wrong_values_with_an_error_of_lua(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    declared = FUNCTIONS[name]
    state = lua()
    for given in arguments(declared):
        text = f"return pcall(function() local r = {call_of(declared)}({given}) return r end)"
        good, *rest = state.run_now(state.load(text.encode(), "fuzz"))
        if good is False:
            [said] = rest
            assert isinstance(said, bytes), given
            assert b"internal error" not in said, (given, said, PANICS[-1:])
    assert state.run_now(state.load(b"return 1", "after")) == (1,)


@pytest.mark.parametrize("name", [each for each in OURS if ":" in each])
def test_a_method_refuses_another_object(name: str) -> None:
    state = lua()
    tag, _, last = name.partition(":")
    others = [mail(), session()]
    function = state.get(methods_of(state, tag), last.encode())
    for other in others:
        if isinstance(other, OBJECTS[tag].type):
            continue
        with pytest.raises(ScriptError, match=r"bad argument #1 to|nothing may wait here"):
            state.run_now(function, state.to_lua(other))


async def test_functions_which_wait_do_so_with_wrong_values_too() -> None:
    state = lua()
    for name in OURS:
        declared = FUNCTIONS[name]
        if not declared.waits or declared.is_method or "sleep" in name:
            continue
        for value in ODD[:6]:
            text = f"return pcall(function() local r = {name}({value}, {value}) return r end)"
            await asyncio.wait_for(state.run(state.load(text.encode(), "fuzz")), 20)


def test_fields_and_constants_are_where_their_names_say() -> None:
    state = lua()
    for name, value in CONSTANTS.items():
        assert state.run_now(state.load(f"return {name}".encode(), "constant")) == (value,)
    for name in FIELDS:
        tag, _, last = name.partition(".")
        kind = state.get(state.kinds, OBJECTS[tag].name.encode())
        getters = state.get(kind, b"getters")
        assert state.get(getters, last.encode()) is not None


def test_each_package_is_required() -> None:
    state = lua()
    packages = {each.package for each in FUNCTIONS.values() if each.package}
    for package in sorted(packages | {"msys.core", "msys.extended.message", "msys.extended.ac"}):
        [kind] = state.run_now(state.load(f"return type(require '{package}')".encode(), "require"))
        assert kind == b"table", package
