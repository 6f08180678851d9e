"""Messages which came back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report.bounce import Bounce, bounce_of
from angarium.mail.report.dsn import Action, Notice, Outcome, build


def bounce(content: str | bytes) -> Bounce:
    octets = content.replace("\n", "\r\n").encode() if isinstance(content, str) else content
    return bounce_of(tree(Draft(octets)))


def report(*outcomes: Outcome) -> bytes:
    return build(Notice("mx", "d@mx", "a@x", outcomes, 0.0, 0.0, "t"))


@pytest.mark.parametrize(
    ("reply", "action", "code"),
    [
        (Reply(550, "no such user", "5.1.1"), Action.FAILED, 10),
        (Reply(552, "mailbox full"), Action.FAILED, 22),
        (Reply(550, "listed at spamhaus", "5.7.1"), Action.FAILED, 51),
        (Reply(451, "wait"), Action.DELAYED, 70),
        (Reply(250, "ok"), Action.DELIVERED, 1),
    ],
)
def test_a_report_for_machines_is_believed(reply: Reply, action: Action, code: int) -> None:
    found = bounce(report(Outcome("b@y.example", action, reply, remote="1.2.3.4:25")))
    assert (found.code, found.recipient) == (code, "b@y.example")
    assert found.reason == str(reply)


def test_of_several_the_first_which_failed_counts() -> None:
    found = bounce(
        report(
            Outcome("a@y", Action.DELIVERED, Reply(250, "ok")),
            Outcome("b@y", Action.FAILED, Reply(550, "x", "5.1.1"), "rfc822;B@y"),
        )
    )
    assert found == Bounce(10, "B@y", "550 5.1.1 x")


@pytest.mark.parametrize(
    ("status", "diagnostic", "code"),
    [
        ("5.1.1", "", 10),
        ("5.0.0", "smtp; 550 mailbox full", 22),
        ("5.2.2", "x-unix; odd", 22),
        ("5.0.0 (undefined)", "smtp; odd", 1),
        ("odd", "smtp; odd", 1),
        ("5.1.1", "smtp; 554 5.7.1 spam source", 51),
    ],
)
def test_the_words_of_the_host_go_before_a_status_which_says_less(
    status: str, diagnostic: str, code: int
) -> None:
    found = bounce(
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        f"Final-Recipient: rfc822; a@b\nAction: failed\nStatus: {status}\n"
        f"Diagnostic-Code: {diagnostic}\n"
    )
    assert (found.code, found.recipient) == (code, "a@b")


QMAIL = """From: MAILER-DAEMON@mx.example
To: sender@x.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<bob@y.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 unknown user
Giving up on 192.0.2.1.
"""
EXIM = """From: Mail Delivery System <Mailer-Daemon@mx.example>
To: sender@x.example
X-Failed-Recipients: bob@y.example
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

  bob@y.example
    SMTP error from remote mail server after RCPT TO:<bob@y.example>:
    host y.example [192.0.2.1]: 552 mailbox is over quota
"""


@pytest.mark.parametrize(
    ("content", "code", "recipient"),
    [
        (QMAIL, 10, "bob@y.example"),
        (EXIM, 22, "bob@y.example"),
        ("From: a@x\nSubject: Undeliverable\n\nb@y.example: user not found", 10, "b@y.example"),
        ("From: postmaster@x\n\nit went wrong for bob@y.example", 40, "bob@y.example"),
        ("From: postmaster@x\nTo: me@x\n\nit went wrong", 30, ""),
        ("From: postmaster@x\nContent-Type: message/rfc822\n\nTo: Bob <b@y>\n\n", 30, ""),
        ("From: a@b\nSubject: Out of Office: x\n\nI am away", 60, ""),
        ("From: a@b\nAuto-Submitted: auto-replied (vacation)\n\nI am away", 60, ""),
        ("From: a@b\nPrecedence: auto_reply\n\nI am away", 60, ""),
        ("From: a@b\nSubject: =?utf-8?q?Unsubscribe?=\n\n", 90, ""),
        ("From: a@b\nSubject: Re: subscribe\n\n", 80, ""),
        ("From: a@b\n\nunsubscribe\n", 90, ""),
        ("From: a@b\nSubject: Please verify your email\n\n", 100, ""),
        ("From: a@b\nSubject: hello\n\n550 5.1.1 no such user", 1, ""),
    ],
)  # fmt: skip
def test_what_has_no_such_report_is_read_by_its_words(
    content: str, code: int, recipient: str
) -> None:
    found = bounce(content)
    assert (found.code, found.recipient) == (code, recipient)


def test_the_returned_message_says_for_whom_it_was() -> None:
    found = bounce(
        "From: postmaster@x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nuser unknown\n"
        "--b\nContent-Type: message/rfc822\n\nTo: Bob <b@y>\n\n--b--\n"
    )
    assert (found.code, found.recipient) == (10, "b@y")


WORDS = st.lists(
    st.sampled_from(
        "From: postmaster@x|Subject: failure notice||550 5.1.1 x|a@b.example|<c@d.example>:"
        "|user unknown|Content-Type: message/delivery-status|Final-Recipient: rfc822; a@b"
        "|Action: failed|Status: 5.|Diagnostic-Code: smtp;|X-Failed-Recipients: ,".split("|")
    )
).map("\n".join)


@given(WORDS)
def test_any_message_is_of_some_class(content: str) -> None:
    bounce(content)
