"""Traces: ids which join, times which make sense, and nothing private."""

import json
from typing import Any

import pytest

from angarium.core.ident import printed
from angarium.events.schema import (
    Delivery,
    Discard,
    Heartbeat,
    PermanentFailure,
    Reception,
    TransientFailure,
)
from angarium.web import spans as module
from angarium.web.spans import Spans, chosen, request_of

BATCH, ENTRY = 77 << 32, 78 << 32


def received(entry: int = ENTRY, batch: int = BATCH) -> Reception:
    return Reception(
        100.0, entry, batch, 5, "b@example.com", "a@sender.test", "example.com", "192.0.2.9:1234",
        900, "esmtp", "", "default", "b1",
    )  # fmt: skip


def put_off(at: float, attempt: int, due: float, entry: int = ENTRY) -> TransientFailure:
    return TransientFailure(
        at, entry, BATCH, 6, attempt, "b@example.com", "a@sender.test", "example.com", 0, 900,
        "default", "b1", 100.0, "198.51.100.1:25", 6, "451 4.2.1 not now", due,
    )  # fmt: skip


def delivered(at: float, attempt: int) -> Delivery:
    return Delivery(
        at, ENTRY, BATCH, 7, attempt, "b@example.com", "a@sender.test", "example.com", 900,
        "default", "b1", 100.0, "198.51.100.1:25", "250 2.0.0 ok",
    )  # fmt: skip


def seconds(span: dict[str, Any]) -> tuple[float, float]:
    return int(span["startTimeUnixNano"]) / 1e9, int(span["endTimeUnixNano"]) / 1e9


def test_a_message_makes_one_trace_from_reception_to_delivery() -> None:
    made = Spans(1.0).of([received(), put_off(110.0, 0, 170.0), delivered(171.0, 1)])
    assert [each["name"] for each in made] == ["reception", "attempt", "attempt", "recipient"]
    assert len({each["traceId"] for each in made}) == 1
    assert len({each["spanId"] for each in made}) == 4
    assert {each.get("parentSpanId") for each in made[1:]} == {made[0]["spanId"]}
    assert [each["status"]["code"] for each in made] == [1, 2, 1, 1]


def test_an_attempt_begins_when_it_was_due() -> None:
    made = Spans(1.0).of([received(), put_off(110.0, 0, 170.0), delivered(171.0, 1)])
    assert [seconds(each) for each in made] == [
        (100.0, 100.0), (100.0, 110.0), (170.0, 171.0), (100.0, 171.0),
    ]  # fmt: skip


def test_who_sees_only_the_end_makes_the_same_ids() -> None:
    whole = Spans(1.0).of([received(), delivered(171.0, 1)])
    late = Spans(1.0).of([delivered(171.0, 1)])
    assert late[-1] == whole[-1]
    assert len(late[0]["traceId"]) == 32
    assert len(late[0]["spanId"]) == 16


def test_mail_which_ended_without_an_attempt_has_none() -> None:
    ended = PermanentFailure(
        200.0, ENTRY, BATCH, 0, 0, "b@example.com", "", "example.com", 0, 900, "default", "b1",
        100.0, "", 0, "554 5.4.7 expired", 24, "expired",
    )  # fmt: skip
    dropped = Discard(
        200.0, ENTRY, BATCH, 0, 0, "b@example.com", "", "example.com", 900, "default", "b1", 100.0,
        "554 blackholed",
    )  # fmt: skip
    made = Spans(1.0).of([ended, dropped, Heartbeat(200.0)])
    assert [each["name"] for each in made] == ["recipient", "recipient"]
    text = json.dumps(made)
    assert "expired" in text
    assert "discard" in text


def test_no_address_of_a_person_leaves_the_server() -> None:
    made = Spans(1.0).of([received(), put_off(110.0, 0, 170.0), delivered(171.0, 1)])
    text = json.dumps(request_of(made, {"service.name": "angarium"}))
    assert "b@" not in text
    assert "sender" not in text
    assert printed(BATCH) in text


@pytest.mark.parametrize("sample", [0.0, 0.1, 1.0])
def test_a_part_of_the_messages_is_traced(sample: float) -> None:
    many = sum(chosen(number << 20, sample) for number in range(10_000))
    assert abs(many / 10_000 - sample) < 0.02


def test_all_recipients_of_a_message_are_traced_or_none() -> None:
    made = Spans(0.5)
    for batch in range(1, 200):
        found = made.of([received(entry, batch << 32) for entry in range(3)])
        assert len(found) in (0, 3)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KNOWN", 10)
    made = Spans(1.0)
    made.of([put_off(110.0, 0, 170.0, entry) for entry in range(1000)])
    assert len(made._due) == 10
