import pytest

from angarium.lab.post import compose, post
from angarium.lab.sink import Sink


def content(text: bytes, subject: str = "Hi") -> bytes:
    return compose("a@x", ["b@y", "c@y"], subject, text, "now", "id").content


def test_a_body_gets_a_header() -> None:
    assert content(b"hello\n.dot\n") == (
        b"From: <a@x>\r\nTo: <b@y>, <c@y>\r\nSubject: Hi\r\nDate: now\r\nMessage-ID: <id@x>\r\n\r\n"
        b"hello\r\n..dot\r\n.\r\n"
    )


def test_a_whole_message_is_sent_as_it_is() -> None:
    assert content(b"X-Y : z\r\n\r\nhello") == b"X-Y : z\r\n\r\nhello\r\n.\r\n"


def test_other_than_ascii_is_declared() -> None:
    letter = compose("", ["b@y"], "Grüße", "grün".encode(), "now", "id")
    assert letter.eight_bit
    assert b"\r\nSubject: =?utf-8?" in letter.content
    assert b"\r\nContent-Type: text/plain; charset=utf-8\r\n" in letter.content
    assert b"From: <MAILER-DAEMON>\r\n" in letter.content


async def test_a_message_is_sent_and_its_answer_returned() -> None:
    letter = compose("a@x", ["b@y", "c@bad"], "Hi", "grün".encode(), "now", "id")
    async with Sink("at rcpt to *@bad reply 550 5.1.1 no") as sink:
        outcome = await post("127.0.0.1", sink.port, letter)
    assert outcome.accepted
    assert outcome.refused == [("c@bad", "550 5.1.1 no")]
    assert sink.accepted[0].sender_parameters == "BODY=8BITMIME"
    assert sink.counts.replies["quit"] == {221: 1}


@pytest.mark.parametrize(
    ("script", "reply"),
    [
        ("at banner reply 554 5.7.1 no", "554 5.7.1 no"),
        ("at connect drop", "closed without a word"),
        ("at dot drop", "354 go ahead"),
        ("at dot reply 421 4.3.2 later", "421 4.3.2 later"),
    ],
)
async def test_a_refusal_is_an_outcome(script: str, reply: str) -> None:
    letter = compose("a@x", ["b@y"], "Hi", b"", "now", "id")
    async with Sink(script) as sink:
        outcome = await post("127.0.0.1", sink.port, letter)
    assert not outcome.accepted
    assert outcome.reply == reply


async def test_a_server_which_says_nothing_is_left() -> None:
    letter = compose("a@x", ["b@y"], "Hi", b"", "now", "id")
    async with Sink("at banner hang") as sink:
        with pytest.raises(TimeoutError):
            await post("127.0.0.1", sink.port, letter, patience=0.01)
