"""Operators on whole numbers, as the dialect has them: of 64 bits, negative ones by complement.

A number loses what is not whole, towards zero; one beyond 64 bits becomes the least of them, as the
conversion of the processors does on which Momentum runs.
"""

import math
from collections.abc import Callable
from typing import Final

from angarium.modules.lua.errors import LuaError

_LEAST: Final = -(2**63)
_MASK: Final = 2**64 - 1


def calculate(sign: bytes, left: float, right: float) -> float:
    """The result of an operator, which is a number of Lua again."""
    return float(_signed(_OPERATORS[sign](_whole(left), _whole(right))))


def _whole(number: float) -> int:
    if not math.isfinite(number) or not _LEAST <= number < -_LEAST:
        return _LEAST
    return int(number)


def _signed(number: int) -> int:
    number &= _MASK
    return number - 2**64 if number > -_LEAST - 1 else number


def _distance(number: int) -> int:
    """How far to shift: the processors look at six bits; we say so where more are given."""
    if not 0 <= number < 64:
        raise LuaError("a shift is by 0 to 63 bits")
    return number


_OPERATORS: Final[dict[bytes, Callable[[int, int], int]]] = {
    b"&": lambda left, right: left & right,
    b"|": lambda left, right: left | right,
    b"^^": lambda left, right: left ^ right,
    b"<<": lambda left, right: left << _distance(right),
    b">>": lambda left, right: left >> _distance(right),
    b"~": lambda left, _: ~left,
}
