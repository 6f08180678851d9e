"""msys.counter, as the manual's example uses it."""

import pytest

from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state


@pytest.fixture
def lua() -> State:
    found = state(services())
    found.services.parts[Shared] = Shared(FakeClock())
    return found


def test_counters_are_changed_by_handle_and_by_path(lua: State) -> None:
    source = """
        require("msys.counter")
        local c = msys.counter
        local strict = c.open("/lua/strict")
        c.inc(strict) c.inc("/lua/strict") c.add(strict, 3)
        local relaxed = c.open("/lua/relaxed", c.RELAXED)
        c.add(relaxed, 1024)
        c.add("/lua/new", c.read("/lua/relaxed"))
        return c.read(strict), c.read("/lua/relaxed"), c.read("/lua/new"), c.read("/lua/none")
    """
    assert run(source, lua) == [5, 1024, 1024, 0]
    shared = lua.services.parts[Shared]
    assert isinstance(shared, Shared)
    assert [each.semantics for _, _, each in shared.counters.items()] == [0, 1, 0]


def test_counters_are_reset_and_forgotten(lua: State) -> None:
    source = """
        require("msys.counter")
        local c = msys.counter
        local one = c.open("/one")
        c.add(one, 5) c.reset(one) c.inc(one)
        c.reset("/two")
        c.add("/three", 5) c.unlink("/three")
        return c.read(one), c.read("/two"), c.read("/three")
    """
    assert run(source, lua) == [1, 0, 0]


@pytest.mark.parametrize(
    "call", ['c.open("")', 'c.open(("x"):rep(201))', "c.inc({})", "c.add('/a', 'x')", "c.inc(nil)"]
)
def test_what_cannot_be_is_an_error_of_lua(lua: State, call: str) -> None:
    with pytest.raises(ScriptError):
        run(f'require("msys.counter") local c = msys.counter; {call}', lua)
