import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.modules.lua.runtime import State
from angarium.policy.hooks import Data
from angarium.policy.mail import Mail
from helpers.snippets import run, state

REPORT = b"""\
From: Mail Delivery System <MAILER-DAEMON@mx.example>
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I am sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; gone@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b--
""".replace(b"\n", b"\r\n")


def _lua(content: bytes) -> State:
    lua = state()
    header, _, body = content.partition(b"\r\n\r\n")
    message = Message("", MemoryBody(b"\r\n" + body), header=header + b"\r\n")
    lua.situation = Data(Mail(message, []))
    return lua


def _classified(content: bytes) -> list[object]:
    lua = _lua(content)
    mail = lua.situation.mail
    function = lua.load(b"return msys.bounce.classify(...)", "t")
    return list(lua.run_now(function, lua.to_lua(mail)))


def test_a_report_is_classified_with_its_recipient() -> None:
    code, symbol, meaning, recipient = _classified(REPORT)
    assert (code, symbol, recipient) == (10, b"BC_INVALID_RECIPIENT", b"gone@example.net")
    assert meaning


def test_a_message_which_is_no_report_is_undetermined() -> None:
    assert _classified(b"Subject: hello\r\n\r\nhow are you?\r\n")[:2] == [1, b"BC_UNDETERMINED"]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("550 5.1.1 user unknown", b"BC_INVALID_RECIPIENT"),
        ("452 4.2.2 mailbox full", b"BC_SOFT_MAILBOX_FULL"),
        ("what?", b"BC_UNDETERMINED"),
        ("", b"BC_UNDETERMINED"),
    ],
)
def test_a_reply_is_classified(text: str, symbol: bytes) -> None:
    source = f'return msys.bounce.classify_smtp_response("{text}", "example.net")'
    assert run(source)[1] == symbol
    assert run(f'return select("#", msys.bounce.classify_smtp_response("{text}"))') == 3
