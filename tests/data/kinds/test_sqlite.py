"""SQLite, asked for real."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from angarium.data.errors import LateError, StatementError, UnreachableError
from helpers.databank import those
from helpers.databases import asking

ENDLESS = "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a FROM n) SELECT count(*) FROM n"


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "a ?#%b")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (n INTEGER, x TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(n, f"x{n}") for n in range(9)])
    database.close()
    return path


async def test_rows_are_what_the_database_has(path: str) -> None:
    async with asking(f"sqlite:{path}") as source:
        row = await source.fetch_row("SELECT n, x, NULL AS z, 1.5 AS f FROM t WHERE x = ?", ["x3"])
        assert row == {"n": 3, "x": "x3", "z": None, "f": 1.5}
        await source.execute("INSERT INTO t VALUES (:n, :x)", {"n": 99, "x": "'; DROP TABLE t"})
        found = await source.query("SELECT x FROM t WHERE n = :n", {"n": 99.0})
        assert found == those({"x": "'; DROP TABLE t"})
        assert (await source.fetch_row("SELECT x'00ff' AS b, ? AS c", [b"\xff"])) == {
            "b": b"\0\xff", "c": b"\xff",
        }  # fmt: skip


@pytest.mark.effect("datasource.assume_charset")
async def test_text_which_is_no_utf_8_is_of_the_assumed_character_set(path: str) -> None:
    query = "SELECT CAST(x'fc' AS TEXT) AS a, 'ü' AS b"
    for charset, expected in (("iso-8859-1", "ü"), ("koi8-r", "Э")):
        async with asking(f"sqlite:{path}", charset=charset) as source:
            assert await source.query(query) == those({"a": expected, "b": "ü"})


async def test_rows_are_bounded(path: str) -> None:
    for most, count in ((3, 3), (0, 0), (-1, 9), (100, 9)):
        async with asking(f"sqlite:{path}", max_rows=most) as source:
            assert len(await source.query("SELECT n FROM t")) == count


async def test_a_statement_which_does_not_end_is_ended_and_frees_its_thread(path: str) -> None:
    async with asking(f"sqlite:{path}", query_seconds=0.1, connections=1) as source:
        with pytest.raises(LateError):
            await source.query(ENDLESS)
        await asyncio.wait(source.pools[0]._ends, timeout=60)
        assert source.pools[0].count == 0


async def test_a_file_which_was_replaced_is_the_one_which_is_asked(path: str) -> None:
    async with asking(f"sqlite:{path}", no_cache=True) as source:
        assert len(await source.query("SELECT n FROM t")) == 9
        with sqlite3.connect(f"{path}.new") as database:
            database.execute("CREATE TABLE t AS SELECT 5 AS n")
        database.close()
        Path(f"{path}.new").replace(path)
        assert await source.query("SELECT n FROM t") == those({"n": 5})
        assert source.pools[0].opened == 1
        Path(path).unlink()
        with pytest.raises(UnreachableError, match="unable to open"):
            await source.query("SELECT n FROM t")


async def test_errors_say_what_is_wrong(path: str) -> None:
    async with asking(f"sqlite:{path}") as source:
        for query, values, said in (
            ("SELECT * FROM nowhere", [], "no such table: nowhere"),
            ("SELECT ?", [2**70], "too large"),
            ("SELECT ?", ["\udcff"], "surrogates"),
            ("BEGIN", [], "transaction"),
            ("SELECT 1; SELECT 2", [], "one statement"),
        ):
            with pytest.raises(StatementError, match=said):
                await source.query(query, values)
        assert source.pools[0].opened == 1
    async with asking(f"sqlite:{path}.none") as source:
        with pytest.raises(UnreachableError, match="unable to open"):
            await source.query("SELECT 1")
    assert not Path(f"{path}.none").exists()
