"""Limits of scripts: an engine without options has those which the options have unset."""

import pytest

from angarium.modules.lua.limits import DEFAULTS
from angarium.modules.lua.options import Scriptlet


@pytest.mark.parametrize(
    ("field", "option"),
    [("seconds", "time_limit"), ("jit", "jit"), ("spare", "max_spare_per_master")],
)
def test_what_is_not_said_is_as_the_option_has_it(field: str, option: str) -> None:
    assert getattr(DEFAULTS, field) == vars(Scriptlet)[option].default
