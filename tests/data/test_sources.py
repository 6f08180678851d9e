"""`Datasources`: by name, through generations."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from angarium.data.errors import StatementError
from angarium.data.source import CONNECTIONS, Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from helpers.clock import FakeClock
from helpers.databank import those


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "db")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t AS SELECT 1 AS a")
    database.close()
    return path


@pytest.fixture
async def sources() -> AsyncIterator[Datasources]:
    made = Datasources(FakeClock(), Random(1), Metrics())
    yield made
    await made.close()


def one(name: str, uri: str, cache_size: int = 1000) -> Settings:
    return Settings(name=name, uris=(uri,), cache_size=cache_size)


async def test_a_source_is_asked_by_its_name(sources: Datasources, path: str) -> None:
    sources.configure([one("x", f"sqlite:{path}")])
    assert await sources.query("x", "SELECT a FROM t") == those({"a": 1})
    assert await sources.fetch_row("x", "SELECT a FROM t WHERE a = ?", [2]) is None
    await sources.execute("x", "INSERT INTO t VALUES (:n)", {"n": 2})
    found = await sources.query("x", "SELECT a FROM t", fresh=True)
    assert [row["a"] for row in found] == [1, 2]
    with pytest.raises(StatementError, match="no such datasource") as caught:
        await sources.query("y", "SELECT 1")
    assert caught.value.fields == {"name": "y", "known": "x"}


async def test_a_generation_changes_what_has_changed(sources: Datasources, path: str) -> None:
    sources.prepare([one("x", f"sqlite:{path}")])
    sources.configure([one("x", f"sqlite:{path}"), one("y", f"sqlite:{path}")])
    await sources.query("x", "SELECT a FROM t")
    before = sources.source("x")
    sources.configure([one("x", f"sqlite:{path}", cache_size=7), one("z", "ldap://h")])
    assert sources.source("x") is before
    assert (before.cache.size, len(before.cache)) == (7, 1)
    assert set(sources.sources) == {"x", "z"}
    assert [each.driver.label for each in sources.directories()] == ["ldap://h"]


async def test_connections_are_measured_and_memory_given_back(
    sources: Datasources, path: str
) -> None:
    metrics = sources._metrics
    sources.configure([one("x", f"sqlite:{path}")])
    for number in range(4):
        await sources.query("x", "SELECT a FROM t WHERE a = ?", [number])
    sources.tick()
    assert metrics.cell(CONNECTIONS).value == 1
    list(sources.shrink())
    assert len(sources.source("x").cache) == 2
