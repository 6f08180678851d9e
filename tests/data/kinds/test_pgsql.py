"""PostgreSQL, asked for real."""

import asyncio
from collections.abc import Iterator

import pytest

from angarium.data.errors import LateError, StatementError, UnreachableError
from helpers.databases import Server, asking, postgresql

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


async def test_values_of_scripts_fit_every_type_a_column_has(server: Server) -> None:
    async with asking(server.uri) as source:
        await source.execute(
            "CREATE TABLE kinds (i int, b bigint, r real, n numeric, t text, v varchar(9), o bool,"
            " y bytea, d date, w timestamptz, a inet, j jsonb, u uuid, l text[])"
        )
        uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
        await source.execute(
            "INSERT INTO kinds VALUES"
            " (:i, :b, :r, :n, :t, :v, :o, :y, :d, :w, :a, :j, :u, '{a,b}')",
            {"i": 5.0, "b": "6", "r": 1.5, "n": "12.50", "t": 7, "v": "ü'", "o": True,
             "y": b"\0\xff", "d": "2026-11-26", "w": "2026-11-26 00:00:00+00", "a": "192.0.2.1",
             "j": '{"k": 1}', "u": uuid},
        )  # fmt: skip
        row = await source.fetch_row("SELECT * FROM kinds WHERE i = ? AND t = ?", [5, "7"])
        assert row is not None
        assert list(row) == list("ibrntvoydwajul")
        assert row.line[:8] == (5, 6, 1.5, 12.5, "7", "ü'", True, b"\0\xff")
        assert row["d"] == "2026-11-26"
        assert str(row["w"]).startswith("2026-11-26 00:00:00")
        assert (row["a"], row["j"], row["u"]) == ("192.0.2.1", '{"k": 1}', uuid)
        assert row["l"] == ("a", "b")
        assert row.at(1) == 5
        counted = await source.fetch_row("SELECT count(*) AS c, sum(b) AS s, NULL AS n FROM kinds")
        assert counted == {"c": 1, "s": 6, "n": None}


async def test_a_value_never_becomes_part_of_the_statement(server: Server) -> None:
    async with asking(server.uri) as source:
        nasty = "'; DROP TABLE x; --\\"
        text = "SELECT :a AS a, :b::int IS NULL AS b"
        found = await source.query(text, {"a": nasty, "b": None})
        assert found[0] == {"a": nasty, "b": True}
        row = await source.fetch_row("SELECT ':no' AS a, '5'::int AS b, ?::int AS c", ["6"])
        assert row == {"a": ":no", "b": 5, "c": 6}


async def test_a_statement_which_is_refused_says_why_and_the_connection_stays(
    server: Server,
) -> None:
    async with asking(server.uri) as source:
        with pytest.raises(StatementError, match='relation "nowhere" does not exist') as caught:
            await source.query("SELECT * FROM nowhere")
        assert caught.value.fields["datasource"] == "test"
        assert "pgsql:host=" in str(caught.value.fields["at"])
        with pytest.raises(StatementError, match="invalid input syntax for type integer"):
            await source.query("SELECT ?::int", ["five"])
        with pytest.raises(StatementError):
            await source.query("SELECT ?::text", ["\udcff"])
        with pytest.raises(StatementError, match="transaction"):
            await source.execute("BEGIN")
        assert await source.fetch_row("SELECT 1 AS one") == {"one": 1}


@pytest.mark.effect("datasource.max_rows")
async def test_no_more_rows_than_wanted_are_fetched(server: Server) -> None:
    series = "SELECT generate_series(1, 50) AS n"
    async with asking(server.uri, max_rows=3) as source:
        assert [row["n"] for row in await source.query(series)] == [1, 2, 3]
    async with asking(server.uri, max_rows=-1) as source:
        assert len(await source.query(series)) == 50
        await source.execute("CREATE TABLE few (n int)")
        found = await source.query("INSERT INTO few SELECT generate_series(1, 5) RETURNING n")
        assert len(found) == 5


async def test_what_takes_too_long_ends_here_and_there(server: Server) -> None:
    async with asking(server.uri, query_seconds=0.3) as source:
        with pytest.raises((LateError, StatementError)):
            await source.query("SELECT pg_sleep(600)")
    async with asking(server.uri) as source:
        busy = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE :q AND state = 'active'"
        async with asyncio.timeout(60):
            row = None
            while row != {"n": 0}:
                row = await source.fetch_row(busy, {"q": "SELECT pg_sleep%"}, fresh=True)


async def test_a_server_which_was_away_is_asked_again_with_new_connections(server: Server) -> None:
    async with asking(server.uri, no_cache=True) as source:
        assert await source.fetch_row("SELECT 1 AS one") == {"one": 1}
        server.stop()
        with pytest.raises(UnreachableError):
            await source.query("SELECT 1 AS one")
        (server.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        server.start()
        assert await source.fetch_row("SELECT 1 AS one") == {"one": 1}
        assert source.pools[0].opened == 2
