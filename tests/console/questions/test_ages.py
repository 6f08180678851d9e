"""How old the mail is."""

from types import SimpleNamespace
from typing import Any

from angarium.console.questions.ages import Ages, ages, row_of
from helpers.queues import Queues


def test_ages_fall_into_rows() -> None:
    assert [row_of(each) for each in (0, 299, 300, 76799, 76800)] == [0, 0, 1, 8, 9]


def test_mail_is_counted_by_domain_and_by_binding() -> None:
    queues = Queues()
    queues.put("a.test", "b.test")
    queues.put("a.test")
    live = queues.board.spool.live
    spool = SimpleNamespace(
        routes=queues.board.spool.routes, live=SimpleNamespace(parts=lambda: [live])
    )
    part = SimpleNamespace(clock=queues.clock, spool=spool)
    found = finished(ages.function(part, False))
    assert {name: each.total for name, each in found.rows.items()} == {
        "": 3, "a.test": 2, "b.test": 1,
    }  # fmt: skip
    assert found.rows[""].counts[0] == 3
    assert len(finished(ages.function(part, True)).rows) == 2
    assert (Ages([1, 2]) + Ages([3, 4])).counts == [4, 6]


def finished(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
