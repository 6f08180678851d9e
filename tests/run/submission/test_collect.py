"""The maildrop emptied: each letter is settled, or waits, or is put aside."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from angarium.run.submission.collect import KEEP_SECONDS, Collected, Collector
from angarium.run.submission.envelope import Envelope
from angarium.run.submission.maildrop import Maildrop
from angarium.run.submission.post import AwayError, Server
from angarium.run.submission.settings import Settings
from helpers.mailhost import MailHost

CONTENT = b"From: me@h.test\r\nSubject: hi\r\n\r\nhello\r\n.\r\n"
ONE = Envelope("me@h.test", ("a@x.test",), os.getuid(), "ab12", time.time())


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Maildrop]:
    with Maildrop(tmp_path) as opened:
        yield opened


def collected(drop: Maildrop, host: MailHost) -> tuple[Collected, list[str]]:
    told: list[str] = []
    settings = Settings(hostname="h.test")
    collector = Collector(drop, settings, told.append)
    return collector.collect(lambda: Server("127.0.0.1", host.port, "h.test")), told


def test_what_waits_is_sent_and_removed(drop: Maildrop) -> None:
    drop.put(ONE, [CONTENT])
    drop.put(ONE.to(("b@x.test",)), [CONTENT])
    with MailHost() as host:
        assert collected(drop, host) == (Collected(sent=2), [])
    assert [to for _, to, _ in host.mails] == [["a@x.test"], ["b@x.test"]]
    octets = host.mails[0][2]
    assert octets.startswith(f"Received: by h.test (Angarium, from userid {os.getuid()})".encode())
    assert octets.endswith(b"\r\n\r\nhello\r\n..\r\n")
    assert drop.names() == []


def test_nothing_is_asked_of_the_server_for_an_empty_maildrop(drop: Maildrop) -> None:
    collector = Collector(drop, Settings(), print)
    assert collector.collect(lambda: pytest.fail("a connection")) == Collected()


def test_what_waits_stays_while_the_server_is_away(drop: Maildrop) -> None:
    drop.put(ONE, [CONTENT])
    with MailHost(banner="421 4.3.2 stopping") as host, pytest.raises(AwayError):
        collected(drop, host)
    assert len(drop.names()) == 1


def test_only_those_wait_further_who_did_not_get_it(drop: Maildrop) -> None:
    drop.put(ONE.to(("a@x.test", "later@x.test")), [CONTENT])
    with MailHost({"RCPT TO:<later@": "451 4.3.0 later"}) as host:
        assert collected(drop, host)[0] == Collected(waiting=1)
        [name] = drop.names()
        waiting = drop.open(name, 1 << 20)
        with waiting.content as content:
            assert content.read() == CONTENT
        assert waiting.envelope.recipients == ("later@x.test",)
        host.rules.clear()
        assert collected(drop, host)[0] == Collected(sent=1)
    assert [to for _, to, _ in host.mails] == [["a@x.test"], ["later@x.test"]]


def test_a_refusal_is_reported_to_the_sender(drop: Maildrop) -> None:
    drop.put(ONE.to(("a@x.test", "no@x.test")), [CONTENT])
    with MailHost({"RCPT TO:<no@": "550 5.1.1 no such user"}) as host:
        assert collected(drop, host)[0] == Collected(sent=1)
    (_, _, mail), (sender, to, report) = host.mails
    assert b"hello" in mail
    assert (sender, to) == ("", ["me@h.test"])
    assert b"Final-Recipient: rfc822; no@x.test" in report
    assert b"no such user" in report
    assert b"Subject: hi" in report
    assert b"hello" not in report
    assert drop.names() == []


def test_what_nobody_can_be_told_of_is_put_aside(drop: Maildrop) -> None:
    drop.put(replace(ONE, sender=""), [CONTENT])
    drop.put(ONE, [CONTENT])
    with MailHost({"RCPT": "550 5.1.1 nobody"}) as host:
        result, told = collected(drop, host)
    assert result == Collected(aside=2)
    assert all("550 5.1.1 nobody" in each for each in told)
    assert len(list((drop.path / "refused").iterdir())) == 2


def test_who_asked_for_no_report_gets_none(drop: Maildrop) -> None:
    drop.put(replace(ONE, notify="NEVER"), [CONTENT])
    with MailHost({"RCPT": "550 5.1.1 nobody"}) as host:
        assert collected(drop, host)[0] == Collected(sent=1)
    assert host.mails == []


def test_what_waited_for_a_week_is_given_up(drop: Maildrop) -> None:
    drop.put(replace(ONE, at=time.time() - KEEP_SECONDS - 1), [CONTENT])
    with MailHost({"RCPT TO:<a@": "451 4.3.0 later"}) as host:
        assert collected(drop, host)[0] == Collected(sent=1)
    [(sender, to, report)] = host.mails
    assert (sender, to) == ("", ["me@h.test"])
    assert b"later" in report


def test_a_letter_which_is_none_holds_up_nobody(drop: Maildrop) -> None:
    (drop.path / "mail.0.junk").write_bytes(b"junk")
    os.mkfifo(drop.path / "mail.0.pipe")
    drop.put(ONE, [CONTENT])
    with MailHost() as host:
        result, told = collected(drop, host)
    assert result == Collected(sent=1, aside=2)
    assert len(told) == 2


def test_a_server_which_dies_leaves_the_letter(drop: Maildrop) -> None:
    drop.put(ONE, [CONTENT])
    with MailHost({".": "hang up"}) as host:
        assert collected(drop, host)[0] == Collected(waiting=1)
    assert len(drop.names()) == 1
