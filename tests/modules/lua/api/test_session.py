"""What a script does about a session."""

import pytest

from angarium.core.reply import Reply
from angarium.policy.context import Steps
from helpers.guards import session
from helpers.objects import mail, refused, said


def test_a_reply_is_set_with_a_number_or_a_string() -> None:
    peer = session()
    said("vctx:set_code(550, '5.7.1 no')", peer)
    assert peer.reply == Reply(550, "no", "5.7.1")
    said("vctx:set_code('451', 'later')", peer)
    assert peer.reply == Reply(451, "later")
    assert not peer.disconnect
    assert said("return vctx.code", peer) == 451


def test_a_session_is_ended_with_a_reply() -> None:
    peer = session()
    said("vctx:disconnect(421, 'bye')", peer)
    assert (peer.reply, peer.disconnect) == (Reply(421, "bye"), True)
    other = session()
    said("vctx.disconnect = 1", other)
    assert other.disconnect


@pytest.mark.parametrize(("seconds", "waits"), [("2.5", 2.5), ("-1", 0), ("1e9", 3600)])
def test_a_tarpit_is_bounded(seconds: str, waits: float) -> None:
    peer = session()
    said(f"vctx:tarpit({seconds})", peer)
    assert peer.tarpit == waits
    peer.service = "HTTP"
    assert "only a session of SMTP" in refused("vctx:tarpit(1)", peer)


def test_recipients_are_added_removed_and_listed() -> None:
    peer = session()
    whole = mail("b@example.org", session=peer)
    text = """
    vctx:add_recipient("c@example.org")
    vctx:add_recipient({"<d@example.org>", "b@example.org"})
    vctx:remove_recipient("B@EXAMPLE.ORG")
    return vctx:recipient_list()
    """
    assert said(text, peer) == [b"c@example.org", b"d@example.org"]
    assert said("return vctx:recipient_list({'e@x.test', 'c@example.org'})", peer) == [
        b"c@example.org", b"e@x.test",
    ]  # fmt: skip
    assert [one.address for one in whole.recipients] == ["c@example.org", "e@x.test"]


@pytest.mark.parametrize("call", ["add_recipient", "remove_recipient", "recipient_list"])
def test_a_final_list_is_not_changed(call: str) -> None:
    peer = session()
    mail(session=peer, step=Steps.EACH)
    assert "the list of recipients is final" in refused(f"vctx:{call}('c@x.test')", peer)
    assert said("return vctx:recipient_list()", peer) == [b"b@example.org"]


def test_what_cannot_be_done_to_recipients() -> None:
    peer = session()
    assert "there is no message yet" in refused("vctx:add_recipient('c@x.test')", peer)
    mail(session=peer, step=Steps.RCPT)
    assert "not known yet" in refused("return vctx:recipient_list()", peer)
    assert "'nobody' is no address" in refused("vctx:add_recipient('nobody')", peer)
    assert "an address is a string" in refused("vctx:add_recipient({{}})", peer)


def test_ehlo_offers_more_or_less() -> None:
    peer = session()
    peer.step = Steps.EHLO
    text = "ac:esmtp_capability_add('XFOO 1') ac:esmtp_capability_add('XFOO 1')"
    said(text + " ac:esmtp_capability_remove('dsn')", peer)
    assert (peer.added, peer.removed) == (["XFOO 1"], {"DSN"})
    said("ac:esmtp_capability_remove('XFOO') ac:esmtp_capability_add('DSN')", peer)
    assert (peer.added, peer.removed) == (["DSN"], {"XFOO"})
    assert "a line of ASCII" in refused("ac:esmtp_capability_add('a\\r\\nb')", peer)
    peer.step = Steps.MAIL
    assert "EHLO is answered already" in refused("ac:esmtp_capability_add('X')", peer)


def test_what_is_known_of_the_peer() -> None:
    text = "return ac.remote_addr, msys.core.ec_sockaddr_family(ac.remote_addr), ac.conn_id ~= ''"
    assert said(text, session()) == [b"192.0.2.1:4711", 2, True]
    assert said(text, session("2001:db8::1")) == [b"2001:db8::1.4711", 10, True]


def test_a_message_construct_has_the_message() -> None:
    peer = session()
    text = "local mc = msys.core.accept_construct_get_message_construct(ac) return mc.message"
    assert said(text, peer) is None
    whole = mail(session=peer)
    assert said(text, peer) is whole
