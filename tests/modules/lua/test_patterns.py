"""Searches with Lua's patterns: done here they find what C finds, and none runs for ever."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.limits import Limits
from angarium.modules.lua.runtime import State
from helpers.lua import services

# All that scripts may ask about a subject and a pattern, as one text.
ASK: Final = rb"""
local s, p = ...
local function told(f, ...)
  local found, shown = {pcall(f, ...)}, {}
  for at = 1, table.maxn(found) do shown[at] = tostring(found[at]) end
  if not found[1] then shown[2] = shown[2]:gsub("^.-:%d+: ", "") end
  return table.concat(shown, "|")
end
local function all()
  local found = {}
  for a, b in string.gmatch(s, p) do
    found[#found + 1] = tostring(a) .. "," .. tostring(b)
  end
  return table.concat(found, ";")
end
return table.concat({
  told(string.find, s, p), told(string.find, s, p, -3), told(string.match, s, p, 2),
  told(string.gsub, s, p, "<%0%1%%>"), told(string.gsub, s, p, {a = "X", b = false}),
  told(string.gsub, s, p, function(...) return (...) == "a" and select("#", ...) end, 2),
  told(string.gsub, s, p, 7), told(string.gsub, s, p, function() return {} end), told(all),
}, "\n")
"""
PIECES: Final = [
    "a", "b", ".", "%a", "%d", "[ab]", "[^a]", "[a-c]", "%s", "%.", "]", "[]]", "[%a_]", "^", "$",
    "-", "%f[a]", "%bab", "()", "%1", "(a*)", "(.-)", "(b)", "((a)b*)", "%", "(", ")", "[", "\0",
]  # fmt: skip
PATTERNS = st.builds(
    lambda head, pieces, tail: head + "".join(map("".join, pieces)) + tail,
    st.sampled_from(["", "^"]),
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", "*", "+", "-", "?"]))
             , max_size=5),
    st.sampled_from(["", "$"]),
)  # fmt: skip


def state(steps: int) -> State:
    return State(services(), Limits(seconds=60, steps=steps))


# All is for C; nothing is; and one place at a time is.
STATES: Final = [state(10**15), state(0), state(40)]
ASKED: Final = [each.load(ASK, "ask") for each in STATES]


@given(st.text("aabbc1 .x]\0", max_size=12), PATTERNS)
def test_what_is_found_here_is_what_c_finds(subject: str, pattern: str) -> None:
    said = [
        each.run_now(asked, subject.encode(), pattern.encode())[0]
        for each, asked in zip(STATES, ASKED, strict=True)
    ]
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize(
    "search",
    [
        '(("a"):rep(1e6)):find(".-.-.-x")',
        '(("a"):rep(1e6)):find("a-x")',
        '(("a"):rep(1e6)):match("%s*(a*)(a*)%d")',
        '(("a"):rep(2e5)):gsub("a-(a-)x", "%1")',
        '(("a"):rep(30)):find(("a?"):rep(30) .. ("a"):rep(31))',
        'string.gmatch(("a"):rep(1e6), "a*b")()',
        'pcall(string.find, ("a"):rep(1e6), "a-.-x")',
        '(("%b"):rep(1e6)):find("(.*)%d(.*)%1")',
    ],
)
def test_a_search_without_end_is_stopped_in_time(search: str) -> None:
    lua = State(services(), Limits(seconds=0.05))
    with pytest.raises(ScriptError, match=r"more than 0\.05 s"):
        lua.run_now(lua.load(f"local n = 1 return n, {search}".encode(), "s"))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (r'#(("h: v\r\n"):rep(1e5) .. "\r\nbody"):match("^(.-)\r\n\r\n(.*)$")', 599_998),
        ('(("a"):rep(1e6)):match(".-x")', None),
        ('#(("  x "):rep(1000)):match("^%s*(.-)%s*$")', 3997),
        ('select(2, (("word "):rep(2e4)):gsub("%a+", "x"))', 20_000),
        ('(("a"):rep(2e6)):find(("a"):rep(1e6) .. "b", 1, true)', None),
        ('(("a"):rep(2e6) .. "b"):find(("a"):rep(1e6) .. "b", -2e6)', 1_000_001),
        ('#string.rep("", 1e15)', 0),
        ('#string.rep("", 1e15, "")', 0),
    ],
)
def test_what_scripts_do_with_large_texts_is_done(search: str, found: object) -> None:
    lua = State(services(), Limits(seconds=30))
    assert lua.run_now(lua.load(f"local r = {search} return r".encode(), "s"))[0] == found


def test_what_is_wrong_is_told_at_the_line_of_the_script() -> None:
    lua = State(services())
    for call in ('string.find(nil, "a")', 'string.match("a", "(")', '("a"):gsub("a")'):
        with pytest.raises(ScriptError, match=r"^s:2: "):
            lua.run_now(lua.load(f"\n{call}".encode(), "s"))


def test_many_patterns_are_not_kept() -> None:
    lua = State(services())
    before = lua.memory
    lua.run_now(lua.load(b"for n = 1, 20000 do string.find('a', 'b*' .. n) end", "s"))
    lua.collect()
    assert lua.memory - before < 4_000_000
