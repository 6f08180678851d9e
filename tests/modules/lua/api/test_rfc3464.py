from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from angarium.policy.hooks import Data
from angarium.policy.mail import Mail
from helpers.lua import services
from helpers.snippets import state


class _Admit:
    def __init__(self) -> None:
        self.injected: list[tuple[Message, Sequence[Recipient], Callable[[object], None]]] = []

    def inject(
        self, message: Message, recipients: Sequence[Recipient], done: Callable[[object], None]
    ) -> None:
        self.injected.append((message, recipients, done))


class _Means(Means):
    def __init__(self, admit: _Admit) -> None:
        self.host = "mta.example"
        self.admit = cast(Any, admit)


def _lua(sender: str = "a@b.example") -> tuple[State, Mail, _Admit, list[str]]:
    said: list[str] = []
    made = services(panic=said.append)
    admit = _Admit()
    made.parts[Means] = _Means(admit)
    lua = state(made)
    message = Message(sender, MemoryBody(b"\r\nbody\r\n"), header=b"Subject: hi\r\n")
    mail = Mail(message, [Recipient("c@d.example", "")])
    lua.situation = Data(mail)
    return lua, mail, admit, said


def _run(lua: State, source: str, *arguments: object) -> Any:
    given = [lua.to_lua(each) for each in arguments]
    found = [lua.from_lua(each) for each in lua.run_now(lua.load(source.encode(), "t"), *given)]
    plain = [each.plain() if hasattr(each, "plain") else each for each in found]
    return plain[0] if len(plain) == 1 else plain


def test_fields_are_what_a_report_would_have() -> None:
    lua, mail, _, _ = _lua()
    mail.reply = Reply(554, "no thanks", "5.7.1")
    source = "return msys.rfc3464.compute_delivery_status(..., msys.core.FAILED)"
    found = _run(lua, source, mail)
    assert found[b"Action"] == b"failed"
    assert found[b"Status"] == b"5.7.1"
    assert found[b"Final-Recipient"] == b"rfc822; c@d.example"
    assert found[b"Reporting-MTA"] == b"dns; mta.example"
    assert b"no thanks" in found[b"Diagnostic-Code"]


@pytest.mark.parametrize(
    ("action", "word", "status"),
    [
        ("FAILED", b"failed", b"5.7.1"),
        ("DELAYED", b"delayed", b"4.0.0"),
        ("DELIVERED", b"delivered", b"2.0.0"),
        ("RELAYED", b"relayed", b"2.0.0"),
        ("EXPANDED", b"expanded", b"2.0.0"),
    ],
)
def test_each_action_has_a_word_and_a_status(action: str, word: bytes, status: bytes) -> None:
    lua, mail, _, _ = _lua()
    source = f"return msys.rfc3464.compute_delivery_status(..., msys.core.{action})"
    found = _run(lua, source, mail)
    assert (found[b"Action"], found[b"Status"]) == (word, status)


def test_fields_may_be_lines() -> None:
    lua, mail, _, _ = _lua()
    source = 'return msys.rfc3464.compute_delivery_status_string("550 5.1.1 nobody here")'
    text = _run(lua, source)
    assert b"Status: 5.1.1\r\n" in text
    assert b"Final-Recipient: rfc822; c@d.example\r\n" in text
    assert text.endswith(b"\r\n")
    source = "return msys.rfc3464.compute_delivery_status_string(..., msys.core.DELAYED)"
    assert b"Action: delayed\r\n" in _run(lua, source, mail)


def test_a_report_is_made_and_read_again() -> None:
    lua, mail, _, _ = _lua()
    source = """
        local report = msys.rfc3464.create_mdn(..., msys.core.FAILED)
        local fields = msys.rfc3464.extract_delivery_status(report)
        return msys.type(report), fields.Action, msys.rfc3464.extract_delivery_status(...)
    """
    assert _run(lua, source, mail) == [b"ec_message", b"failed", None]


def test_a_report_is_sent_to_the_sender() -> None:
    lua, mail, admit, said = _lua()
    assert _run(lua, "return msys.rfc3464.send_mdn(..., msys.core.FAILED)", mail) == 1
    ((message, recipients, done),) = admit.injected
    assert message.sender == ""
    assert [(each.address, each.domain) for each in recipients] == [("a@b.example", "b.example")]
    whole = message.header + b"".join(message.body.pieces())
    assert b"To: <a@b.example>" in whole
    assert b"Subject: hi" in whole
    done(None)
    assert said == []
    done("no room")
    assert said == ["a report to a@b.example was not taken: no room"]


def test_about_a_report_there_is_no_report() -> None:
    lua, mail, admit, _ = _lua(sender="")
    assert _run(lua, "return msys.rfc3464.send_mdn(..., msys.core.FAILED)", mail) == 0
    assert admit.injected == []


def test_what_is_no_action_is_an_error() -> None:
    lua, mail, _, _ = _lua()
    with pytest.raises(ScriptError, match="an action is"):
        _run(lua, "return msys.rfc3464.create_mdn(..., 99)", mail)
    mail.recipients.clear()
    with pytest.raises(ScriptError, match="the message has none"):
        _run(lua, "return msys.rfc3464.create_mdn(..., msys.core.FAILED)", mail)
