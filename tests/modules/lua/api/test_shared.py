"""What a script may give as an address, by the functions which take one."""

import pytest

from angarium.modules.lua.errors import ScriptError
from angarium.policy.context import Session
from angarium.policy.hooks import Connect
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state

DEFINE = 'require("msys.audit_series") msys.audit_series.define("s", "cidr", 60, 2); '


def test_where_nothing_is_shared_it_says_so() -> None:
    with pytest.raises(ScriptError, match="what is shared on the node is not available here"):
        run('require("msys.counter") msys.counter.inc("/a")')


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ('"localhost"', "'localhost' is no address"),
        ('"10.0.0.1/33"', "no prefix length"),
        ("true", "a string or an accept construct"),
        ("nil", "nobody is connected"),
        ('"/24"', "nobody is connected"),
    ],
)
def test_what_is_no_address_is_an_error_of_lua(key: str, why: str) -> None:
    lua = state(services())
    lua.services.parts[Shared] = Shared(FakeClock())
    with pytest.raises(ScriptError, match=why):
        run(f'{DEFINE} msys.audit_series.count("s", {{ key = {key} }})', lua)


def test_the_peer_is_meant_where_no_address_is_given() -> None:
    lua = state(services())
    lua.services.parts[Shared] = Shared(FakeClock())
    lua.situation = Connect(Session(peer=("192.0.2.9", 1)))
    source = (
        DEFINE
        + """
        msys.audit_series.add("s")
        msys.audit_series.add("s", "192.0.2.10")
        local count = msys.audit_series.count
        return count("s"), count("s", "/24"), count("s", { key = "/24" }), count("s", "192.0.2.10")
    """
    )
    assert run(source, lua) == [1, 2, 2, 1]
