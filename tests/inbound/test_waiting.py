"""A session which waits answers nothing else, and what it waits for ends with it."""

import asyncio

from angarium.core.reply import Reply
from angarium.inbound.waiting import WaitingSession
from angarium.policy.going import Later
from helpers.reception import Desk


def session() -> tuple[WaitingSession, Desk]:
    desk = Desk()
    made = desk.greeted().session
    assert isinstance(made, WaitingSession)
    return made, desk


async def test_what_is_there_at_once_costs_no_task() -> None:
    here, _ = session()
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    here._go(work())
    assert done == [1]
    assert here._going is None


async def test_what_waits_is_gone_on_with_and_ends_with_the_session() -> None:
    here, _ = session()
    done: list[int] = []
    gate = asyncio.Event()

    async def work() -> None:
        await Later(gate.wait())
        done.append(1)

    here._go(work())
    assert not done
    gate.set()
    for _ in range(100):
        if done:
            break
        await asyncio.sleep(0.001)
    assert done == [1]
    assert not here._going
    here._go(work())
    here.connection_lost(None)
    await asyncio.sleep(0)
    gate.clear()
    other, _ = session()
    other._go(work())
    other._leave(Reply(421, "bye"), 4)
    gate.set()
    await asyncio.sleep(0.01)
    assert len(done) <= 2
