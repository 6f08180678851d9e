"""What is done at the same time: msys.runInPool, msys.sleep, locks and mutexes.

A worker has one thread for scripts, and a pool of threads is only a name: what is given to it runs
as a coroutine of its own. So nothing happens at the same time but where a script waits, and a lock
is there for what must stay as it is until then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from angarium.modules.lua.bind import (
    Function,
    LuaError,
    Runtime,
    Several,
    lua,
    lua_constants,
    lua_object,
)
from angarium.modules.lua.errors import ScriptError

NORMAL, RECURSIVE, ERRORCHECK = 0, 1, 2
lua_constants("thread", MUTEX_NORMAL=NORMAL, MUTEX_RECURSIVE=RECURSIVE, MUTEX_ERRORCHECK=ERRORCHECK)
# Seconds; who sleeps longer wants a timer.
LONGEST_SLEEP: Final = 3600.0


@lua("msys.asyncOk", since="3.0")
def async_ok(lua: Runtime) -> bool:
    """Say whether a function may wait where the script is."""
    return lua.may_wait


def _no_sleep(lua: Runtime, duration: float) -> None:
    raise LuaError("'msys.sleep' has to wait, and nothing may wait here")


@lua("msys.sleep", since="3.0", otherwise=_no_sleep)
async def sleep(lua: Runtime, duration: float) -> None:
    """Wait for so many seconds; only the session waits with it."""
    if not 0 <= duration <= LONGEST_SLEEP:
        raise LuaError(f"a script sleeps for 0 to {LONGEST_SLEEP:.0f} seconds")
    await asyncio.sleep(duration)


# -- pools --------------------------------------------------------------------------------------


class Tasks:
    """What scripts let run beside themselves."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def stop(self) -> None:
        """End them all."""
        for task in list(self._running):
            task.cancel()

    def __len__(self) -> int:
        return len(self._running)


def tasks(lua: Runtime) -> Tasks:
    found = lua.services.parts.get(Tasks)
    if not isinstance(found, Tasks):
        found = lua.services.parts[Tasks] = Tasks()
    return found


async def _protected(closure: Function) -> Several:
    try:
        return Several(True, *await closure())
    except ScriptError as error:
        return Several(False, error.message)


async def _beside(lua: Runtime, closure: Function, then: Function | None) -> None:
    try:
        results = await closure()
        if then is not None:
            await then(*results)
    except ScriptError as error:
        lua.panic(f"msys.runInPool: {error.message}")


@lua("msys.runInPool", since="3.0")
def run_in_pool(
    lua: Runtime,
    pool: bytes | int,
    closure: Function,
    how: bool | Function = False,
    mode: int = 0,
) -> Several | Awaitable[Several]:
    """Run a function as a coroutine of its own.

    Without more it is waited for: true and its results, or false and an error, as pcall does. With
    true, or a function to be called with the results afterwards, nothing is waited for and nothing
    is returned.
    """
    if how is False:
        if lua.may_wait:
            return _protected(closure)
        try:
            return Several(True, *closure.now())
        except ScriptError as error:
            return Several(False, error.message)
    tasks(lua).begin(_beside(lua, closure, how if isinstance(how, Function) else None))
    return Several()


# -- locks --------------------------------------------------------------------------------------


@lua_object("mutex", "mutex")
@dataclass(slots=True, eq=False)
class Mutex:
    """A lock. Who waits for it is served in turn.

    Attributes:
        owner: the call which holds it.
        depth: how often it does.
    """

    kind: int = NORMAL
    owner: object = None
    depth: int = 0
    waiting: deque[tuple[asyncio.Future[None], object]] = field(default_factory=deque)

    def take(self, who: object) -> bool:
        """Take it if it is free, or ours again. Raises LuaError if it never will be."""
        if self.depth == 0:
            self.owner, self.depth = who, 1
            return True
        if self.owner is not who:
            return False
        if self.kind == RECURSIVE:
            self.depth += 1
            return True
        raise LuaError("the mutex is locked by this script already")

    def give(self) -> None:
        """Free it, or hand it to who waits first. Raises LuaError if it is free."""
        if self.depth == 0:
            raise LuaError("the mutex is not locked")
        self.depth -= 1
        while self.depth == 0 and self.waiting:
            future, who = self.waiting.popleft()
            if not future.done():
                self.owner, self.depth = who, 1
                future.set_result(None)

    async def wait(self, who: object) -> None:
        """Wait for it; who goes away meanwhile does not keep it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((future, who))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give()
            raise


def _lock(lua: Runtime, mutex: Mutex) -> Awaitable[None] | None:
    who = lua.caller
    if mutex.take(who):
        return None
    return mutex.wait(who)


@lua("thread.mutex", since="3.0")
def mutex(type: int = NORMAL) -> Mutex:
    """Make a mutex: thread.MUTEX_NORMAL, MUTEX_RECURSIVE or MUTEX_ERRORCHECK."""
    if type not in (NORMAL, RECURSIVE, ERRORCHECK):
        raise LuaError(f"there is no kind {type} of mutex")
    return Mutex(type)


@lua("mutex:lock", package="thread")
def mutex_lock(lua: Runtime, self: Mutex) -> Awaitable[None] | None:
    """Take it, and wait until it is free."""
    return _lock(lua, self)


@lua("mutex:trylock", package="thread")
def mutex_trylock(lua: Runtime, self: Mutex) -> bool:
    """Take it if it is free, and say whether it was."""
    try:
        return self.take(lua.caller)
    except LuaError:
        return False


@lua("mutex:unlock", package="thread")
def mutex_unlock(self: Mutex) -> None:
    """Free it."""
    self.give()


class Locks(dict[bytes, Mutex]):
    """Mutexes by name."""

    def __missing__(self, name: bytes) -> Mutex:
        made = self[name] = Mutex(RECURSIVE)
        return made


def _named(lua: Runtime, name: bytes) -> Mutex:
    found = lua.services.parts.get(Locks)
    if not isinstance(found, Locks):
        found = lua.services.parts[Locks] = Locks()
    return found[name]


@lua("msys.lock", since="3.0")
def lock(lua: Runtime, mutexname: bytes) -> Awaitable[None] | None:
    """Take the lock of that name, and wait until it is free. It is kept while a script waits."""
    return _lock(lua, _named(lua, mutexname))


@lua("msys.unlock", since="3.0")
def unlock(lua: Runtime, mutexname: bytes) -> None:
    """Free the lock of that name."""
    mutex = _named(lua, mutexname)
    mutex.give()
    if mutex.depth == 0:
        found = lua.services.parts[Locks]
        assert isinstance(found, Locks)
        found.pop(mutexname, None)
