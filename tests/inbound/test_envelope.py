"""MAIL and RCPT: who may be named, and how many."""

import pytest

from angarium.journal.errors import SpoolError
from helpers.reception import Desk

MAIL_OK = ["250 2.0.0 MAIL FROM accepted"]
RCPT_OK = ["250 2.0.0 RCPT TO accepted."]
DENIED = ["550 5.7.1 relaying denied"]
CONTENT = b"Subject: x\r\n\r\n"


def test_recipients_of_other_domains_are_denied_to_strangers() -> None:
    talk = Desk().greeted()
    assert talk.say("MAIL FROM:<a@mx.example>") == MAIL_OK
    assert talk.say("RCPT TO:<b@other.example>") == DENIED
    assert talk.say("RCPT TO:<b@MX.Example>") == RCPT_OK


@pytest.mark.parametrize(
    ("options", "listener"),
    [
        ('relay_hosts = ("192.0.2.0/24")', ""),
        ("", "open_relay = true"),
        ("", "relay_for_sending_domains = ( )"),
        ("", 'relay_for_sending_domains = ("client.example")'),
        ("", 'peer "192.0.2.0/24" {\nopen_relay = true\n}'),
    ],
)
def test_trusted_clients_and_senders_may_relay(options: str, listener: str) -> None:
    talk = Desk(options, listener=listener).greeted()
    assert talk.say("MAIL FROM:<a@client.example>") == MAIL_OK
    assert talk.say("RCPT TO:<b@other.example>") == RCPT_OK


@pytest.mark.parametrize(
    ("options", "listener"),
    [
        ('relay_hosts = ("198.51.100.0/24")', ""),
        ('relay_hosts = ("192.0.2.0/24")', 'relay_hosts = ("198.51.100.0/24")'),
        ("", 'relay_for_sending_domains = ("other.example")'),
        ("", 'peer "198.51.100.0/24" {\nopen_relay = true\n}'),
    ],
)
def test_others_may_not(options: str, listener: str) -> None:
    talk = Desk(options, listener=listener).greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@other.example>") == DENIED


def test_a_trusted_sender_is_trusted_for_its_message_only() -> None:
    talk = Desk(listener='relay_for_sending_domains = ("client.example")').greeted()
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@other.example>") == RCPT_OK
    talk.say("RSET")
    talk.say("MAIL FROM:<>")
    assert talk.say("RCPT TO:<b@other.example>") == DENIED


def test_bounce_domains_are_taken_from_anybody() -> None:
    talk = Desk('bounce_domains = ("*.bounces.example")').greeted()
    talk.say("MAIL FROM:<>")
    assert talk.say("RCPT TO:<verp@b1.bounces.example>") == RCPT_OK


def test_clients_of_a_unix_socket_count_as_loopback() -> None:
    talk = Desk('relay_hosts = ("127.0.0.0/8")').greeted("")
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@other.example>") == RCPT_OK


def test_the_null_sender_may_be_forbidden() -> None:
    talk = Desk("allow_null_envelope_sender = false").greeted()
    assert talk.say("MAIL FROM:<>") == ["550 5.7.1 null sender not accepted"]


def test_address_literals_may_be_forbidden() -> None:
    trusted = 'relay_hosts = ("192.0.2.0/24")\n'
    talk = Desk(trusted).greeted()
    talk.say("MAIL FROM:<>")
    assert talk.say("RCPT TO:<a@[192.0.2.1]>") == RCPT_OK
    talk = Desk(trusted + "allow_ip_literal = false").greeted()
    talk.say("MAIL FROM:<>")
    assert talk.say("RCPT TO:<a@[192.0.2.1]>") == ["501 5.5.2 RCPT TO syntax error"]


def test_unqualified_addresses_are_refused_or_completed() -> None:
    talk = Desk().greeted()
    assert talk.say("MAIL FROM:<bob>") == ["501 5.5.2 MAIL FROM syntax error"]
    talk.say("MAIL FROM:<>")
    assert talk.say("RCPT TO:<postmaster>") == ["501 5.5.2 RCPT TO syntax error"]
    desk = Desk(
        'domain_for_unqualified_sender_address = "S.example"\n'
        'domain_for_unqualified_recipient_addresses = "mx.example"'
    )
    desk.greeted().deliver(CONTENT, "bob", "postmaster")
    [(message, [recipient])] = desk.admit.taken
    assert message.sender == "bob@S.example"
    assert (recipient.address, recipient.domain) == ("postmaster@mx.example", "mx.example")
    # The trace keeps what the client said.
    assert b"Return-Path: <bob@S.example>" in message.header
    assert b"(envelope-from <bob>)" in message.header


def test_a_completed_sender_counts_for_relaying() -> None:
    desk = Desk(
        'domain_for_unqualified_sender_address = "s.example"',
        listener='relay_for_sending_domains = ("s.example")',
    )
    assert desk.greeted().deliver(CONTENT, "bob", "b@other.example").startswith("250")


def test_a_declared_size_above_the_limit_is_refused_at_once() -> None:
    talk = Desk(listener="max_message_size = 1000").greeted()
    assert talk.say("MAIL FROM:<> SIZE=1001") == ["552 5.3.4 message size limit exceeded"]
    assert talk.say("MAIL FROM:<> SIZE=1000") == MAIL_OK


def test_recipients_of_a_message_are_limited() -> None:
    talk = Desk(listener="max_recipients_per_message = 1").greeted()
    for _ in range(2):
        talk.say("MAIL FROM:<>")
        assert talk.say("RCPT TO:<b@mx.example>") == RCPT_OK
        assert talk.say("RCPT TO:<c@mx.example>") == [
            "452 4.5.3 Service unavailable, recipients per message limit reached"
        ]
        talk.say("RSET")


def test_recipients_of_a_connection_are_limited() -> None:
    talk = Desk(listener="max_recipients_per_connection = 2").greeted()
    assert talk.deliver(CONTENT).startswith("250")
    talk.say("MAIL FROM:<>")
    assert talk.say("RCPT TO:<b@mx.example>") == RCPT_OK
    assert talk.say("RCPT TO:<c@mx.example>") == [
        "452 4.5.3 Service unavailable, recipients per connection limit reached"
    ]


def test_messages_of_a_connection_are_limited() -> None:
    talk = Desk("max_receptions_per_connection = 1").greeted()
    assert talk.deliver(CONTENT).startswith("250")
    assert talk.say("MAIL FROM:<>") == ["452 4.5.3 Service unavailable, batch limit reached"]


def test_blackholed_recipients_are_refused() -> None:
    desk = Desk()
    desk.services.blackholed = lambda domain: domain == "mx.example"
    talk = desk.greeted()
    talk.say("MAIL FROM:<>")
    assert talk.say("RCPT TO:<b@mx.example>") == ["551 5.7.1 recipient blackholed"]


def test_too_many_errors_end_the_session() -> None:
    talk = Desk(listener="max_errors_per_connection = 3").greeted()
    talk.say("MAIL FROM:<>")
    for _ in range(3):
        assert talk.say("RCPT TO:<x@other.example>") == DENIED
    assert talk.say("FROB")[-1] == "421 4.7.0 too many errors"
    assert talk.transport.ended


def test_what_was_pipelined_behind_a_refused_sender_is_no_error_of_the_peer() -> None:
    desk = Desk(listener="max_errors_per_connection = 1")
    talk = desk.greeted()
    desk.admit.closed = SpoolError("no room")
    talk.send(b"MAIL FROM:<a@b.example>\r\n" + b"RCPT TO:<c@mx.example>\r\n" * 5 + b"DATA\r\n")
    assert [line[:3] for line in talk.heard()] == ["451", *["503"] * 6]
    assert not talk.transport.ended
    desk.admit.closed = None
    assert talk.deliver(CONTENT).startswith("250")


def test_temporary_refusals_are_no_errors_of_the_peer() -> None:
    talk = Desk(listener="max_errors_per_connection = 1\nmax_recipients_per_message = 1").greeted()
    talk.say("MAIL FROM:<>")
    talk.say("RCPT TO:<b@mx.example>")
    for _ in range(5):
        assert talk.say("RCPT TO:<b@mx.example>")[0].startswith("452")


def test_too_many_commands_without_mail_end_the_session() -> None:
    talk = Desk(listener="max_idle_commands = 3").greeted()
    talk.say("NOOP")
    talk.deliver(CONTENT)
    for _ in range(3):
        assert talk.say("NOOP") == ["250 2.0.0 OK"]
    assert talk.say("RSET") == ["421 4.7.0 too many commands which bring no mail"]
    assert talk.transport.ended


def test_too_many_commands_end_the_session() -> None:
    talk = Desk(listener="max_commands_per_connection = 2").greeted()
    talk.say("NOOP")
    assert talk.say("NOOP") == ["421 4.7.0 too many commands"]
    assert talk.transport.ended
