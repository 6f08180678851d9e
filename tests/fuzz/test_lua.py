"""Octets nobody wrote, in the place of a script: a result or a fault with its place.

Short in CI; `make fuzz` runs it long. `one` is what another fuzzer would call.
"""

import re
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.lua.dialect import translated
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from helpers.lua import services

SEEDS: Final = [
    b"local flags = O_CREAT | O_APPEND & ~1\nif a != b then return 0644 >> 2 end\n",
    b"for k, v in thing do print(k, '\\u00e4', [[long]], {1, x = 2}) end --[[ c ]]\n",
    b"local m = {}\nfunction m:f(a, ...) return (a ^^ 1) \\ 2, ... end\nreturn m:f(1)\n",
]
MARKS = st.sampled_from([bytes([mark]) for mark in b"()[]{}=<>~!&|^\\'\"-.,:;#\n\r0 aif"])
EDITS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 20), MARKS | st.binary(max_size=4)), max_size=8
)
_STATE: Final = State(services())


def one(octets: bytes) -> None:
    """Read a script. Raises AssertionError where a promise is broken."""
    text = translated(octets)
    assert text.count(b"\n") == octets.count(b"\n")
    try:
        _STATE.load(octets, "script.lua")
    except ScriptError as error:
        found = re.match(r"script\.lua:(\d+): ", error.message)
        assert found, error.message
        assert 1 <= int(found[1]) <= len(re.split(rb"\r\n|\n\r|\r|\n", octets)) + 1


@given(st.binary(max_size=200))
def test_any_octets_are_read(octets: bytes) -> None:
    one(octets)


@given(st.sampled_from(SEEDS), EDITS)
def test_a_script_with_accidents_is_read(seed: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    for at, length, put in edits:
        place = at % (len(seed) + 1)
        seed = seed[:place] + put + seed[place + length :]
    one(seed)
