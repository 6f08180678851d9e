"""Which names are globals, and what is done with them."""

import pytest

from angarium.modules.lua.dialect import tokens_of
from angarium.modules.lua.scopes import How, UnreadableError, uses_of


def globals_of(text: str) -> list[tuple[str, How]]:
    return [
        (".".join((each.name, *each.members)), each.how) for each in uses_of(tokens_of(text) or [])
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1", [("x", How.SET)]),
        ("x.y.z = 1", [("x.y.z", How.DEFINE)]),
        ("x[1] = 1", [("x", How.INDEX)]),
        ("function x() end", [("x", How.SET)]),
        ("function x.y:z() self() end", [("x.y.z", How.DEFINE)]),
        ("x.y(1)", [("x.y", How.CALL)]),
        ("x.y'a'.z{}", [("x.y", How.CALL)]),
        ("x:y(z)", [("x.y", How.METHOD), ("z", How.VALUE)]),
        ("local a = x .. 1", [("x", How.OPERATE)]),
        ("local a = #x", [("x", How.OPERATE)]),
        ("if not x then end", [("x", How.TEST)]),
        ("return x and x.y", [("x", How.TEST), ("x.y", How.TEST)]),
        ("local a = x == nil", [("x", How.TEST)]),
        ("local x = x", [("x", How.VALUE)]),
        ("local x, y = 1; x(y)", []),
        ("local function x() return x() end", []),
        ("local x = function() return x() end", [("x", How.CALL)]),
        ("for i, v in x do i(v) end i()", [("x", How.VALUE), ("i", How.CALL)]),
        ("for i = 1, x do end", [("x", How.VALUE)]),
        ("repeat local x = 1 until x", []),
        ("do local x end x()", [("x", How.CALL)]),
        ("local t = {x = y, [z] = 1; w}", [("y", How.VALUE), ("z", How.VALUE), ("w", How.VALUE)]),
        ("local t = {} t.x = t.y", []),
        ("return function(a, ...) return a, b, ... end", [("b", How.VALUE)]),
        ("goto done ::done::", []),
        ("while x != 1 do y = ~z & 1 end", [
            ("x", How.TEST), ("y", How.SET), ("z", How.OPERATE)]),
        ("a, b.c = d, 1", [("a", How.SET), ("b.c", How.DEFINE), ("d", How.VALUE)]),
    ],
)  # fmt: skip
def test_what_is_done_with_globals(text: str, found: list[tuple[str, How]]) -> None:
    assert globals_of(text) == found


def test_a_use_knows_the_functions_around_it() -> None:
    text = "x() function f() local function g() y() end end"
    assert [each.within for each in uses_of(tokens_of(text) or [])] == [(), (), ("f", "g")]


@pytest.mark.parametrize(
    "text", ["x", "x = ", "x 1", "if x", "end", "local 1", "{", "sign with", "f(" * 200 + ")" * 200]
)
def test_what_is_no_lua_or_too_deep_cannot_be_read(text: str) -> None:
    with pytest.raises(UnreadableError):
        globals_of(text)


def test_long_chains_of_operators_are_not_deep() -> None:
    assert len(globals_of("return " + " .. ".join(["x"] * 5000))) == 5000
