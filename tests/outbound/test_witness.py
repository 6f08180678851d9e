"""Policy at the end of an attempt: what is logged may be changed, what happened not."""

from typing import Any

from angarium.core.reply import Reply
from angarium.events.schema import Delivery, PermanentFailure, TransientFailure
from angarium.outbound.errors import DeliveryError, Reach
from angarium.outbound.witness import Witness, witness
from angarium.policy import hooks
from angarium.policy.chain import NO_POLICY
from angarium.policy.context import Which
from angarium.policy.hooks import on
from angarium.queue.entry import Entry
from angarium.wire.smtp_transaction import Stage
from helpers.asking import asked
from helpers.sending import Sending

GONE = DeliveryError(Reply(550, "gone", "5.1.1"), stage=Stage.RCPT, octets=9, remote="h:25")
LATER = DeliveryError(Reply(451, "later", "4.3.0"), Reach.RECIPIENT, Stage.MAIL, 4, "h:25")


def sending(module: object) -> tuple[Sending, Entry, list[str]]:
    panics: list[str] = []
    here = Sending(retry_interval=600.0)
    here.settle.witness = witness(asked(module, panics=panics))
    here.settle._bounces.witness = here.settle.witness
    here.board.demand = lambda line: None
    (entry,) = here.put("b@example.test").take(1)
    return here, entry, panics


def events(here: Sending, kind: type[Any]) -> list[Any]:
    return [each for each in here.spool.events if isinstance(each, kind)]


class Notes:
    @on(hooks.LogDelivery)
    def delivered(self, event: hooks.LogDelivery) -> None:
        event.mail.set(Which.MESSAGE, "note", f"{event.domain} {event.note}")
        event.mail.reply = Reply(250, "as policy has it", "2.0.0")

    @on(hooks.LogPermanentFailure)
    def failed(self, event: hooks.LogPermanentFailure) -> None:
        event.mail.reply = Reply(554, f"was: {event.note}", "5.4.7")

    @on(hooks.LogTransientFailure)
    def deferred(self, event: hooks.LogTransientFailure) -> None:
        event.mail.set(Which.MESSAGE, "last", event.note)


def test_nobody_is_asked_where_nobody_handles_a_hook() -> None:
    assert witness(NO_POLICY) is None


def test_a_delivery_is_logged_as_policy_has_it() -> None:
    here, entry, _ = sending(Notes())
    here.settle.delivered(entry, "h:25", 1, Reply(250, "ok", "2.0.0"), 10)
    (event,) = events(here, Delivery)
    assert event.reply == "250 2.0.0 as policy has it"
    assert event.context["note"] == "example.test 250 2.0.0 ok"


def test_a_failure_is_logged_and_reported_as_policy_has_it() -> None:
    here, entry, _ = sending(Notes())
    here.settle.failed(entry, GONE)
    here.spool.sync()
    (event,) = events(here, PermanentFailure)
    assert event.reason == "554 5.4.7 was: 550 5.1.1 gone"
    report = next(m for m, _ in here.spool.kept.values() if m.protocol == "internal")
    assert b"was: 550 5.1.1 gone" in report.body.whole()


def test_what_is_noted_at_a_failed_attempt_goes_into_its_event() -> None:
    here, entry, _ = sending(Notes())
    here.settle.failed(entry, LATER)
    (event,) = events(here, TransientFailure)
    assert event.context["last"] == "451 4.3.0 later"


def test_what_is_noted_at_an_attempt_is_there_at_the_next_one() -> None:
    class Remembering:
        @on(hooks.LogTransientFailure)
        def deferred(self, event: hooks.LogTransientFailure) -> None:
            event.mail.set(Which.MESSAGE, "last", event.note)

        @on(hooks.LogPermanentFailure)
        def failed(self, event: hooks.LogPermanentFailure) -> None:
            last = event.mail.get(Which.MESSAGE, "last")
            event.mail.reply = Reply(554, f"{event.note}, last: {last}", "5.4.7")

    here, entry, _ = sending(Remembering())
    here.settle.failed(entry, LATER)
    here.clock.advance(700)
    here.board.tick()
    entry = here.board.line("default", "default", "example.test").take(1)[0]
    entry.recipient.variables = {}  # as it is read from the disk
    here.settle.failed(entry, GONE)
    here.spool.sync()
    (event,) = events(here, PermanentFailure)
    assert event.reason == "554 5.4.7 550 5.1.1 gone, last: 451 4.3.0 later"


def test_a_message_may_be_dropped_instead_of_waiting_again() -> None:
    class Dropping:
        @on(hooks.Requeue)
        def drop(self, event: hooks.Requeue) -> None:
            event.mail.discard()

    here, entry, _ = sending(Dropping())
    here.settle.failed(entry, LATER)
    here.spool.sync()
    (event,) = events(here, PermanentFailure)
    assert event.kind == "discarded"
    assert here.board.delayed == 0
    assert [m for m, _ in here.spool.kept.values() if m.protocol == "internal"] == []


def test_a_report_may_be_changed_or_kept_back() -> None:
    class Editing:
        keep = True

        @on(hooks.GenerateReport)
        def edit(self, event: hooks.GenerateReport) -> None:
            assert event.action == "failed"
            assert event.report is not None
            event.report = event.report + b"PS: sorry\r\n" if self.keep else None

    here, entry, _ = sending(Editing())
    here.settle.failed(entry, GONE)
    here.spool.sync()
    report = next(m for m, _ in here.spool.kept.values() if m.protocol == "internal")
    assert report.body.whole().endswith(b"PS: sorry\r\n")

    silent = Editing()
    silent.keep = False
    here, entry, _ = sending(silent)
    here.settle.failed(entry, GONE)
    here.spool.sync()
    assert len(events(here, PermanentFailure)) == 1
    assert [m for m, _ in here.spool.kept.values() if m.protocol == "internal"] == []


def test_a_handler_which_fails_changes_nothing() -> None:
    class Broken:
        @on(hooks.LogDelivery)
        def fail(self, event: hooks.LogDelivery) -> None:
            raise ValueError("oh")

    here, entry, panics = sending(Broken())
    here.settle.delivered(entry, "h:25", 1, Reply(250, "ok", "2.0.0"), 10)
    assert events(here, Delivery)[0].reply == "250 2.0.0 ok"
    assert "core_log_delivery_v1 error" in panics[0]


def test_what_was_noted_at_an_attempt_is_there_after_a_reload() -> None:
    here, entry, _ = sending(Notes())
    here.settle.failed(entry, LATER)
    assert isinstance(here.settle.witness, Witness)
    after = witness(asked(Notes()), here.settle.witness)
    assert after is not None
    assert after._mail(entry).variables(Which.MESSAGE)["last"]
