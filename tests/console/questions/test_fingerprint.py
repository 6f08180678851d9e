"""Systems of clients, asked of a worker."""

from types import SimpleNamespace
from typing import Any

from angarium.console.questions.fingerprint import Kind, cache, kinds
from angarium.console.sums import Counts
from angarium.inbound.systems import System, Systems


def worker(systems: Systems | None) -> Any:
    return SimpleNamespace(services=SimpleNamespace(counts=SimpleNamespace(systems=systems)))


def test_a_worker_tells_what_it_remembers_and_what_came_of_it() -> None:
    systems = Systems(100)
    systems.learn("a", System("Linux", "2.6", 3), 0.0)
    systems.received("a")
    systems.rejected("a")
    assert cache.function(worker(systems)) == Counts({"clients": 1, "most": 100})
    [row] = kinds.function(worker(systems)).rows.values()
    assert row + row == Kind("Linux", "2.6", 2, 2)


def test_without_the_module_there_is_nothing() -> None:
    assert cache.function(worker(None)) == Counts({})
    assert kinds.function(worker(None)).rows == {}
