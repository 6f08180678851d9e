"""msys.registerAuth: a scheme of a script says who a client is."""

from pathlib import Path
from typing import Any

import pytest

from angarium.inbound.authenticators import Visit
from angarium.inbound.errors import TroubleError
from angarium.modules.lua.scriptlet import Scriptlet
from angarium.wire.sasl.exchange import Claim
from helpers.guards import Place, session

SCRIPT = """
require "msys.core"
local mod, auth = {}, {}
function auth:enumGroups(username)
  if username == "tim" then return { "admin", "users" } end
  return msys.core.EC_AUTH_FAIL
end
function auth:authenticate(filename, params, username, password)
  if username == "broken" then error("no such thing") end
  if username == "later" then return msys.core.EC_AUTH_ERROR end
  if username == "nothing" then return end
  if username == "tim" and password == filename and params.uri == "My://secret" then
    return msys.core.EC_AUTH_OK
  end
  return msys.core.EC_AUTH_FAIL
end
function mod:init()
  msys.registerAuth("My", auth)
  return true
end
msys.registerModule("mine", mod)
"""


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    (tmp_path / "mine.lua").write_text(SCRIPT)
    text = f'scriptlet "scriptlet" {{ script "mine" {{ source = "{tmp_path}/mine" }} }}'
    made = Place(tmp_path, text)
    made.module(Scriptlet)
    return made


async def known(place: Place, user: str, password: str, **visit: Any) -> Any:
    who = place.policing.schemes["my"]
    found: Any = who.check(
        Claim("PLAIN", user, "clear", password), Visit(uri="My://secret", **visit)
    )
    return await found


async def test_a_script_says_yes_or_no(place: Place) -> None:
    assert await known(place, "tim", "secret") == "tim"
    assert await known(place, "tim", "wrong") is None


async def test_policy_is_told_the_groups(place: Place) -> None:
    who = session()
    await known(place, "tim", "secret", session=who)
    assert who.variables["auth_groups"] == "admin,users"


@pytest.mark.parametrize("user", ["later", "nothing", "broken"])
async def test_what_a_script_cannot_say_is_no_no(place: Place, user: str) -> None:
    with pytest.raises(TroubleError):
        await known(place, user, "x")
    told = [text for _, text in place.panics if "no such thing" in text]
    assert bool(told) is (user == "broken")
