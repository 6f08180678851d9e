"""Dialogues of our side with peers good and bad, whole and byte by byte."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient, Trait
from angarium.core.reply import Reply
from angarium.wire.smtp_client import PIECE, UNSAFE, SmtpClient
from angarium.wire.smtp_transaction import Phase, Stage, Transaction
from helpers.dialogue import Player, transaction

Dialogue = Callable[[str], Player]

PIPELINED = """
    S: 220 mx.example ESMTP
    C: EHLO client.example
    S: 250-mx.example
    S: 250 PIPELINING
"""
PLAIN = """
    S: 220 mx.example ESMTP
    C: EHLO client.example
    S: 250 mx.example
"""
CHUNKED = """
    S: 220 mx.example ESMTP
    C: EHLO client.example
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250-BINARYMIME
    S: 250 CHUNKING
"""


@pytest.fixture(params=[0, 1], ids=["in big pieces", "byte by byte"])
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    return lambda script: _play(script, request.param)


def _play(script: str, cut: int = 0) -> Player:
    player = Player(SmtpClient("client.example"), cut)
    player.play(script)
    return player


def test_one_message_without_pipelining_goes_step_by_step(dialogue: Dialogue) -> None:
    player = dialogue(
        PLAIN
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        S: 250 ok
        C: RCPT TO:<b@y.example>
        S: 250 ok
        C: DATA
        S: 354 go on
        C: Hi
        C: .
        S: 250 2.0.0 taken
        =: b@y.example 250 2.0.0 taken [9]
    """
    )
    assert player.client.idle


def test_with_pipelining_content_and_next_commands_are_one_group(dialogue: Dialogue) -> None:
    dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<b@y.example>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go on
        >: <> c@y.example '.dot\r\n'
        C: Hi
        C: .
        C: MAIL FROM:<>
        C: RCPT TO:<c@y.example>
        C: DATA
        S: 250 first
        S: 250 ok
        S: 250 ok
        S: 354 go on
        =: b@y.example 250 first [9]
        C: ..dot
        C: .
        S: 250 second
        =: c@y.example 250 second [9]
    """
    )


def test_content_and_next_commands_leave_in_one_write() -> None:
    player = _play(PIPELINED + ">: a@x.example b@y.example 'Hi\\r\\n'\n")
    client = player.client
    client.receive(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    client.submit(transaction("a@x.example", "c@y.example", b"second\r\n"))
    assert client.data_to_send() == [
        b"Hi\r\n",
        b".\r\n",
        b"MAIL FROM:<a@x.example>\r\nRCPT TO:<c@y.example>\r\nDATA\r\n",
    ]
    assert client.data_to_send() == []


def test_a_refused_recipient_leaves_the_others(dialogue: Dialogue) -> None:
    dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example,c@y.example,d@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<b@y.example>
        C: RCPT TO:<c@y.example>
        C: RCPT TO:<d@y.example>
        C: DATA
        S: 250 ok
        S: 550 5.1.1 no such user
        S: 250 ok
        S: 452 4.2.2 full
        S: 354 go on
        C: Hi
        C: .
        S: 250 taken
        =: b@y.example 550 5.1.1 no such user [5]
        =: c@y.example 250 taken [9]
        =: d@y.example 452 4.2.2 full [5]
    """
    )


def test_data_accepted_for_nobody_is_answered_by_a_lone_dot(dialogue: Dialogue) -> None:
    dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<b@y.example>
        C: DATA
        S: 250 ok
        S: 550 no
        S: 354 go on
        C: .
        =: b@y.example 550 no [5]
        S: 554 no valid recipients
        >: a@x.example c@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<c@y.example>
        C: DATA
    """
    )


def test_half_a_transaction_is_reset_before_the_next(dialogue: Dialogue) -> None:
    dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<b@y.example>
        C: DATA
        S: 250 ok
        S: 550 no
        S: 503 no recipients
        =: b@y.example 550 no [5]
        >: a@x.example c@y.example 'Hi\r\n'
        C: RSET
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<c@y.example>
        C: DATA
        S: 250 reset
        S: 250 ok
        S: 250 ok
        S: 451 4.3.0 not now
        =: c@y.example 451 4.3.0 not now [7]
    """
    )


def test_half_a_transaction_is_reset_without_pipelining_too(dialogue: Dialogue) -> None:
    dialogue(
        PLAIN
        + r"""
        >: a@x.example b@y.example,c@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        S: 250 ok
        C: RCPT TO:<b@y.example>
        S: 550 no
        C: RCPT TO:<c@y.example>
        S: 550 nor
        =: b@y.example 550 no [5]
        =: c@y.example 550 nor [5]
        >: a@x.example d@y.example 'Hi\r\n'
        C: RSET
        S: 250 ok
        C: MAIL FROM:<a@x.example>
        S: 553 not you
        =: d@y.example 553 not you [3]
        >: a@x.example e@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
    """
    )


def test_a_refused_rset_ends_the_session_and_harms_nobody(dialogue: Dialogue) -> None:
    dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<b@y.example>
        C: DATA
        S: 250 ok
        S: 550 no
        S: 503 no recipients
        =: b@y.example 550 no [5]
        >: a@x.example c@y.example 'Hi\r\n'
        S: 502 what?
        !: 502 what? [14]
        ~: c@y.example ENVELOPE
    """
    )


def test_a_refused_sender_is_everyones_result(dialogue: Dialogue) -> None:
    dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example,c@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<b@y.example>
        C: RCPT TO:<c@y.example>
        C: DATA
        S: 451 4.7.1 greylisted
        =: b@y.example 451 4.7.1 greylisted [3]
        =: c@y.example 451 4.7.1 greylisted [3]
        S: 503 no sender
        S: 503 no sender
        S: 503 no sender
        >: a@x.example d@y.example 'Hi\r\n'
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<d@y.example>
        C: DATA
    """
    )


@pytest.mark.parametrize("session", [PIPELINED, PLAIN])
def test_421_ends_the_session_and_leaves_the_message_untouched(
    dialogue: Dialogue, session: str
) -> None:
    player = dialogue(session + ">: a@x.example b@y.example 'Hi\\r\\n'")
    player.play(
        """
        S: 421 4.3.2 closing
        !: 421 4.3.2 closing [3]
        ~: b@y.example ENVELOPE
        S: 250 ok
        =: nothing
    """.replace("=: nothing", "")
    )
    assert player.results == []


def test_421_in_place_of_the_confirmation_is_its_result(dialogue: Dialogue) -> None:
    dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        S: 250 ok
        S: 250 ok
        S: 354 go on
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<b@y.example>
        C: DATA
        C: Hi
        C: .
        S: 421 too busy
        =: b@y.example 421 too busy [9]
        !: 421 too busy [9]
    """
    )


def test_421_while_idle_is_a_good_bye(dialogue: Dialogue) -> None:
    dialogue(PIPELINED + "S: 421 idle too long\n!: 421 idle too long [1]")


def test_an_unsolicited_reply_ends_the_session(dialogue: Dialogue) -> None:
    player = dialogue(PIPELINED + "S: 250 ok")
    assert player.client.lost is not None
    assert player.client.lost.wrong


def test_a_reply_which_comes_twice_harms_nobody() -> None:
    """Each reply is shifted by the double, and what looked like a refusal is another's."""
    player = _play(
        PIPELINED
        + r"""
        >: a@x.example b@y.example,c@y.example 'Hi\r\n'
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 550 no such user
        S: 354 go on
        ~: b@y.example,c@y.example ENVELOPE
    """
    )
    assert player.results == []
    assert player.client.lost is not None
    assert player.client.lost.wrong


def test_a_double_reply_is_never_taken_for_a_confirmation(dialogue: Dialogue) -> None:
    player = dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        S: 250 ok
        S: 250 ok
        S: 250 ok
        ~: b@y.example ENVELOPE
    """
    )
    assert player.results == []
    assert player.client.lost is not None


def test_a_reply_before_its_command_left_answers_nothing() -> None:
    player = _play(
        PLAIN
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        S: 250 ok
        S: 250 ok
        ~: b@y.example ENVELOPE
    """
    )
    assert player.client.lost is not None
    assert player.client.lost.wrong


def test_a_peer_without_ehlo_gets_helo(dialogue: Dialogue) -> None:
    dialogue("""
        S: 220 old
        C: EHLO client.example
        S: 502 unknown
        C: HELO client.example
        S: 250 old
        >: a@x.example b@y.example 'Hi\\r\\n'
        C: MAIL FROM:<a@x.example>
    """)


@pytest.mark.parametrize(
    "script",
    [
        "S: 554 no service\n!: 554 no service [12]",
        "S: 220 hi\nS: 421 busy\n!: 421 busy [11]",
        "S: 220 hi\nC: EHLO client.example\nS: 451 later\n!: 451 later [11]",
        "S: 220 hi\nC: EHLO client.example\nS: 550 no\nC: HELO client.example\nS: 550 no\n"
        "!: 550 no [11]",
    ],
)
def test_a_session_may_never_open(dialogue: Dialogue, script: str) -> None:
    if "421" in script:
        script = script.replace("S: 220 hi\n", "S: 220 hi\nC: EHLO client.example\n")
    dialogue(script)


def test_quit_waits_for_its_reply(dialogue: Dialogue) -> None:
    player = dialogue(PIPELINED)
    player.client.quit()
    assert player.client.data_to_send() == [b"QUIT\r\n"]
    assert not player.client.free
    player.play("S: 221 bye\n!: 221 2.0.0 closing [1]")


def test_binary_content_goes_by_bdat_once_the_recipients_are_known(dialogue: Dialogue) -> None:
    player = dialogue(CHUNKED)
    player.submit(transaction("a@x.example", "b@y.example,c@y.example", b"\n.\0", Trait.BINARY))
    player.play("""
        C: MAIL FROM:<a@x.example> BODY=BINARYMIME
        C: RCPT TO:<b@y.example>
        C: RCPT TO:<c@y.example>
        S: 250 ok
        S: 550 no
        S: 250 ok
    """)
    assert b"".join(player.said) == b"BDAT 3 LAST\r\n\n.\0"
    player.said = []
    player.play(r"""
        S: 552 5.2.2 full
        =: b@y.example 550 no [5]
        =: c@y.example 552 5.2.2 full [9]
        >: a@x.example d@y.example 'Hi\r\n'
        C: RSET
        C: MAIL FROM:<a@x.example>
        C: RCPT TO:<d@y.example>
        C: DATA
    """)


def test_bdat_for_nobody_is_not_sent(dialogue: Dialogue) -> None:
    player = dialogue(CHUNKED)
    player.submit(transaction("a@x.example", "b@y.example", b"\0\r\n", Trait.BINARY))
    player.play("""
        C: MAIL FROM:<a@x.example> BODY=BINARYMIME
        C: RCPT TO:<b@y.example>
        S: 550 no
        S: 550 no
        =: b@y.example 550 no [3]
    """)
    assert player.client.idle


def test_an_address_with_a_line_end_is_no_command(dialogue: Dialogue) -> None:
    player = dialogue(PIPELINED)
    bad = Recipient("b@y.example>\r\nRCPT TO:<c@y.example", "y.example")
    player.submit(Transaction(Message("a@x.example", MemoryBody(b"Hi\r\n")), [bad]))
    assert player.said == []
    assert player.results == [f"{bad.address} {UNSAFE} [1]"]
    assert player.client.idle


class Large:
    """A body that counts how far it was read."""

    size = PIECE * 4

    def __init__(self) -> None:
        self.read = 0

    def pieces(self, at_most: int = PIECE) -> Iterator[bytes]:
        for _ in range(4):
            self.read += 1
            yield b"x" * (PIECE - 2) + b"\r\n"

    def whole(self) -> bytes:
        return b"".join(self.pieces())


def _sending_a_large_body() -> tuple[Player, Large]:
    player, body = _play(PIPELINED), Large()
    large = Transaction(Message("a@x.example", body), [Recipient("b@y.example", "y.example")])
    player.client.submit(large)
    player.client.data_to_send()
    player.client.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    return player, body


def test_a_large_body_is_read_as_it_is_sent() -> None:
    player, body = _sending_a_large_body()
    client = player.client
    assert sum(map(len, client.data_to_send())) == PIECE
    assert (body.read, client.stage, client.sending) == (1, Stage.BODY, True)
    sent = [client.data_to_send() for _ in range(5)]
    assert sent[3] == [b".\r\n"]
    assert sent[4] == []
    assert client.stage is Stage.CONFIRM


def test_a_refusal_in_mid_content_counts_and_ends_the_session() -> None:
    player, _ = _sending_a_large_body()
    player.client.data_to_send()
    player.client.receive(b"552 5.3.4 too large\r\n")
    (done,) = player.client.finished()
    assert str(done.replies[0]) == "552 5.3.4 too large"
    assert done.stages == [Stage.BODY]
    assert player.client.lost is not None
    assert player.client.data_to_send() == []


def test_a_refusal_before_any_content_is_a_broken_peer() -> None:
    player, _ = _sending_a_large_body()
    player.client.receive(b"550 early\r\n")
    assert player.client.finished() == []
    assert [each.phase for each in player.client.unfinished()] == [Phase.ENVELOPE]


def test_losing_the_connection_says_where(dialogue: Dialogue) -> None:
    player = dialogue(
        PIPELINED
        + r"""
        >: a@x.example b@y.example 'Hi\r\n'
        S: 250 ok
        S: 250 ok
        S: 354 go on
        >: a@x.example c@y.example 'Hi\r\n'
    """
    )
    player.client.lose()
    player.play("""
        !: 451 4.4.2 [internal] connection closed by remote host [9]
        ~: b@y.example WHOLE
        ~: c@y.example ENVELOPE
    """)


def test_what_was_not_free_takes_nothing() -> None:
    client = SmtpClient("client.example")
    with pytest.raises(ValueError, match="free"):
        client.submit(transaction("a@x.example", "b@y.example", b"\r\n"))


REPLIES = st.lists(
    st.sampled_from(
        [
            b"220 hi\r\n",
            b"250 ok\r\n",
            b"250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
            b"354 go\r\n",
            b"421 bye\r\n",
            b"450 later\r\n",
            b"550 5.1.1 no\r\n",
            b"250-",
            b"junk\r\n",
        ]
    )
    | st.binary(max_size=4),
    max_size=30,
)


def _run(greeting: bytes, said: list[bytes], traits: int, cut: int) -> list[tuple[object, ...]]:
    """Send messages as long as the peer lets us; return what became of each recipient."""
    client = SmtpClient("client.example")
    mails: list[Transaction] = []
    for each in [greeting, *said]:
        step = cut or len(each) or 1
        for at in range(0, len(each), step):
            client.receive(each[at : at + step])
            while client.free and len(mails) < 20:
                mails.append(transaction("a@x", "b@y,c@y", b".x\r\n", traits))
                client.submit(mails[-1])
            while client.data_to_send():
                pass
    left = client.unfinished()
    ended = client.finished()
    for mail in mails:
        assert (mail in left) is (mail.open > 0)
        assert mail.open == mail.replies.count(None)
        assert not (mail in ended and mail.open)
    return [(str(m.replies), str(m.stages), m.phase) for m in mails]


@given(
    st.sampled_from([b"220 hi\r\n250-mx\r\n250 PIPELINING\r\n", b"220 hi\r\n", b""]),
    REPLIES,
    st.sampled_from([0, int(Trait.BINARY)]),
)
def test_whatever_a_peer_says_every_recipient_has_one_result(
    greeting: bytes, said: list[bytes], traits: int
) -> None:
    _run(greeting, said, traits, 0)
    _run(greeting, said, traits, 1)


@given(REPLIES)
def test_a_recipient_is_delivered_to_only_by_a_2xx_after_its_content(said: list[bytes]) -> None:
    client = SmtpClient("c")
    client.receive(b"220 hi\r\n")
    client.data_to_send()
    client.receive(b"250-mx\r\n250 PIPELINING\r\n")
    mail = transaction("a@x", "b@y", b"x\r\n")
    client.submit(mail)
    client.data_to_send()
    for each in said:
        client.receive(each)
        sent = client.data_to_send()
        if isinstance(reply := mail.replies[0], Reply) and reply.positive:
            assert mail.phase is Phase.WHOLE
            assert sent == []
