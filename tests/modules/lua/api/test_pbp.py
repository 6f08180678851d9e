import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.modules.lua.bind import lua
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.net.dnscache import Resolver
from angarium.policy.context import Session
from angarium.policy.mail import Mail
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.node import Shared
from angarium.policy.shared.presence import SMTP
from helpers.clock import FakeClock
from helpers.dns import FakeDns
from helpers.lua import services
from helpers.snippets import running, state

held: list[Session] = []


@lua("test.pbp.session")
def given() -> Session:
    """Return the session of the test."""
    return held[-1]


ZONE = """
1.2.0.192.in-addr.arpa  PTR  mail.a.example
mail.a.example          A    192.0.2.1
2.2.0.192.in-addr.arpa  PTR  liar.example
liar.example            A    198.51.100.1
3.2.0.192.in-addr.arpa  TIMEOUT
4.2.0.192.in-addr.arpa  PTR  dead.example
dead.example            SERVFAIL
"""


def _lua(address: str = "192.0.2.1") -> tuple[State, Session]:
    made = services()
    made.parts[Resolver] = FakeDns(ZONE)
    session = Session(peer=(address, 25))
    held.append(session)
    return state(made), session


async def test_who_is_put_on_a_list_is_on_it() -> None:
    lua, session = _lua()
    source = """
        local vctx, pbp = test.pbp.session(), msys.pbp
        local before = pbp.check_whitelist(vctx, "good")
        pbp.set_whitelist(vctx, msys.core.VCTX_CONN, "good", true)
        return before, pbp.check_whitelist(vctx, "good"),
          pbp.check_whitelist(vctx, { "x", "good" }),
          pbp.check_whitelist(vctx, { honor_whitelist = { "good" } }),
          pbp.check_whitelist(vctx, { "other" }), pbp.check_whitelist(vctx, nil)
    """
    assert await running(source, lua) == [False, True, True, True, False, False]
    assert session.variables == {"dp_whitelist_good": "true"}


async def test_who_is_taken_off_a_list_is_not() -> None:
    lua, session = _lua()
    session.variables["dp_whitelist_good"] = "true"
    source = """
        local vctx = test.pbp.session()
        msys.pbp.set_whitelist(vctx, msys.core.VCTX_CONN, "good", false)
        return msys.pbp.check_whitelist(vctx, "good")
    """
    assert await running(source, lua) is False


async def test_a_list_may_be_for_the_message_only() -> None:
    lua, session = _lua()
    source = """
        local vctx = test.pbp.session()
        msys.pbp.set_whitelist(vctx, msys.core.VCTX_MESS, "good", ON)
        return msys.pbp.check_whitelist(vctx, "good")
    """
    with pytest.raises(ScriptError, match="no message yet"):
        await running(source, lua)
    session.mail = Mail(Message("", MemoryBody(b"")), [], session)
    assert await running(source.replace("ON", "true"), lua) is True
    assert session.variables == {}
    assert await running(source.replace("ON", "false"), lua) is False


@pytest.mark.parametrize(
    ("address", "found", "name", "status"),
    [
        ("192.0.2.1", [True, None, None], "mail.a.example", "true"),
        ("192.0.2.2", [False, None, None], "liar.example", "false"),
        ("192.0.2.3", [False, b"TIMEOUT", None], "", "false"),
        ("192.0.2.4", [False, None, b"SERVFAIL"], "dead.example", "false"),
        ("192.0.2.9", [False, b"NXDOMAIN", None], "", "false"),
    ],
)
async def test_a_peer_has_a_name_which_leads_back_to_it_or_not(
    address: str, found: list[object], name: str, status: str
) -> None:
    lua, session = _lua(address)
    source = "local s = test.pbp.session(); return msys.pbp.fcdns_check(s, s)"
    assert await running(source, lua) == found
    assert session.variables == {"reverse_dns": name, "fcdns_status": status}


async def test_sessions_around_the_peer_are_counted() -> None:
    lua, _ = _lua()
    shared = Shared(FakeClock())
    lua.services.parts[Shared] = shared
    presence = shared.define_presence(SMTP)
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.77", "198.51.100.1"):
        presence.add(packed(address), 1)
    source = """
        local ac = test.pbp.session()
        return ac:pbp_inbound_session_count_service("SMTP", "/32"),
          ac:pbp_inbound_session_count_service("SMTP", "/24"),
          ac:pbp_inbound_session_count_service("SMTP", "/0")
    """
    assert await running(source, lua) == [2, 3, 4]


async def test_sizes_are_octets() -> None:
    lua, _ = _lua()
    source = 'return msys.pbp.size_in_bytes("30m"), msys.pbp.size_in_bytes(5)'
    assert await running(source, lua) == [30 * 1024 * 1024, 5]
    with pytest.raises(ScriptError, match="'much' is no size"):
        await running('return msys.pbp.size_in_bytes("much")', lua)


async def test_something_else_than_a_session_is_an_error() -> None:
    lua, _ = _lua()
    with pytest.raises(ScriptError, match="accept construct"):
        await running('return msys.pbp.check_whitelist({}, "x")', lua)
