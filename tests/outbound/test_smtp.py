"""One connection: what goes over it, and what becomes of mail when it breaks off."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from angarium.core.message import Notify, Trait
from angarium.journal.errors import DamageError
from angarium.mail.format.seven import seven_bit
from angarium.net.options.sockets import Sending as NetSending
from angarium.outbound import attempt
from angarium.outbound.errors import UNREADABLE
from helpers.peer import Peer
from helpers.sending import Sending


async def test_a_message_is_delivered_and_its_entry_ends() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        await sending.quiet()
        (taken,) = peer.messages
        assert taken.mail == "MAIL FROM:<a@sender.test> SIZE=22"
        assert taken.rcpts == ["RCPT TO:<b@example.test>"]
        assert taken.body == b"Subject: hi\r\n\r\nhello\r\n"
        (event,) = sending.deliveries
        assert (event.remote, event.reply) == (f"127.0.0.1:{peer.port}", "250 2.0.0 taken")
        assert (event.attempt, event.size, event.domain) == (0, 22, "example.test")
        assert sending.spool.live == {}


async def test_many_messages_go_over_one_connection() -> None:
    async with Peer() as peer, Sending(peer.port, max_outbound_connections=1) as sending:
        for number in range(50):
            sending.put(f"b{number}@example.test")
        await sending.quiet()
        assert [each.rcpts for each in peer.messages] == [
            [f"RCPT TO:<b{number}@example.test>"] for number in range(50)
        ]
        assert (peer.connections, len(sending.deliveries)) == (1, 50)
        assert len({each.connection for each in sending.deliveries} - {0}) == 1


async def test_recipients_of_one_message_go_in_one_transaction() -> None:
    answers = {"RCPT": ["250 ok", "550 5.1.1 no such user", "452 4.2.2 full"]}
    async with Peer(answers) as peer, Sending(peer.port, generate_bounces=False) as sending:
        sending.put("a@example.test", "b@example.test", "c@example.test")
        await sending.quiet()
        assert len(peer.messages) == 1
        assert [each.rcpt for each in sending.deliveries] == ["a@example.test"]
        (failed,) = sending.failures
        (delayed,) = sending.delays
        assert (failed.rcpt, failed.stage, failed.classification) == ("b@example.test", 5, 10)
        assert (delayed.rcpt, delayed.stage, delayed.reason) == (
            "c@example.test",
            5,
            "452 4.2.2 full",
        )


@pytest.mark.parametrize(
    ("answers", "stage", "reason"),
    [
        ({"MAIL": ["!close"]}, 3, "451 4.4.2 [internal] connection closed by remote host"),
        ({"MAIL": ["421 4.3.2 busy !close"]}, 3, "421 4.3.2 busy"),
        ({"DATA": ["!reset"]}, 7, "451 4.4.2 [internal] connection closed by remote host"),
        ({".": ["!close"]}, 9, "451 4.4.2 [internal] connection closed by remote host"),
        ({".": ["421 4.3.2 busy !close"]}, 9, "421 4.3.2 busy"),
        ({"MAIL": ["354 what"]}, 3, "451 4.5.0 [internal] protocol error: 354 in reply to MAIL"),
        ({"MAIL": ["gibberish"]}, 3, "451 4.5.0 [internal] protocol error: malformed reply"),
    ],
)
async def test_the_first_message_of_a_session_that_breaks_off_is_put_off(
    answers: dict[str, list[str]], stage: int, reason: str
) -> None:
    async with Peer(answers) as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        await sending.until(lambda: sending.delays)
        (event,) = sending.delays
        if "DATA" not in answers:  # Where a reset finds us depends on the kernel.
            assert event.stage == stage
        assert event.reason == reason
        assert sending.board.delayed == 1


async def test_what_was_not_sent_when_a_working_session_ends_harms_nobody() -> None:
    answers = {"MAIL": ["250 ok", "421 4.7.0 enough for one session !close"]}
    async with Peer(answers) as peer, Sending(peer.port, max_outbound_connections=1) as sending:
        for number in range(3):
            sending.put(f"b{number}@example.test")
        await sending.quiet()
        await sending.until(lambda: len(peer.messages) == 3)
        assert peer.connections == 2
        assert sending.delays == []
        assert [each.rcpts[0] for each in peer.messages] == [
            f"RCPT TO:<b{number}@example.test>" for number in range(3)
        ]


async def test_mail_lost_after_its_content_was_sent_is_tried_again() -> None:
    answers = {".": ["250 ok", "!close"]}
    async with Peer(answers) as peer, Sending(peer.port, max_outbound_connections=1) as sending:
        for number in range(3):
            sending.put(f"b{number}@example.test")
        await sending.until(lambda: len(peer.messages) == 2)
        await sending.quiet()
        assert [(each.rcpt, each.stage) for each in sending.delays] == [("b1@example.test", 9)]


@pytest.mark.effect("mailfrom_timeout", "rcptto_timeout", "body_timeout")
@pytest.mark.parametrize(
    ("verb", "stage", "option", "reason"),
    [
        ("MAIL", 3, "mailfrom_timeout", "[internal] no MAIL FROM response"),
        ("RCPT", 5, "rcptto_timeout", "[internal] no RCPT TO response"),
        (".", 9, "body_timeout", "[internal] no BODY response"),
    ],
)
async def test_each_stage_has_its_timeout(verb: str, stage: int, option: str, reason: str) -> None:
    async with (
        Peer({verb: ["!nothing"]}) as peer,
        Sending(peer.port, transport={option: 20.0}) as sending,
    ):
        sending.put("b@example.test")
        await sending.until(lambda: verb in peer.verbs or (verb == "." and "DATA" in peer.verbs))
        await sending.until(lambda: next(iter(sending.sessions)).stage == stage)
        await sending.later(15.0)
        assert sending.delays == []
        await sending.later(12.0)
        (event,) = sending.delays
        assert (event.stage, event.reason) == (stage, f"451 4.4.2 {reason}")


async def test_a_short_timeout_is_noticed_within_two_seconds_of_its_end() -> None:
    async with (
        Peer({"MAIL": ["!nothing"]}) as peer,
        Sending(peer.port, transport={"mailfrom_timeout": 2.0}) as sending,
    ):
        sending.put("b@example.test")
        await sending.until(lambda: "MAIL" in peer.verbs)
        await sending.later(4.0)
        assert len(sending.delays) == 1


async def test_a_reply_which_trickles_in_is_no_progress() -> None:
    async with (
        Peer({"MAIL": ["!trickle"]}) as peer,
        Sending(peer.port, transport={"mailfrom_timeout": 30.0}) as sending,
    ):
        sending.put("b@example.test")
        await sending.until(lambda: "MAIL" in peer.verbs)
        (conversation,) = peer.open
        for octet in b"250-x\r\n250-y\r\n250-z":
            conversation.transport.write(bytes((octet,)))
            await sending.later(2.0)
            if sending.delays:
                break
        assert [each.reason for each in sending.delays] == [
            "451 4.4.2 [internal] no MAIL FROM response"
        ]


class Long:
    """A body of many pieces, which counts those that were read."""

    pieces_read = 0
    size = 400 * 65536

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        for _ in range(400):
            self.pieces_read += 1
            yield b"x" * 65534 + b"\r\n"

    def whole(self) -> bytes:
        return b"".join(self.pieces())


class SpoiltBody:
    """A body which the disk does not give."""

    size = 10

    def __init__(self, error: Exception) -> None:
        self._error = error

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        yield b"half\r\n"
        raise self._error

    def whole(self) -> bytes:
        return b"".join(self.pieces())


def spoil(sending: Sending, address: str, error: Exception) -> int:
    """Make a message which is in the queue one whose body cannot be read; return its id."""
    [(ident, message)] = [
        (ident, message)
        for ident, (message, recipient) in sending.spool.kept.items()
        if recipient.address == address
    ]
    message.body = SpoiltBody(error)
    return ident


@pytest.mark.parametrize("traits", [0, Trait.EIGHT_BIT])
async def test_a_damaged_message_is_put_aside_and_the_host_not_blamed(traits: int) -> None:
    answers = {"EHLO": ["250-peer.test\n250 PIPELINING"]}  # 8-bit content is converted for it
    async with Peer(answers) as peer, Sending(peer.port, max_outbound_connections=1) as sending:
        told: list[int] = []
        sending.board.recall.unreadable = lambda ident, error: told.append(ident)
        sending.board.demand = lambda line: None
        line = sending.put("bad@example.test", traits=traits)
        for name in ("one", "two"):
            sending.put(f"{name}@example.test", traits=traits)
        damaged = spoil(sending, "bad@example.test", DamageError("damaged"))
        sending.board.demand = sending.pool.demand
        sending.board.offer(line)
        await sending.until(lambda: len(sending.deliveries) == 2)
        await sending.quiet()
        assert (told, sending.spool.isolated) == ([damaged], [damaged])
        assert not sending.delays
        assert not sending.failures
        assert {each.rcpts[0] for each in peer.messages} == {
            "RCPT TO:<one@example.test>",
            "RCPT TO:<two@example.test>",
        }


async def test_a_message_the_disk_does_not_give_now_is_tried_again() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        sending.board.demand = lambda line: None
        line = sending.put("bad@example.test")
        spoil(sending, "bad@example.test", OSError(5, "no"))
        sending.board.demand = sending.pool.demand
        sending.board.offer(line)
        await sending.until(lambda: sending.delays)
        assert sending.spool.isolated == []
        assert sending.delays[0].reason == str(UNREADABLE)


async def test_no_more_is_read_of_a_content_than_the_peer_takes() -> None:
    answers = {"EHLO": ["250-peer.test\n250 PIPELINING"]}
    async with (
        Peer(answers) as peer,
        Sending(peer.port, max_outbound_connections=1, transport={"body_timeout": 50.0}) as sending,
    ):
        body, demand = Long(), sending.board.demand
        sending.board.demand = lambda line: None
        line = sending.put("b@example.test")
        (entry,) = line.take(1)
        entry.message.body = body
        line.put_back([entry])
        sending.put("c@example.test")
        peer.pausing = True
        sending.board.demand = demand
        sending.board.offer(line)
        await sending.until(lambda: "DATA" in peer.verbs)
        await sending.until(lambda: sending.sessions[0]._stuck)
        read = body.pieces_read
        assert read < 200
        await sending.later(30.0)
        assert body.pieces_read == read
        (conversation,) = peer.open
        conversation.transport.resume_reading()
        await sending.until(lambda: len(peer.messages) == 2)
        await sending.quiet()
        assert (len(peer.messages[0].body), body.pieces_read) == (body.size, 400)
        assert sending.delays == []


async def test_a_peer_which_takes_nothing_more_is_given_up() -> None:
    async with (
        Peer({"EHLO": ["250 peer.test"]}) as peer,
        Sending(peer.port, transport={"body_timeout": 50.0}) as sending,
    ):
        demand = sending.board.demand
        sending.board.demand = lambda line: None
        line = sending.put("b@example.test")
        (entry,) = line.take(1)
        entry.message.body = Long()
        line.put_back([entry])
        peer.pausing = True
        sending.board.demand = demand
        sending.board.offer(line)
        await sending.until(lambda: sending.sessions and sending.sessions[0]._stuck)
        await sending.later(60.0)
        (event,) = sending.delays
        assert (event.stage, event.reason) == (8, "451 4.4.2 [internal] send BODY failed")


async def test_an_idle_connection_is_used_again_and_left_after_idle_timeout() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        await sending.quiet()
        await sending.later(4.0)
        sending.put("c@example.test")
        await sending.quiet()
        assert peer.connections == 1
        await sending.later(8.0)
        await sending.until(lambda: not peer.open)
        assert peer.verbs[-1] == "QUIT"
        assert sending.delays == []


@pytest.mark.effect("max_deliveries_per_connection", "max_recipients_per_connection")
@pytest.mark.parametrize(
    ("shape", "connections"),
    [
        ({"max_deliveries_per_connection": 2}, 3),
        ({"max_recipients_per_connection": 3}, 2),
        ({}, 1),
    ],
)
async def test_a_connection_has_only_so_much_to_do(shape: dict[str, int], connections: int) -> None:
    async with (
        Peer() as peer,
        Sending(peer.port, transport=shape, max_outbound_connections=1) as sending,
    ):
        for number in range(6):
            sending.put(f"b{number}@example.test")
        await sending.until(lambda: len(peer.messages) == 6)
        await sending.quiet()
        assert peer.connections == connections
        assert sending.delays == []


EHLO = {"EHLO": ["250 peer.test"]}


@pytest.mark.parametrize(
    ("mail", "transport", "reply"),
    [
        ({"traits": Trait.SMTPUTF8}, {}, "553 5.6.7"),
        ({"traits": Trait.BINARY, "body": b"A: b\r\n\r\n\xff\0"}, {}, ""),
        ({"traits": Trait.BINARY, "body": b"A: b\r\n\r\n\0"}, {}, "554 5.6.1"),
        ({"traits": Trait.BINARY, "body": b"\xe9: b\r\n\r\n\0"}, {}, "554 5.6.1"),
        (
            {"traits": Trait.EIGHT_BIT, "body": b"\xe9: b\r\n\r\nx\r\n"},
            {"transform_8bitmime_content": "strict"},
            "554 5.6.3",
        ),
    ],
)
async def test_what_the_peer_cannot_take_is_not_offered_to_it(
    mail: dict[str, Any], transport: dict[str, str], reply: str
) -> None:
    async with (
        Peer(EHLO) as peer,
        Sending(peer.port, transport=transport, generate_bounces=False) as sending,
    ):
        sending.put("b@example.test", **mail)
        await sending.quiet()
        assert [each.reason[:9] for each in sending.failures] == ([reply] if reply else [])
        assert len(peer.messages) == (0 if reply else 1)


@pytest.mark.effect("remote_reply_limit")
async def test_a_host_with_endless_replies_is_given_up() -> None:
    answers = {"EHLO": ["\n".join(["250-peer.test"] * 5 + ["250 SIZE"])]}
    transport = {"remote_reply_limit": 5}
    async with Peer(answers) as peer, Sending(peer.port, transport=transport) as sending:
        sending.put("b@example.test")
        await sending.until(lambda: sending.delays)
        assert (peer.messages, len(sending.delays)) == ([], 1)


async def test_a_message_larger_than_the_peer_takes_fails_here() -> None:
    answers = {"EHLO": ["250-peer.test\n250 SIZE 20"]}
    async with Peer(answers) as peer, Sending(peer.port, generate_bounces=False) as sending:
        sending.put("b@example.test")
        sending.put("c@example.test", body=b"A: b\r\n\r\n")
        await sending.quiet()
        assert [each.reason[:9] for each in sending.failures] == ["552 5.3.4"]
        assert [each.rcpts for each in peer.messages] == [["RCPT TO:<c@example.test>"]]


@pytest.mark.effect("transform_8bitmime_content")
@pytest.mark.parametrize(
    ("how", "content"),
    [
        ("ifneeded", b"Content-Transfer-Encoding: quoted-printable\r\n"),
        ("no", b"caf\xc3\xa9"),
        ("strip", b"cafC)"),
    ],
)
async def test_8_bit_content_for_a_peer_which_takes_7(how: str, content: bytes) -> None:
    transport = {"transform_8bitmime_content": how}
    body = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ncaf\xc3\xa9\r\n"
    async with Peer(EHLO) as peer, Sending(peer.port, transport=transport) as sending:
        sending.put("b@example.test", body=body, traits=Trait.EIGHT_BIT)
        await sending.quiet()
        (taken,) = peer.messages
        assert content in taken.body
        assert taken.body.isascii() is (how != "no")
        assert taken.mail == "MAIL FROM:<a@sender.test>"


@pytest.mark.effect("send_8bitmime")
async def test_body_8bitmime_is_said_where_it_is_wanted() -> None:
    async with (
        Peer() as peer,
        Sending(peer.port, transport={"send_8bitmime": "ifavailable"}) as sending,
    ):
        sending.put("b@example.test", body=b"A: b\r\n\r\n\xe9\r\n", traits=Trait.EIGHT_BIT)
        await sending.quiet()
        assert peer.messages[0].mail.endswith(" BODY=8BITMIME")


@pytest.mark.effect("delivery_method", "lmtp_port")
async def test_lmtp_answers_for_each_recipient() -> None:
    answers = {".": ["250 2.0.0 ok\n550 5.2.0 no"]}
    transport = {"delivery_method": "LMTP"}
    async with (
        Peer(answers) as peer,
        Sending(transport=transport | {"lmtp_port": peer.port}, generate_bounces=False) as sending,
    ):
        sending.put("a@example.test", "b@example.test")
        await sending.quiet()
        assert peer.verbs[0] == "LHLO"
        assert [each.rcpt for each in sending.deliveries] == ["a@example.test"]
        assert [(each.rcpt, each.stage) for each in sending.failures] == [("b@example.test", 9)]


async def test_notify_is_passed_on_and_the_peer_reports_success() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        sending.put("b@example.test", notify=Notify.SUCCESS, orcpt="rfc822;b@z.test")
        await sending.quiet()
        assert peer.messages[0].rcpts == [
            "RCPT TO:<b@example.test> NOTIFY=SUCCESS ORCPT=rfc822;b@z.test"
        ]
        assert sending.spool.live == {}


LARGE = b"A: b\r\n\r\n" + (".caf\u00e9 " * 8 + "\r\n").encode() * 8000
SEVEN = {"EHLO": ["250-peer.test\n250 PIPELINING"]}


async def test_a_large_content_is_made_7_bit_while_it_is_sent() -> None:
    async with Peer(SEVEN) as peer, Sending(peer.port) as sending:
        sending.put("b@example.test", body=LARGE, traits=Trait.EIGHT_BIT | Trait.DOTS)
        sending.put("c@example.test")
        await sending.until(lambda: len(sending.deliveries) == 2)
        converted = seven_bit(LARGE)
        assert converted is not None
        assert peer.messages[0].body == converted


async def test_a_large_content_with_no_7_bit_form_is_refused() -> None:
    body = "A: \u00e9\r\n\r\n".encode() + LARGE
    transport = {"transform_8bitmime_content": "strict"}
    async with Peer(SEVEN) as peer, Sending(peer.port, transport=transport) as sending:
        sending.put("b@example.test", body=body, traits=Trait.EIGHT_BIT)
        await sending.until(lambda: sending.failures)
        assert not peer.messages


async def test_a_connection_which_ends_while_a_content_is_looked_at_leaves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looking, look, unfit = threading.Event(), threading.Event(), attempt.unfit

    def slow(*given: Any) -> Any:
        looking.set()
        assert look.wait(90.0)
        return unfit(*given)

    monkeypatch.setattr(attempt, "unfit", slow)
    answers = {"EHLO": [*SEVEN["EHLO"], *SEVEN["EHLO"]]}
    async with Peer(answers) as peer, Sending(peer.port) as sending:
        line = sending.put("b@example.test", body=LARGE, traits=Trait.EIGHT_BIT)
        await sending.until(looking.is_set)
        (session,) = sending.sessions
        assert [each.recipient.address for each in session.entries] == ["b@example.test"]
        for each in list(peer.open):
            each.transport.abort()
        await sending.until(lambda: session.lost is not None)
        assert (line.in_flight, line.active) == (0, 1) or peer.connections == 2
        look.set()
        await sending.later(130)
        await sending.until(lambda: peer.messages)
        assert len(sending.deliveries) == 1


@pytest.mark.effect("banner_timeout", "ehlo_timeout")
@pytest.mark.parametrize(
    ("verb", "option", "reason"),
    [
        ("banner", "banner_timeout", "451 4.4.2 [internal] no banner"),
        ("EHLO", "ehlo_timeout", "451 4.4.2 [internal] no HELO/EHLO response"),
    ],
)
async def test_a_host_which_does_not_greet_is_waited_for(
    verb: str, option: str, reason: str
) -> None:
    async with (
        Peer({verb: ["!nothing"]}) as peer,
        Sending(peer.port, transport={option: 20.0}) as sending,
    ):
        sending.put("b@example.test")
        await sending.until(lambda: peer.connections and (verb == "banner" or verb in peer.verbs))
        await sending.later(15.0)
        assert sending.delays == []
        await sending.later(12.0)
        await sending.until(lambda: sending.delays)
        assert sending.delays[0].reason == reason


@pytest.mark.effect("rset_timeout")
@pytest.mark.parametrize(("seconds", "left"), [(5.0, 0), (200.0, 1)])
async def test_for_how_long_an_answer_to_quit_is_waited_for(seconds: float, left: int) -> None:
    async with (
        Peer({"QUIT": ["!nothing"]}) as peer,
        Sending(peer.port, transport={"rset_timeout": seconds}) as sending,
    ):
        sending.put("b@example.test")
        await sending.quiet()
        await sending.later(8.0)
        await sending.until(lambda: "QUIT" in peer.verbs)
        await sending.later(60.0)
        assert sending.pool.connections == left


@pytest.mark.effect("idle_timeout")
@pytest.mark.parametrize(("seconds", "connections"), [(60.0, 1), (1.0, 2)])
async def test_for_how_long_an_idle_connection_is_kept(seconds: float, connections: int) -> None:
    async with (
        Peer() as peer,
        Sending(peer.port, transport={"idle_timeout": seconds}) as sending,
    ):
        for recipient in ("b@example.test", "c@example.test"):
            sending.put(recipient)
            await sending.quiet()
            await sending.later(30.0)
        assert peer.connections == connections


@pytest.mark.effect("tcp_buffer_size")
async def test_how_much_of_a_content_waits_for_a_host_to_take_it() -> None:
    read = []
    for octets in (1024, 16 << 20):
        async with Peer({"EHLO": ["250 peer.test"]}) as peer, Sending(peer.port) as sending:
            sending.queues.configuration.tops[NetSending] = NetSending.make(tcp_buffer_size=octets)
            sending.pool.configure(sending.pool.configuration)
            body, demand = Long(), sending.board.demand
            sending.board.demand = lambda line: None
            line = sending.put("b@example.test")
            (entry,) = line.take(1)
            entry.message.body = body
            line.put_back([entry])
            peer.pausing = True
            demand(line)
            await sending.until(lambda: sending.sessions and sending.sessions[0]._stuck)
            read.append(body.pieces_read)
    # What the kernel takes is the same for both, within some pieces.
    assert read[1] - read[0] > 150
