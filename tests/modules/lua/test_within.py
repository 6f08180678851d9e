"""What a script waits for is done in its own situation, whatever runs in between."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from angarium.modules.lua.within import Within


@dataclass
class Holder:
    situation: Any = None
    caller: object = None
    seen: list[object] = field(default_factory=list)


async def work(state: Holder, turns: int) -> str:
    for _ in range(turns):
        state.seen.append((state.situation, state.caller))
        await asyncio.sleep(0)
    return f"done by {state.situation}"


async def test_each_step_has_the_situation_and_others_do_not() -> None:
    state = Holder()
    tasks = [asyncio.ensure_future(_ran(state, name)) for name in "ab"]
    assert await asyncio.gather(*tasks) == ["done by a", "done by b"]
    assert state.seen == [("a", "A"), ("b", "B")] * 3
    assert (state.situation, state.caller) == (None, None)


async def _ran(state: Holder, name: str) -> object:
    return await Within(state, name, name.upper(), work(state, 3))


async def test_a_cancellation_reaches_what_is_waited_for() -> None:
    state = Holder()

    async def held() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            state.seen.append(state.situation)
            raise

    async def waiting() -> None:
        await Within(state, "mine", "me", held())

    task = asyncio.ensure_future(waiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert state.seen == ["mine"]


async def test_an_error_comes_through() -> None:
    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Within(Holder(), None, None, failing())


async def test_what_is_waited_for_may_catch_any_failure() -> None:
    """A failure of what it waits for is thrown into it by the task, whatever it is."""
    state = Holder()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def catches() -> str:
        try:
            await future
        except ConnectionRefusedError as error:
            return f"{error} in {state.situation}"
        return "nothing"

    async def outer() -> object:
        return await Within(state, "a", "A", catches())

    task = asyncio.ensure_future(outer())
    await asyncio.sleep(0)
    future.set_exception(ConnectionRefusedError("refused"))
    assert await task == "refused in a"
    assert state.situation is None
