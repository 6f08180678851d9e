"""Sessions over a transport in memory, the server's answers whole and octet by octet."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.lab.injector import Injector, Outcome, Step
from angarium.lab.letters import Letter

CUTS = pytest.mark.parametrize("cut", [0, 1])
HELLO = b"220 hi\r\n250-me\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n"


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class Case:
    """An injector with its owner and its server."""

    def __init__(self, *letters: Letter, pipelining: bool = True) -> None:
        self.letters = list(letters)
        self.outcomes: list[Outcome] = []
        self.is_lost = False
        self.injector = Injector(self, pipelining=pipelining)
        self.wire = Wire()
        self.injector.connection_made(self.wire)

    def ready(self, injector: Injector) -> None:
        if self.letters:
            injector.send(self.letters.pop(0))

    def answered(self, injector: Injector, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def lost(self, injector: Injector) -> None:
        self.is_lost = True

    def hear(self, data: bytes, cut: int = 0) -> bytes:
        """Let the server say this; return what the injector says to it."""
        self.wire.sent = b""
        cut = cut or len(data) or 1
        for start in range(0, len(data), cut):
            self.injector.data_received(data[start : start + cut])
        return self.wire.sent


def letter(*recipients: str, **more: Any) -> Letter:
    return Letter(1, "a@x", recipients or ("b@y",), b"hello\r\n.\r\n", 7, **more)


@CUTS
async def test_an_envelope_goes_out_in_one_piece(cut: int) -> None:
    case = Case(letter("b@y", "c@y"))
    assert case.hear(HELLO, cut) == (
        b"EHLO load.sender.test\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n"
    )
    assert case.hear(b"250 ok\r\n250 ok\r\n550-5.1.1 no\r\n550 5.1.1 such\r\n", cut) == b""
    assert case.hear(b"354 go\r\n", cut) == b"hello\r\n.\r\n"
    assert case.injector.content_sent
    case.hear(b"250 2.0.0 yes\r\n", cut)
    (outcome,) = case.outcomes
    assert outcome.accepted
    assert outcome.reply == "250 2.0.0 yes"
    assert outcome.refused == [("c@y", "550 5.1.1 such")]
    assert outcome.recipients == ["b@y"]


@CUTS
@pytest.mark.parametrize("hello", [HELLO, b"220 hi\r\n250 me\r\n"])
async def test_without_pipelining_each_command_waits(cut: int, hello: bytes) -> None:
    case = Case(letter(), pipelining=hello != HELLO)
    assert case.hear(hello, cut).endswith(b"\r\nMAIL FROM:<a@x>\r\n")
    assert case.hear(b"250 ok\r\n", cut) == b"RCPT TO:<b@y>\r\n"
    assert case.hear(b"250 ok\r\n", cut) == b"DATA\r\n"
    assert case.hear(b"354 go\r\n", cut) == b"hello\r\n.\r\n"
    case.hear(b"250 ok\r\n", cut)
    assert case.outcomes[0].accepted


async def test_a_refused_sender_ends_the_message_and_not_the_session() -> None:
    case = Case(letter(), letter(), pipelining=False)
    case.hear(HELLO)
    assert case.hear(b"450 4.7.1 later\r\n") == b"RSET\r\n"
    assert case.outcomes[0].step is Step.MAIL
    assert case.hear(b"250 ok\r\n") == b"MAIL FROM:<a@x>\r\n"


async def test_after_a_refusal_a_server_which_still_wants_content_gets_an_empty_one() -> None:
    case = Case(letter())
    case.hear(HELLO)
    assert case.hear(b"250 ok\r\n550 5.1.1 no\r\n354 go\r\n") == b".\r\n"
    assert not case.injector.content_sent
    case.hear(b"250 ok\r\n")
    assert case.outcomes[0].step is Step.RCPT
    assert not case.outcomes[0].accepted


async def test_421_ends_message_and_session() -> None:
    case = Case(letter())
    case.hear(HELLO)
    case.hear(b"421 4.3.2 later\r\n")
    assert case.outcomes[0].step is Step.MAIL
    assert case.wire.closed
    assert case.injector.letter is None


async def test_421_may_come_to_who_waits_for_nothing() -> None:
    case = Case()
    case.hear(HELLO + b"421 4.4.2 idle\r\n")
    assert case.wire.closed


async def test_an_unasked_reply_in_mid_message_is_taken_for_the_next_answer() -> None:
    case = Case(letter())
    case.hear(HELLO + b"250 2.0.0 nobody asked\r\n")
    assert case.hear(b"250 ok\r\n250 ok\r\n354 go\r\n") == b"RSET\r\n"
    assert case.outcomes[0].step is Step.DATA


async def test_eight_bits_are_announced_where_they_are_offered() -> None:
    case = Case(letter("bü@y", eight_bit=True, sender_parameters=" RET=HDRS"))
    assert b"MAIL FROM:<a@x> RET=HDRS BODY=8BITMIME SMTPUTF8\r\n" in case.hear(HELLO)
    case = Case(letter(eight_bit=True))
    assert b"MAIL FROM:<a@x>\r\n" in case.hear(b"220 hi\r\n250 me\r\n")


async def test_helo_is_tried_after_ehlo() -> None:
    case = Case(letter())
    assert case.hear(b"220 hi\r\n500 what\r\n") == (
        b"EHLO load.sender.test\r\nHELO load.sender.test\r\n"
    )
    assert case.hear(b"250 me\r\n") == b"MAIL FROM:<a@x>\r\n"


async def test_a_server_which_refuses_at_the_banner_is_left() -> None:
    case = Case(letter())
    case.hear(b"554 5.7.1 no\r\n")
    assert case.wire.closed
    assert case.injector.last_reply == "554 5.7.1 no"


async def test_quit_is_said_once_and_only_in_a_session() -> None:
    case = Case()
    case.hear(HELLO)
    case.wire.sent = b""
    case.injector.quit()
    case.injector.quit()
    assert case.wire.sent == b"QUIT\r\n"
    case.hear(b"221 bye\r\n")
    assert case.wire.closed
    early = Case()
    early.injector.quit()
    assert (early.wire.sent, early.wire.closed) == (b"", True)


async def test_a_line_without_end_ends_the_session() -> None:
    case = Case()
    case.hear(b"2" * 70_000)
    assert case.wire.closed


async def test_the_loss_is_told() -> None:
    case = Case(letter())
    case.hear(HELLO)
    case.injector.connection_lost(None)
    assert case.is_lost
    assert case.injector.letter is not None
    assert case.injector.gone.done()


@given(st.binary(max_size=100), st.integers(0, 3))
def test_no_server_breaks_it(said: bytes, cut: int) -> None:
    async def play() -> None:
        case = Case(letter(), letter())
        case.hear(HELLO)
        case.hear(said, cut)

    asyncio.run(play())


@given(st.lists(st.sampled_from([b"250 a", b"354 b", b"451 c", b"550-d", b"421 e", b"xx", b""])))
def test_each_message_has_one_outcome_whatever_is_said(lines: list[bytes]) -> None:
    async def play() -> None:
        case = Case(*(letter("b@y", "c@y") for _ in range(3)))
        case.hear(HELLO)
        for line in lines:
            case.hear(line + b"\r\n")
        in_flight = case.injector.letter is not None
        assert len(case.outcomes) + in_flight + len(case.letters) == 3

    asyncio.run(play())
