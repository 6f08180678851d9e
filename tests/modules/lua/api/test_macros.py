import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.net.dnscache import Resolver
from angarium.policy.context import Session
from angarium.policy.hooks import Connect, Data
from angarium.policy.mail import Mail
from helpers.dns import FakeDns
from helpers.lua import services
from helpers.snippets import running, state

ZONE = "1.2.0.192.in-addr.arpa PTR mail.a.example\nmail.a.example A 192.0.2.1"


def _lua(zone: str = ZONE) -> tuple[State, Session]:
    made = services()
    made.parts[Resolver] = FakeDns(zone)
    session = Session(peer=("192.0.2.1", 25))
    session.variables["ehlo_domain"] = "a.example"
    lua = state(made)
    lua.situation = Connect(session)
    return lua, session


async def test_what_is_known_of_the_session_is_put_in() -> None:
    lua, _ = _lua()
    source = 'return msys.expandMacro("%{vctx_conn:ehlo_domain} from %{spfv1:i} %{i}")'
    assert await running(source, lua) == b"a.example from 192.0.2.1 192.0.2.1"


async def test_the_name_of_the_peer_is_looked_up() -> None:
    lua, _ = _lua()
    source = 'return msys.expandMacro("we do not want mail from %{spfv1:p}")'
    assert await running(source, lua) == b"we do not want mail from mail.a.example"
    lua, _ = _lua("")
    assert await running(source, lua) == b"we do not want mail from unknown"


async def test_where_nothing_may_wait_the_name_is_unknown() -> None:
    lua, _ = _lua()
    assert lua.run_now(lua.load(b'return msys.expandMacro("%{p}")', "t")) == (b"unknown",)


async def test_the_message_is_put_in() -> None:
    lua, session = _lua()
    message = Message("x@y.example", MemoryBody(b"\r\nbody\r\n"), header=b"Subject: hi\r\n")
    message.variables["k"] = "v"
    lua.situation = Data(Mail(message, [], session), session)
    source = 'return msys.expandMacro("%{rfc2822:headers}%{vctx_mess:k} %{s} %m")'
    assert await running(source, lua) == b"Subject: hi\r\nv x@y.example x"


async def test_without_a_session_there_is_nothing_to_put_in() -> None:
    assert await running('return msys.expandMacro("<%{i}%{vctx_mess:k}%{p}>")', state()) == (
        b"<unknown>"
    )


async def test_a_text_is_needed() -> None:
    with pytest.raises(ScriptError, match="string expected"):
        await running("return msys.expandMacro()", state())
