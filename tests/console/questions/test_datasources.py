"""What workers say of their datasources."""

from collections.abc import AsyncIterator
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.console.question import QuestionError
from angarium.console.questions.datasources import (
    Database,
    datasources,
    directories,
    directories_flushed,
    flushed,
)
from angarium.data.pool import Pool
from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from helpers.clock import FakeClock
from helpers.databank import Bank


@pytest.fixture
async def worker() -> AsyncIterator[Any]:
    """Yield a worker with a datasource whose database is in memory."""
    clock = FakeClock()
    sources = Datasources(clock, Random(1), Metrics())
    sources.configure([Settings(name="users", uris=("ldap://h",))])
    source = sources.source("users")
    bank = Bank("ldap://h")
    breaker = source.pools[0].breaker
    source.pools = [
        Pool(bank, breaker, clock, most=2, idle_most=2, idle_seconds=60.0, connect_seconds=5.0)
    ]
    await source.query("SELECT 1")
    yield SimpleNamespace(datasources=sources, bank=bank)
    await sources.close()


async def test_a_source_tells_of_its_cache_and_whom_it_asks(worker: Any) -> None:
    found = datasources.function(worker).rows["users"]
    assert (found.cache.entries, found.statements, found.errors) == (1, 1, 0)
    assert found.databases == {"ldap://h": Database(1, 1, 0, 1, 0, 0, 0)}
    assert (found + found).databases["ldap://h"].connections == 2


async def test_a_database_which_is_left_alone_says_why(worker: Any) -> None:
    for _ in range(3):
        worker.datasources.source("users").pools[0].breaker.failed("connection refused")
    found = directories.function(worker).rows["ldap://h"]
    assert (found.resting, found.reason) == (1, "connection refused")


async def test_what_was_found_and_idle_connections_can_be_forgotten(worker: Any) -> None:
    assert flushed.function(worker, "users").values == {"flushed": 1}
    assert flushed.function(worker, "users").values == {"flushed": 0}
    assert directories_flushed.function(worker).values == {"closed": 1}
    assert not worker.bank.open
    with pytest.raises(QuestionError, match="no datasource other; there are users"):
        flushed.function(worker, "other")
