"""What is done at the same time. What needs a worker is in test_scriptlet."""

import asyncio

import pytest

from angarium.modules.lua.api.threads import Mutex
from angarium.modules.lua.bind import LuaError
from helpers.objects import refused, said
from helpers.snippets import run, running, state


def test_a_script_knows_whether_it_may_wait() -> None:
    assert said("return msys.asyncOk()") is False
    assert run("return msys.asyncOk()") is True


def test_a_script_sleeps_where_it_may_wait() -> None:
    assert run("msys.sleep(0.001) return 1") == 1
    assert "nothing may wait here" in refused("msys.sleep(1)")
    assert (
        run("local good, why = pcall(function() local x = msys.sleep(-1) end) return good") is False
    )


def test_a_function_of_a_pool_is_called_where_nothing_may_wait_too() -> None:
    text = "return msys.runInPool('CPU', function() return 1, 2 end)"
    assert said(text) == [True, 1, 2]
    good, why = said("return msys.runInPool(1, function() error('no', 0) end)")
    assert (good, why) == (False, b"no")


@pytest.mark.parametrize("kind", ["thread.MUTEX_NORMAL", "thread.MUTEX_ERRORCHECK"])
def test_a_mutex_is_locked_once(kind: str) -> None:
    text = (
        f"local m = thread.mutex({kind}) m:lock() local again = m:trylock() m:unlock() return again"
    )
    assert said(text) is False
    assert "locked by this script" in refused(f"local m = thread.mutex({kind}) m:lock() m:lock()")
    assert "not locked" in refused("thread.mutex():unlock()")
    assert "no kind 9" in refused("thread.mutex(9)")


def test_a_recursive_mutex_is_locked_by_its_owner_again() -> None:
    text = """
    local m = thread.mutex(thread.MUTEX_RECURSIVE)
    m:lock() m:lock() m:unlock()
    return m:trylock()
    """
    assert said(text) is True


async def test_who_waits_is_served_in_turn_and_who_goes_keeps_nothing() -> None:
    mutex = Mutex()
    assert mutex.take("a")
    assert not mutex.take("b")
    waits = [asyncio.ensure_future(mutex.wait(who)) for who in ("b", "c", "d")]
    await asyncio.sleep(0)
    waits[0].cancel()
    mutex.give()
    await waits[1]
    assert mutex.owner == "c"
    mutex.give()
    waits[2].cancel()  # it was given the mutex, and goes before it knows
    await asyncio.gather(*waits, return_exceptions=True)
    assert mutex.depth == 0
    with pytest.raises(LuaError):
        mutex.give()


async def test_locks_by_name_are_forgotten_when_they_are_free() -> None:
    lua = state()
    text = "msys.lock('n') local x = msys.sleep(0) msys.unlock('n') return 1"
    assert await asyncio.gather(*(running(text, lua) for _ in range(3))) == [1, 1, 1]
    assert "not locked" in refused("msys.unlock('n')", lua=lua)
