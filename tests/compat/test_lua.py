"""What the manual says scripts may call: each function, with its parameters; callouts, constants.

`lua.json` has the facts, made by tools/facts_lua.py. Where we differ the reason stands here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.modules.lua.api.register import CALLOUTS
from angarium.modules.lua.declare import CONSTANTS, FIELDS, FUNCTIONS, LuaFunction
from angarium.modules.lua.packages import declare_all

declare_all()
FACTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("lua.json").read_text())

_HTTP: Final = "a method of sessions of HTTP delivery, which is not there"
NOT_THERE: Final[Mapping[str, str]] = {
    "sess:request_add_header": _HTTP,
    "sess:request_delete_header": _HTTP,
    "sess:request_finalize": _HTTP,
    "sess:request_set_body": _HTTP,
}
# Names samples use which are not those of the manual.
MISPRINTS: Final = {"msys.audit.connection": "msys.audit.connections"}
# Of objects by the name samples give them.
PLACES: Final = {"io_object": "io"}
NO_CONSTANTS: Final[Mapping[str, str]] = {
    "msys.delivery.DELIVERY_CONTINUE": _HTTP,
    "msys.delivery.DELIVERY_DONE": _HTTP,
}


def known(name: str) -> LuaFunction | None:
    tag, colon, last = name.partition(":")
    return FUNCTIONS.get(f"{PLACES.get(tag, tag)}:{last}" if colon else MISPRINTS.get(name, name))


@pytest.mark.parametrize("stated", FACTS["functions"], ids=lambda each: each["name"])
def test_each_function_takes_what_the_manual_says(stated: dict[str, Any]) -> None:
    name = stated["name"]
    if name in NOT_THERE:
        assert known(name) is None, f"{name} is there now"
        return
    if name in FIELDS:
        return
    made = known(name)
    assert made is not None, name
    ours = made.parameters[1:] if made.is_method else made.parameters
    if any(each.rest for each in ours):
        return
    assert len(ours) >= len(stated["parameters"]), name
    for parameter, (shown, optional) in zip(ours, stated["parameters"], strict=False):
        assert not (optional and parameter.required), f"{name}: {shown} may be left out"


@pytest.mark.parametrize("name", FACTS["used"])
def test_what_samples_use_is_there(name: str) -> None:
    assert name in NOT_THERE or known(name) is not None


@pytest.mark.parametrize("name", FACTS["callouts"])
def test_each_callout_is_known(name: str) -> None:
    assert name in CALLOUTS


@pytest.mark.parametrize("name", FACTS["constants"])
def test_each_constant_is_there(name: str) -> None:
    assert name in CONSTANTS or name in NO_CONSTANTS or name.startswith("curl.")
