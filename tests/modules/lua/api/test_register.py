"""msys.registerModule. What is registered is asked in test_scriptlet."""

import pytest

from angarium.modules.lua.api.register import registered
from helpers.objects import refused, said
from helpers.snippets import state


@pytest.mark.parametrize(
    "callout", ["init", "deinit", "rsrc_setup", "validate_data", "msg_gen_data_spool"]
)
def test_a_table_with_a_callout_is_registered(callout: str) -> None:
    lua = state()
    said(f"msys.registerModule('m', {{{callout} = function() end, other = 1}})", lua=lua)
    assert list(registered(lua).modules) == ["m"]


def test_a_table_without_one_is_refused() -> None:
    said_no = "no usable methods found for module m"
    assert said_no in refused("msys.registerModule('m', {validate_nothing = print, 5})")
    assert "table expected" in refused("msys.registerModule('m', 'x')")
