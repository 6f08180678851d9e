"""A message as policy sees it: shared by all recipients, until one needs its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient, Trait
from angarium.core.reply import Reply
from angarium.policy.context import Session, Which
from angarium.policy.mail import DISCARDED, Mail, empty, traits_of

CONTENT = b"Subject: hello\r\n\r\nbody\r\n"
MESSAGE, CONNECTION = Which.MESSAGE, Which.CONNECTION


def mail(session: Session | None = None) -> Mail:
    message = Message("a@x.test", MemoryBody(CONTENT), b"Received: by us\r\n")
    recipients = [Recipient(f"{name}@y.test", "y.test") for name in "bc"]
    return Mail(message, recipients, session)


def test_what_nobody_changes_is_shared() -> None:
    whole = mail()
    for one in whole.each():
        assert one.draft.text("subject") == "hello"
        one.set(MESSAGE, "k", "v")
        assert not one.own
        assert one.finish() is whole.message
    assert [each.variables for each in whole.recipients] == [{"k": "v"}, {"k": "v"}]
    assert whole.message.variables == {}


def test_what_one_recipient_gets_different_the_other_does_not() -> None:
    whole = mail()
    first, second = whole.each()
    first.edited.set("Subject", "other")
    first.sender = "z@x.test"
    made = first.finish()
    assert first.own
    assert made is not whole.message
    assert (made.sender, whole.message.sender) == ("z@x.test", "a@x.test")
    assert b"Subject: other" in made.body.whole()
    assert second.draft.text("subject") == "hello"
    assert whole.message.body.whole() == CONTENT


def test_a_change_for_all_reaches_each() -> None:
    whole = mail()
    whole.edited.prepend("X-A", "1")
    whole.finish()
    assert whole.message.header == b"X-A: 1\r\nReceived: by us\r\n"
    assert [one.draft.text("x-a") for one in whole.each()] == ["1", "1"]


def test_variables_of_a_recipient_hide_those_of_all() -> None:
    whole = mail(Session())
    whole.set(MESSAGE, "k", "all")
    first, second = whole.each()
    first.set(MESSAGE, "k", "one")
    first.set(CONNECTION, "c", "session")
    assert (first.get(MESSAGE, "k"), second.get(MESSAGE, "k")) == ("one", "all")
    assert second.get(CONNECTION, "c") == "session"
    assert first.variables(MESSAGE) == {"k": "one"}
    assert first.delete(MESSAGE, "k")
    assert first.get(MESSAGE, "k") is None
    assert second.get(MESSAGE, "k") == "all"
    assert not first.delete(MESSAGE, "k")
    assert first.delete(CONNECTION, "c")
    assert not first.delete(CONNECTION, "c")


def test_mail_of_no_session_keeps_what_its_session_knew() -> None:
    whole = mail()
    whole.message.session_variables["c"] = "1"
    (one, _) = whole.each()
    one.set(CONNECTION, "c", "2")
    assert (one.get(CONNECTION, "c"), whole.get(CONNECTION, "c")) == ("2", "1")


def test_the_routing_domain_is_the_recipient_s_unless_it_is_set() -> None:
    whole = mail()
    whole.routing_domain = "Hub.Test"
    assert whole.routing_domain == "hub.test"
    (one, other) = whole.each()
    one.routing_domain = "Far.Test"
    assert (one.routing_domain, other.routing_domain) == ("far.test", "y.test")
    other.readdress("new@z.test")
    assert other.routing_domain == "z.test"


def test_the_content_comes_later_and_leaves_the_envelope_as_policy_made_it() -> None:
    whole = Mail(empty("a@x.test", now=1.0, protocol="esmtp"), [], whole=False)
    whole.sender = "policy@x.test"
    whole.priority = 1
    whole.set(MESSAGE, "k", "v")
    whole.received(Message("a@x.test", MemoryBody(CONTENT), variables={"d": "1"}))
    assert whole.whole
    assert (whole.sender, whole.priority) == ("policy@x.test", 1)
    assert whole.message.variables == {"k": "v", "d": "1"}


def test_a_message_may_be_dropped_with_a_reason() -> None:
    first, second = mail(), mail()
    first.discard()
    second.discard(Reply(550, "x", "5.7.1"))
    assert (mail().discarded, first.discarded) == (None, DISCARDED)
    assert str(second.discarded) == "550 5.7.1 x"


@given(st.lists(st.sampled_from([b"a", b"\r\n", b"\r", b"\n", b".", b"\xe9"])), st.integers(1, 9))
def test_traits_are_those_of_the_whole_however_it_is_cut(pieces: list[bytes], size: int) -> None:
    whole = b"".join(pieces)
    cut = [whole[at : at + size] for at in range(0, len(whole), size)]
    traits = traits_of(MemoryBody(*cut), Trait.SMTPUTF8 | Trait.DOTS)
    assert traits & Trait.SMTPUTF8
    assert bool(traits & Trait.EIGHT_BIT) == (not whole.isascii())
    assert bool(traits & Trait.DOTS) == (b"\r\n." in b"\r\n" + whole)
    lone = whole.replace(b"\r\n", b"")
    assert bool(traits & Trait.LONE) == (b"\r" in lone or b"\n" in lone)
    assert bool(traits & Trait.NO_FINAL_CRLF) == (not (b"\r\n" + whole).endswith(b"\r\n"))


@pytest.mark.parametrize("name", ["priority", "fairness_key"])
def test_the_marks_of_one_recipient_are_its_own(name: str) -> None:
    whole = mail()
    (one, _) = whole.each()
    value: object = 1 if name == "priority" else "tenant"
    setattr(one, name, value)
    assert getattr(one, name) == value
    assert getattr(whole, name) != value


def test_variables_about_the_recipient_are_those_of_each_not_of_the_last_one() -> None:
    known = {"rcptto_domain": "z.test", "rcptto_localpart": "eve", "rcptto_string": "RCPT TO:<E> X"}
    named = [Recipient("bob@y.test", "y.test"), Recipient("eve@z.test", "z.test")]
    one = Mail(Message("ann@x.test", MemoryBody(b""), b"", variables=dict(known)), named)
    assert one.get(MESSAGE, "rcptto_domain") == "z.test"
    bob, eve = one.each()
    assert bob.get(MESSAGE, "rcptto_domain") == "y.test"
    assert bob.variables(MESSAGE)["rcptto_string"] == "RCPT TO:<bob@y.test>"
    assert eve.variables(MESSAGE) == known
    bob.set(MESSAGE, "rcptto_domain", "mine")
    assert bob.get(MESSAGE, "rcptto_domain") == "mine"
    assert bob.variables(MESSAGE)["rcptto_domain"] == "mine"
    assert eve.get(MESSAGE, "rcptto_domain") == "z.test"


def test_of_a_sole_recipient_nothing_is_copied() -> None:
    message = Message("a@x.test", MemoryBody(CONTENT), batch=7)
    named = [Recipient("b@y.test", "y.test")]
    whole = Mail(message, named)
    one = whole.alone()
    one.set(MESSAGE, "k", "v")
    one.sender = "z@x.test"
    one.edited.set("Subject", "other")
    assert one.finish() is message
    assert (message.sender, message.batch) == ("z@x.test", 7)
    assert b"Subject: other" in message.body.whole()
    assert (message.variables, named[0].variables) == ({}, {"k": "v"})
    one.recipients.append(Recipient("c@y.test", "y.test"))
    assert len(named) == 1  # An alias adds to the view, not to what the peer has named.
