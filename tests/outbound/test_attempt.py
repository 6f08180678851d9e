"""What a lost session leaves: who is tried again at once, who counts as attempted."""

import pytest

from angarium.core.reply import Reply
from angarium.journal.errors import DamageError
from angarium.outbound import attempt
from angarium.outbound.attempt import Mail
from angarium.outbound.errors import CLOSED, UNREADABLE, DeliveryError
from angarium.queue.entry import Entry
from angarium.wire.smtp_asked import Lost
from angarium.wire.smtp_transaction import Phase, Stage
from helpers.sending import Sending

LOST = Lost(CLOSED, Stage.CONFIRM)


class Results:
    def __init__(self) -> None:
        self.failures: list[tuple[str, str, int]] = []
        self.taken: list[tuple[str, int]] = []
        self.aside: list[str] = []

    def delivered(
        self, entry: Entry, remote: str, connection: int, reply: Reply, size: int, **_: object
    ) -> None:
        assert connection == 5
        self.taken.append((entry.recipient.address, size))

    def failed(self, entry: Entry, error: DeliveryError, kind: str = "bounced") -> None:
        assert error.connection == 5
        self.failures.append((entry.recipient.address, str(error.reply), int(error.stage)))

    def damaged(self, entry: Entry, error: DamageError) -> None:
        self.aside.append(entry.recipient.address)


def mail(phase: Phase) -> Mail:
    sending = Sending()
    sending.board.demand = lambda line: None
    made = Mail(sending.put("b@example.test", "c@example.test").take(9))
    made.phase = phase
    return made


@pytest.mark.parametrize(
    ("phase", "proved", "counts"),
    [
        (Phase.NOTHING, False, False),
        (Phase.ENVELOPE, False, True),
        (Phase.ENVELOPE, True, False),
        (Phase.CONTENT, True, True),
        (Phase.WHOLE, True, True),
    ],
)
def test_what_counts_as_an_attempt(phase: Phase, proved: bool, counts: bool) -> None:
    results = Results()
    again = attempt.abandon(mail(phase), LOST, results, "h:25", 5, proved=proved)
    assert (len(again), len(results.failures)) == ((0, 2) if counts else (2, 0))


def test_who_has_a_result_keeps_it() -> None:
    made, results = mail(Phase.ENVELOPE), Results()
    made.settle(0, Reply(550, "no"), Stage.RCPT)
    again = attempt.abandon(made, LOST, results, "h:25", 5, proved=True)
    assert results.failures == [("b@example.test", "550 no", 5)]
    assert [entry.recipient.address for entry in again] == ["c@example.test"]


def test_of_a_damaged_content_who_has_a_result_keeps_it_and_the_others_are_put_aside() -> None:
    made, results = mail(Phase.CONTENT), Results()
    made.settle(0, Reply(550, "no"), Stage.RCPT)
    attempt.unread(made, DamageError("damaged"), results, "h:25", 5)
    assert results.failures == [("b@example.test", "550 no", 5)]
    assert results.aside == ["c@example.test"]


def test_a_content_the_disk_does_not_give_now_counts_as_an_attempt() -> None:
    results = Results()
    attempt.unread(mail(Phase.CONTENT), OSError(5, "no"), results, "h:25", 5)
    assert {reply for _, reply, _ in results.failures} == {str(UNREADABLE)}
    assert results.aside == []


def test_a_lost_session_never_fails_mail_for_good() -> None:
    results = Results()
    lost = Lost(Reply(502, "no RSET here"), Stage.RSET, said=True)
    attempt.abandon(mail(Phase.ENVELOPE), lost, results, "h:25", 5, proved=False)
    assert {reply for _, reply, _ in results.failures} == {str(CLOSED)}


def test_results_go_to_their_entries() -> None:
    made, results = mail(Phase.WHOLE), Results()
    made.settle(1, Reply(552, "full"), Stage.CONFIRM)
    made.settle_all(Reply(250, "ok"), Stage.CONFIRM)
    assert attempt.settle(made, results, "h:25", 5, reports=False) == 1
    assert results.taken == [("b@example.test", 22)]
    assert results.failures == [("c@example.test", "552 full", 9)]
    made.reopen()
    with pytest.raises(ValueError, match="result"):
        attempt.settle(made, results, "h:25", 5, reports=False)
