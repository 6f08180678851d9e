"""The two dictionaries of strings."""

import pytest

from helpers.guards import session
from helpers.objects import asked, each, mail, refused, said


@pytest.mark.parametrize("family", ["VCTX", "ECMESS_CTX"])
@pytest.mark.parametrize("kind", ["MESS", "CONN"])
def test_a_variable_of_a_message_is_set_read_and_forgotten(family: str, kind: str) -> None:
    text = f"""
    local t = msys.core.{family}_{kind}
    local none, there = msg:context_get(t, "k"), msg:context_exists(t, "k")
    msg:context_set(t, "k", 5)
    local one, value = msg:context_exists_and_get(t, "k")
    return none, there, msg:context_get(t, "k"), one, value, msg:context_delete(t, "k"),
      msg:context_delete(t, "k"), msg:context_exists_and_get(t, "k")
    """
    assert said(text, mail(session=session())) == [b"", 0, b"5", 1, b"5", 1, 0, 0, None]


def test_a_variable_of_a_session_is_set_read_and_forgotten() -> None:
    text = """
    local t = msys.core.VCTX_CONN
    local none = vctx:get(t, "k")
    vctx:set(t, "k", "v")
    return none, vctx:exists(t, "k"), vctx:get(t, "k"), vctx:delete(t, "k"), vctx:exists(t, "k")
    """
    assert said(text, session()) == [b"", 1, b"v", 1, 0]


@pytest.mark.parametrize(
    ("value", "kept"),
    [("'text'", b"text"), ("1.5", b"1.5"), ("1e15", b"1e+15"), ("true", b"true"), ("nil", b"")],
)
def test_values_are_strings(value: str, kept: bytes) -> None:
    text = f"msg:context_set(1, 'k', {value}) return msg:context_get(1, 'k')"
    assert said(text, mail()) == kept


def test_octets_which_are_no_utf8_come_back_as_they_were() -> None:
    text = "msg:context_set(1, '\\255k', '\\254') return msg:context_get(1, '\\255k')"
    assert said(text, mail()) == b"\xfe"


def test_in_a_hook_for_one_recipient_the_message_variables_are_its_own() -> None:
    peer = session()
    whole = mail("b@example.org", "c@example.org", session=peer)
    one, other = whole.each()
    said("vctx:set(1, 'k', 'one')", peer, event=asked(one, peer))
    assert said("return vctx:get(1, 'k')", peer, event=asked(one, peer)) == b"one"
    assert said("return vctx:get(1, 'k')", peer, event=asked(other, peer)) == b""
    assert said("return vctx:get(1, 'k')", peer) == b""


def test_before_a_message_its_variables_cannot_be_set() -> None:
    assert "there is no message yet" in refused("vctx:set(1, 'k', 'v')", session())
    assert said("return vctx:get(1, 'k'), vctx:exists(1, 'k')", session()) == [b"", 0]


def test_a_number_which_names_no_dictionary_is_refused() -> None:
    assert "3 is neither" in refused("msg:context_get(3, 'k')", mail())
    assert "a string or a number" in refused("msg:context_set(1, 'k', {})", each(mail()))
