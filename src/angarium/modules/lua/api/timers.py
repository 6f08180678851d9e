"""msys.timer: functions which are called later, or again and again.

A timer runs while somebody in Lua holds it, as in Momentum: keep it in a global. Those made while a
configuration is being prepared begin when it comes into force.
"""

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Final

from angarium.modules.lua.bind import Function, LuaError, Runtime, lua, lua_object
from angarium.modules.lua.errors import ScriptError

SHORTEST: Final = 0.001  # seconds between two calls of a timer
PACKAGE: Final = "msys.timer"


class Timers:
    """The timers of one Lua; none runs before `start`."""

    def __init__(self) -> None:
        self._known: weakref.WeakSet[Timer] = weakref.WeakSet()
        self._running = False
        self._called: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """The configuration comes into force."""
        self._running = True
        for timer in list(self._known):
            timer.resume()

    def stop(self) -> None:
        """It has gone out of force."""
        self._running = False
        for timer in list(self._known):
            timer.stop()
        for task in list(self._called):
            task.cancel()

    def later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle | None:
        if not self._running:
            return None
        return asyncio.get_running_loop().call_later(seconds, call)

    def add(self, timer: "Timer") -> None:
        self._known.add(timer)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._called.add(task)
        task.add_done_callback(self._called.discard)


@lua_object("timer", "timer")
class Timer:
    """Calls a function later."""

    def __init__(
        self, lua: Runtime, closure: Function, name: str, seconds: float, *, again: bool
    ) -> None:
        self.name = name
        self._lua = lua
        self._closure = closure
        self._seconds = seconds
        self._again = again
        self._handle: asyncio.TimerHandle | None = None
        self._wanted = True
        self._timers = timers(lua)
        self._timers.add(self)
        self.resume()

    def resume(self) -> None:
        """Run, if it is wanted and does not."""
        if self._wanted and self._handle is None:
            # Held weakly: a timer which nobody holds any more is stopped.
            self._handle = self._timers.later(self._seconds, _Weak(self))

    def start(self) -> None:
        """Begin anew."""
        self.stop()
        self._wanted = True
        self.resume()

    def stop(self) -> None:
        self._wanted = False
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def __del__(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def due(self) -> None:
        self._handle = None
        self._wanted = self._again
        self._timers.begin(self._call())

    async def _call(self) -> None:
        try:
            await self._closure()
        except ScriptError as error:
            self._lua.panic(f"timer '{self.name}': {error.message}")
        finally:
            self.resume()


class _Weak:
    """What a loop holds of a timer."""

    def __init__(self, timer: Timer) -> None:
        self._timer = weakref.ref(timer)

    def __call__(self) -> None:
        timer = self._timer()
        if timer is not None:
            timer.due()


def timers(lua: Runtime) -> Timers:
    found = lua.services.parts.get(Timers)
    if not isinstance(found, Timers):
        found = lua.services.parts[Timers] = Timers()
    return found


def _seconds(value: float, what: str) -> float:
    if not 0 <= value < 1e9:
        raise LuaError(f"{what} is in seconds, and not {value}")
    return max(value, SHORTEST)


@lua("msys.timer.after", since="3.3")
def after(lua: Runtime, delta: float, closure: Function, name: str = "") -> Timer:
    """Call a function in so many seconds. Keep what is returned: without it there is no timer."""
    return Timer(lua, closure, name, _seconds(delta, "the time"), again=False)


@lua("msys.timer.at", since="3.3")
def at(lua: Runtime, time: float, closure: Function, name: str = "") -> Timer:
    """Call a function at a time, in seconds since 1970. Keep what is returned."""
    left = max(0.0, time - lua.services.clock.time())
    return Timer(lua, closure, name, _seconds(left, "the time"), again=False)


@lua("msys.timer.every", since="3.3")
def every(lua: Runtime, interval: float, closure: Function, name: str = "") -> Timer:
    """Call a function each so many seconds, one call after the other. Keep what is returned."""
    return Timer(lua, closure, name, _seconds(interval, "the interval"), again=True)


@lua("timer:stop", package=PACKAGE)
def timer_stop(self: Timer) -> None:
    """Call nothing any more."""
    self.stop()


@lua("timer:start", package=PACKAGE)
def timer_start(self: Timer) -> None:
    """Begin anew, from now on."""
    self.start()


@lua("timer:name", package=PACKAGE)
def timer_name(self: Timer) -> str:
    """Return the name it was given."""
    return self.name
