"""Counts of reception, as a session brings them about."""

from angarium.events.metrics import Metrics
from angarium.inbound.counts import PHASES, Counts
from helpers.reception import Desk


def counted(reception: Desk) -> Metrics:
    metrics = Metrics()
    reception.services.counts = Counts(metrics)
    return metrics


def test_a_message_is_counted_when_it_is_on_disk() -> None:
    reception = Desk()
    reception.admit.slow = True
    metrics = counted(reception)
    talk = reception.greeted()
    talk.say("MAIL FROM:<a@sender.test>")
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.say("Subject: hello\r\n\r\nhi\r\n.")
    assert metrics.snapshot()["receptions"] == 0
    reception.admit.answer()
    values = metrics.snapshot()
    assert values["receptions"] == 1
    assert values["reception"] > len("Subject: hello\r\n\r\nhi\r\n")  # type: ignore[operator]
    counts = values["stage_reception"]
    assert isinstance(counts, list)
    assert sum(counts) == 1


def test_refusals_are_counted_by_phase() -> None:
    reception = Desk()
    metrics = counted(reception)
    talk = reception.greeted()
    talk.say("MAIL FROM:<a@sender.test>")
    talk.say("RCPT TO:<b@elsewhere.test>")
    values = metrics.snapshot()
    assert values["refusals|relaying"] == 1
    assert values["connections_in"] == 1


def test_a_phase_without_a_name_is_other() -> None:
    metrics = Metrics()
    Counts(metrics).refused(max(PHASES) + 1)
    assert metrics.snapshot()["refusals|other"] == 1


class Watch:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def connected(self, address: str) -> None:
        self.told.append(f"connected {address}")

    def received(self, address: str) -> None:
        self.told.append(f"received {address}")

    def rejected(self, address: str) -> None:
        self.told.append(f"rejected {address}")


def test_who_counts_by_address_is_told_whose_it_is() -> None:
    reception = Desk()
    reception.services.counts.watch = watch = Watch()
    talk = reception.greeted()
    talk.say("MAIL FROM:<a@sender.test>")
    talk.say("RCPT TO:<b@elsewhere.test>")
    talk.say("RCPT TO:<b@mx.example>")
    talk.say("DATA")
    talk.say("Subject: hello\r\n\r\nhi\r\n.")
    address = talk.session.origin.address
    assert watch.told == [f"{each} {address}" for each in ("connected", "rejected", "received")]
