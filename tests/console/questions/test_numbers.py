"""What the node has counted."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

from angarium.console.questions import numbers
from angarium.console.questions.numbers import Numbers
from helpers.clock import FakeClock
from helpers.queues import Queues


def test_the_rows_of_all_processes_are_one() -> None:
    rows = {0: {"deliveries": 2.0}, 1: {"deliveries": 3.0}, 200: {"only here": 7.0}}
    part = SimpleNamespace(clock=FakeClock(), readings=SimpleNamespace(read=lambda now: rows))
    found = numbers.numbers.function(part)
    assert found.values["only here"] == 7.0
    assert Numbers(1.0, {}) + Numbers(2.0, {"a": 1.0}) == Numbers(2.0, {"a": 1.0})


def test_a_domain_with_mail_in_two_workers_is_one() -> None:
    queues = Queues()
    line = queues.put("a.test", "b.test")
    (entry,) = line.take(1)
    queues.defer(entry, 100)
    part = SimpleNamespace(board=queues.board, spool=queues.board.spool)
    found = finished(numbers.domains.function(part))
    assert len(found.digests) == 2
    assert len((found + found).digests) == 2


def test_what_was_asked_of_name_servers_is_told_with_the_cache() -> None:
    class Resolver(SimpleNamespace):
        def __len__(self) -> int:
            return 4

    class Row(SimpleNamespace):
        def __len__(self) -> int:
            return 1

    resolver = Resolver(
        counters=Counter(lookups=3), keeping=SimpleNamespace(entries=9),
        pacer=Row(counters=Counter(queued=2), rate=None),
    )  # fmt: skip
    stub = SimpleNamespace(counters=Counter({"queries.MX": 5}), pending=1)
    part = SimpleNamespace(naming=SimpleNamespace(resolver=resolver, stub=stub))
    values = numbers.resolver.function(part).values
    assert values["queries.MX"] == 5
    assert (values["cache.lookups"], values["entries"], values["pacer.limited"]) == (3, 4, 0)


def finished(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
