"""What a script imports: the message and the session as Python has them."""

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message as Content
from angarium.core.message import Recipient
from angarium.policy import context, hooks
from angarium.policy.mail import Mail
from angarium.policy.script import Discard, Message, Refuse, Session, on

CONTENT = b"From: A <a@x.test>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\nbody\r\n"


def message(*, each: bool = False) -> Message:
    content = Content("a@X.test", MemoryBody(CONTENT), b"Received: by us\r\n")
    mail = Mail(content, [Recipient("b@Y.test", "y.test")], context.Session())
    return Message(next(iter(mail.each())) if each else mail)


def test_a_header_is_a_mapping_in_any_case() -> None:
    headers = message().headers
    assert headers["subject"] == "grüße"
    assert list(headers) == ["Received", "From", "Subject"]
    assert len(headers) == 3
    headers["SUBJECT"] = "für alle"
    headers.add("X-Tag", "1")
    headers.add("X-Tag", "2")
    headers.prepend("X-First", "0")
    assert headers["Subject"] == "für alle"
    assert headers.all("x-tag") == ["1", "2"]
    assert next(iter(headers)) == "X-First"
    del headers["x-tag"]
    assert "X-Tag" not in headers
    with pytest.raises(KeyError):
        del headers["x-tag"]


def test_variables_are_a_mapping_of_strings() -> None:
    one = message(each=True)
    one.variables["tenant"] = "7"
    one.connection["seen"] = "yes"
    assert dict(one.variables) == {"tenant": "7"}
    assert dict(one.connection) == {"seen": "yes"}
    with pytest.raises(TypeError, match="n is to be a string, not 7"):
        one.variables["n"] = 7  # type: ignore[assignment]
    del one.variables["tenant"]
    with pytest.raises(KeyError):
        one.variables["tenant"]


def test_recipients_may_change_until_each_has_a_message_of_its_own() -> None:
    whole = message()
    whole.add_recipient("c@z.test")
    whole.add_recipient("c@z.test")
    assert whole.recipients == ["b@Y.test", "c@z.test"]
    whole.remove_recipient("b@Y.test")
    assert whole.recipients == ["c@z.test"]
    with pytest.raises(KeyError):
        whole.remove_recipient("b@Y.test")
    with pytest.raises(RuntimeError, match="settled"):
        message(each=True).add_recipient("d@z.test")


def test_the_envelope_may_change() -> None:
    one = message(each=True)
    assert (one.sender_domain, one.recipient_domain) == ("x.test", "y.test")
    one.sender, one.recipient = "", "new@z.test"
    assert (one.sender, one.sender_domain, one.recipient) == ("", "", "new@z.test")
    one.routing_domain = "Hub.Test"
    one.priority, one.fairness_key = 1, "7"
    assert (one.routing_domain, one.priority, one.fairness_key) == ("hub.test", 1, "7")


def test_the_body_is_octets() -> None:
    one = message()
    assert one.body == b"body\r\n"
    one.body = b"other\r\n"
    assert one.raw.endswith(b"\r\n\r\nother\r\n")
    assert one.size == len(one.raw)


def test_a_session_knows_its_client_and_what_a_script_keeps() -> None:
    of = context.Session(peer=("192.0.2.1", 25), local=("192.0.2.9", 2525), pathway="p")
    session = Session(of)
    assert (session.address, session.port, session.local_port) == ("192.0.2.1", 25, 2525)
    assert (session.hello, session.message, session.talks_early) == ("", None, False)
    session.trusted = True
    assert of.variables == {"can_relay": "true"}
    session.tarpit(5)
    session.tarpit(2)
    session.offer("XCOURIER")
    session.withhold("pipelining")
    assert (of.tarpit, of.added, of.removed) == (5, ["XCOURIER"], {"PIPELINING"})
    session.state["n"] = 1
    assert Session(of).state == {"n": 1}


def test_a_refusal_refuses_and_a_discard_has_a_reason() -> None:
    assert str(Refuse(550, "5.7.1 no").reply) == "550 5.7.1 no"
    assert str(Refuse("450 4.2.0 later").reply) == "450 4.2.0 later"
    assert str(Discard().reply) == "550 5.7.0 discarded by policy"
    with pytest.raises(ValueError, match="refuses nothing"):
        Refuse(250, "yes")


def test_hooks_have_two_names() -> None:
    @on("validate_data")
    @on.each_recipient
    def handler() -> None:
        """Marked twice."""

    marks = [each.what for each in handler.__dict__["__policy__"]]
    assert marks == [hooks.EachRcpt, hooks.Data]
    with pytest.raises(ValueError, match="there is no hook 'validate_dta'"):
        on("validate_dta")
    with pytest.raises(ValueError, match="no interval"):
        on.every(0.01)
