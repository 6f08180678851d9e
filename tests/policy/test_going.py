"""Work which asks policy costs no task while nobody waits."""

import asyncio
import inspect

from angarium.policy.chain import Asked
from angarium.policy.going import Going, Wait, begun
from angarium.policy.verdict import CONT, DONE, Verdict


def test_work_without_waiting_is_done_at_once() -> None:
    seen: list[Verdict] = []

    async def work() -> None:
        seen.append(await Wait(CONT))
        seen.append(await Wait(DONE))

    assert Going(work(), lambda: None).begin()
    assert seen == [CONT, DONE]


async def test_work_which_waits_goes_on_later_and_says_so() -> None:
    over = asyncio.Event()
    seen: list[Verdict] = []

    async def slow() -> Verdict:
        await asyncio.sleep(0)
        return DONE

    async def work() -> None:
        seen.append(await Wait(slow()))
        seen.append(await Wait(slow()))

    assert not Going(work(), over.set).begin()
    assert seen == []
    await asyncio.wait_for(over.wait(), 30)
    assert seen == [DONE, DONE]


async def test_work_can_be_ended_where_it_waits() -> None:
    cancelled = asyncio.Event()

    async def forever() -> Verdict:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return CONT

    over: list[int] = []

    async def work() -> None:
        await Wait(forever())

    going = Going(work(), lambda: over.append(1))
    assert not going.begin()
    await asyncio.sleep(0)
    going.stop()
    await asyncio.wait_for(cancelled.wait(), 30)
    assert over == []
    going.stop()


def test_work_which_runs_is_not_ended_from_inside() -> None:
    going: list[Going] = []
    done: list[int] = []

    async def work() -> None:
        going[0].stop()
        done.append(1)

    going.append(Going(work(), lambda: None))
    assert going[0].begin()
    assert done == [1]


async def test_work_may_be_ended_before_what_it_waits_for_has_begun() -> None:
    begun: list[str] = []

    async def handler() -> Verdict:
        begun.append("handler")
        await asyncio.sleep(600)
        return Verdict.CONT

    inner = handler()

    async def answer() -> Verdict:
        return await inner

    async def work() -> None:
        await Wait(answer())

    going = Going(work(), lambda: None)
    assert not going.begin()
    going.stop()
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun == ["handler"]
    assert inspect.getcoroutinestate(inner) == inspect.CORO_CLOSED
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_work_begun_is_there_only_while_it_waits() -> None:
    over = asyncio.Event()

    async def slow() -> Verdict:
        await asyncio.sleep(0)
        return DONE

    async def work(answer: Asked) -> None:
        assert await Wait(answer) is DONE

    assert begun(work(DONE), over.set) is None
    assert not over.is_set()
    assert begun(work(slow()), over.set) is not None
    await asyncio.wait_for(over.wait(), 30)
    going = begun(work(slow()), over.set)
    assert going is not None
    going.stop()
