"""Whether a sender is told, and what."""

from typing import Any

import pytest

from angarium.core.body import MemoryBody
from angarium.core.errors import Error
from angarium.core.message import Message, Notify, Ret, Trait
from angarium.core.reply import Reply
from angarium.outbound.bounce import Report, header_of
from angarium.outbound.errors import DeliveryError
from helpers.sending import Sending

BODY = b"Subject: hi\r\nX: y\r\n\r\nsecret text\r\n"
GONE = DeliveryError(Reply(550, "no such user", "5.1.1"), remote="192.0.2.1:25")


def failure(
    notify: int = 0, ret: int = 0, sender: str = "a@sender.test", body: bytes = BODY, **shape: Any
) -> Report | None:
    sending = Sending(**shape)
    sending.board.demand = lambda line: None
    (entry,) = sending.put("b@example.test", sender=sender, body=body, notify=notify).take(1)
    entry.message.ret = ret
    bounces = sending.settle._bounces
    return bounces.failure(entry, GONE.reply, GONE, sending.clock.time())


@pytest.mark.effect("generate_bounces")
@pytest.mark.parametrize(
    ("notify", "shape", "told"),
    [
        (0, {}, True),
        (Notify.FAILURE, {}, True),
        (Notify.NEVER, {}, False),
        (Notify.SUCCESS | Notify.DELAY, {}, False),
        (0, {"generate_bounces": False}, False),
    ],
)
def test_who_is_told_of_a_failure(notify: int, shape: dict[str, Any], told: bool) -> None:
    assert (failure(notify, **shape) is not None) is told


def test_what_had_to_stay_secure_stays_so_when_it_goes_back() -> None:
    sending = Sending(bounces_inline_original="all")
    sending.board.demand = lambda line: None
    traits = int(Trait.REQUIRETLS)
    (entry,) = sending.put("b@example.test", body=BODY, traits=traits).take(1)
    now = sending.clock.time()
    report = sending.settle._bounces.failure(entry, GONE.reply, GONE, now)
    assert report is not None
    assert report.message.traits & Trait.REQUIRETLS
    assert b"secret" not in report.message.body.whole()
    assert b"X: y" in report.message.body.whole()


def test_about_mail_without_a_sender_nobody_is_told() -> None:
    assert failure(sender="") is None


def test_a_report_never_makes_a_report() -> None:
    sending = Sending(mdn_failures_notify="postmaster@sender.test")
    sending.board.demand = lambda line: None
    (entry,) = sending.put("b@example.test", sender="").take(1)
    now = sending.clock.time()
    first = sending.settle._bounces.failure(entry, GONE.reply, GONE, now)
    assert first is not None
    assert first.recipients[0].address == "postmaster@sender.test"
    assert (first.message.sender, first.recipients[0].notify) == ("", Notify.NEVER)
    entry.message, entry.recipient = first.message, first.recipients[0]
    entry.recipient.notify = Notify.UNSET
    assert sending.settle._bounces.failure(entry, GONE.reply, GONE, now) is None


@pytest.mark.effect("bounces_inline_original")
@pytest.mark.parametrize(
    ("inline", "ret", "header", "text"),
    [
        ("none", 0, False, False),
        ("headers", 0, True, False),
        ("all", 0, True, True),
        ("all", Ret.HDRS, True, False),
        ("none", Ret.FULL, True, True),
    ],
)
def test_how_much_of_the_message_comes_back(
    inline: str, ret: int, header: bool, text: bool
) -> None:
    report = failure(ret=ret, bounces_inline_original=inline)
    assert report is not None
    content = report.message.body.whole()
    assert (b"Subject: hi" in content, b"secret text" in content) == (header, text)


def test_a_large_message_comes_back_as_its_header() -> None:
    report = failure(body=BODY + b"x" * 60_000, bounces_inline_original="all")
    assert report is not None
    assert b"secret" not in report.message.body.whole()


def test_the_traits_of_a_report_are_those_of_its_content() -> None:
    report = failure(sender="josé@sender.test", body=b"A: \xe9\r\n\r\n")
    assert report is not None
    assert report.message.traits == Trait.EIGHT_BIT | Trait.SMTPUTF8
    dots = failure(body=b"A: b\r\n\r\n.x\r\n", bounces_inline_original="all")
    assert dots is not None
    assert dots.message.traits == Trait.DOTS


@pytest.mark.effect("mailerdaemon")
def test_the_report_comes_from_the_mailer_daemon() -> None:
    report = failure()
    named = failure(mailerdaemon="bounces@node.test")
    assert report is not None
    assert named is not None
    assert b"<mailer-daemon@node.test>" in report.message.body.whole()
    assert b"<bounces@node.test>" in named.message.body.whole()


@pytest.mark.effect("generate_delay_dsn")
@pytest.mark.parametrize(
    ("notify", "shape", "waited", "due"),
    [
        (0, {}, 4000, False),
        (0, {"generate_delay_dsn": True}, 4000, True),
        (0, {"generate_delay_dsn": True}, 3000, False),
        (Notify.DELAY, {}, 4000, True),
        (Notify.FAILURE, {"generate_delay_dsn": True}, 4000, False),
    ],
)
def test_when_a_sender_is_told_of_a_delay(
    notify: int, shape: dict[str, Any], waited: int, due: bool
) -> None:
    sending = Sending(**shape)
    sending.board.demand = lambda line: None
    (entry,) = sending.put("b@example.test", notify=notify).take(1)
    sending.clock.advance(waited)
    later = DeliveryError(Reply(451, "later"), remote="192.0.2.1:25")
    sending.settle.failed(entry, later)
    made = [kept[0] for kept in sending.spool.kept.values() if kept[0].protocol == "internal"]
    assert len(made) == due
    if due:
        content = made[0].body.whole()
        assert b"Action: delayed" in content
        assert b"Will-Retry-Until: " in content


@pytest.mark.effect("delay_dsn_retry_interval", "delay_dsn_max_retry_interval")
def test_one_report_of_delay_for_each_time_whatever_the_spread_of_attempts() -> None:
    sending = Sending(
        max_retries="none",
        retry_interval=2.0,
        max_retry_interval=2.0,
        generate_delay_dsn=True,
        delay_dsn_retry_interval=20.0,
        delay_dsn_max_retry_interval=20.0,
    )
    sending.board.demand = lambda line: None
    line = sending.put("b@example.test")
    later = DeliveryError(Reply(451, "later"), remote="192.0.2.1:25")
    end = sending.clock.time() + 210.0
    while sending.clock.time() < end:
        (entry,) = line.take(1)
        sending.settle.failed(entry, later)
        while not line.active:
            sending.queues.later(0.25)
    made = [kept[0] for kept in sending.spool.kept.values() if kept[0].protocol == "internal"]
    assert len(made) == 10


class Broken:
    size = 5

    def pieces(self, at_most: int = 0) -> Any:
        raise Error("damaged")

    whole = pieces


def test_a_content_which_cannot_be_read_is_reported_without_it() -> None:
    sending = Sending()
    sending.board.demand = lambda line: None
    (entry,) = sending.put("b@example.test").take(1)
    entry.message.body = Broken()
    report = sending.settle._bounces.failure(entry, GONE.reply, GONE, 0.0)
    assert report is not None
    assert b"rfc822-headers" not in report.message.body.whole()


@pytest.mark.parametrize(
    ("pieces", "header"),
    [
        ([b"A: b\r\n\r\nbody"], b"R: r\r\nA: b\r\n\r\n"),
        ([b"A: b\r\n\r", b"\nbody"], b"R: r\r\nA: b\r\n\r\n"),
        ([b"A: b\r\n"], b"R: r\r\nA: b\r\n"),
        ([b"\r\nbody"], b"R: r\r\n\r\n"),
        ([b"A: " + b"x" * 70000, b"more"], b"R: r\r\nA: " + b"x" * (65536 - 9)),
    ],
)
def test_where_a_header_ends(pieces: list[bytes], header: bytes) -> None:
    assert header_of(Message("", MemoryBody(*pieces), b"R: r\r\n")) == header


def test_a_sender_which_cannot_be_routed_gets_nothing() -> None:
    assert failure(sender="root") is None
