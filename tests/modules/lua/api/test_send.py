"""Messages which scripts make and send, and what becomes of the one they are asked about."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.core.message import Message, Notify, Recipient
from angarium.core.reply import Reply
from angarium.modules.lua.runtime import State
from angarium.policy.context import Steps
from angarium.policy.hooks import LogTransientFailure
from helpers.clock import FakeClock
from helpers.objects import each, mail, refused, said, with_means

Sent = list[tuple[Message, list[Recipient]]]


@pytest.fixture
def sent() -> Sent:
    return []


@pytest.fixture
def lua(sent: Sent) -> State:
    def inject(message: Message, to: list[Recipient], done: Callable[[Any], None]) -> None:
        sent.append((message, to))
        done(None)

    admit = SimpleNamespace(inject=inject)
    return with_means(SimpleNamespace(admit=admit, clock=FakeClock(), next_id=lambda now: 77))


def test_a_message_is_sent_to_others(lua: State, sent: Sent) -> None:
    one = mail()
    said(
        "msg:context_set(1, 'k', 'v') msg:inject('<x@x.test>', 'c@x.test, <d@x.test>')",
        one,
        lua=lua,
    )
    [(message, to)] = sent
    assert (message.sender, [each.address for each in to]) == ("x@x.test", ["c@x.test", "d@x.test"])
    assert (message.protocol, message.batch, message.variables) == ("internal", 77, {"k": "v"})
    assert message.header + message.body.whole() == one.draft.whole()
    assert "is no address of a recipient" in refused("msg:inject('', 'nobody')", one, lua=lua)
    assert "there is no recipient" in refused("msg:inject('', ' , ')", one, lua=lua)


def test_the_null_sender_wants_no_report(lua: State, sent: Sent) -> None:
    said("msg:inject('', 'c@x.test')", mail(), lua=lua)
    assert sent[0][1][0].notify == Notify.NEVER


def test_a_message_is_built_and_sent(lua: State, sent: Sent) -> None:
    text = """
    local made = msys.core.ec_message_new(nil)
    made:build({Subject = "Hi", From = "x@x.test"}, {["text/plain"] = "Hello"},
      {{type = "text/csv", name = "a.csv", headers = "X-A: 1", content = "1,2"}, {content = msg}})
    made:inject("x@x.test", "c@x.test")
    return made:text()[1]
    """
    one = mail()
    assert said(text, one, lua=lua) == b"Hello"
    whole = sent[0][0].body.whole()
    for piece in (
        b"Subject: Hi\r\n",
        b"multipart/mixed",
        b"a.csv",
        b"X-A: 1\r\n",
        b"message/rfc822",
    ):
        assert piece in sent[0][0].header + whole
    assert b"Text one" in whole
    assert "the message is not empty" in refused("msg:build({}, {})", one, lua=lua)
    empty = "local made = msys.core.ec_message_new() made:build("
    assert "an attachment is a table" in refused(f"{empty}{{}}, {{}}, {{1}})", lua=lua)


def test_a_copy_is_changed_by_itself(lua: State, sent: Sent) -> None:
    one = mail()
    said(
        "local made = msg:copy() made:header('X-Copy', '1') made:inject('', 'c@x.test')",
        one,
        lua=lua,
    )
    assert b"X-Copy: 1" in sent[0][0].body.whole()
    assert not one.draft.texts("X-Copy")


def test_a_message_is_forwarded(lua: State, sent: Sent) -> None:
    said("msg:forward('f@x.test', 'c@x.test,d@x.test', 'See below', 'FW')", mail(), lua=lua)
    message, to = sent[0]
    assert len(to) == 2
    for piece in (b"Subject: FW", b"See below", b"message/rfc822", b"Text one"):
        assert piece in message.body.whole()
    assert "needs a charset" in refused("msg:forward('', 'c@x.test', 'grü')", mail(), lua=lua)


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        ("discard()", Reply(550, "discarded by policy", "5.7.0")),
        ("discard('554 5.7.1 spam')", Reply(554, "spam", "5.7.1")),
        ("discard('spam')", Reply(550, "[internal] discarded by policy", "5.7.1")),
    ],
)
def test_a_message_is_discarded_with_a_reason(call: str, reply: Reply) -> None:
    one = mail()
    said(f"msg:{call}", one)
    assert one.discarded == reply


def test_the_response_of_a_message_is_set_and_read() -> None:
    one = mail()
    text = "return msg:code(), msg:code('421', 'Too much'), msg:code(0, '550 5.1.1 no')"
    assert said(text, one) == [
        b"", b"421 Too much", b"550 5.1.1 no",
    ]  # fmt: skip
    said("msg:set_code(554, '5.4.7 [internal] timeout')", one)
    assert one.reply == Reply(554, "[internal] timeout", "5.4.7")
    event = LogTransientFailure(mail(), None, note="451 later")
    assert said("return msg:get_code()", event.mail, event=event) == b"451 later"


@pytest.mark.parametrize("call", ["discard()", "code(550, 'x')", "set_code(550, 'x')"])
def test_in_set_binding_nothing_is_decided_about_a_message(call: str) -> None:
    assert "cannot be used in validate_set_binding" in refused(
        f"msg:{call}", each(mail(), Steps.BINDING)
    )
