import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.services import Services
from angarium.net.loop import RealClock
from helpers.lua import services
from helpers.snippets import running, state


@pytest.fixture
async def reached(tmp_path: Path) -> AsyncIterator[Services]:
    file = tmp_path / "db"
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE names (id INTEGER, name TEXT, born REAL, raw BLOB)")
        rows = [(1, "ann", 1.5, b"\xff"), (2, "bob", None, None)]
        made.executemany("INSERT INTO names VALUES (?, ?, ?, ?)", rows)
    made.close()
    sources = Datasources(RealClock(), Random(1), Metrics())
    sources.configure([Settings("users", (f"sqlite:{file}",), no_cache=True)])
    found = services()
    found.parts[Datasources] = sources
    yield found
    await sources.close()


async def test_rows_come_one_after_the_other(reached: Services) -> None:
    source = """
        require("msys.db"); require("msys.datasource")
        local found = {}
        local rows, err = msys.db.query("users", "SELECT * FROM names WHERE id < ?", { 5 })
        for row in rows do
          found[#found + 1] = row.id .. row.name .. tostring(row.born) .. tostring(row.raw)
        end
        return found
    """
    assert await running(source, state(reached)) == [b"1ann1.5\xff", b"2bobnilnil"]


@pytest.mark.parametrize(
    ("query", "parameters", "name"),
    [
        ("id = ?", "{ 2 }", b"bob"),
        ("id = ?", "{ '2' }", b"bob"),
        ("name = :who", "{ who = 'ann' }", b"ann"),
        ("name = :who", "{ [':who'] = 'ann' }", b"ann"),
        ("born IS ?", "{ nil }", b"bob"),
        ("raw = ?", "{ '\\255' }", b"ann"),
        ("id = 3", "nil", None),
    ],
)
async def test_parameters_are_bound_by_place_or_name(
    reached: Services, query: str, parameters: str, name: bytes | None
) -> None:
    source = f"""
        local row, err = msys.db.fetch_row("users", "SELECT name FROM names WHERE {query}",
          {parameters})
        return row and row.name
    """
    assert await running(source, state(reached)) == name


async def test_a_statement_returns_true(reached: Services) -> None:
    source = """
        local done = msys.db.execute("users", "INSERT INTO names (id, name) VALUES (?, ?)",
          { 7, "'); DROP TABLE names; --" })
        return done, msys.db.fetch_row("users", "SELECT name FROM names WHERE id = 7").name
    """
    assert await running(source, state(reached)) == [True, b"'); DROP TABLE names; --"]


@pytest.mark.parametrize(
    ("function", "nothing"), [("query", None), ("fetch_row", None), ("execute", False)]
)
async def test_a_failure_is_an_error_or_a_reason(
    reached: Services, function: str, nothing: object
) -> None:
    call = f'msys.db.{function}("users", "SELECT nonsense FROM nowhere", nil'
    found, reason = await running(f"return {call}, {{ raise_error = false }})", state(reached))
    assert found is nothing
    assert b"nowhere" in reason
    with pytest.raises(ScriptError, match="nowhere"):
        await running(f"return {call})", state(reached))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('msys.db.query("none", "SELECT 1")', "no such datasource"),
        ('msys.db.query("users", "SELECT ?", { {} })', "a parameter is"),
        ('msys.db.query("users", "SELECT ?")', "wrong number of parameters"),
    ],
)
async def test_what_cannot_be_asked_is_an_error(reached: Services, call: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        await running(f"return {call}", state(reached))


async def test_without_datasources_it_is_said_so() -> None:
    with pytest.raises(ScriptError, match="a datasource is not available here"):
        await running('return msys.db.query("users", "SELECT 1")', state())
