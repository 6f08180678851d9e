"""`ds_core` and `ds_ldap`: the commands."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from helpers.clock import FakeClock
from helpers.consoles import FakeServer, Talk


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    path = str(tmp_path / "db")
    sqlite3.connect(path).close()
    server, workers = FakeServer(tmp_path, ""), list[Datasources]()
    for number in range(2):
        sources = Datasources(FakeClock(), Random(1), Metrics())
        sources.configure(
            [
                Settings(name="users", uris=(f"sqlite:{path}",)),
                Settings(name="directory", uris=("ldap://h",)),
            ]
        )
        for _ in range(2):
            await sources.query("users", "SELECT 1 AS a")
        workers.append(sources)
        server.node.parts[f"worker {number}"] = SimpleNamespace(datasources=sources)
    yield Talk(server)
    for each in workers:
        await each.close()


async def test_figures_are_those_of_all_workers(talk: Talk) -> None:
    said = await talk.say("ds_core stats")
    assert "cache name" in said
    assert "users                      2   50   50   0        4        2" in said
    assert "users: 2 statements, 0 failed" in said
    assert "2 connections, 2 idle, 0 wait; 2 opened, 0 used again" in said
    plain = await talk.plain("ds_core stats")
    assert plain["users"]["cache"]["hits"] == 2


async def test_a_cache_is_flushed_by_its_name(talk: Talk) -> None:
    assert await talk.say("ds_core flush users") == "flushed 2 entries from cache 'users'"
    assert await talk.plain("ds_core flush users") == {"cache": "users", "flushed": 0}
    said = await talk.fails("ds_core flush nobody")
    assert said == "there is no datasource nobody; there are directory, users"


async def test_connections_to_directories_are_told_and_closed(talk: Talk) -> None:
    assert "ldap://h: 0 connections" in await talk.say("ds_ldap show connection cache stats")
    assert await talk.say("ds_ldap flush connection cache") == "0 connections closed"
