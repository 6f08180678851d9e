"""Sessions of reception, from the greeting to the promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.message import Notify, Ret, Trait
from angarium.journal.errors import SpoolError
from angarium.net.sweep import NEVER
from helpers.reception import Desk

CONTENT = b"From: a@client.example\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\ntext\r\n"
FULL = SpoolError("no room", full=True)
BROKEN = SpoolError("broken")


def test_a_message_is_taken_with_all_that_is_known_of_it() -> None:
    desk = Desk()
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@client.example> RET=HDRS ENVID=e+2B1 SIZE=100")
    talk.say("RCPT TO:<b@mx.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@x.example")
    talk.say("RCPT TO:<c@MX.example>")
    assert talk.say("DATA") == ['354 continue.  finished with "\\r\\n.\\r\\n"']
    talk.send(CONTENT + b"..\xe9\r\n.\r\n")
    [(message, recipients)] = desk.admit.taken
    assert message.sender == "a@client.example"
    assert message.body.whole() == CONTENT + b".\xe9\r\n"
    assert (message.ret, message.envid) == (Ret.HDRS, "e+2B1")
    assert message.traits == Trait.EIGHT_BIT | Trait.DOTS
    assert message.protocol == "esmtp"
    assert message.source == "192.0.2.9:34567"
    assert message.pathway == "default"
    assert message.connection == talk.session.origin.connection
    assert message.received_at == desk.clock.time()
    assert [each.address for each in recipients] == ["b@mx.example", "c@MX.example"]
    assert [each.domain for each in recipients] == ["mx.example", "mx.example"]
    assert recipients[0].notify == Notify.SUCCESS | Notify.DELAY
    assert recipients[0].orcpt == "rfc822;b@x.example"


def test_the_header_we_add() -> None:
    desk = Desk()
    assert desk.greeted().deliver(b"Subject: hi\r\n\r\n").startswith("250 2.0.0 OK ")
    assert desk.message.header.decode().splitlines() == [
        "Return-Path: <a@client.example>",
        "Received: from [192.0.2.9] ([192.0.2.9:34567] helo=client.example)",
        "\tby host.example (envelope-from <a@client.example>)",
        "\t(angarium test) with ESMTP",
        "\tid 00/00-00256-6553F100; Tue, 14 Nov 2023 22:13:20 +0000",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "Message-ID: <00.00.00256.6553F100@host.example>",
    ]
    assert desk.message.variables == {"rfc2822_date_missing": "true"}


def test_what_is_there_is_not_added_and_a_return_path_is_replaced() -> None:
    desk = Desk()
    desk.greeted().deliver(b"Return-Path: <forged@x.example>\r\n" + CONTENT, sender="")
    assert desk.message.header.startswith(b"Return-Path: <>\r\nReceived: ")
    assert b"Date" not in desk.message.header.replace(b"; Tue", b"")
    assert desk.content == CONTENT


def test_without_trace_headers_nothing_of_ours_is_added() -> None:
    desk = Desk("rfc2822_trace_headers = false")
    desk.greeted().deliver(b"Return-Path: <x@y>\r\n" + CONTENT)
    assert desk.message.header == b""
    assert desk.content == b"Return-Path: <x@y>\r\n" + CONTENT


def test_the_250_waits_for_the_disk_and_names_the_message() -> None:
    desk = Desk()
    desk.admit.slow = True
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n")
    talk.send(CONTENT + b".\r\nNOOP\r\n")
    assert talk.heard()[-1].startswith("354")
    desk.admit.answer()
    assert talk.heard() == ["250 2.0.0 OK 00/00-00256-6553F100", "250 2.0.0 OK"]


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (FULL, "452 4.3.1 insufficient system storage"),
        (BROKEN, "451 4.3.0 transaction failed"),
    ],
)
def test_what_could_not_be_made_durable_is_answered_4xx(error: SpoolError, reply: str) -> None:
    desk = Desk()
    desk.admit.error = error
    talk = desk.greeted()
    assert talk.deliver(CONTENT) == reply
    desk.admit.error = None
    assert talk.deliver(CONTENT).startswith("250")


def test_a_connection_lost_while_the_disk_works_is_no_matter() -> None:
    desk = Desk()
    desk.admit.slow = True
    talk = desk.greeted()
    talk.deliver(CONTENT)
    talk.lose()
    desk.admit.answer()
    assert talk.heard() == []
    assert not desk.services.sessions


@pytest.mark.parametrize(("error", "code"), [(FULL, "452 4.3.1"), (BROKEN, "451 4.3.0")])
def test_while_the_spool_takes_nothing_mail_is_refused_before_it_is_sent(
    error: SpoolError, code: str
) -> None:
    desk = Desk()
    talk = desk.greeted()
    desk.admit.closed = error
    assert talk.say("MAIL FROM:<>")[0].startswith(code)
    late = desk.connect()
    assert late.heard() == ["421 4.3.4 allocated resources exceeded"]
    assert late.transport.over
    desk.admit.closed = None
    assert talk.say("MAIL FROM:<>") == ["250 2.0.0 MAIL FROM accepted"]


@pytest.mark.effect("max_pending_receptions")
def test_too_many_messages_waiting_for_the_disk_are_refused() -> None:
    desk = Desk("max_pending_receptions = 1")
    desk.admit.slow = True
    assert desk.greeted().deliver(CONTENT).startswith("354")
    reply = "451 4.3.0 Resource limitations, please try later"
    assert desk.greeted().deliver(CONTENT) == reply


# The greeting.


def test_the_greeting_offers_what_there_is() -> None:
    desk = Desk(listener="max_message_size = 10M")
    talk = desk.connect()
    assert talk.heard() == ["220 host.example ESMTP angarium test Tue, 14 Nov 2023 22:13:20 +0000"]
    assert talk.say("EHLO client.example") == [
        "250-host.example says EHLO to 192.0.2.9",
        "250-PIPELINING",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-ENHANCEDSTATUSCODES",
        "250-CHUNKING",
        "250-BINARYMIME",
        "250-DSN",
        "250 SIZE 10485760",
    ]
    assert talk.say("HELO client.example") == ["250 host.example says HELO to 192.0.2.9"]


@pytest.mark.effect("static_banner")
def test_a_static_banner_is_the_whole_greeting() -> None:
    assert Desk(listener='static_banner = "220 mine"').connect().heard() == ["220 mine"]


@pytest.mark.effect("banner_hostname", "received_hostname")
def test_names_of_ours_may_differ_in_banner_and_received() -> None:
    desk = Desk(listener='banner_hostname = "b.example"\nreceived_hostname = "r.example"')
    talk = desk.connect()
    assert talk.heard()[0].startswith("220 b.example ESMTP")
    talk.say("EHLO c")
    talk.deliver(b"Subject: x\r\n\r\n")
    assert b"\tby r.example" in desk.message.header
    assert b"@r.example>" in desk.message.header


def test_mail_without_a_greeting_is_taken_unless_it_is_required() -> None:
    assert Desk().connect().deliver(CONTENT).startswith("250")
    talk = Desk("require_ehlo = true").connect()
    assert talk.say("MAIL FROM:<>")[-1] == "550 5.5.1 RFC2821 HELO/EHLO needed"


def test_helo_makes_it_smtp_and_utf8_makes_it_utf8smtp() -> None:
    desk = Desk()
    talk = desk.connect()
    talk.say("HELO c")
    talk.deliver(CONTENT)
    assert b" with SMTP\r\n" in desk.message.header
    talk.say("EHLO c")
    talk.say("MAIL FROM:<é@c.example> SMTPUTF8")
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.send(CONTENT + b".\r\n")
    assert b" with UTF8SMTP\r\n" in desk.message.header
    assert desk.message.traits == Trait.SMTPUTF8


@pytest.mark.parametrize(("content", "needs"), [(b"", False), ("é".encode(), True)])
def test_smtputf8_is_needed_only_where_something_is_not_ascii(content: bytes, needs: bool) -> None:
    desk = Desk()
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@c.example> SMTPUTF8")
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.send(b"Subject: " + content + b"\r\n\r\n.\r\n")
    assert bool(desk.message.traits & Trait.SMTPUTF8) is needs


def test_an_address_in_utf8_needs_smtputf8() -> None:
    talk = Desk().greeted()
    assert talk.say("MAIL FROM:<é@c.example>") == ["553 5.6.7 address needs SMTPUTF8"]
    talk.say("MAIL FROM:<a@c.example>")
    assert talk.say("RCPT TO:<é@mx.example>") == ["553 5.6.7 address needs SMTPUTF8"]


def test_small_talk() -> None:
    talk = Desk().greeted()
    assert talk.say("NOOP hello") == ["250 2.0.0 OK"]
    assert talk.say("VRFY root")[0].startswith("252 2.0.0 ")
    assert talk.say("EXPN staff")[0].startswith("502 5.5.1 ")
    assert [line[:3] for line in talk.say("HELP")] == ["214", "214", "214"]
    assert talk.say("RSET") == ["250 2.0.0 OK"]
    assert talk.say("QUIT") == ["221 2.0.0 host.example closing connection"]
    assert talk.transport.closed


# Chunks.


def test_a_message_by_chunks() -> None:
    desk = Desk()
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@mx.example>\r\n")
    talk.send(b"BDAT 12\r\nSubject: x\r\nBDAT 5 LAST\r\n\r\n\n.\n")
    assert talk.heard()[2:] == [
        "250 2.0.0 12 octets received",
        "250 2.0.0 OK 00/00-00256-6553F100",
    ]
    assert desk.content == b"Subject: x\r\n\r\n\n.\n"
    assert desk.message.traits == Trait.BINARY | Trait.LONE | Trait.NO_FINAL_CRLF


def test_a_chunk_which_makes_it_too_large_ends_the_message() -> None:
    desk = Desk(listener="max_message_size = 20")
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\n")
    talk.send(b"BDAT 30\r\n" + b"x" * 30 + b"BDAT 2 LAST\r\nxxNOOP\r\n")
    assert talk.heard()[2:] == [
        "552 5.3.4 message size limit exceeded",
        "503 5.5.1 bad sequence of commands",
        "250 2.0.0 OK",
    ]


# Configuration and shutdown.


@pytest.mark.parametrize("line", ["MAIL FROM:<>", "RSET"])
def test_after_a_reload_a_session_ends_at_its_next_mail_or_rset(line: str) -> None:
    desk = Desk()
    talk = desk.greeted()
    talk.say("MAIL FROM:<>")
    desk.services.profiles = Desk.profiles("", generation=2)
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.send(CONTENT + b".\r\n")
    assert talk.heard()[-1].startswith("250")
    assert talk.say("NOOP") == ["250 2.0.0 OK"]
    assert talk.say(line) == ["421 4.3.2 Reconfiguration in progress"]
    assert talk.transport.over


@pytest.mark.effect("reconfig_message")
def test_the_words_after_a_reload_are_an_option() -> None:
    desk = Desk(listener='reconfig_message = "4.3.2 come back"')
    talk = desk.greeted()
    desk.services.profiles = Desk.profiles("", generation=2)
    assert talk.say("MAIL FROM:<>") == ["421 4.3.2 come back"]


def test_a_change_which_is_nothing_to_a_session_does_not_end_it() -> None:
    desk = Desk()
    talk = desk.greeted()
    desk.services.profiles = Desk.profiles("message_expiration = 5", generation=2, since=1)
    assert talk.deliver(CONTENT).startswith("250")
    assert talk.say("RSET") == ["250 2.0.0 OK"]
    desk.services.profiles = Desk.profiles("max_sessions = 5", generation=3, since=1)
    assert talk.say("MAIL FROM:<>") == ["421 4.3.2 Reconfiguration in progress"]


def test_a_stopping_server_ends_sessions_between_messages() -> None:
    desk = Desk()
    desk.admit.slow = True
    idle, busy = desk.greeted(), desk.greeted()
    busy.deliver(CONTENT)
    for session in list(desk.services.sessions):
        session.drain()
    assert idle.heard() == ["421 4.4.5 Service unavailable"]
    assert busy.heard() == []
    desk.admit.answer()
    assert busy.heard()[0].startswith("250")
    assert busy.say("MAIL FROM:<>") == ["421 4.4.5 Service unavailable"]


def test_a_session_which_does_not_end_in_time_hears_so_in_the_middle_of_a_content() -> None:
    desk = Desk()
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@b.test>")
    talk.say("RCPT TO:<c@d.test>")
    talk.say("DATA")
    talk.send(b"Subject: half")
    talk.session.drain()
    assert talk.heard() == []
    talk.session.end()
    assert talk.heard() == ["421 4.4.5 Service unavailable"]
    talk.session.end()
    assert talk.heard() == []


# Rejections.


@pytest.mark.effect("context")
def test_a_refusal_is_an_event_with_its_context() -> None:
    desk = Desk(listener='context = [ tenant = "t1" ]')
    talk = desk.greeted()
    talk.say("MAIL FROM:<a@client.example>")
    talk.say("RCPT TO:<x@other.example>")
    [event] = desk.rejections
    assert event.at == desk.clock.time()
    assert (event.remote, event.local) == ("192.0.2.9:34567", "127.0.0.1:2525")
    assert event.connection == talk.session.origin.connection
    assert (event.pathway, event.pathway_group) == ("default", "default")
    assert (event.phase, event.code, event.module) == (13, 550, "core")
    assert event.text == "relaying denied"
    assert event.conn_vars == {
        "tenant": "t1",
        "pathway": "default",
        "ehlo_string": "EHLO client.example",
        "ehlo_domain": "client.example",
    }
    assert event.mess_vars == {
        "mailfrom_domain": "client.example",
        "mailfrom_string": "MAIL FROM:<a@client.example>",
        "mailfrom_localpart": "a",
        "rcptto_domain": "other.example",
        "rcptto_string": "RCPT TO:<x@other.example>",
        "rcptto_localpart": "x",
    }


def test_breaches_of_the_protocol_are_rejections_too() -> None:
    desk = Desk()
    talk = desk.greeted()
    talk.say("FROB")
    talk.say("MAIL FROM:<>")
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.send(b"Subject: x\r\n\r\na\n.\nb\r\n.\r\n")
    assert talk.heard()[-1].startswith("550 5.5.2 ")
    assert [(each.phase, each.code) for each in desk.rejections] == [(4, 500), (4, 550)]
    assert desk.rejections[1].mess_vars["mailfrom_string"] == "MAIL FROM:<>"
    assert not desk.admit.taken
    assert talk.deliver(CONTENT).startswith("250")


# Whatever comes.

LINES = st.sampled_from(
    [
        b"EHLO c\r\n", b"MAIL FROM:<>\r\n", b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n",
        b"RCPT TO:<b@mx.example>\r\n", b"RCPT TO:<b@no.example>\r\n", b"DATA\r\n", b"x: y\r\n",
        b"\r\n", b".\r\n", b"\n.\r\n", b"BDAT 5\r\n", b"BDAT 3 LAST\r\n", b"RSET\r\n", b"QUIT\r\n",
    ]
)  # fmt: skip
DIALOGUE = st.lists(LINES | st.binary(max_size=6), max_size=25).map(b"".join)


@given(DIALOGUE, st.integers(1, 30), st.booleans())
def test_the_cuts_of_the_network_change_nothing(dialogue: bytes, cut: int, slow: bool) -> None:
    def heard(cut: int) -> tuple[bytes, list[bytes]]:
        desk = Desk(listener="max_message_size = 40")
        desk.admit.slow = slow
        talk = desk.connect()
        talk.send(dialogue, cut)
        while desk.admit.waiting:
            desk.admit.answer()
        return talk.transport.written, [each.body.whole() for each, _ in desk.admit.taken]

    if dialogue:
        assert heard(cut) == heard(len(dialogue))


def test_thousands_of_commands_at_once_are_worked_off_in_turns() -> None:
    desk = Desk(listener="max_idle_commands = 0")
    talk = desk.greeted()
    talk.session.data_received(b"NOOP\r\n" * 5000)
    first = len(talk.heard())
    assert first < 500
    desk.timers.run()
    assert first + len(talk.heard()) == 5000


def test_what_waits_behind_an_answer_is_bounded() -> None:
    desk = Desk()
    desk.admit.slow = True
    talk = desk.greeted()
    talk.deliver(CONTENT)
    for _ in range(40):
        talk.session.data_received(b"NOOP\r\n" * 500)
        if not talk.reading():
            break
    assert not talk.reading()
    desk.admit.answer()
    desk.timers.run()
    assert talk.reading() or talk.transport.over


def test_a_peer_which_does_not_read_gets_no_more_answers() -> None:
    desk = Desk(listener="max_idle_commands = 0\nwrite_timeout = 20")
    talk = desk.greeted()
    talk.session.pause_writing()
    talk.session.data_received(b"NOOP\r\n" * 10)
    assert talk.heard() == []
    assert not talk.reading()
    desk.wait(30)
    assert talk.transport.aborted


def test_a_half_closed_peer_still_gets_its_answers() -> None:
    desk = Desk()
    desk.admit.slow = True
    talk = desk.greeted()
    talk.deliver(CONTENT)
    assert talk.session.eof_received()
    desk.admit.answer()
    assert talk.heard()[0].startswith("250")
    assert talk.transport.closed


@pytest.mark.parametrize("option", ["idle_time = 300", "idle_time = 0"])
def test_an_idle_peer_is_told_and_left(option: str) -> None:
    desk = Desk(listener=option)
    talk = desk.greeted()
    desk.wait(302)
    if option.endswith("300"):
        assert talk.heard() == ["421 4.4.2 idle for too long"]
        assert talk.transport.ended
    else:
        assert talk.session.idle == NEVER
        assert talk.heard() == []


def test_a_message_has_a_deadline() -> None:
    desk = Desk(listener="idle_time = 300\nreception_deadline = 600\nmin_byte_rate = 0")
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nSubject: x\r\n")
    for _ in range(12):
        desk.wait(60)
        if not talk.transport.over:
            talk.send(b"a\r\n")
    assert talk.heard()[-1] == "421 4.4.2 the message took too long"


def test_between_messages_there_is_no_deadline() -> None:
    desk = Desk(listener="idle_time = 0\nreception_deadline = 600")
    talk = desk.greeted()
    talk.deliver(CONTENT)
    desk.wait(1000)
    assert talk.say("NOOP") == ["250 2.0.0 OK"]


def test_a_message_which_trickles_is_given_up() -> None:
    desk = Desk(listener="idle_time = 300\nmin_byte_rate = 100\nmin_byte_rate_window = 40")
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n")
    for _ in range(10):
        if not talk.transport.over:
            talk.send(b"a: b\r\n")
            desk.wait(5)
    assert talk.heard()[-1] == "421 4.4.2 the message comes too slowly"


def test_without_memory_who_sends_a_content_is_told_to_come_again() -> None:
    desk = Desk()
    talk, other = desk.greeted(), desk.greeted()
    talk.say("MAIL FROM:<a@client.example>")
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.send(CONTENT)
    for each in (talk, other):
        each.session.shed()
    assert talk.heard()[-1].startswith("421 4.3.4")
    assert talk.session.closing
    assert not other.session.closing
    assert not desk.admit.taken
