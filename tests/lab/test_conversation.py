"""Sessions as transcripts over a transport in memory, each played whole and octet by octet."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.lab.conversation import Conversation
from angarium.lab.sink import Sink

CUTS = pytest.mark.parametrize("cut", [0, 1])
ENVELOPE = b"EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"


class Wire(asyncio.Transport):
    """A transport which keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 4321)})
        self.sent = b""
        self.closed = False
        self.reading = True
        self.more = asyncio.Event()

    def write(self, data: Any) -> None:
        self.sent += data
        self.more.set()

    def close(self) -> None:
        self.closed = True
        self.more.set()

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0


class Peer:
    """What talks to the sink."""

    def __init__(self, script: str = "", **options: Any) -> None:
        self.sink = Sink(script, clock=lambda: 1e9, **options)
        self.wire = Wire()
        self.conversation = Conversation(self.sink)
        self.conversation.connection_made(self.wire)

    def send(self, data: bytes, cut: int = 0) -> None:
        for start in range(0, len(data), cut or len(data)):
            self.conversation.data_received(data[start : start + (cut or len(data))])

    def codes(self) -> list[int]:
        """Take the codes of the replies so far."""
        lines, self.wire.sent = self.wire.sent.split(b"\r\n"), b""
        return [int(line[:3]) for line in lines if line[3:4] == b" "]

    async def said(self, octets: bytes) -> None:
        """Wait until the sink has said this."""
        while octets not in self.wire.sent:
            self.wire.more.clear()
            await asyncio.wait_for(self.wire.more.wait(), 90)


@CUTS
async def test_messages_arrive_octet_for_octet(cut: int) -> None:
    peer = Peer()
    body = b"Subject: x\r\n\r\n..two\r\n..\r\nbare\nand\rlone\r\n"
    stuffed = b"Subject: x\r\n\r\n...two\r\n...\r\nbare\nand\rlone\r\n"
    for _ in range(2):
        peer.send(ENVELOPE + b"DATA\r\n" + stuffed + b".\r\n", cut)
    peer.send(b"QUIT\r\n", cut)
    assert peer.codes() == [220, *[250, 250, 250, 354, 250] * 2, 221]
    assert peer.wire.closed
    first, second = peer.sink.messages
    assert first.content == second.content == body
    assert (first.sender, first.recipients, first.helo) == ("a@x", ["b@y"], "me")
    assert (first.number, second.number) == (1, 2)
    assert (first.octets, first.reply, first.at, first.peer) == (len(body), 250, 1e9, "192.0.2.1")


@given(
    st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\r\n.\r\n", b"\x00\xff"])).map(
        b"".join
    ),
    st.integers(1, 7),
)
def test_any_content_survives_any_cut(content: bytes, cut: int) -> None:
    body = content + b"\r\n"

    async def play() -> None:
        peer = Peer()
        stuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:]
        peer.send(ENVELOPE + b"DATA\r\n")
        peer.send(stuffed + b".\r\nNOOP\r\n", cut)
        assert peer.sink.messages[0].content == body
        assert peer.codes()[-1] == 250

    asyncio.run(play())


@CUTS
async def test_an_empty_body_ends_at_once(cut: int) -> None:
    peer = Peer()
    peer.send(ENVELOPE + b"DATA\r\n.\r\n", cut)
    assert peer.sink.messages[0].content == b""


@CUTS
async def test_chunks_are_a_message(cut: int) -> None:
    peer = Peer()
    peer.send(ENVELOPE + b"BDAT 4\r\n.\r\n.BDAT 0\r\nBDAT 3 LAST\r\n\r\nxNOOP\r\n", cut)
    assert peer.codes()[4:] == [250, 250, 250, 250]
    assert peer.sink.messages[0].content == b".\r\n.\r\nx"
    assert peer.sink.messages[0].command == "BDAT"


@CUTS
async def test_a_refused_chunk_is_read_and_not_taken(cut: int) -> None:
    peer = Peer()
    peer.send(b"EHLO x\r\nBDAT 5 LAST\r\nNOOP\nNOOP\r\n", cut)
    assert peer.codes()[2:] == [503, 250]
    assert not peer.sink.messages


async def test_commands_out_of_sequence_are_refused() -> None:
    peer = Peer()
    peer.send(
        b"MAIL FROM:<a>\r\nEHLO x\r\nRCPT TO:<b>\r\nDATA\r\nMAIL FROM:<a>\r\nMAIL FROM:<b>\r\n"
    )
    assert peer.codes() == [220, 503, 250, 503, 503, 250, 503]
    peer.send(b"DATA\r\nRSET\r\nRCPT TO:<b>\r\nVRFY x\r\n\r\n")
    assert peer.codes() == [554, 250, 503, 500, 500]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"MAIL FROM:<>", 250),
        (b"mail from:<a@x> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=a>b SMTPUTF8", 250),
        (b'MAIL FROM:<"a>b\\""@x>', 250),
        (b"MAIL FROM: <a@x>", 501),
        (b"MAIL FROM:a@x", 501),
        (b"MAIL TO:<a@x>", 501),
        (b"MAIL FROM:<a@x>SIZE=1", 501),
        (b"MAIL FROM:<" + b"a" * 60000 + b'"', 501),
        (b"MAIL FROM:<a@x> COLOUR=red", 555),
        (b"MAIL FROM:<a@x> SIZE=999999999", 552),
    ],
)
async def test_paths_and_parameters_are_read_strictly(command: bytes, code: int) -> None:
    peer = Peer()
    peer.send(b"EHLO x\r\n" + command + b"\r\n")
    assert peer.codes()[-1] == code


async def test_what_is_switched_off_is_neither_offered_nor_taken() -> None:
    peer = Peer("without DSN CHUNKING SMTPUTF8 8BITMIME BINARYMIME PIPELINING")
    peer.send(b"EHLO x\r\n")
    assert b"DSN" not in peer.wire.sent
    assert b"CHUNKING" not in peer.wire.sent
    assert peer.codes()
    for parameter in (b"RET=FULL", b"SMTPUTF8", b"BODY=8BITMIME", b"BODY=BINARYMIME"):
        peer.send(b"MAIL FROM:<a> " + parameter + b"\r\n")
    peer.send(b"BDAT 0 LAST\r\n")
    assert peer.codes() == [555, 555, 555, 555, 500]


async def test_what_came_too_early_is_counted() -> None:
    peer = Peer("without PIPELINING")
    peer.send(b"EHLO x\r\nNOOP\r\n")
    assert peer.sink.counts.early == 1
    peer = Peer()
    peer.send(ENVELOPE + b"DATA\r\n")
    peer.send(b"x\r\n.\r\n")
    assert peer.sink.counts.early == 0
    peer.send(ENVELOPE + b"DATA\r\nx\r\n.\r\n")
    assert peer.sink.counts.early == 1


async def test_a_message_over_the_limit_is_refused_and_not_kept() -> None:
    peer = Peer("with SIZE 10")
    peer.send(ENVELOPE + b"DATA\r\n" + b"0123456789\r\n.\r\n")
    assert peer.codes()[-1] == 552
    assert peer.sink.messages[0].content is None
    assert peer.sink.counts.messages == 0


@CUTS
async def test_a_refused_recipient_leaves_the_others(cut: int) -> None:
    peer = Peer("at rcpt to *@full reply 452 4.2.2 full")
    peer.send(b"EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@full>\r\nRCPT TO:<b@y> NOTIFY=NEVER\r\n", cut)
    peer.send(b"DATA\r\nx\r\n.\r\n", cut)
    assert peer.codes() == [220, 250, 250, 452, 250, 354, 250]
    assert peer.sink.messages[0].recipients == ["b@y"]
    assert peer.sink.messages[0].recipient_parameters == ["NOTIFY=NEVER"]


async def test_a_rule_at_the_dot_sees_all_recipients() -> None:
    peer = Peer("at dot to *@bad from a@* reply 554 5.7.1 no")
    peer.send(ENVELOPE + b"RCPT TO:<c@bad>\r\nDATA\r\n.\r\n")
    assert peer.codes()[-1] == 554
    assert not peer.sink.messages[0].accepted


async def test_a_delay_holds_back_the_answer_and_all_that_follows() -> None:
    peer = Peer("at mail delay 5ms")
    peer.send(ENVELOPE + b"NOOP\r\n")
    assert peer.codes() == [220, 250]
    await peer.said(b"2.0.0 ok")
    assert peer.codes() == [250, 250, 250]


@pytest.mark.slow
async def test_a_peer_which_floods_during_a_delay_is_not_read() -> None:
    peer = Peer("at mail delay 1ms")
    peer.send(ENVELOPE + b"NOOP\r\n" * 100_000)
    peer.send(b"NOOP\r\n")
    assert not peer.wire.reading
    await peer.said(b"2.1.5")
    assert peer.wire.reading


async def test_a_half_closed_peer_gets_its_late_answer() -> None:
    peer = Peer("at noop delay 1ms")
    peer.send(b"NOOP\r\n")
    assert peer.conversation.eof_received()
    await peer.said(b"2.0.0 ok")
    assert peer.wire.closed


async def test_a_trickled_answer_comes_octet_by_octet_and_whole() -> None:
    peer = Peer("at noop trickle 0 answer")
    peer.send(b"NOOP\r\nRSET\r\n")
    await peer.said(b"250 2.0.0 ok\r\n250 2.0.0 ok\r\n")


async def test_an_answer_may_be_followed_by_an_end() -> None:
    peer = Peer("at dot answer then drop")
    peer.send(ENVELOPE + b"DATA\r\n.\r\nNOOP\r\n")
    assert peer.codes()[-1] == 250
    assert peer.wire.closed
    assert peer.sink.messages[0].accepted
    assert peer.sink.counts.ends == {"drop": 1}


async def test_421_closes() -> None:
    peer = Peer("at mail reply 421 4.3.2 later")
    peer.send(ENVELOPE)
    assert peer.codes() == [220, 250, 421]
    assert peer.wire.closed


async def test_who_hangs_reads_on_and_who_is_deaf_does_not() -> None:
    for script, reading in (("at data hang", True), ("at data deaf", False)):
        peer = Peer(script)
        peer.send(ENVELOPE + b"DATA\r\n")
        peer.send(b"NOOP\r\n")
        assert peer.codes() == [220, 250, 250, 250]
        assert peer.wire.reading == reading
        assert not peer.wire.closed


async def test_a_dropped_connection_says_nothing() -> None:
    peer = Peer("at connect drop")
    assert (peer.wire.sent, peer.wire.closed) == (b"", True)


async def test_babble_comes_around_the_answer() -> None:
    peer = Peer("at banner babble twice\nat noop babble unsolicited\nat rset babble garbage answer")
    peer.send(b"NOOP\r\n")
    assert peer.codes() == [220, 220, 250, 250]
    peer.send(b"RSET\r\n")
    assert peer.wire.sent.endswith(b"\r\n250 2.0.0 ok\r\n")
    assert not peer.wire.sent.startswith(b"250")


async def test_an_endless_reply_goes_on_until_the_peer_leaves() -> None:
    peer = Peer("at ehlo babble endless")
    peer.send(b"EHLO x\r\n")
    await peer.said(b"250-and there is more\r\n" * 500)
    peer.conversation.connection_lost(None)
    assert peer.sink.counts.open == 0


async def test_an_early_answer_takes_the_place_of_the_one_after_the_dot() -> None:
    peer = Peer("at body past 1k reply 552 5.3.4 enough")
    peer.send(ENVELOPE + b"DATA\r\n" + b"x" * 2000)
    assert peer.codes()[-1] == 552
    peer.send(b"\r\n.\r\nNOOP\r\n")
    assert peer.codes() == [250]
    assert peer.sink.messages[0].reply == 552


async def test_a_body_is_asked_once_for_each_threshold() -> None:
    peer = Peer("at body past 10 nth 2 drop\nat body past 20 drop")
    peer.send(ENVELOPE + b"DATA\r\n" + b"x" * 15 + b"\r\n.\r\n" + ENVELOPE + b"DATA\r\nshort")
    assert not peer.wire.closed
    peer.send(b"x" * 15)
    assert peer.wire.closed


@pytest.mark.parametrize("stage", ["data", "dot"])
async def test_what_was_not_answered_was_not_accepted(stage: str) -> None:
    peer = Peer(f"at {stage} drop")
    peer.send(ENVELOPE + b"DATA\r\n.\r\n")
    assert not peer.sink.accepted


async def test_an_endless_line_ends_the_session() -> None:
    peer = Peer()
    peer.send(b"x" * 70000)
    assert peer.codes() == [220, 500]
    assert peer.wire.closed


async def test_command_lines_are_kept_as_they_came() -> None:
    peer = Peer()
    peer.send(b"ehlo \xc3\xbc\xff\r\nnoop\r\n")
    assert peer.sink.sessions[0].commands == ["ehlo ü\udcff", "noop"]
    quiet = Peer(keep=False)
    quiet.send(b"NOOP\r\n")
    assert not quiet.sink.sessions


@given(st.binary(max_size=200))
def test_no_octets_break_it(octets: bytes) -> None:
    async def play() -> None:
        peer = Peer()
        peer.send(ENVELOPE + octets)

    asyncio.run(play())


async def test_a_rule_does_not_count_commands_out_of_sequence() -> None:
    peer = Peer("at rcpt nth 1 reply 450 4.7.1 later\nat other reply 252 2.1.5 maybe")
    peer.send(b"EHLO x\r\nRCPT TO:<a@b>\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nVRFY a\r\n")
    assert peer.codes() == [220, 250, 503, 250, 450, 252]
