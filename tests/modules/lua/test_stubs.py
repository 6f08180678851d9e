"""Stubs: what stands between scripts and functions of Python, for all which are declared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.lua.declare import FUNCTIONS
from angarium.modules.lua.packages import declare_all
from angarium.modules.lua.stubs import literal, quoted, stub
from helpers.objects import shared_state

declare_all()


@given(st.binary())
def test_any_string_is_written_so_that_lua_reads_it(octets: bytes) -> None:
    state = shared_state()
    [came] = state.run_now(state.load(f"return {quoted(octets)}".encode(), "t"))
    assert came == octets


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "nil"), (True, "true"), (3, "3"), (0.5, "0.5"), ("ä", '"\\195\\164"'), (b"x", '"x"')],
)
def test_defaults_are_written_as_lua(value: object, text: str) -> None:
    assert literal(value) == text


def test_what_is_no_default_is_a_fault() -> None:
    with pytest.raises(TypeError):
        literal(object())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_stub_is_lua(name: str) -> None:
    shared_state().load(stub(FUNCTIONS[name]).encode(), name)
