"""MariaDB, asked for real, and how values are written for it."""

from collections.abc import Iterator

import pytest

from angarium.data.errors import LateError, StatementError, UnreachableError
from angarium.data.kinds.mysql import literal
from helpers.databases import Server, asking, mariadb


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mariadb() as running:
        yield running


def test_no_value_has_a_quote_which_could_be_closed() -> None:
    assert literal("a'\\") == "_utf8mb4 x'61275c'"
    assert literal(b"'") == "x'27'"
    assert [literal(each) for each in (None, True, 5, 5.0, 1.5)] == [
        "NULL",
        "TRUE",
        "5",
        "5",
        "1.5",
    ]
    for bad in (float("inf"), "\udcff"):
        with pytest.raises(StatementError):
            literal(bad)


@pytest.mark.peer
@pytest.mark.slow
async def test_values_come_back_as_they_were_given(server: Server) -> None:
    async with asking(server.uri) as source:
        await source.execute(
            "CREATE TABLE kinds (i int, n decimal(6,2), t varchar(20), o bool, y varbinary(9),"
            " d date, w datetime, l varchar(20) character set latin1)"
        )
        nasty = "ü'; DROP--\\\N{GRINNING FACE}"
        await source.execute(
            "INSERT INTO kinds VALUES (:i, :n, :t, :o, :y, :d, :w, :l)",
            {"i": 5.0, "n": "12.50", "t": nasty, "o": True, "y": b"\0\xff'", "d": "2026-11-26",
             "w": "2026-11-26 00:00:00", "l": "é"},
        )  # fmt: skip
        row = await source.fetch_row("SELECT * FROM kinds WHERE t = ? AND l = ?", [nasty, "é"])
        assert row == {"i": 5, "n": 12.5, "t": nasty, "o": 1, "y": b"\0\xff'", "d": "2026-11-26",
                       "w": "2026-11-26 00:00:00", "l": "é"}  # fmt: skip
        row = await source.fetch_row("SELECT ':no ?' AS `a?`, 7 AS b # :not", [])
        assert row == {"a?": ":no ?", "b": 7}
        assert await source.query("SELECT 1 FROM kinds WHERE t = ?", ["nobody"]) == ()


@pytest.mark.peer
@pytest.mark.slow
async def test_no_setting_of_the_server_makes_a_value_something_else(server: Server) -> None:
    async with asking(server.uri, connections=1) as source:
        await source.execute("SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
        for nasty in ("\\' OR 1=1 -- ", '" OR 1=1', "\x00\x1a\n"):
            row = await source.fetch_row("SELECT ? AS a", [nasty])
            assert row == {"a": nasty}


@pytest.mark.peer
@pytest.mark.slow
async def test_tls_is_made_as_the_uri_says_and_a_certificate_checked(server: Server) -> None:
    query = "SHOW STATUS LIKE 'Ssl_cipher'"
    own = f"sslmode=verify-full;sslrootcert={server.folder}/cert.pem"
    for more, safe in (("sslmode=disable", False), ("sslmode=require", True), (own, True)):
        async with asking(f"{server.uri};{more}") as source:
            row = await source.fetch_row(query)
            assert row is not None
            assert bool(row["Value"]) is safe
    async with asking(f"{server.uri};sslmode=verify-full") as source:
        with pytest.raises(UnreachableError, match="certificate verify failed"):
            await source.query(query)


@pytest.mark.peer
@pytest.mark.slow
async def test_errors_rows_and_time_are_bounded(server: Server) -> None:
    async with asking(server.uri, max_rows=2) as source:
        with pytest.raises(StatementError, match="nowhere"):
            await source.query("SELECT * FROM nowhere")
        with pytest.raises(StatementError, match="transaction"):
            await source.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        numbers = "SELECT seq FROM seq_1_to_9"
        assert [row["seq"] for row in await source.query(numbers)] == [1, 2]
        assert len(await source.query(f"{numbers} LIMIT 8")) == 2
    async with asking(server.uri, max_rows=-1) as source:
        assert len(await source.query("SELECT seq FROM seq_1_to_9000")) == 9000
    async with asking(server.uri, query_seconds=0.3) as source:
        with pytest.raises((LateError, StatementError)):
            await source.query("SELECT SLEEP(600) FROM seq_1_to_9")


@pytest.mark.peer
@pytest.mark.slow
async def test_a_wrong_password_and_a_server_which_is_away_are_told(server: Server) -> None:
    async with asking(server.uri.replace("s;cret", "wrong")) as source:
        with pytest.raises(UnreachableError, match="Access denied") as caught:
            await source.query("SELECT 1")
        assert "wrong" not in str(caught.value)
    async with asking(server.uri, no_cache=True) as source:
        assert await source.fetch_row("SELECT 1 AS one") == {"one": 1}
        server.stop()
        with pytest.raises(UnreachableError):
            await source.query("SELECT 1 AS one")
        (server.folder / "socket").unlink()
        server.start()
        assert await source.fetch_row("SELECT 1 AS one") == {"one": 1}
