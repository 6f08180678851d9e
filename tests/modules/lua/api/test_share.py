"""msys.shareGet, msys.shareSet, msys.shareUnset: no package has to be required."""

import pytest

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


@pytest.mark.parametrize(
    ("value", "got"), [('"text"', b"text"), ("1", 1), ("1.5", 1.5), ("true", True), ("nil", None)]
)
def test_a_variable_is_got_as_it_was_set(lua: State, value: str, got: object) -> None:
    assert run(f'return msys.shareSet("k", {value}), msys.shareGet("k")', lua) == [True, got]


def test_a_variable_may_be_unset(lua: State) -> None:
    source = 'msys.shareSet("k", 1) return msys.shareUnset("k"), msys.shareGet("k")'
    assert run(source, lua) == [True, None]
    assert run('return msys.shareUnset("k")', lua) is False


def test_what_is_too_long_is_not_kept_and_said_so(lua: State) -> None:
    assert run('return msys.shareSet("k", ("x"):rep(20000))', lua) is False
