"""The objects of mail as scripts hold them, and strings which functions fill."""

import pytest

from angarium.core.reply import Reply
from angarium.modules.lua.api.kinds import reply, which
from angarium.modules.lua.bind import LuaError
from angarium.policy.context import Which
from helpers.guards import session
from helpers.objects import mail, refused, said


def test_objects_have_the_names_of_momentum() -> None:
    text = "return tostring(msg):match('^%a+_%a+'), tostring(ac):match('^[%a_]+')"
    assert said(text, mail(), session()) == [b"ec_message", b"accept_construct"]
    assert said("return type(msg), type(vctx)", mail(), session()) == [b"userdata", b"userdata"]


def test_a_string_is_filled_and_read() -> None:
    text = """
    local s = msys.core.string_new()
    local empty = #s
    s:set("abcdef")
    local whole = tostring(s)
    s:set("abcdef", 3)
    return empty, whole, s .. "!", #s, type(s)
    """
    assert said(text) == [0, b"abcdef", b"abc!", 3, b"userdata"]


def test_a_session_is_asked_by_methods_of_its_own_kind() -> None:
    said_no = refused("ac.esmtp_capability_add(vctx, 'X')", session())
    assert "accept_construct expected, got validate_context" in said_no


@pytest.mark.parametrize(
    ("code", "text", "made"),
    [
        (550, b"no", Reply(550, "no")),
        (550, b"5.7.1 no", Reply(550, "no", "5.7.1")),
        (0, b"421 4.3.2 later", Reply(421, "later", "4.3.2")),
        (250, b"one\r\ntwo", Reply(250, "one\ntwo")),
    ],
)
def test_a_reply_is_made_of_code_and_text(code: int, text: bytes, made: Reply) -> None:
    assert reply(code, text) == made


@pytest.mark.parametrize(("code", "text"), [(0, b"no code"), (99, b"x"), (600, b"x")])
def test_what_is_no_reply_is_an_error(code: int, text: bytes) -> None:
    with pytest.raises(LuaError):
        reply(code, text)


def test_dictionaries_have_numbers() -> None:
    assert which(1) is Which.MESSAGE
    with pytest.raises(LuaError, match="7 is neither"):
        which(7)
