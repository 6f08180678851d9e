"""What lies outside of Lua."""

import pytest

from angarium.modules.lua.bind import LuaError
from angarium.modules.lua.services import Services
from helpers.clock import FakeClock


def test_a_part_is_found_by_its_type_or_said_to_be_missing() -> None:
    services = Services(FakeClock())
    services.parts[str] = "here"
    assert services.part(str, "a text") == "here"
    with pytest.raises(LuaError, match="a number is not available here"):
        services.part(int, "a number")


def test_nobody_need_listen() -> None:
    services = Services(FakeClock())
    services.panic("x")
    services.show("x")
