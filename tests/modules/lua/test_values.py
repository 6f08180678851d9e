"""Values between Python and Lua. Tables and functions of scripts are in test_bind."""

import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.lua.api.core import DomainRecord
from angarium.modules.lua.bind import LuaError, Table
from angarium.modules.lua.limits import Limits
from angarium.modules.lua.runtime import State
from helpers.lua import services
from helpers.objects import shared_state

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.binary()
    | st.floats(allow_nan=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.binary(min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=10,
)


def there_and_back(value: object, state: State | None = None) -> Any:
    state = state or shared_state()
    came = state.from_lua(state.kept(state.to_lua(value)))
    return came.plain() if isinstance(came, Table) else came


def expected(value: object) -> object:
    """As Lua has it: nothing stands at nil, and what is empty has no kind."""
    if isinstance(value, list):
        kept = {n: expected(one) for n, one in enumerate(value, 1) if one is not None}
        return list(kept.values()) if kept and len(kept) == max(kept) else kept
    if isinstance(value, dict):
        return {key: expected(one) for key, one in value.items() if one is not None}
    return value


@given(VALUES)
def test_values_come_back_as_they_went(value: object) -> None:
    assert there_and_back(value) == expected(value)


def test_text_is_utf8() -> None:
    assert there_and_back(["ä\udcff"]) == [b"\xc3\xa4\xff"]


def test_large_tables_go_in_pieces() -> None:
    assert there_and_back(list(range(5000))) == list(range(5000))
    many = {f"k{n}".encode(): n for n in range(3000)}
    assert there_and_back(many) == many


def test_numbers_beyond_lua_lose_their_last_digits() -> None:
    assert there_and_back(2**70) == float(2**70)
    assert there_and_back(-(2**60) - 1) == float(-(2**60))


def test_what_lua_has_nothing_for_is_an_error() -> None:
    with pytest.raises(LuaError, match="nothing for a object"):
        shared_state().to_lua([object()])
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(LuaError, match="too deep"):
        shared_state().to_lua(deep)


def test_what_has_no_room_is_not_made() -> None:
    state = State(services(), Limits(memory=8 << 20))
    assert there_and_back(b"x" * (1 << 20), state) == b"x" * (1 << 20)
    with pytest.raises(LuaError, match="not enough memory"):
        state.to_lua([b"x" * (16 << 20)])


def test_what_lua_holds_lives_whenever_it_was_given_before() -> None:
    state = State(services())
    given = state.load(
        b"kept = {} return function(one, keep) if keep then kept[one] = 1 end end", "t"
    )
    [give] = state.run_now(given)
    state.run_now(state.load(b"junk = {} for i = 1, 5000 do junk[i] = {} end", "t"))
    lost = 0
    for steps in range(400):
        records = [DomainRecord("x.example") for _ in range(5)]
        for keep in (False, True):
            for held in map(state.to_lua, records):
                state.run_now(give, held, keep)
            # The collector may stand anywhere when an object is given again.
            for _ in range(steps % 97):
                state.collect(b"step", 0)
        known = [weakref.ref(each) for each in records]
        records.clear()
        for _ in range(20):
            state.collect(b"step", 0)
        lost += sum(each() is None for each in known)
        state.run_now(state.load(b"kept = {}", "t"))
    assert lost == 0
