"""`Pool`: the connections to one database."""

import asyncio
from random import Random
from typing import Any

import pytest

from angarium.data.breaker import Breaker
from angarium.data.driver import Bound
from angarium.data.errors import LateError, RestingError, StatementError, UnreachableError
from angarium.data.pool import WAITING_MOST, Pool
from helpers.clock import FakeClock
from helpers.databank import Bank, those

ONE = Bound("SELECT 1")


def made(bank: Bank, clock: FakeClock | None = None, **bounds: Any) -> Pool:
    clock = clock or FakeClock()
    given = {"most": 2, "idle_most": 2, "idle_seconds": 60.0, "connect_seconds": 5.0, **bounds}
    return Pool(bank, Breaker(clock, Random(1)), clock, **given)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_connection_is_used_again() -> None:
    bank = Bank()
    pool = made(bank)
    for _ in range(3):
        assert await pool.run(ONE, fetch=True) == those({"a": 1})
    assert (pool.opened, pool.reused, pool.count, pool.idle) == (1, 2, 1, 1)


async def test_there_are_no_more_than_allowed_and_the_rest_wait_in_line() -> None:
    bank = Bank()
    pool = made(bank)
    bank.hangs = True
    tasks = [asyncio.create_task(pool.run(ONE, fetch=True)) for _ in range(9)]
    await settled()
    assert (pool.count, pool.waiting) == (2, 7)
    bank.hangs = False
    bank.free.set()
    assert [await each for each in tasks] == [those({"a": 1})] * 9
    assert (bank.most, pool.waiting, pool.opened) == (2, 0, 2)


async def test_who_waits_for_too_long_leaves_the_line_and_it_goes_on() -> None:
    bank = Bank()
    pool = made(bank, most=1)
    bank.hangs = True
    tasks = [asyncio.create_task(pool.run(ONE, fetch=True)) for _ in range(3)]
    await settled()
    tasks[1].cancel()
    await settled()
    assert pool.waiting == 1
    bank.free.set()
    bank.hangs = False
    assert await tasks[2] == those({"a": 1})
    await tasks[0]


async def test_whose_turn_it_was_when_it_was_cancelled_passes_it_on() -> None:
    bank = Bank()
    pool = made(bank, most=1)
    bank.hangs = True
    first, second, third = (asyncio.create_task(pool.run(ONE, fetch=True)) for _ in range(3))
    await settled()
    bank.free.set()
    bank.hangs = False
    await first
    second.cancel()
    assert await third == those({"a": 1})


async def test_a_connection_which_was_disturbed_is_closed_and_its_room_free_when_it_is_gone() -> (
    None
):
    bank = Bank()
    pool = made(bank, most=1)
    bank.hangs = bank.lingers = True
    task = asyncio.create_task(pool.run(ONE, fetch=True))
    await settled()
    task.cancel()
    await settled()
    assert (pool.count, pool.idle, len(bank.open)) == (1, 0, 0)
    bank.hangs = False
    later = asyncio.create_task(pool.run(ONE, fetch=True))
    await settled()
    assert not later.done()
    bank.lingering[0].set_result(None)
    assert await later == those({"a": 1})


async def test_a_refused_statement_keeps_its_connection() -> None:
    bank = Bank()
    pool = made(bank)
    with pytest.raises(StatementError):
        await pool.run(Bound("WRONG"), fetch=True)
    assert (pool.idle, pool.count) == (1, 1)


async def test_a_read_on_a_dead_connection_is_tried_once_more_and_a_change_is_not() -> None:
    bank = Bank()
    pool = made(bank)
    await pool.run(ONE, fetch=True)
    for link in bank.open:
        link.open_ = True
    (link,) = bank.open
    run = link.run

    async def lost(bound: Bound, *, fetch: bool) -> Any:
        bank.asked["lost"] += 1
        raise UnreachableError("connection lost")

    link.run = lost  # type: ignore[method-assign]
    assert await pool.run(ONE, fetch=True) == those({"a": 1})
    assert pool.opened == 2
    (link,) = bank.open
    link.run = lost  # type: ignore[method-assign]
    with pytest.raises(UnreachableError) as caught:
        await pool.run(Bound("DO"), fetch=False)
    assert caught.value.begun
    assert (bank.asked["lost"], bank.asked["DO"]) == (2, 0)
    assert run is not None


async def test_a_connection_which_was_closed_meanwhile_is_not_used() -> None:
    bank = Bank()
    pool = made(bank)
    await pool.run(ONE, fetch=True)
    bank.cut = True
    pool.tick()
    assert (pool.idle, pool.count) == (0, 0)
    bank.cut = False
    await pool.run(ONE, fetch=True)
    assert pool.opened == 2


async def test_idle_connections_are_closed_after_a_while_and_above_a_number() -> None:
    bank, clock = Bank(), FakeClock()
    pool = made(bank, clock, idle_most=1)
    bank.hangs = True
    tasks = [asyncio.create_task(pool.run(ONE, fetch=True)) for _ in range(2)]
    await settled()
    bank.free.set()
    await asyncio.gather(*tasks)
    assert (pool.idle, pool.count) == (1, 1)
    clock.advance(59)
    pool.tick()
    assert pool.idle == 1
    clock.advance(1)
    pool.tick()
    assert (pool.idle, pool.count, pool.expired) == (0, 0, 1)


async def test_a_connection_serves_those_only_for_whom_it_was_made() -> None:
    bank = Bank()
    bank.answers["WHOM ?"] = [[1]]
    pool = made(bank, most=1)
    for whom in ("a", "a", "b"):
        await pool.run(Bound("WHOM ?", (whom,), whom=whom), fetch=True)
    assert (pool.opened, pool.reused, pool.count) == (2, 1, 1)


async def test_a_database_which_is_away_is_left_alone_after_some_trials() -> None:
    bank, clock = Bank(), FakeClock()
    pool = made(bank, clock)
    bank.away = True
    for _ in range(3):
        with pytest.raises(UnreachableError, match="connection refused"):
            await pool.run(ONE, fetch=True)
    with pytest.raises(RestingError, match="not asked now") as caught:
        await pool.run(ONE, fetch=True)
    assert caught.value.fields["reason"] == "connection refused"
    assert (bank.tried, pool.count) == (3, 0)
    bank.away = False
    clock.advance(30)
    assert await pool.run(ONE, fetch=True) == those({"a": 1})
    assert not pool.breaker.resting


async def test_no_connection_in_time_is_an_error_of_its_own() -> None:
    bank = Bank()
    bank.deaf = True
    pool = made(bank, connect_seconds=0.01)
    with pytest.raises(LateError, match="no connection in time"):
        await pool.run(ONE, fetch=True)
    assert pool.count == 0


async def test_who_comes_when_far_too_many_wait_is_told_at_once() -> None:
    bank = Bank()
    pool = made(bank, most=1)
    bank.hangs = True
    tasks = [asyncio.create_task(pool.run(ONE, fetch=True)) for _ in range(WAITING_MOST + 1)]
    await settled()
    assert pool.waiting == WAITING_MOST
    with pytest.raises(RestingError, match="too many wait"):
        await pool.run(ONE, fetch=True)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (pool.count, pool.waiting) == (0, 0)


async def test_other_bounds_hold_at_once() -> None:
    bank = Bank()
    pool = made(bank, most=1)
    bank.hangs = True
    tasks = [asyncio.create_task(pool.run(ONE, fetch=True)) for _ in range(3)]
    await settled()
    assert pool.count == 1
    pool.adapt(most=3, idle_most=0, idle_seconds=1.0)
    await settled()
    assert pool.count == 3
    bank.free.set()
    await asyncio.gather(*tasks)
    assert (pool.count, pool.idle) == (0, 0)


async def test_a_pool_which_is_closed_takes_nothing_and_ends_what_is_on_its_way() -> None:
    bank = Bank()
    pool = made(bank, most=1)
    bank.hangs = True
    first, second = (asyncio.create_task(pool.run(ONE, fetch=True)) for _ in range(2))
    await settled()
    pool.close()
    with pytest.raises(UnreachableError, match="being closed"):
        await second
    bank.free.set()
    assert await first == those({"a": 1})
    await pool.gone()
    assert (pool.count, len(bank.open)) == (0, 0)
