"""Functions of ours as scripts see them: arguments, results, errors, waiting."""

import asyncio
from typing import Any

import pytest

from angarium.core.errors import Error
from angarium.modules.lua.bind import (
    Function,
    LuaError,
    Runtime,
    Several,
    Table,
    lua,
    lua_constants,
    lua_field,
    lua_object,
)
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from helpers.lua import services


@lua_object("pot", "test_pot")
class Pot:
    """Holds something."""

    def __init__(self, what: bytes = b"") -> None:
        self.what = what


@lua_object("rope", "test_rope", userdata=True)
class Rope:
    """Has a length."""

    def __init__(self, text: bytes) -> None:
        self.text = text


lua_field("pot.what", lambda pot: pot.what, lambda pot, what: setattr(pot, "what", what), doc="?")
lua_field("pot.size", lambda pot: len(pot.what), doc="How much.")
lua_constants("test.bind", SEVEN=7, NAME=b"seven")


@lua("pot:fill")
def fill(pot: Pot, what: bytes, times: int = 1) -> int:
    """Fill it."""
    pot.what = what * times
    return len(pot.what)


@lua("pot:same")
def same(pot: Pot, other: Pot | None = None) -> bool:
    """Whether they are one."""
    return pot is other


@lua("rope:__tostring")
def rope_text(rope: Rope) -> bytes:
    """Its text."""
    return rope.text


@lua("rope:__len")
def rope_length(rope: Rope) -> int:
    """Its length."""
    return len(rope.text)


@lua("test.bind.pot")
def pot(what: bytes = b"new") -> Pot:
    """Make one."""
    return Pot(what)


@lua("test.bind.rope")
def rope(text: bytes) -> Rope:
    """Make one."""
    return Rope(text)


@lua("test.bind.echo")
def echo(raw: bytes, text: str = "t", whole: int = 3, part: float = 0.5, yes: bool = False) -> Any:
    """Give back what came."""
    return [raw, text, whole, part, yes]


@lua("test.bind.add")
def add(left: int, right: float) -> float:
    """Add."""
    return left + right


@lua("test.bind.count")
def count(*rest: object) -> list[object]:
    """Tell the types of what came."""
    return [type(one).__name__ for one in rest]


@lua("test.bind.several")
def several() -> Several:
    """Give several values."""
    return Several(1, "two", None, [3])


@lua("test.bind.nothing")
def nothing() -> None:
    """Give nothing."""


@lua("test.bind.refuse")
def refuse(why: str) -> None:
    """Refuse."""
    raise LuaError(why)


@lua("test.bind.broken")
def broken() -> None:
    """Have a fault."""
    raise ZeroDivisionError("fault")


@lua("test.bind.options")
def options(table: Table) -> dict[str, object]:
    """Read a table in each way."""
    return {
        "text": table.text("text", b"none"),
        "number": table.number("number", 9),
        "flag": table.flag("flag"),
        "plain": table.plain(),
        "array": table.array(),
    }


@lua("test.bind.fielded", fields=("key", "first", "last"))
def fielded(name: bytes, key: object = None, first: float = 0, last: int = 1) -> list[object]:
    """Give back what came, and of what kind it is."""
    return [name, type(key).__name__, key if isinstance(key, bytes) else "-", first, last]


@lua("test.bind.each")
def each(runtime: Runtime, function: Function, items: Table) -> list[object]:
    """Call a function with each item."""
    assert runtime.services is not None
    return [function.now(one)[0] for one in items.array()]


MEASURED: list[bytes] = []


@lua("test.bind.measured", pure=True)
def measured(text: bytes) -> int:
    """Tell its length."""
    MEASURED.append(text)
    if text == b"bad":
        raise LuaError("as bad")
    return len(text)


@lua("test.bind.later")
async def later(runtime: Runtime, value: object, fault: bool = False) -> object:
    """Come back with the value after the loop had its turn."""
    await asyncio.sleep(0)
    if fault:
        raise LuaError("came to nothing")
    return value


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


def test_arguments_are_converted_by_their_annotations(state: State) -> None:
    table = run(state, 'return test.bind.echo("a", "b", 2, 1.5, {})')
    assert [table[place] for place in range(1, 6)] == [b"a", b"b", 2, 1.5, True]
    table = run(state, "return test.bind.echo(12, 13, '4', '1e1', 1)")
    assert [table[place] for place in range(1, 6)] == [b"12", b"13", 4, 10, True]


def test_what_is_not_given_has_its_default(state: State) -> None:
    for call in ('test.bind.echo("a")', 'test.bind.echo("a", nil, nil, nil, nil)'):
        table = run(state, f"return {call}")
        assert [table[place] for place in range(1, 6)] == [b"a", b"t", 3, 0.5, False]


def test_a_number_loses_what_is_not_whole_towards_zero(state: State) -> None:
    assert run(state, "return test.bind.add(2.7, 0)") == 2
    assert run(state, "return test.bind.add(-2.7, 0)") == -2


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("echo()", "bad argument #1 to 'test.bind.echo' (string expected, got nil)"),
        ("echo({})", "bad argument #1 to 'test.bind.echo' (string expected, got table)"),
        (
            "echo('a', 'b', 'x')",
            "bad argument #3 to 'test.bind.echo' (number expected, got string)",
        ),
        ("add(1/0, 1)", "bad argument #1 to 'test.bind.add' (number out of range)"),
        ("add(0/0, 1)", "bad argument #1 to 'test.bind.add' (number out of range)"),
        ("add(1e300, 1)", "bad argument #1 to 'test.bind.add' (number out of range)"),
        ("options(1)", "bad argument #1 to 'test.bind.options' (table expected, got number)"),
        ("options(test.bind.pot())", "(table expected, got test_pot)"),
        ("each(1, {})", "bad argument #1 to 'test.bind.each' (function expected, got number)"),
        ("refuse('no thanks')", "no thanks"),
    ],
)
def test_an_error_says_what_was_wrong_and_where_the_script_was(
    state: State, call: str, said: str
) -> None:
    text = fails(state, f"\n\nlocal x = test.bind.{call}")
    assert text.startswith("test.lua:3: ")
    assert text.endswith(said)


def test_a_script_may_catch_an_error(state: State) -> None:
    good, said = run(state, "return pcall(function() test.bind.refuse('why') end)")
    assert good is False
    assert said == b"test.lua:1: why"


def test_a_fault_of_ours_is_told_and_goes_to_the_panic_log() -> None:
    heard: list[str] = []
    state = State(services(panic=heard.append))
    text = fails(state, "test.bind.broken()")
    assert text == "test.lua:1: internal error: ZeroDivisionError: fault"
    assert "ZeroDivisionError" in heard[0]
    assert "in broken" in heard[0]


def test_results_are_several_or_none(state: State) -> None:
    first, second, third, fourth = run(state, "return test.bind.several()")
    assert (first, second, third, fourth[1]) == (1, b"two", None, 3)
    assert run(state, "return select('#', test.bind.nothing())") == 1


def test_the_rest_comes_with_what_is_nil(state: State) -> None:
    table = run(state, "return test.bind.count(nil, 1, {}, print, test.bind.pot(), nil)")
    names = [table[place] for place in range(1, 7)]
    assert names == [b"NoneType", b"int", b"TableHandle", b"FunctionHandle", b"Pot", b"NoneType"]


def test_objects_have_methods_and_fields(state: State) -> None:
    text = """
    local pot = test.bind.pot("abc")
    local before = pot.what
    local size = pot:fill("xy", 3)
    pot.what = "set"
    return before, size, pot.what, pot.size, pot.none
    """
    assert run(state, text) == (b"abc", 6, b"set", 3, None)


def test_a_method_checks_whom_it_is_called_on(state: State) -> None:
    said = "bad argument #1 to 'pot:fill' (test_pot expected, got "
    assert said + "table)" in fails(state, "test.bind.pot().fill({}, 'x')")
    assert said + "nil)" in fails(state, "test.bind.pot().fill()")
    assert said + "test_rope)" in fails(state, "test.bind.pot().fill(test.bind.rope('x'), 'x')")


def test_a_field_which_cannot_be_set_says_so(state: State) -> None:
    assert (
        fails(state, "test.bind.pot().size = 1") == "test.lua:1: 'size' of test_pot cannot be set"
    )
    assert fails(state, "test.bind.pot().other = 1") == "test.lua:1: test_pot has no field 'other'"


def test_the_same_object_is_equal(state: State) -> None:
    assert run(state, "local pot = test.bind.pot() return pot:same(pot), pot:same()") == (
        True,
        False,
    )


def test_userdata_has_length_text_and_joins(state: State) -> None:
    text = (
        "local rope = test.bind.rope('abcd') return #rope, tostring(rope), rope .. '!', type(rope)"
    )
    assert run(state, text) == (4, b"abcd", b"abcd!", b"userdata")
    table = run(state, "return test.bind.echo(test.bind.rope('as text'))")
    assert table[1] == b"as text"


def test_a_table_is_read_by_kind(state: State) -> None:
    text = "return test.bind.options({text=12, number='3', flag='no', 5, 6})"
    table = run(state, text)
    assert (table[b"text"], table[b"number"], table[b"flag"]) == (b"12", 3, False)
    assert [table[b"array"][1], table[b"array"][2]] == [5, 6]
    assert table[b"plain"][b"text"] == 12
    assert "bad field 'text' (string expected)" in fails(state, "test.bind.options({text={}})")
    assert "nested too deeply" in fails(state, "local t = {} t.t = t test.bind.options(t)")


def test_functions_of_scripts_are_called(state: State) -> None:
    table = run(state, "return test.bind.each(function(x) return x * 2 end, {1, 2, 3})")
    assert [table[1], table[2], table[3]] == [2, 4, 6]
    said = fails(state, "test.bind.each(function(x) error('in it') end, {1})")
    assert said == "test.lua:1: test.lua:1: in it"


def test_constants_are_there(state: State) -> None:
    assert run(state, "return test.bind.SEVEN, test.bind.NAME") == (7, b"seven")


async def test_an_async_function_suspends_the_script_only(state: State) -> None:
    text = "local a = test.bind.later(...) local b = test.bind.later(a + 1) return a, b"
    function = state.load(text.encode(), "test.lua")
    came = await asyncio.gather(*(state.run(function, number) for number in range(50)))
    assert came == [(number, number + 1) for number in range(50)]


async def test_a_script_waits_in_pcall_iterators_and_coroutines_of_its_own(state: State) -> None:
    text = """
    local later = test.bind.later
    local good, value = pcall(later, 1)
    local total = value
    for item in function(_, last) if not last then return later(2) end end do
      total = total + item
      break
    end
    local made = coroutine.wrap(function() coroutine.yield(later(3)) return later(4) end)
    total = total + made() + made()
    local co = coroutine.create(function() return later(5) end)
    local _, five = coroutine.resume(co)
    return good, total + five
    """
    assert await state.run(state.load(text.encode(), "test.lua")) == (True, 15)


async def test_what_comes_to_nothing_is_an_error_of_the_script(state: State) -> None:
    text = b"return pcall(function() local x = test.bind.later(1, true) return x end)"
    function = state.load(text, "a.lua")
    assert await state.run(function) == (False, b"a.lua:1: came to nothing")


def test_where_nothing_may_wait_a_script_is_told(state: State) -> None:
    said = fails(state, "test.bind.later(1)")
    assert said == "test.lua:1: 'test.bind.later' has to wait, and nothing may wait here"


async def test_a_call_where_nothing_may_wait_does_not_change_the_one_around_it(
    state: State,
) -> None:
    text = "test.bind.each(function(x) return x end, {1}) return test.bind.later(7)"
    assert await state.run(state.load(text.encode(), "test.lua")) == (7,)


async def test_a_script_whose_session_goes_is_forgotten(state: State) -> None:
    task = asyncio.ensure_future(state.run(state.load(b"test.bind.later(1)", "test.lua")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run(state, "return 1") == 1


def test_python_cannot_be_reached(state: State) -> None:
    assert run(state, "return python") is None
    said = fails(state, "local pot = test.bind.pot() return pot[1].__class__")
    assert "closed" in said


def test_a_declaration_without_a_type_is_refused() -> None:
    def untyped(value) -> None:  # type: ignore[no-untyped-def]
        """Nothing."""

    with pytest.raises(Error, match="a place and a type"):
        lua("test.bind.untyped")(untyped)


def _now(what: bytes) -> bytes:
    return b"now " + what


@lua("test.bind.soon", otherwise=_now)
async def soon(what: bytes) -> bytes:
    """Wait, where something may wait."""
    await asyncio.sleep(0)
    return b"later " + what


async def test_where_nothing_may_wait_another_function_is_called_instead() -> None:
    state = State(services())
    function = state.load(b'return test.bind.soon("x")', "test")
    assert state.run_now(function) == (b"now x",)
    assert await state.run(function) == (b"later x",)


@pytest.mark.parametrize(
    ("given", "came"),
    [
        ("", [b"NoneType", b"-", 0, 1]),
        (", 'k'", [b"bytes", b"k", 0, 1]),
        (", {key = 'k', first = 2, last = 3.7}", [b"bytes", b"k", 2, 3]),
        (", {first = '2.5', last = '-3.7'}", [b"NoneType", b"-", 2.5, -3]),
        (", {'k', other = 1}", [b"NoneType", b"-", 0, 1]),
        (", setmetatable({}, {__index = {key = 'k', first = 9}})", [b"bytes", b"k", 9, 1]),
        (", test.bind.pot()", [b"Pot", b"-", 0, 1]),
        (", {key = test.bind.pot(), last = 0}", [b"Pot", b"-", 0, 0]),
        (", test.bind.rope('x')", [b"Rope", b"-", 0, 1]),
    ],
)
def test_fields_of_a_table_or_the_first_of_them_alone_are_arguments(
    state: State, given: str, came: list[object]
) -> None:
    source = f"return unpack(test.bind.fielded('n'{given}))"
    assert list(state.run_now(state.load(source.encode(), "t"))) == [b"n", *came]


@pytest.mark.parametrize("field", ["first = {}", "first = 'x'", "last = true", "last = 2^60"])
def test_a_field_of_another_type_is_an_error_at_the_call(state: State, field: str) -> None:
    name = field.partition(" ")[0]
    with pytest.raises(ScriptError, match=rf"t:1: bad field '{name}' \(number expected\)"):
        state.run_now(state.load(f"test.bind.fielded('n', {{{field}}})".encode(), "t"))


def test_fields_are_the_last_parameters() -> None:
    with pytest.raises(Error, match="fields are the last parameters"):

        @lua("test.bind.misfielded", fields=("key",))
        def misfielded(key: object, name: bytes) -> None:
            """Do nothing."""


def test_a_pure_function_is_asked_once_for_each_text(state: State) -> None:
    MEASURED.clear()
    ask = state.load(b"local x = ... return test.bind.measured(x)", "t")
    for text in (b"abc", b"abc", b"", b"abc", b"12"):
        assert state.run_now(ask, text) == (len(text),)
    assert state.run_now(ask, 12) == (2,)
    assert MEASURED == [b"abc", b"", b"12", b"12"]
    for _ in range(2):
        with pytest.raises(ScriptError, match="as bad"):
            state.run_now(ask, b"bad")
    with pytest.raises(ScriptError, match="string expected, got nil"):
        state.run_now(ask, None)


def test_a_pure_function_does_not_remember_without_bound(state: State) -> None:
    MEASURED.clear()
    ask = state.load(b"for at = 1, 2500 do test.bind.measured('x' .. at) end", "t")
    again = state.load(b"test.bind.measured('x1') test.bind.measured('x2500')", "t")
    state.run_now(ask)
    state.run_now(again)
    assert MEASURED[2500:] == [b"x1"]
    long = b"y" * 101
    state.run_now(state.load(b"local x = ... for _ = 1, 3 do test.bind.measured(x) end", "t"), long)
    assert MEASURED[2501:] == [long] * 3
