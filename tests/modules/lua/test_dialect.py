"""What Momentum's Lua has and LuaJIT has not; and that all else stays what it was."""

import gc
import re
import time
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.lua.dialect import translated
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from helpers.lua import services


@pytest.fixture(scope="module")
def state() -> State:
    return State(services())


def run(state: State, text: str) -> Any:
    results = state.run_now(state.load(text.encode("latin-1"), "test.lua"))
    return results[0] if len(results) == 1 else results


def fails(state: State, text: str) -> str:
    with pytest.raises(ScriptError) as raised:
        run(state, text)
    return raised.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("return 1 != 2, 1 != 1", (True, False)),
        ("return !nil, !1 == false", (True, True)),
        ("return 6 & 3, 6 | 3, 6 ^^ 3, 1 << 4, 256 >> 4, ~5", (2, 7, 5, 16, 16, -6)),
        ("return 7 \\ 2, -7 \\ 2, 7.5 \\ 2", (3, -4, 3)),
        ("return 1 + 2 & 3 * 5", 3 & 15),
        ("return 1 | 2 + 4", 7),  # to the left, as + and | bind alike
        ("return 2 + 4 | 1", 7),
        ("return 1 << 2 + 1", 5),  # << binds as * does
        ("return -1 & 255, #'abc' | 8, ~1 & 7", (255, 11, 6)),
        ("return 2 ^ 3 & 12", 8),
        ("return 5 & 6 == 4", True),
        ("return 'a' .. 1 | 2", b"a3"),
        ("return false or 1 | 2", 3),
        ("return 2^40 | 1, 2^40 & 2^40, ~0", (2**40 + 1, 2**40, -1)),
        ("return '12' & '6', '1' | 2", (4, 3)),
        ("return 7.9 & 15, -7.9 | 0", (7, -7)),
        ("return 0644, 0660, 08, 0, 00, 0x1f, 0.5, 10", (420, 432, 8, 0, 0, 31, 0.5, 10)),
        (r"return '\u00e4', '\u0001f600', '\x41', '\065', '\.\q'", "ä|😀|A|A|.q"),
        ("return ({f = function(x) return x & 1 end}).f(3)", 1),
        ("local t = {1 & 3, [2 | 4] = 'six', n = 8 >> 1} return t[1], t[6], t.n", (1, b"six", 4)),
        ("local a = {b = {c = 5}} return a.b.c & 4 | a['b'].c", 5),
        ("local f = function(...) return (...) & 1 end return f(3) | 8", 9),
        ("local s = 'x' (function() end)() return s", b"x"),
        ("repeat local x = 1 & 1 until x | 2 == 3 return 'left'", b"left"),
        ("for i = 1 | 2, 1 << 2 do if i != 3 then return i end end", 4),
    ],
)
def test_what_the_dialect_adds(state: State, text: str, value: object) -> None:
    came = run(state, text)
    if isinstance(value, str):
        came, value = b"|".join(came), value.encode()
    assert came == value


def test_a_shebang_is_no_program(state: State) -> None:
    assert run(state, "#!/usr/bin/lua\nreturn 1") == 1


@pytest.mark.parametrize(
    ("event", "call"),
    [
        ("__and", "o & 1"),
        ("__or", "1 | o"),
        ("__xor", "o ^^ o"),
        ("__shl", "o << 1"),
        ("__shr", "o >> 1"),
        ("__not", "~o"),
        ("__intdiv", "o \\ 2"),
    ],
)
def test_an_operator_asks_the_metatable(state: State, event: str, call: str) -> None:
    assert run(state, f"local o = setmetatable({{}}, {{{event} = function() return 'e' end}}) "
               f"return {call}") == b"e"  # fmt: skip


def test_a_for_asks_the_metatable_how_a_thing_is_gone_through(state: State) -> None:
    text = """
    local t = setmetatable({"a", "b"}, {__iter = ipairs})
    local found = ""
    for place, value in t do found = found .. place .. value end
    local function each() found = found .. "." if #found < 7 then return true end end
    for _ in each do end
    return found
    """
    assert run(state, text) == b"1a2b..."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nlocal x = {} & 1", "test.lua:2: attempt to perform '&' on a table value"),
        ("\nlocal x = 1 | nil", "test.lua:2: attempt to perform '|' on a nil value"),
        ("\nlocal x = 1 << 64", "test.lua:2: a shift is by 0 to 63 bits"),
        ("\n\nx = 1 & ", "test.lua:3:"),
        ("\n\nx = 'open", "test.lua:3:"),
        ("x = (1 | 2", "test.lua:1:"),
        ("\nx = 1 ! 2", "test.lua:2:"),
        ("\x1bLJ\x02", "test.lua:1: compiled code is not taken"),
    ],
)
def test_a_fault_has_its_line(state: State, text: str, said: str) -> None:
    assert fails(state, text).startswith(said)


@pytest.mark.parametrize(
    "text",
    [
        "local x = 'a & b' -- c | d\nreturn x ~= 1",
        "--[==[ a != b ]] ]==] return [[ 1 | 2 ]]",
        "for k, v in pairs({}) do print(k) end",
        "for i, v in next, {} do end",
        "return function(a) return not a end",
        "for x in f() do end",
        "goto_ = 1 local t = {['in'] = 1}",
    ],
)
def test_what_has_nothing_of_it_is_left_alone(text: str) -> None:
    source = text.encode()
    assert translated(source) is source


OPERATORS: Final = {
    "|": 6, "&": 6, "^^": 6, "<<": 7, ">>": 7, "\\": 7, "+": 6, "-": 6, "*": 7, "%": 7,
    "==": 3, "!=": 3, "<": 3, "and": 2, "or": 1,
}  # fmt: skip
Tree = int | tuple[str, Any] | tuple[str, Any, Any]
TREES = st.recursive(
    st.integers(0, 2000),
    lambda inner: (
        st.tuples(st.sampled_from(["~", "-", "not"]), inner)
        | st.tuples(st.sampled_from(sorted(OPERATORS)), inner, inner)
    ),
    max_leaves=20,
)


def shown(tree: Tree, spare: bool) -> tuple[str, int]:
    """The tree as text, with its priority; `spare`: parentheses only where they are needed."""
    if isinstance(tree, int):
        return str(tree), 20
    if len(tree) == 2:
        text, priority = shown(tree[1], spare)
        if priority < 8 or not spare:
            text = f"({text})"
        return f"{tree[0]} {text}", 8
    priority = OPERATORS[tree[0]]
    left, left_priority = shown(tree[1], spare)
    right, right_priority = shown(tree[2], spare)
    if left_priority < priority or not spare:
        left = f"({left})"
    if right_priority <= priority or not spare:
        right = f"({right})"
    return f"{left}\n{tree[0]} {right}", priority


@given(TREES)
def test_priorities_are_those_which_parentheses_say(tree: Tree) -> None:
    state = _state()
    outcomes = []
    for spare in (True, False):
        text = "return pcall(function() return " + shown(tree, spare)[0] + "\nend)"
        good, value = run(state, text)
        outcomes.append((good, value if good else re.sub(rb"^[^ ]* ", b"", value)))
    assert repr(outcomes[0]) == repr(outcomes[1])  # a nan is not equal to itself


PIECES = st.sampled_from(
    "x y f ( ) { } [ ] , ; . : = == ~= + - * / % ^ .. ... # < > <= >= and or not nil true 1 2.5 "
    "'s' \"t\" [[l]] if then else elseif end while do for in repeat until return local function "
    "break & | ^^ << >> ~ ! != \\ 010 --c\n \n".replace(" ", "\0").split("\0")
)
_kept: list[State] = []


def _state() -> State:
    if not _kept:
        _kept.append(State(services()))
    return _kept[0]


def _native(state: State, source: bytes) -> object:
    return run(state, "return loadstring")(source, b"=x")


@given(st.lists(PIECES, max_size=60))
def test_any_tokens_keep_their_lines_and_plain_lua_its_text(pieces: list[str]) -> None:
    source = " ".join(["f()", *pieces]).encode()
    came = translated(source)
    assert came.count(b"\n") == source.count(b"\n")
    if not set(pieces) & {"&", "|", "^^", "<<", ">>", "~", "!", "!=", "\\", "010", "in"}:
        assert came == source


STATEMENTS = st.recursive(
    st.sampled_from(
        [
            "local a = f(1, 'x') .. [[y]]",
            "t.n = (t.n or 0) + 1",
            "a = {1, 2; k = function(...) return ... end, ['z'] = -1}",
            "f {1} 'x' [[y]] (2)",
            "t:m(1):m 'x'",
            "local s = '\\n\\065' ; (f or f)(s)",
            "out(#t, not a, a == b, a ~= b)",
            "for k, v in pairs(t) do out(k) end",
            "for _, v in ipairs({3, 4}) do out(v) end",
            "a = function(x) return x end",
            "local function g(x, ...) return x, ... end out(g(1, 2))",
        ]
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: f"do {one} end"),
        inner.map(lambda one: f"if a then {one} else\n{one} end"),
        inner.map(lambda one: f"repeat {one} until true"),
        inner.map(lambda one: f"while a do {one} break end"),
        inner.map(lambda one: f"for i = 1, 2 do\n{one} end"),
        inner.map(lambda one: f"out((function() {one} return 5 end)())"),
        st.tuples(inner, inner).map("\n".join),
    ),
    max_leaves=12,
)
FRAME: Final = """
local log, t, a, b = {}, setmetatable({}, {__index = {m = function(self) return self end}}), 1, 2
local function out(...)
  for i = 1, select("#", ...) do log[#log + 1] = tostring(select(i, ...)) end
end
local function f() return f end
f = setmetatable({}, {__call = function(self) return self end, __concat = function() return 1 end})
"""


@given(STATEMENTS)
def test_plain_lua_means_what_it_meant(body: str) -> None:
    """Beside an operator of the dialect, which makes it read all of it."""
    state = _state()
    frame = FRAME.replace("{__index", "{__tostring = function() return 't' end, __index")
    text = frame + body + "\nreturn table.concat(log, ',')"
    plain = _native(state, text.encode())
    dialect = state.load(b"local _ = 1 & 1 " + text.encode(), "test.lua")
    outcomes = []
    for function in (plain, dialect):
        try:
            outcomes.append(state.run_now(function))
        except ScriptError as error:
            outcomes.append((re.sub("^[^ ]* ", "", error.message),))
    assert strip(outcomes[0]) == strip(outcomes[1])


def strip(values: tuple[object, ...]) -> list[object]:
    """Without addresses, which differ."""
    return [re.sub(rb"0x[0-9a-f]+", b"0x", v) if isinstance(v, bytes) else v for v in values]


def test_time_grows_with_length_only() -> None:
    """Each shape which is nested or repeated; a second for 200 KB is a hundred times too long."""
    for piece in (
        b"x=a&",
        b"(",
        b"{",
        b"~",
        b"f(a|b)",
        b"a\\",
        b"function()",
        b"'",
        b"[[",
        b"--[[",
    ):
        short, long = (piece * (size // len(piece)) for size in (8_000, 64_000))
        taken = []
        gc.disable()  # It would look at all that other tests have left.
        for text in (short, long):
            begin = time.process_time()
            translated(b"1 & 1 " + text)
            taken.append(time.process_time() - begin)
        gc.enable()
        assert taken[1] < max(taken[0], 0.005) * 40, piece
