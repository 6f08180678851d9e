"""`Datasource`: queries, what is kept of them, and databases in turn."""

import asyncio
from random import Random
from typing import Any

import pytest

from angarium.data.breaker import Breaker
from angarium.data.errors import LateError, RestingError, StatementError, UnreachableError
from angarium.data.pool import Pool
from angarium.data.source import FAILED, LOOKUPS, Datasource, Settings
from angarium.events.metrics import Metrics
from helpers.clock import FakeClock
from helpers.databank import Bank, those


class Set:
    """A datasource of some banks."""

    def __init__(self, count: int = 1, **settings: Any) -> None:
        self.banks = [Bank(f"bank {number}") for number in range(count)]
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.settings = Settings(name="users", uris=("sqlite:/x",) * count, **settings)
        self.source = Datasource(self.settings, self._made, self.clock, self.metrics)

    def _made(self, settings: Settings) -> list[Pool]:
        return [
            Pool(
                bank, Breaker(self.clock, Random(1)), self.clock, most=settings.connections,
                idle_most=settings.idle, idle_seconds=settings.idle_seconds,
                connect_seconds=settings.connect_seconds,
            )
            for bank in self.banks
        ]  # fmt: skip

    def asked(self) -> list[int]:
        return [each.asked["SELECT 1"] for each in self.banks]

    def answers(self) -> dict[str, float]:
        return {each: self.metrics.cell(LOOKUPS, each).value for each in LOOKUPS.values}


async def settled() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


@pytest.mark.effect("datasource.cache_life")
async def test_what_was_found_is_kept_for_its_life() -> None:
    made = Set(cache_life=60.0)
    for _ in range(3):
        assert await made.source.query("SELECT 1") == those({"a": 1})
    assert made.asked() == [1]
    made.clock.advance(60)
    await made.source.query("SELECT 1")
    assert made.asked() == [2]
    assert made.answers() == {"cached": 2, "joined": 0, "asked": 2}


@pytest.mark.effect("datasource.negative_life")
async def test_that_there_is_nothing_is_kept_for_a_time_of_its_own() -> None:
    made = Set(cache_life=60.0, negative_life=5.0)
    for _ in range(2):
        assert await made.source.fetch_row("NONE") is None
    made.clock.advance(5)
    await made.source.query("NONE")
    assert made.banks[0].asked["NONE"] == 2


@pytest.mark.effect("datasource.no_cache")
async def test_without_a_cache_each_question_is_asked() -> None:
    made = Set(no_cache=True)
    found = await asyncio.gather(*(made.source.query("SELECT 1") for _ in range(3)))
    assert found == [those({"a": 1})] * 3
    assert made.asked() == [3]
    assert len(made.source.cache) == 0


async def test_a_fresh_answer_is_asked_for_and_not_kept() -> None:
    made = Set()
    await made.source.query("SELECT 1")
    made.banks[0].answers["SELECT 1"] = [[2]]
    assert await made.source.query("SELECT 1", fresh=True) == those({"a": 2})
    assert await made.source.query("SELECT 1") == those({"a": 1})


async def test_what_is_on_its_way_is_not_asked_again() -> None:
    made = Set()
    bank = made.banks[0]
    bank.hangs = True
    tasks = [asyncio.create_task(made.source.query("SELECT 1")) for _ in range(1000)]
    await settled()
    bank.free.set()
    assert [await each for each in tasks] == [those({"a": 1})] * 1000
    assert made.asked() == [1]
    assert made.answers() == {"cached": 0, "joined": 999, "asked": 1}


async def test_who_hangs_up_takes_the_answer_from_nobody() -> None:
    made = Set()
    bank = made.banks[0]
    bank.hangs = True
    first, second = (asyncio.create_task(made.source.query("SELECT 1")) for _ in range(2))
    await settled()
    first.cancel()
    bank.free.set()
    assert await second == those({"a": 1})
    assert first.cancelled()


async def test_who_waits_for_a_failure_has_an_error_of_his_own_with_the_names() -> None:
    made = Set()
    found = await asyncio.gather(
        *(made.source.query("WRONG") for _ in range(2)), return_exceptions=True
    )
    assert [str(each) for each in found] == [
        "no such statement (datasource='users' at='bank 0')"
    ] * 2
    assert found[0] is not found[1]
    assert made.banks[0].asked["WRONG"] == 1
    assert made.metrics.cell(FAILED, "refused").value == 1
    await asyncio.gather(made.source.query("WRONG"), return_exceptions=True)
    assert made.banks[0].asked["WRONG"] == 2
    with pytest.raises(StatementError, match=r"wrong number.*datasource='users'"):
        await made.source.query("SELECT 1", [1])
    with pytest.raises(StatementError, match="datasource='users'"):
        await made.source.execute("DO", [1])


async def test_values_are_part_of_what_is_known() -> None:
    made = Set()
    made.banks[0].answers["SELECT ?"] = [[1]]
    for values in ([1], [1.0], ["1"], [1]):
        await made.source.query("SELECT ?", values)
    assert made.banks[0].asked["SELECT ?"] == 3


async def test_what_changes_something_is_done_each_time() -> None:
    made = Set()
    for _ in range(2):
        await made.source.execute("DO")
    assert made.banks[0].asked["DO"] == 2
    assert len(made.source.cache) == 0


@pytest.mark.effect("datasource.uri")
async def test_databases_are_asked_in_turn() -> None:
    made = Set(3, no_cache=True)
    for _ in range(6):
        await made.source.query("SELECT 1")
    assert made.asked() == [2, 2, 2]


async def test_a_database_which_is_away_is_left_out() -> None:
    made = Set(2, no_cache=True)
    made.banks[0].away = True
    for _ in range(20):
        assert await made.source.query("SELECT 1") == those({"a": 1})
        await made.source.execute("DO")
    assert made.banks[0].tried == 3
    assert made.asked()[1] == 20
    made.banks[1].away = True
    with pytest.raises(UnreachableError, match="connection refused") as caught:
        await made.source.query("SELECT 1")
    assert not isinstance(caught.value, RestingError)
    assert caught.value.fields["at"] == "bank 1"


async def test_what_may_have_been_done_is_not_done_elsewhere() -> None:
    made = Set(2)
    await made.source.execute("DO")
    await made.source.execute("DO")
    for bank in made.banks:
        bank.away = True
    with pytest.raises(UnreachableError):
        await made.source.execute("DO")
    assert sum(bank.asked["DO"] for bank in made.banks) == 3


@pytest.mark.effect("datasource.query_timeout")
async def test_a_database_which_hangs_costs_each_his_own_time_only() -> None:
    made = Set(query_seconds=0.05, connections=2)
    bank = made.banks[0]
    bank.hangs = True
    bank.answers |= {f"SELECT {number}": [[number]] for number in range(100)}
    found = await asyncio.gather(
        *(made.source.query(f"SELECT {number}") for number in range(100)), return_exceptions=True
    )
    assert {type(each) for each in found} == {LateError}
    assert bank.most == 2
    assert made.metrics.cell(FAILED, "late").value == 100
    bank.hangs = False
    assert made.source.pools[0].count == 0
    assert made.source.pending == 0


async def test_what_is_forgotten_while_it_is_on_its_way_is_not_kept() -> None:
    made = Set()
    bank = made.banks[0]
    bank.hangs = True
    task = asyncio.create_task(made.source.query("SELECT 1"))
    await settled()
    assert made.source.flush() == 0
    bank.free.set()
    await task
    await made.source.query("SELECT 1")
    assert made.asked() == [2]
    assert made.source.flush() == 1


async def test_other_settings_keep_what_was_found_unless_it_may_be_otherwise() -> None:
    made = Set()
    await made.source.query("SELECT 1")
    pools = made.source.pools
    made.source.adopt(Settings(name="users", uris=("sqlite:/x",), cache_size=5, connections=9))
    assert made.source.pools is pools
    await made.source.query("SELECT 1")
    assert made.asked() == [1]
    made.source.adopt(Settings(name="users", uris=("sqlite:/x",), max_rows=5))
    assert made.source.pools is not pools
    await made.source.query("SELECT 1")
    assert made.asked() == [2]
    assert pools[0].count == 0


async def test_who_waits_in_line_is_served_by_what_comes_into_force() -> None:
    made = Set(connections=1)
    bank = made.banks[0]
    bank.hangs = True
    bank.answers["SELECT 2"] = [[2]]
    first = asyncio.create_task(made.source.query("SELECT 1"))
    await settled()
    second = asyncio.create_task(made.source.query("SELECT 2"))
    await settled()
    assert made.source.pools[0].waiting == 1
    made.source.adopt(Settings(name="users", uris=("sqlite:/x",), max_rows=5, connections=1))
    bank.hangs = False
    assert await second == those({"a": 2})
    bank.free.set()
    assert await first == those({"a": 1})
    assert len(bank.open) == 1


async def test_a_source_which_is_closed_tells_those_who_wait() -> None:
    made = Set()
    bank = made.banks[0]
    bank.hangs = True
    task = asyncio.create_task(made.source.query("SELECT 1"))
    await settled()
    await made.source.close()
    with pytest.raises(UnreachableError, match="being closed"):
        await task
    with pytest.raises(UnreachableError, match="being closed"):
        await made.source.query("SELECT 1")


async def test_what_asking_costs_is_counted() -> None:
    made = Set()
    await made.source.query("SELECT 1")
    await made.source.query("SELECT 1")
    with pytest.raises(StatementError):
        await made.source.query("WRONG")
    assert (made.source.asked.statements, made.source.asked.errors) == (2, 1)
    made.source.tick()


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Settings(name="x", uris=("pgsql:dbname=a;password=secret",)))
