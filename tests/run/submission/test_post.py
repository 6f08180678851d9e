"""Sessions with the server: what became of each recipient."""

from io import BytesIO

import pytest

from angarium.run.submission.envelope import Envelope
from angarium.run.submission.post import AwayError, Outcome, Server, stuffed
from helpers.mailhost import MailHost


def envelope(*recipients: str, **more: object) -> Envelope:
    return Envelope("me@h.test", recipients, 0, "ab", 1.0, **more)  # type: ignore[arg-type]


def given(host: MailHost, to: Envelope, content: bytes = b"x\r\n") -> Outcome:
    with Server("127.0.0.1", host.port, "h.test") as server:
        return server.give(to, b"A: 1\r\n\r\n", BytesIO(content))


def test_all_is_taken() -> None:
    with MailHost() as host:
        outcome = given(host, envelope("a@x.test", "b@x.test"), b"one\r\n.\r\n..two\nthree\r\n")
    assert set(outcome.taken) == {"a@x.test", "b@x.test"}
    [(sender, to, octets)] = host.mails
    assert (sender, to) == ("me@h.test", ["a@x.test", "b@x.test"])
    assert octets == b"A: 1\r\n\r\none\r\n..\r\n...two\r\nthree\r\n"


def test_each_recipient_has_an_answer_of_its_own() -> None:
    rules = {"RCPT TO:<no@": "550 5.1.1 no such user", "RCPT TO:<later@": "451 4.3.0 later"}
    with MailHost(rules) as host:
        outcome = given(host, envelope("yes@x.test", "no@x.test", "later@x.test"))
    assert list(outcome.taken) == ["yes@x.test"]
    assert outcome.refused == {"no@x.test": "550 5.1.1 no such user"}
    assert outcome.deferred == {"later@x.test": "451 4.3.0 later"}


def test_more_than_a_transaction_takes_go_in_several() -> None:
    many = [f"u{number}@x.test" for number in range(250)]
    with MailHost({"RCPT TO:<u7@": "452 4.5.3 too many"}) as host:
        host.rules["RCPT TO:<u7@"] = "452 4.5.3 too many"
        outcome = given(host, envelope(*many[:7], "u7@x.test"))
        # It is the first of the second transaction, and then it counts as an answer.
        assert list(outcome.deferred) == ["u7@x.test"]
        del host.rules["RCPT TO:<u7@"]
        outcome = given(host, envelope(*many))
    assert len(outcome.taken) == 250
    assert [len(to) for _, to, _ in host.mails] == [7, 100, 100, 50]


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        ({"MAIL": "451 4.3.1 full"}, "deferred"),
        ({"MAIL": "550 5.7.1 not you"}, "refused"),
        ({"DATA": "451 4.3.0 no"}, "deferred"),
        ({".": "554 5.6.0 what is that"}, "refused"),
        ({".": "hang up"}, "deferred"),
        ({"RCPT": "hang up"}, "deferred"),
        ({"RCPT": "550 5.1.1 nobody"}, "refused"),
    ],
)
def test_what_is_not_taken(rules: dict[str, str], where: str) -> None:
    with MailHost(rules) as host:
        outcome = given(host, envelope("a@x.test"))
    assert list(getattr(outcome, where)) == ["a@x.test"]
    assert len(outcome.taken) + len(outcome.refused) + len(outcome.deferred) == 1


def test_what_was_taken_before_the_end_of_a_session_is_not_given_again() -> None:
    many = [f"u{number}@x.test" for number in range(150)]
    with MailHost({"RCPT TO:<u120@": "hang up"}) as host:
        outcome = given(host, envelope(*many))
    assert len(outcome.taken) == 100
    assert len(outcome.deferred) == 50


def test_extensions_are_asked_for() -> None:
    to = envelope("jü@x.test", notify="SUCCESS", returned="HDRS", envid="a+20b", eight_bit=True)
    with MailHost() as host:
        given(host, to)
    assert "MAIL FROM:<me@h.test> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b" in host.commands
    assert "RCPT TO:<jü@x.test> NOTIFY=SUCCESS" in host.commands


def test_a_server_which_is_away_says_so() -> None:
    with MailHost(banner="421 4.3.2 not now") as host, pytest.raises(AwayError):
        Server("127.0.0.1", host.port, "h.test")
    with pytest.raises(AwayError):
        Server("127.0.0.1", host.port, "h.test")


def test_what_a_server_says_shows_no_control_characters() -> None:
    with MailHost({"RCPT": "550 \x1b[31mred"}) as host:
        outcome = given(host, envelope("a@x.test"))
    assert outcome.refused == {"a@x.test": "550  [31mred"}


@pytest.mark.parametrize(
    "content", [b"\n.\n", b"x\n.\r\n", b"x\r\n.\n", b"\r\n.\r\nMAIL FROM:<evil@x>\r\n", b"."]
)
def test_no_content_ends_itself(content: bytes) -> None:
    sent = b"\r\n" + b"".join(stuffed(BytesIO(content)))
    assert b"\r\n.\r\n" not in sent
    assert b"\n.\n" not in sent
    assert b"\n.\r\n" not in sent.replace(b"\r\n..\r\n", b"")
