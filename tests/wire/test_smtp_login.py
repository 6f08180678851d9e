"""A session which only says who somebody is, by what a server offers and answers."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply
from angarium.wire.sasl.exchange import Challenge, Claim, Credentials, Identity
from angarium.wire.sasl.mechanisms import Setting, server
from angarium.wire.smtp_login import (
    IF_AVAILABLE,
    NO,
    VERIFY,
    Done,
    Secure,
    Send,
    Speaking,
    offered,
    speaking,
)

WHO = Credentials("tim", "secret", host="mx.example", port=25)
BANNER = Reply(220, "mx.example ESMTP")
PLAIN = Reply(250, "mx.example\nSTARTTLS\nAUTH PLAIN LOGIN\nSIZE 10")
CLEAR = Reply(250, "mx.example\nAUTH=LOGIN\nAUTH LOGIN CRAM-MD5")
YES, NOT, LATER = Reply(235, "yes"), Reply(535, "no", "5.7.8"), Reply(454, "later", "4.7.0")
GO = Reply(220, "go")


def play(session: Speaking, *replies: Reply | None) -> tuple[list[str], Done]:
    """Return what was sent, "TLS" where TLS began, and how it ended."""
    sent: list[str] = []
    step = next(session)
    try:
        for reply in replies:
            sent.append("TLS" if isinstance(step, Secure) else step.data.decode().strip())
            step = session.send(reply)
    except StopIteration as over:
        assert isinstance(over.value, Done)
        return sent, over.value
    raise AssertionError(f"it goes on after {sent}")


def session(tls: str = IF_AVAILABLE, *, token: bool = False) -> Speaking:
    return speaking("us.example", WHO, "nonce", tls=tls, token=token)


def test_a_password_goes_through_tls() -> None:
    sent, done = play(session(), BANNER, PLAIN, GO, None, PLAIN, YES)
    initial = base64.b64encode(b"\0tim\0secret").decode()
    assert sent == ["", "EHLO us.example", "STARTTLS", "TLS", "EHLO us.example",
                    f"AUTH PLAIN {initial}"]  # fmt: skip
    assert done == Done(True, YES)


def test_without_tls_the_password_stays_here() -> None:
    sent, done = play(session(), BANNER, CLEAR, Reply(334, "PDFAeD4="), NOT)
    assert sent[2] == "AUTH CRAM-MD5"
    assert sent[3].startswith("dGltI")
    assert done == Done(False, NOT)
    only_plain = Reply(250, "mx\nAUTH PLAIN")
    assert play(session(), BANNER, only_plain)[1] == Done(None, only_plain)


def test_in_clear_only_where_that_is_said() -> None:
    sent, done = play(session(NO), BANNER, PLAIN, YES)
    assert sent[-1].startswith("AUTH PLAIN ")
    assert done.known


@pytest.mark.parametrize(
    "replies",
    [
        (BANNER, CLEAR),
        (BANNER, PLAIN, Reply(454, "no TLS now")),
        (Reply(554, "no"),),
        (BANNER, Reply(502, "what?")),
        (BANNER, Reply(250, "mx.example")),
    ],
)
def test_what_it_cannot_say_is_no_answer(replies: tuple[Reply, ...]) -> None:
    assert play(session(VERIFY), *replies)[1].known is None


def test_later_is_no_no() -> None:
    assert play(session(NO), BANNER, PLAIN, LATER)[1] == Done(None, LATER)


def test_a_challenge_which_makes_no_sense_is_left() -> None:
    cram = Reply(250, "mx\nAUTH CRAM-MD5")
    sent, done = play(session(), BANNER, cram, Reply(334, "???"), NOT)
    assert (sent[-1], done.known) == ("*", None)


def test_a_yes_before_the_server_has_proved_itself_is_none() -> None:
    scram = Reply(250, "mx\nAUTH SCRAM-SHA-256")
    assert play(session(), BANNER, scram, YES)[1] == Done(None, YES)


def test_what_cannot_be_said_by_a_mechanism_is_refused_here() -> None:
    who = Credentials("tim", "no token \1")
    asked = speaking("us", who, "n", tls=NO, token=True)
    assert play(asked, BANNER, Reply(250, "mx\nAUTH XOAUTH2"))[1].known is False


def test_it_agrees_with_our_own_server() -> None:
    here = server("CRAM-MD5", None, Setting(lambda: "abc", "mx.example"))
    asked = session()
    next(asked)
    asked.send(BANNER)
    asked.send(Reply(250, "mx\nAUTH CRAM-MD5"))
    challenge = here.advance()
    assert isinstance(challenge, Challenge)
    step = asked.send(Reply(334, base64.b64encode(challenge.data).decode()))
    assert isinstance(step, Send)
    claim = here.advance(base64.b64decode(step.data))
    assert isinstance(claim, Claim)
    assert claim.holds("secret")
    assert here.advance("tim") == Identity("tim")


def test_words_and_what_follows_them() -> None:
    assert offered(CLEAR) == {"AUTH": "LOGIN LOGIN CRAM-MD5"}
    assert offered(Reply(250, "mx")) == {}


REPLIES = st.sampled_from([BANNER, PLAIN, CLEAR, YES, NOT, LATER, GO]) | st.builds(
    Reply,
    st.integers(200, 599),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)


@given(st.lists(REPLIES, min_size=12, max_size=12), st.sampled_from([NO, IF_AVAILABLE, VERIFY]))
def test_whatever_a_server_says_it_comes_to_an_end_or_asks_on(
    replies: list[Reply], tls: str
) -> None:
    asked = session(tls)
    step = next(asked)
    secure = False
    try:
        for reply in replies:
            if isinstance(step, Send) and tls != NO and not secure:
                assert b"c2VjcmV0" not in step.data
                assert not step.data.startswith((b"AUTH PLAIN", b"AUTH LOGIN"))
            secure = secure or isinstance(step, Secure)
            step = asked.send(None if isinstance(step, Secure) else reply)
    except StopIteration as over:
        assert isinstance(over.value, Done)
