"""Operators on whole numbers: 64 bits, negative ones by complement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.lua.errors import LuaError
from angarium.modules.lua.whole import calculate

SMALL = st.integers(-(2**52), 2**52)


@given(SMALL, SMALL)
def test_logic_is_that_of_all_whole_numbers(left: int, right: int) -> None:
    assert calculate(b"&", left, right) == left & right
    assert calculate(b"|", left, right) == left | right
    assert calculate(b"^^", left, right) == left ^ right
    assert calculate(b"~", left, left) == ~left


@pytest.mark.parametrize(
    ("sign", "left", "right", "value"),
    [
        (b"<<", 1, 63, -(2**63)),
        (b"<<", 3, 62, -(2**62)),
        (b">>", -8, 1, -4),
        (b">>", 2.9, 1, 1),
        (b"|", float("inf"), 0, -(2**63)),
        (b"|", float("nan"), 0, -(2**63)),
        (b"|", 1e300, 0, -(2**63)),
    ],
)
def test_what_leaves_the_bits(sign: bytes, left: float, right: float, value: float) -> None:
    assert calculate(sign, left, right) == value


@pytest.mark.parametrize("distance", [-1, 64, 1e9])
def test_a_shift_is_within_the_bits(distance: float) -> None:
    with pytest.raises(LuaError, match="0 to 63"):
        calculate(b"<<", 1, distance)
