"""msys.gauge_cache."""

import pytest

from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state

REQUIRE = 'require("msys.gauge_cache") local g = msys.gauge_cache '


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lua(clock: FakeClock) -> State:
    found = state(services())
    found.services.parts[Shared] = Shared(clock)
    return found


def test_an_entry_rises_falls_and_is_forgotten(lua: State, clock: FakeClock) -> None:
    source = """
        g.define("c", 10, 60)
        g.inc("c", "a") g.inc("c", "a") g.dec("c", "a") g.dec("c", "b") g.inc("c", "x")
        g.remove_item("c", "x")
        return g.get("c", "a"), g.get("c", "b"), g.get("c", "x"), g.get("c", "none")
    """
    assert run(REQUIRE + source, lua) == [1, -1, 0, 0]
    clock.advance(61)
    assert run(REQUIRE + 'return g.get("c", "a")', lua) == 0


@pytest.mark.parametrize(
    "call", ['g.inc("none", "a")', 'g.define("c", 0, 60)', 'g.define("c", 1, 0)', 'g.define("c")']
)
def test_what_cannot_be_is_an_error_of_lua(lua: State, call: str) -> None:
    with pytest.raises(ScriptError):
        run(REQUIRE + call, lua)


def test_a_cache_which_is_defined_again_is_the_same(lua: State) -> None:
    source = """
        g.define("c", 10, 60, true) g.inc("c", "a") g.define("c", 10, 60, 1)
        return g.get("c", "a")
    """
    assert run(REQUIRE + source, lua) == 1
