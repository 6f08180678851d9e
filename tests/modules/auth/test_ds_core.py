"""What the stanzas of datasources say."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from angarium.config.errors import ConfigError
from angarium.config.load import load_text
from angarium.data.errors import LateError, UnreachableError
from angarium.data.source import Datasource, Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.modules.auth.ds_core import settings_of
from angarium.net.loop import RealClock


def sources(text: str) -> dict[str, Settings]:
    return {each.name: each for each in settings_of(load_text(text))}


def test_a_stanza_is_a_source_with_the_manuals_defaults() -> None:
    found = sources('Datasource "users" { uri = ( "sqlite:/a" "sqlite:/b" ) }')
    assert found == {
        "users": Settings(
            name="users", uris=("sqlite:/a", "sqlite:/b"), cache_life=3600, negative_life=3600,
            cache_size=1000, max_rows=100, no_cache=False, charset="iso-8859-1",
            passwords=("", ""),
        )
    }  # fmt: skip


def test_what_is_set_holds() -> None:
    found = sources(
        'datasource "x" { uri = "sqlite:/a" cache_life = 60 cache_size = 5 cache_octets = 1M\n'
        "max_rows = -1 no_cache = true assume_charset = koi8-r query_timeout = 2\n"
        "connect_timeout = 1 connections = 7 }"
    )["x"]
    assert (found.cache_life, found.negative_life, found.cache_size) == (60, 60, 5)
    assert (found.cache_octets, found.max_rows, found.no_cache) == (2**20, -1, True)
    assert (found.charset, found.query_seconds, found.connect_seconds) == ("koi8-r", 2, 1)
    assert (found.connections, found.idle) == (7, 7)


@pytest.mark.effect("ds_ldap.connection_cache_life")
def test_connections_to_directories_are_kept_as_ds_ldap_says() -> None:
    text = """
        ds_ldap { connection_cache_size = 2 connection_cache_life = 9 }
        datasource "directory" { uri = "ldap://h" }
        datasource "file" { uri = "sqlite:/a" }
    """
    found = sources(text)
    assert (found["directory"].idle, found["directory"].idle_seconds) == (2, 9)
    assert (found["file"].idle, found["file"].idle_seconds) == (4, 60)


@pytest.mark.parametrize(
    ("stanza", "said"),
    [
        ('uri = "odbc:DSN=x;PWD=secret"', "there is no driver for ODBC"),
        ('uri = "pgsql:host=x;password=secret"', "dbname is missing"),
        ('uri = ( "sqlite:/a" "ldap://h" )', "of one kind"),
        ('uri = "sqlite:/a" assume_charset = klingon', "no character set"),
        ("connections = 0", "1"),
    ],
)
def test_what_cannot_be_is_said_when_the_file_is_checked(stanza: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f'datasource "x" {{ {stanza} }}')
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


# What the options do, from the text of a file to a database.


@pytest.fixture
async def asked() -> AsyncIterator[Callable[[str], Datasource]]:
    """Yield what makes a datasource of options."""
    made = Datasources(RealClock(), Random(1), Metrics())

    def of(text: str) -> Datasource:
        made.configure(settings_of(load_text(f'datasource "x" {{ {text} }}')))
        return made.source("x")

    yield of
    await made.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "db")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (x TEXT)")
        database.execute("INSERT INTO t VALUES (?)", ["x" * 3000])
    database.close()
    return path


@pytest.mark.effect("datasource.cache_size", "datasource.cache_octets")
async def test_a_cache_has_room_for_so_much(asked: Callable[[str], Datasource], path: str) -> None:
    kept = []
    for more in ("", "cache_size = 1", "cache_octets = 4K"):
        source = asked(f'uri = "sqlite:{path}" {more}')
        for _ in range(2):
            await source.query("SELECT 1 AS a")
            await source.query("SELECT x FROM t")
        kept.append(source.cache.counted.hits)
        source.flush()
        source.cache.counted.hits = 0
    assert kept == [2, 0, 1]


class Silent:
    """A server which takes connections and says nothing."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.changed = asyncio.Condition()

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self.changed:
            self.writers.append(writer)
            self.changed.notify_all()
        await reader.read()


@pytest.fixture
async def silent(tmp_path: Path) -> AsyncIterator[Silent]:
    made = Silent()
    server = await asyncio.start_unix_server(made.taken, str(tmp_path / "s"))
    yield made
    server.close()
    for each in made.writers:
        each.close()


@pytest.mark.effect("datasource.connections")
@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_connections_are_made_than_allowed(
    asked: Callable[[str], Datasource], silent: Silent, tmp_path: Path, most: int
) -> None:
    source = asked(f'uri = "redis:host={tmp_path}/s" connections = {most}')
    tasks = [asyncio.ensure_future(source.query(f"GET {number}")) for number in range(6)]
    async with silent.changed:
        await asyncio.wait_for(silent.changed.wait_for(lambda: len(silent.writers) == most), 60)
    assert (source.pools[0].count, source.pools[0].waiting) == (most, 6 - most)
    await source.close()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in found} == {UnreachableError}
    assert len(silent.writers) == most


@pytest.mark.effect("datasource.connect_timeout")
async def test_a_connection_has_to_come_about_in_time(
    asked: Callable[[str], Datasource], silent: Silent, tmp_path: Path
) -> None:
    source = asked(f'uri = "redis:host={tmp_path}/s" connect_timeout = 0.05')
    with pytest.raises(LateError, match="no connection in time"):
        await source.query("GET a")
