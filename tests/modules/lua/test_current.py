"""Which session and which message a script is called for."""

from types import SimpleNamespace

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.modules.lua import current
from angarium.modules.lua.errors import LuaError
from angarium.policy.context import Session
from angarium.policy.hooks import Connect, Data
from angarium.policy.mail import Mail


def test_of_no_call_there_is_neither() -> None:
    lua = SimpleNamespace(situation=None)
    assert current.about(lua) == (None, None)
    with pytest.raises(LuaError, match="nobody is connected"):
        current.peer(lua)


def test_a_session_has_the_message_under_way() -> None:
    session = Session(peer=("192.0.2.1", 25))
    lua = SimpleNamespace(situation=Connect(session))
    assert current.about(lua) == (session, None)
    session.mail = Mail(Message("", MemoryBody(b"")), [], session)
    assert current.mail(lua) is session.mail
    assert current.peer(lua) == "192.0.2.1"


def test_a_message_has_the_session_which_brings_it() -> None:
    session = Session(peer=("192.0.2.1", 25))
    mail = Mail(Message("", MemoryBody(b"")), [], session)
    assert current.session(SimpleNamespace(situation=Data(mail))) is session
