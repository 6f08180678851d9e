"""One Lua: what scripts find in it, what stops them, and that handles outlive coroutines."""

import asyncio
import gc
from collections.abc import Awaitable
from typing import Any

import pytest

from angarium.modules.lua.bind import Function, Runtime, Table, lua
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.limits import Limits
from angarium.modules.lua.runtime import State
from helpers.lua import services

kept: list[Function | Table] = []


@lua("test.runtime.keep")
def keep(thing: Function | Table) -> int:
    """Keep it beyond the call."""
    kept.append(thing)
    return len(kept)


@lua("test.runtime.nap")
async def nap(seconds: float = 0) -> float:
    """Wait."""
    await asyncio.sleep(seconds)
    return seconds


@lua("test.runtime.maybe")
def maybe(runtime: Runtime, waits: bool) -> bytes | Awaitable[bytes]:
    """Give a result at once, or later."""
    if not waits:
        return b"at once"
    future: asyncio.Future[bytes] = asyncio.get_event_loop().create_future()
    future.set_result(b"later")
    return future


@pytest.fixture
def state() -> State:
    return State(services())


def run(state: State, text: str, *arguments: object) -> Any:
    results = state.run_now(state.load(text.encode(), "test.lua"), *arguments)
    return results[0] if len(results) == 1 else results


def fails(state: State, text: str) -> str:
    with pytest.raises(ScriptError) as raised:
        run(state, text)
    return raised.value.message


RUNAWAYS = {
    "a loop": "while true do end",
    "a loop in pcall": "while true do pcall(function() while true do end end) end",
    "in xpcall": "xpcall(function() while true do end end, function() while true do end end)",
    "a coroutine": "while true do coroutine.wrap(function() while true do end end)() end",
    "a coroutine in pcall": "while true do pcall(coroutine.wrap(function() while true do end end)) "
    "end",
    "a loop of calls": "local function f() return f() end f()",
    "a loop of our functions": "while true do test.runtime.maybe(false) end",
    "a metamethod": "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) "
    "while true do pcall(function() return t[1] end) end",
}  # fmt: skip


@pytest.mark.parametrize("text", RUNAWAYS.values(), ids=RUNAWAYS)
def test_a_script_which_runs_away_is_stopped(text: str) -> None:
    state = State(services(), Limits(seconds=0.05))
    said = fails(state, text)
    assert "it ran for more than 0.05 s" in said
    assert run(state, "return 'goes on'") == b"goes on"


async def test_waiting_is_not_running() -> None:
    state = State(services(), Limits(seconds=0.05))
    text = b"local n = 0 for i = 1, 20 do n = n + test.runtime.nap(0.005) end return n"
    assert (await state.run(state.load(text, "test.lua")))[0] == pytest.approx(0.1)


HOGS = {
    "a table": "local t = {} for i = 1, 1e9 do t[i] = {i} end",
    "a string": "local s = 'x' while true do s = s .. s end",
    "a repeated string": "return ('x'):rep(1e10)",
    "a hog in pcall": "local t = {} while true do pcall(function() for i = 1, 1e6 do "
    "t[#t + 1] = {} end end) end",
    "strings of ours": "local t = {} for i = 1, 1e9 do t[i] = test.runtime.maybe(false) .. i end",
}  # fmt: skip


@pytest.mark.parametrize("text", HOGS.values(), ids=HOGS)
def test_a_script_which_takes_all_memory_is_stopped(text: str) -> None:
    state = State(services(), Limits(seconds=20, memory=8 << 20))
    assert "memory" in fails(state, text)
    state.collect()
    assert run(state, "return 'goes on'") == b"goes on"


def test_a_stack_without_end_is_an_error(state: State) -> None:
    assert "stack overflow" in fails(state, "local function f() return 1 + f() end f()")


def test_a_function_which_calls_us_and_is_called_without_end_is_an_error(state: State) -> None:
    text = "local function f() return test.bind.each(f, {1}) end f()"
    state = State(services())
    assert fails(state, text)
    assert run(state, "return 1") == 1


@pytest.mark.parametrize(
    "name",
    "io jit ffi python newproxy dofile loadfile string.dump os.execute os.exit os.remove "
    "package.loadlib package.loaded.ffi package.loaded.io debug.sethook debug.getregistry "
    "debug.getupvalue debug.setmetatable package.loaders".split(),
)
def test_the_inside_and_the_outside_are_out_of_reach(state: State, name: str) -> None:
    assert run(state, f"return {name}") is None


def test_what_debug_tells_has_no_function_in_it(state: State) -> None:
    text = "local d = debug.getinfo(1, 'Sfl') return d.short_src, d.func, d.currentline"
    assert run(state, text)[:2] == (b"test.lua", None)


def test_ffi_cannot_be_required(state: State) -> None:
    assert fails(state, "require 'ffi'") == "test.lua:1: module 'ffi' is not found"


def test_compiled_code_is_not_taken(state: State) -> None:
    assert (
        run(state, "return loadstring('\\27LJ')")[1] == b"compiled code is not taken, only text is"
    )


def test_loadstring_and_load_know_the_dialect(state: State) -> None:
    assert run(state, "return loadstring('return 6 & 3')()") == 2
    assert run(state, "local n = 0 return load(function() n = n + 1 if n == 1 then "
               "return 'return 1 | 2' end end)()") == 3  # fmt: skip


def test_what_is_printed_is_shown() -> None:
    shown: list[str] = []
    state = State(services(show=shown.append))
    run(state, "print('a', 1, nil, true, {} ~= nil)")
    assert shown == ["a\t1\tnil\ttrue\ttrue"]


def test_packages_of_ours_are_required(state: State) -> None:
    text = "local one = require 'test.runtime' return one == test.runtime, one.keep ~= nil"
    assert run(state, text) == (True, True)


FILES = {
    "lib.one": b"module('lib.one', package.seeall) require 'lib.two' function f() return 1 | 2 end",
    "lib.two": b"return {two = 2}",
    "lib.loop": b"require 'lib.loop'",
    "lib.broken": b"\n\nreturn 1 +",
    "lib.fails": b"\nerror('no')",
    "lib.none": b"x = 1",
}


def found(name: str, path: str) -> tuple[bytes, str] | None:
    text = FILES.get(name)
    return None if text is None else (text, f"/etc/{name.replace('.', '/')}.lua")


def test_files_are_required_once() -> None:
    state = State(services(), find=found)
    text = """
    local one = require 'lib.one'
    local none = require 'lib.none'
    return one.f(), lib.one == one, require('lib.two').two, require 'lib.two' == require 'lib.two',
      none, x
    """
    assert run(state, text) == (3, True, 2, True, True, 1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lib.loop", "loop in what is required: 'lib.loop'"),
        ("lib.broken", "/etc/lib/broken.lua:3:"),
        ("lib.fails", "/etc/lib/fails.lua:2: no"),
        ("lib.other", "module 'lib.other' is not found"),
    ],
)
def test_a_module_which_cannot_be_says_why(name: str, said: str) -> None:
    state = State(services(), find=found)
    assert said in fails(state, f"require '{name}'")
    assert said in fails(state, f"require '{name}'")


def test_strict_forbids_globals_by_accident(state: State) -> None:
    text = (
        "require 'strict' known = 1 function f() known = 2 _TLS.x = 1 return known end return f()"
    )
    assert run(state, text) == 2
    assert "variable 'unknown' is not declared" in fails(state, "return unknown")
    assert "undeclared variable 'y'" in fails(state, "local function g() y = 1 end g()")


def test_globals_are_those_of_all_scripts(state: State) -> None:
    run(state, "counter = (counter or 0) + 1")
    assert run(state, "counter = (counter or 0) + 1 return counter") == 2


def test_type_names_objects_as_momentum_does(state: State) -> None:
    assert run(state, "return type(1), type('x'), type({}), type(nil)") == (
        b"number", b"string", b"table", b"nil",
    )  # fmt: skip
    assert "value expected" in fails(state, "return type()")


async def test_a_session_has_globals_of_its_own(state: State) -> None:
    text = b"""
    _TLS.n = (_TLS.n or 0) + ...
    test.runtime.nap()
    _TLS.n = _TLS.n + ...
    return _TLS.n
    """
    function = state.load(text, "test.lua")
    records = [state.record(number) for number in (1, 10)]

    async def session(record: object, number: int) -> tuple[object, ...]:
        came = state.ask(True, record, function, number)
        return came if isinstance(came, tuple) else await came

    first = await asyncio.gather(*(session(r, n) for r, n in zip(records, (1, 10), strict=True)))
    again = await session(records[0], 1)
    assert (*first, again) == ((2,), (20,), (4,))


async def test_what_waits_only_at_times(state: State) -> None:
    text = b"return test.runtime.maybe(...)"
    function = state.load(text, "test.lua")
    assert state.ask(True, None, function, False) == (b"at once",)
    came = state.ask(True, None, function, True)
    assert not isinstance(came, tuple)
    assert await came == (b"later",)
    with pytest.raises(ScriptError, match="it would have to wait here"):
        state.run_now(function, True)


async def test_handles_outlive_the_coroutine_they_came_from(state: State) -> None:
    """Lupa's own hold on to the coroutine: used when it is gone they end the process."""
    kept.clear()
    text = b"""
    local n = ...
    test.runtime.keep(function(x) return x + n end)
    test.runtime.keep({n = n, {1, 2}})
    test.runtime.nap()
    if n % 2 == 0 then error('gone') end
    """
    function = state.load(text, "test.lua")
    for number in range(200):
        task = asyncio.ensure_future(state.run(function, number))
        await asyncio.sleep(0)
        if number % 3 == 0:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    state.collect()
    gc.collect()
    run(state, "for i = 1, 200 do coroutine.wrap(function() local t = {i} return t end)() end")
    functions = [one for one in kept if callable(one)]
    tables = [one for one in kept if not callable(one)]
    assert [one.now(1)[0] for one in functions] == [n + 1 for n in range(200)]
    assert [one.get("n") for one in tables] == list(range(200))
    kept.clear()
    gc.collect()
    state.collect()
    assert run(state, "return 1") == 1


async def test_coroutines_are_used_again() -> None:
    state = State(services(), Limits(spare=2))
    function = state.load(b"test.runtime.nap()", "test.lua")
    await asyncio.gather(*(state.run(function) for _ in range(5)))
    assert state.counted() == (2, 0)
    fresh = State(services(), Limits(fresh=True))
    fresh.run_now(fresh.load(b"return 1", "test.lua"))
    assert fresh.counted() == (0, 0)
    once = State(services(), Limits(uses=1))
    once.run_now(once.load(b"return 1", "test.lua"))
    assert once.counted() == (0, 0)


def test_scripts_are_collected_from(state: State) -> None:
    run(state, "big = ('x'):rep(1e6)")
    before = state.memory
    run(state, "big = nil")
    state.collect()
    assert state.memory < before - 900_000
    assert "the server decides 'stop'" in fails(state, "collectgarbage('stop')")


def test_a_script_which_runs_away_is_stopped_with_its_line_though_it_catches_all() -> None:
    state = State(services(), Limits(seconds=0.05))
    text = b"\nwhile true do\n  pcall(function()\n    while true do end\n  end)\nend"
    with pytest.raises(ScriptError, match=r"\Ap\.lua:4: stopped: it ran for more than"):
        state.run_now(state.load(text, "p.lua"))
