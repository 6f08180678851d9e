"""The page of Lua says what is declared for scripts."""

import reference_lua
from angarium.modules.lua.api.absent import MISSING
from angarium.modules.lua.declare import FUNCTIONS
from angarium.modules.lua.packages import declare_all


def test_the_page_is_made_from_the_functions_of_today() -> None:
    assert reference_lua.main(["--check"]) == 0


def test_every_function_is_on_it() -> None:
    declare_all()
    page = reference_lua.page()
    for name in reference_lua.ours(FUNCTIONS):
        if ":__" not in name:
            assert f"# {name}\n" in page or f"`{name}`" in page, name
    for what in MISSING:
        assert f"- {what}: " in page
