"""Clients which are trusted to say whom they speak for."""

import pytest

from angarium.inbound.extensions import MOST_VARIABLES
from helpers.reception import Desk, Talk

CONTENT = b"Subject: x\r\n\r\ntext\r\n"
ALL = "smtp_extensions = ( XCLIENT xremoteip XSETCONTEXT XDUMPCONTEXT )"
GATEWAY = ("192.0.2.9", 34567)


def trusted(listener: str = "") -> Desk:
    return Desk(listener=f'peer "192.0.2.9" {{\n{ALL}\n}}\n{listener}')


def greeted(desk: Desk) -> Talk:
    talk = desk.connect(GATEWAY)
    talk.heard()
    talk.say("EHLO gateway.example")
    return talk


@pytest.mark.effect("smtp_extensions")
def test_they_are_offered_and_taken_only_where_they_are_named() -> None:
    desk = trusted()
    talk = desk.connect(GATEWAY)
    talk.heard()
    assert talk.say("EHLO gateway.example")[-5:] == [
        "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT",
        "250-XREMOTEIP",
        "250-XSETCONTEXT",
        "250-XDUMPCONTEXT",
        "250 SIZE",
    ]
    other = desk.connect(("192.0.2.10", 1))
    other.heard()
    assert not [line for line in other.say("EHLO c.example") if "250-X" in line]
    for line in (
        "XCLIENT ADDR=192.0.2.1",
        "XREMOTEIP 192.0.2.1",
        "XSETCONTEXT a=b",
        "XDUMPCONTEXT",
    ):
        assert other.say(line) == ["500 5.5.2 unrecognized command"]


def test_a_claimed_address_is_that_of_messages_logs_and_options() -> None:
    desk = trusted('peer "198.51.100.7" {\nopen_relay = true\nmax_recipients_per_message = 1\n}')
    talk = greeted(desk)
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@other.example>") == ["550 5.7.1 relaying denied"]
    talk.say("RSET")
    assert talk.say("XREMOTEIP 198.51.100.7") == ["250 2.0.0 OK"]
    assert talk.deliver(CONTENT, rcpt="b@other.example").startswith("250")
    assert desk.message.source == "198.51.100.7:0"
    assert b"from [198.51.100.7] ([198.51.100.7:0] helo=gateway.example)" in desk.message.header
    talk.say("MAIL FROM:<a@client.example>")
    talk.say("RCPT TO:<b@other.example>")
    assert talk.say("RCPT TO:<c@other.example>")[0].startswith("452 4.5.3")
    assert desk.rejections[-1].remote == "198.51.100.7:0"


def test_after_xclient_the_session_begins_anew_as_another_client() -> None:
    desk = trusted('require_ehlo = true\npeer "2001:db8::7" {\nopen_relay = true\n}')
    talk = greeted(desk)
    said = talk.say("XCLIENT NAME=mx.example ADDR=IPV6:2001:db8::7 PORT=99")
    assert said[0].startswith("220 host.example ESMTP")
    assert talk.say("MAIL FROM:<>") == ["550 5.5.1 RFC2821 HELO/EHLO needed"]
    talk.say("EHLO mx.example")
    assert talk.deliver(CONTENT, rcpt="b@other.example").startswith("250")
    assert desk.message.source == "[2001:db8::7]:99"
    assert b"helo=mx.example" in desk.message.header


def test_xclient_may_have_the_greeting_of_the_client() -> None:
    desk = trusted()
    talk = greeted(desk)
    talk.say("XCLIENT ADDR=198.51.100.7 HELO=old.example PROTO=SMTP NAME=[UNAVAILABLE]")
    assert talk.deliver(CONTENT).startswith("250")
    assert b"helo=old.example" in desk.message.header
    assert b") with SMTP\r\n" in desk.message.header


@pytest.mark.parametrize("address", ["[UNAVAILABLE]", "[tempunavail]"])
def test_a_client_whose_address_is_not_known_has_not_the_rights_of_the_gateway(
    address: str,
) -> None:
    desk = Desk(listener=f'peer "192.0.2.9" {{\n{ALL}\nrelay_hosts = ( 192.0.2.9 )\n}}')
    talk = greeted(desk)
    talk.say(f"XCLIENT NAME=[UNAVAILABLE] ADDR={address}")
    talk.say("EHLO c.example")
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@other.example>") == ["550 5.7.1 relaying denied"]


def test_a_gateway_may_say_as_whom_the_client_has_logged_in() -> None:
    desk = trusted()
    talk = greeted(desk)
    talk.say("XCLIENT ADDR=198.51.100.7 LOGIN=me@client.example")
    talk.say("EHLO c.example")
    assert talk.deliver(CONTENT, rcpt="b@other.example").startswith("250")
    assert b") with ESMTPA\r\n" in desk.message.header
    assert talk.say("XCLIENT LOGIN=[UNAVAILABLE]")[0].startswith("220")
    talk.say("EHLO c.example")
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@other.example>") == ["550 5.7.1 relaying denied"]


@pytest.mark.parametrize(
    "line",
    [
        "XCLIENT",
        "XCLIENT ADDR",
        "XCLIENT ADDR=nowhere",
        "XCLIENT ADDR=198.51.100.7 PORT=70000",
        "XCLIENT LOGIN=a+00b",
        "XCLIENT WHO=me",
        "XCLIENT HELO=a)(b",
        "XCLIENT HELO=a+0D+0Ab",
        "XREMOTEIP",
        "XREMOTEIP 198.51.100",
        "XSETCONTEXT",
        "XSETCONTEXT a",
        "XSETCONTEXT a=b c",
        "XSETCONTEXT a=+0D+0AQUIT",
        "XSETCONTEXT a=+E9",
    ],
)
def test_what_is_wrong_changes_nothing(line: str) -> None:
    desk = trusted()
    talk = greeted(desk)
    assert talk.say(line)[0].startswith("501 5.5.4 ")
    assert talk.session.origin.source == "192.0.2.9:34567"
    assert talk.session.origin.told == {}
    assert talk.deliver(CONTENT).startswith("250")


def test_xclient_has_no_place_in_a_transaction_and_xremoteip_has() -> None:
    desk = trusted()
    talk = greeted(desk)
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("XCLIENT ADDR=198.51.100.7") == ["503 5.5.1 bad sequence of commands"]
    assert talk.say("XREMOTEIP 198.51.100.7") == ["250 2.0.0 OK"]
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.send(CONTENT + b".\r\n")
    assert desk.message.source == "198.51.100.7:0"


def test_variables_are_set_shown_and_logged() -> None:
    desk = trusted('context = [ tenant = "t1" ]')
    talk = greeted(desk)
    assert talk.say("XSETCONTEXT tenant=t2 note=two+20words") == ["250 2.0.0 XSETCONTEXT complete"]
    assert talk.say("XDUMPCONTEXT") == [
        "250-[connection] tenant t2",
        "250-[connection] pathway default",
        "250-[connection] ehlo_string EHLO gateway.example",
        "250-[connection] ehlo_domain gateway.example",
        "250-[connection] note two words",
        "250 XDUMPCONTEXT complete",
    ]
    talk.say("MAIL FROM:<a@client.example>")
    talk.say("RCPT TO:<x@other.example>")
    assert desk.rejections[-1].conn_vars["note"] == "two words"


def test_variables_are_bounded() -> None:
    desk = Desk(listener=f'max_idle_commands = 0\npeer "192.0.2.9" {{\n{ALL}\n}}')
    talk = greeted(desk)
    for number in range(MOST_VARIABLES):
        assert talk.say(f"XSETCONTEXT v{number}=x")[0].startswith("250")
    assert talk.say("XSETCONTEXT more=x") == ["452 4.5.3 too many variables"]
    assert talk.say("XSETCONTEXT v0=y")[0].startswith("250")


def test_after_a_reload_they_end_the_session_as_others_do() -> None:
    desk = trusted()
    talk = greeted(desk)
    desk.services.profiles = Desk.profiles("", generation=2)
    assert talk.say("XREMOTEIP 198.51.100.7")[0].startswith("421")
    assert talk.transport.over


def test_what_the_operator_set_is_shown_in_ascii() -> None:
    desk = trusted('context = [ name = "J\u00f6rg" ]')
    assert greeted(desk).say("XDUMPCONTEXT")[0] == "250-[connection] name J\\xf6rg"
