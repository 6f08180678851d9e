"""Declarations: what a signature says, and what is refused. Their use is in test_bind."""

from collections.abc import Awaitable
from typing import Any

import pytest

from angarium.core.errors import Error
from angarium.modules.lua.bind import Runtime, Several, Table, lua, lua_constants, lua_object
from angarium.modules.lua.declare import FUNCTIONS, OBJECTS, kind_of


@lua_object("twin", "test_twin_first")
class Twin:
    """Two kinds in one."""


lua_object("twin2", "test_twin_second")(Twin)


class Younger(Twin):
    """One of them by birth."""


@lua("test.declare.all", package="test.other", phases=("data",), since="9.9")
def everything(
    runtime: Runtime, a: bytes, b: int | None = None, c: Table | str = "", *rest: object
) -> bytes | Awaitable[bytes]:
    """Take all."""
    return a


@lua("twin2:name")
def name(self: Twin, other: Twin | None = None) -> Several:
    """Tell."""
    return Several(1)


@lua("test.declare.plain")
async def plain() -> None:
    """Wait."""


def test_a_declaration_says_what_the_signature_does() -> None:
    made = FUNCTIONS["test.declare.all"]
    assert (made.package, made.phases, made.since) == ("test.other", ("data",), "9.9")
    assert (made.wants_runtime, made.waits, made.maybe) == (True, False, True)
    assert [each.name for each in made.parameters] == ["a", "b", "c", "rest"]
    assert [each.required for each in made.parameters] == [True, False, False, False]
    assert [each.expected for each in made.parameters] == [
        "string", "number or nil", "table or string", "value",
    ]  # fmt: skip
    assert made.results == (bytes,)
    assert FUNCTIONS["test.declare.plain"].waits
    assert FUNCTIONS["test.declare.plain"].package == "test.declare"


def test_a_class_may_be_several_kinds_and_a_method_is_of_one() -> None:
    made = FUNCTIONS["twin2:name"]
    assert (made.tag, made.is_method) == ("twin2", True)
    assert made.parameters[0].kinds == ("test_twin_second",)
    assert made.parameters[1].kinds == ("test_twin_first", "test_twin_second")
    for cls in (Twin, Younger):
        assert kind_of(cls) is OBJECTS["twin"]
    assert kind_of(int) is None


def test_what_cannot_be_declared() -> None:
    def undocumented() -> None:
        pass

    def named(*, a: int) -> None:
        """Take a name."""

    def strange(a: list[int]) -> None:
        """Take what Lua has not."""

    cases: list[tuple[Any, str]] = [
        (undocumented, "says what it does"), (named, "a place"), (strange, "no such type"),
    ]  # fmt: skip
    for function, said in cases:
        with pytest.raises(Error, match=said):
            lua("test.declare.wrong")(function)


def test_a_name_is_declared_once() -> None:
    with pytest.raises(Error, match="declared twice"):
        lua("test.declare.plain")(plain)
    lua_constants("test.declare", ONE=1)
    with pytest.raises(Error, match="declared twice"):
        lua_constants("test.declare", ONE=1)
