"""Redis, asked for real, and how commands are taken apart."""

from collections.abc import Iterator

import pytest

from angarium.data.driver import Limits
from angarium.data.errors import LateError, StatementError, UnreachableError
from angarium.data.kinds.redis import Driver, command
from angarium.data.statement import bound
from angarium.data.uri import parse
from helpers.databank import those
from helpers.databases import Server, asking, redis


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with redis() as running:
        yield running


def words(query: str, parameters: list[str] | dict[str, str | None]) -> object:
    driver = Driver(parse("redis:host=h"), Limits())
    template = driver.template(query)
    return driver.bind(query, template, bound(template, parameters)).content


def test_a_value_is_part_of_one_word_whatever_is_in_it() -> None:
    assert words('SET "a $k" $v', {"k": "x y", "v": "1\r\nFLUSHALL"}) == (
        b"SET", b"a x y", b"1\r\nFLUSHALL",
    )  # fmt: skip
    assert words("MGET ? ? a?", ["1", "\udcff"]) == (b"MGET", b"1", b"\xff", b"a?")
    for query in ("", 'GET "a', "GET ? $a"):
        with pytest.raises(StatementError):
            command(query)


@pytest.mark.parametrize("query", ["SUBSCRIBE a", "multi", "Select 3", "BLPOP a 0"])
def test_what_changes_a_connection_for_others_is_refused(query: str) -> None:
    with pytest.raises(StatementError, match="others use"):
        command(query)


@pytest.mark.peer
@pytest.mark.slow
async def test_replies_are_rows(server: Server) -> None:
    async with asking(server.uri, max_rows=3) as source:
        await source.execute("SET user:$name ?".replace("?", "$v"), {"name": "a b", "v": "x"})
        found = await source.fetch_row("GET user:$name", {"name": "a b"})
        assert found is not None
        assert (found.at(1), found.columns.named) == ("x", False)
        assert await source.fetch_row("GET nothing") is None
        await source.execute("HSET h name Ann age 5")
        assert await source.query("HGETALL h") == those({"name": "Ann", "age": "5"})
        assert await source.query("HGETALL nothing") == ()
        await source.execute("RPUSH l a b c d")
        assert [row.at(1) for row in await source.query("LRANGE l 0 -1")] == ["a", "b", "c"]
        assert [row.at(1) for row in await source.query("MGET nothing user:none")] == [None, None]
        assert (await source.query("EXISTS h"))[0].at(1) == 1
        with pytest.raises(StatementError, match="WRONGTYPE"):
            await source.query("GET h")
        with pytest.raises(StatementError, match="unknown command"):
            await source.query("NOTHING")


@pytest.mark.peer
@pytest.mark.slow
async def test_errors_tell_what_is_wrong_and_not_the_password(server: Server) -> None:
    async with asking(server.uri.replace("secret", "false")) as source:
        with pytest.raises(UnreachableError, match="does not let us in") as caught:
            await source.query("PING")
        assert "false" not in str(caught.value)
    async with asking(server.uri, query_seconds=0.2) as source:
        with server.hanging(), pytest.raises(LateError):
            await source.query("PING")
    async with asking(server.uri, no_cache=True) as source:
        await source.query("PING")
        server.stop()
        with pytest.raises(UnreachableError):
            await source.query("PING")
        server.start()
    async with asking(server.uri) as source:
        assert (await source.query("PING"))[0].at(1) == "PONG"
