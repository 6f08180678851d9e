"""The end of messages: what is recorded, who is told, in which order."""

from typing import Any

import pytest

from angarium.core.message import Message, Notify, Recipient
from angarium.core.reply import Reply
from angarium.events.schema import Discard, PermanentFailure
from angarium.journal.errors import SpoolError
from angarium.outbound.errors import NO_MX_OR_A, DeliveryError, Reach
from angarium.queue.entry import Entry
from angarium.queue.retry import GiveUp
from angarium.wire.smtp_transaction import Stage
from helpers.sending import Sending

GONE = DeliveryError(
    Reply(550, "no such user", "5.1.1"), stage=Stage.RCPT, octets=99, remote="h:25"
)
LATER = DeliveryError(Reply(451, "later", "4.3.0"), Reach.RECIPIENT, Stage.MAIL, 40, "h:25")


def take(sending: Sending, **put: Any) -> Entry:
    """Bring a message and take its entry."""
    sending.board.demand = lambda line: None
    (entry,) = sending.put("b@example.test", **put).take(1)
    return entry


def reports(sending: Sending) -> list[tuple[Message, Recipient]]:
    return [kept for kept in sending.spool.kept.values() if kept[0].protocol == "internal"]


def test_a_temporary_failure_is_recorded_with_its_next_time() -> None:
    sending = Sending(retry_interval=600.0)
    entry = take(sending)
    sending.settle.failed(entry, LATER)
    (event,) = sending.delays
    now = sending.clock.time()
    assert now + 600 <= event.due <= now + 602
    assert (event.attempt, event.stage, event.bytes_sent) == (0, 3, 40)
    assert (event.reason, event.remote) == ("451 4.3.0 later", "h:25")
    assert (entry.attempts, sending.board.delayed, sending.settle.deferred_count) == (1, 1, 1)
    assert reports(sending) == []


def test_recipients_who_failed_together_are_due_together() -> None:
    sending = Sending(retry_interval=600.0)
    sending.board.demand = lambda line: None
    addresses = [f"b{number}@example.test" for number in range(30)]
    entries = sending.put(*addresses).take(100)
    for entry in entries[:-1]:
        sending.settle.failed(entry, LATER)
    assert len({event.due for event in sending.delays}) == 1
    sending.clock.advance(5.0)
    sending.settle.failed(entries[-1], LATER)
    assert sending.delays[-1].due >= sending.clock.time() + 600


def test_a_permanent_failure_is_reported_then_ended() -> None:
    sending = Sending()
    sending.spool.immediate = True
    entry = take(sending)
    sending.spool.immediate = False
    sending.settle.failed(entry, GONE)
    ((message, recipient),) = reports(sending)
    assert (message.sender, recipient.address) == ("", "a@sender.test")
    assert entry.id in sending.spool.live
    assert sending.failures == []
    sending.spool.sync()
    assert entry.id not in sending.spool.live
    (event,) = sending.failures
    assert (event.kind, event.classification, event.reason) == (
        "bounced",
        10,
        "550 5.1.1 no such user",
    )
    assert sending.board.in_flight == 0


def test_without_its_report_a_failure_stays_ours() -> None:
    sending = Sending()
    entry = take(sending)
    sending.spool.immediate = False
    sending.settle.failed(entry, GONE)
    sending.spool.sync(SpoolError("disk full"))
    assert entry.id in sending.spool.live
    assert (sending.failures, sending.board.delayed) == ([], 1)


def test_a_report_which_can_go_nowhere_does_not_keep_the_entry() -> None:
    sending = Sending()
    entry = take(sending, sender="nobody")
    sending.settle.failed(entry, GONE)
    assert len(sending.failures) == 1


@pytest.mark.parametrize(
    ("shape", "advance", "reason"),
    [
        ({"never_retry": True}, 0, "554 5.4.7 [internal] exceeded max retries without delivery"),
        ({"max_retries": 0}, 0, "554 5.4.7 [internal] exceeded max retries without delivery"),
        ({}, 90000, "554 5.4.7 [internal] exceeded max time without delivery"),
    ],
)
def test_an_end_to_trying(shape: dict[str, Any], advance: int, reason: str) -> None:
    sending = Sending(**shape)
    entry = take(sending)
    sending.clock.advance(advance)
    sending.settle.failed(entry, LATER)
    (event,) = sending.failures
    assert (event.kind, event.reason, event.classification) == ("expired", reason, 24)
    assert (event.stage, event.remote) == (3, "h:25")
    ((message, _),) = reports(sending)
    assert b"last: 451 4.3.0 later" in b" ".join(message.body.whole().split(b"\r\n    "))


def test_an_entry_may_be_given_up_without_an_attempt() -> None:
    sending = Sending(generate_bounces=False)
    sending.settle.give_up(take(sending), GiveUp.EXPIRED)
    (event,) = sending.failures
    assert (event.kind, event.stage, event.bytes_sent, event.remote) == ("expired", 0, 0, "")


def test_a_command_ends_an_entry_with_its_own_words() -> None:
    sending = Sending()
    sending.settle.end(take(sending), Reply(554, "Gone"))
    (event,) = sending.failures
    assert (event.kind, event.reason) == ("failed", "554 Gone")
    assert len(reports(sending)) == 1
    sending.settle.end(take(sending), Reply(554, "Gone"), "discarded", report=False)
    assert len(reports(sending)) == 1


@pytest.mark.parametrize(("peer_reports", "told"), [(False, 1), (True, 0)])
def test_success_is_reported_by_who_can(peer_reports: bool, told: int) -> None:
    sending = Sending()
    entry = take(sending, notify=Notify.SUCCESS)
    taken = Reply(250, "taken", "2.0.0")
    sending.settle.delivered(entry, "h:25", 5, taken, 22, reports=peer_reports)
    assert len(reports(sending)) == told
    (event,) = sending.deliveries
    assert (event.reply, event.size) == ("250 2.0.0 taken", 22)
    if told:
        assert b"Action: relayed" in reports(sending)[0][0].body.whole()
    assert sending.settle.delivered_count == 1


def test_a_delivery_is_recorded_even_if_its_report_is_not() -> None:
    sending = Sending()
    entry = take(sending, notify=Notify.SUCCESS)
    sending.spool.intake = False
    sending.settle.delivered(entry, "h:25", 5, Reply(250, "taken"), 22)
    assert len(sending.deliveries) == 1


def test_the_class_of_the_event_says_what_happened() -> None:
    sending = Sending(blackhole="internal")
    sending.settle.blackhole(take(sending))
    (event,) = sending.spool.events
    assert isinstance(event, PermanentFailure)
    assert (event.kind, reports(sending)) == ("discarded", [])


def test_an_entry_nobody_can_read_ends_with_what_its_id_and_line_say() -> None:
    sending = Sending()
    entry = take(sending)
    sending.settle.unreadable(entry.id, entry.line, 3)
    (event,) = sending.spool.events
    assert isinstance(event, Discard)
    assert (event.id, event.attempt, event.domain) == (entry.id, 3, "example.test")
    assert event.received_at == int(sending.clock.time())
    assert event.reason == "550 5.3.0 [internal] message body missing"
    assert sending.spool.live == {}


def test_events_name_the_connection_of_the_attempt_not_of_the_reception() -> None:
    sending = Sending()
    entry = take(sending)
    entry.message.connection = 77
    sending.settle.delivered(entry, "h:25", 5, Reply(250, "taken"), 22)
    assert sending.deliveries[0].connection == 5
    error = DeliveryError(Reply(450, "later"), remote="h:25", connection=6)
    sending.settle.failed(take(sending), error)
    assert sending.delays[0].connection == 6


def test_without_a_connection_its_id_is_none() -> None:
    sending = Sending(generate_bounces=False)
    sending.settle.failed(take(sending), DeliveryError(NO_MX_OR_A))
    sending.settle.give_up(take(sending), GiveUp.EXPIRED)
    assert (sending.delays[0].connection, sending.failures[0].connection) == (0, 0)
