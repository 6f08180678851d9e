"""Functions which are called later. Their life with a generation is in test_scriptlet."""

import asyncio

from angarium.modules.lua.api.timers import timers
from helpers.guards import until
from helpers.objects import refused, said
from helpers.snippets import state


async def test_timers_are_stopped_and_begun_anew() -> None:
    lua = state()
    timers(lua).start()
    text = """
    n = 0
    t = msys.timer.after(0.001, function() n = n + 1 end, "once")
    t:stop()
    u = msys.timer.after(0.002, function() n = n + 10 end)
    """
    said(text, lua=lua)
    await until(lambda: said("return n", lua=lua) >= 10)
    assert said("return n, t:name(), u:name()", lua=lua) == [10, b"once", b""]
    said("t:start()", lua=lua)
    await until(lambda: said("return n", lua=lua) == 11)
    timers(lua).stop()


async def test_a_timer_comes_at_a_time() -> None:
    lua = state()
    timers(lua).start()
    now = lua.services.clock.time()
    said(f"t = msys.timer.at({now - 5}, function() done = true end)", lua=lua)
    await until(lambda: said("return done", lua=lua))
    timers(lua).stop()


async def test_a_timer_which_waits_does_not_run_twice() -> None:
    lua = state()
    timers(lua).start()
    text = """
    running, most, calls = 0, 0, 0
    t = msys.timer.every(0.001, function()
      running = running + 1
      most = math.max(most, running)
      local x = msys.sleep(0.005)
      running, calls = running - 1, calls + 1
    end)
    """
    said(text, lua=lua)
    await until(lambda: said("return calls", lua=lua) > 2)
    assert said("return most", lua=lua) == 1
    timers(lua).stop()
    await asyncio.sleep(0)


def test_times_are_seconds() -> None:
    for call in ("after(-1, print)", "every(0/0, print)", "after(1e10, print)"):
        assert "in seconds" in refused(f"msys.timer.{call}")
    assert "function expected" in refused("msys.timer.after(1, 'f')")
