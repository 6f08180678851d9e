"""What DNS and databases say on a stage."""

import asyncio
from typing import Any

import pytest

from angarium.data.errors import StatementError
from angarium.net.answer import Status
from angarium.net.dnscache import Resolver
from angarium.run.stage.answers import AnswerError, Databases, Names
from angarium.wire import dns as wire
from helpers.clock import FakeClock


async def test_names_are_what_a_transcript_says() -> None:
    names = Names()
    for line in (
        "a.test A 192.0.2.1",
        "a.test MX 10 mx.a.test",
        "w.test CNAME A.test.",
        "t.test TXT v=spf1 -all",
        "bad.test TIMEOUT",
        "1.2.0.192.in-addr.arpa PTR a.test",
    ):
        names.add(line.split())
    resolver = Resolver(names, asyncio.get_running_loop(), FakeClock())
    assert (await resolver.address("w.test")).records == ("192.0.2.1",)
    assert [each.host for each in (await resolver.mx("A.test")).records] == ["mx.a.test"]
    assert (await resolver.txt("t.test")).records == (b"v=spf1 -all",)
    assert (await resolver.ptr("192.0.2.1")).records == ("a.test",)
    assert (await resolver.lookup("bad.test", wire.A)).status is Status.TIMEOUT
    assert (await resolver.lookup("a.test", wire.TXT)).status is Status.NODATA
    assert (await resolver.lookup("none.test", wire.A)).status is Status.NXDOMAIN


@pytest.mark.parametrize("line", ["a.test", "a.test A", "a.test BAD x", "a.test MX x y", "a SOA x"])
def test_what_is_no_record_is_told(line: str) -> None:
    with pytest.raises(AnswerError):
        Names().add(line.split())


async def test_databases_answer_by_source_statement_and_values() -> None:
    databases = Databases()
    databases.add('users "SELECT  id FROM u WHERE n = ?" ["bob"] -> [{"id": 7}]')
    databases.add('users "SELECT id FROM u WHERE n = ?" -> []')
    databases.add('lists "SELECT a FROM l WHERE n = :n" {"n": 1} -> ["x", "y"]')
    rows = await databases.query("users", "SELECT id\nFROM u WHERE n = ?", ["bob"])
    assert [dict(each) for each in rows] == [{"id": 7}]
    assert await databases.fetch_row("users", "SELECT id FROM u WHERE n = ?", ["eve"]) is None
    found = await databases.query("lists", "SELECT a FROM l WHERE n = :n", {"n": 1})
    assert [each.at(1) for each in found] == ["x", "y"]
    for source, values in (("users", {}), ("lists", {"n": 2})):
        statement: Any = "SELECT a FROM l WHERE n = :n"
        with pytest.raises(StatementError, match="no answer to this query"):
            await databases.execute(source, statement, values)


@pytest.mark.parametrize(
    "line",
    ["users", 'users "SELECT 1"', 'users "SELECT 1" -> x', 'users "S" [1 -> []', 'u "S" -> 7'],
)
def test_what_answers_no_query_is_told(line: str) -> None:
    with pytest.raises(AnswerError):
        Databases().add(line)
