"""Reports, read back by the standard library's parser."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply
from angarium.mail.report.dsn import Action, Notice, Outcome, build, status_of

AT = 1_700_000_000.0
GONE = Outcome(
    "b@y.example",
    Action.FAILED,
    Reply(550, "no such user\ntry another", "5.1.1"),
    orcpt="rfc822;bob+2Bx@y.example",
    remote="192.0.2.1:25",
    attempted_at=AT,
)


def notice(**changes: Any) -> Notice:
    values: dict[str, Any] = {
        "host": "mx.node.example",
        "daemon": "mailer-daemon@mx.node.example",
        "sender": "a@x.example",
        "outcomes": (GONE,),
        "date": AT,
        "arrived": AT - 60,
        "token": "t0",
        "envid": "QQ+3D7",
        "original": b"Subject: hi\r\n\r\n",
    }
    return Notice(**values | changes)


def read(made: bytes) -> tuple[EmailMessage, list[EmailMessage]]:
    message = email.message_from_bytes(made, policy=email.policy.SMTP)
    assert isinstance(message, EmailMessage)
    parts = list(message.iter_parts())
    assert not message.defects
    return message, [part for part in parts if isinstance(part, EmailMessage)]


def test_a_report_has_its_three_parts() -> None:
    message, parts = read(build(notice()))
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in parts] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert (message["to"], message["auto-submitted"]) == ("a@x.example", "auto-replied")
    assert message["message-id"] == "<t0@mx.node.example>"
    assert parts[2].get_payload() == "Subject: hi\r\n\r\n"


def test_the_status_is_for_machines() -> None:
    _, parts = read(build(notice()))
    per_message, recipient = parts[1].get_payload(0), parts[1].get_payload(1)
    assert isinstance(per_message, EmailMessage)
    assert isinstance(recipient, EmailMessage)
    assert dict(per_message.items()) == {
        "Original-Envelope-Id": "QQ=7",
        "Reporting-MTA": "dns; mx.node.example",
        "Arrival-Date": "Tue, 14 Nov 2023 22:12:20 +0000",
    }
    assert dict(recipient.items()) == {
        "Original-Recipient": "rfc822; bob+x@y.example",
        "Final-Recipient": "rfc822; b@y.example",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; [192.0.2.1]",
        "Diagnostic-Code": "smtp; 550 5.1.1 no such user try another",
        "Last-Attempt-Date": "Tue, 14 Nov 2023 22:13:20 +0000",
    }


def test_what_is_ours_is_not_said_to_be_the_hosts() -> None:
    ours = Outcome("b@y.example", Action.FAILED, Reply(554, "[internal] no", "5.4.7"))
    made = build(notice(outcomes=(ours,), original=b"")).decode()
    assert "Diagnostic-Code: x-angarium; 554 5.4.7 [internal] no" in made
    assert "Remote-MTA" not in made
    assert "Reason: 554 5.4.7 no" in made


def test_a_delay_says_until_when() -> None:
    slow = Outcome("b@y.example", Action.DELAYED, Reply(451, "later"), until=AT + 86400)
    message, parts = read(build(notice(outcomes=(slow,), original=b"")))
    assert message["subject"] == "Mail is delayed"
    assert len(parts) == 2
    fields = parts[1].get_payload(1)
    assert isinstance(fields, EmailMessage)
    assert (fields["status"], fields["will-retry-until"]) == (
        "4.0.0",
        "Wed, 15 Nov 2023 22:13:20 +0000",
    )


def test_addresses_beyond_ascii_make_an_international_report() -> None:
    jose = Outcome("josé@y.example", Action.FAILED, Reply(550, "no", "5.1.1"), remote="[::1]:25")
    made = build(notice(outcomes=(jose,), original=b"Subject: caf\xc3\xa9\r\n\r\n"))
    message, parts = read(made)
    assert message.get_param("report-type") == "delivery-status"
    assert parts[1].get_content_type() == "message/global-delivery-status"
    assert parts[2].get_content_type() == "message/global-headers"
    assert "Final-Recipient: utf-8; josé@y.example" in made.decode()
    assert "Remote-MTA: dns; [::1]" in made.decode()


def test_the_whole_message_comes_back_unchanged() -> None:
    original = b"Subject: hi\r\n\r\n--report-t0\r\n.\r\nlast line without end"
    message, parts = read(build(notice(original=original, whole=True)))
    assert message.get_boundary() == "report-t0-"
    assert parts[2].get_content_type() == "message/rfc822"
    returned = parts[2].get_payload(0)
    assert isinstance(returned, EmailMessage)
    assert returned.get_payload() == "--report-t0\r\n.\r\nlast line without end"


@pytest.mark.parametrize(
    ("reply", "action", "status"),
    [
        (Reply(550, "no", "5.1.1"), Action.FAILED, "5.1.1"),
        (Reply(550, "no"), Action.FAILED, "5.0.0"),
        (Reply(451, "no", "4.3.0"), Action.DELAYED, "4.3.0"),
        (Reply(250, "ok", "2.6.0"), Action.RELAYED, "2.6.0"),
        (Reply(250, "ok"), Action.DELIVERED, "2.0.0"),
    ],
)
def test_the_status_is_of_the_class_of_the_action(
    reply: Reply, action: Action, status: str
) -> None:
    assert status_of(reply, action) == status


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n", exclude_categories=["Cc"])),
    st.text(max_size=30),
    st.binary(max_size=60),
)
def test_whatever_a_host_says_the_report_can_be_read(text: str, odd: str, original: bytes) -> None:
    outcome = Outcome("b@y.example", Action.FAILED, Reply(550, text), orcpt="rfc822;" + odd)
    made = build(notice(outcomes=(outcome,), envid=odd, original=original, whole=True))
    ours = build(notice(outcomes=(outcome,), envid=odd, original=b""))
    assert max(len(line) for line in ours.split(b"\r\n")) <= 998
    _, parts = read(made)
    fields = parts[1].get_payload(1)
    assert isinstance(fields, EmailMessage)
    assert fields["action"] == "failed"
