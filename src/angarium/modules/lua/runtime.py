"""`State`: one Lua, with everything that was declared for it.

A worker has one for each generation of its configuration. Nothing of Python can be reached by a
script but what is declared: attributes are closed, and Python's own functions are not there.
"""

import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib import resources
from types import TracebackType
from typing import Any, Self

from lupa import luajit21

from angarium.modules.lua.dialect import HELPERS, translated
from angarium.modules.lua.errors import LuaError, ScriptError
from angarium.modules.lua.packages import Packages
from angarium.modules.lua.services import Services
from angarium.modules.lua.values import from_lua, to_lua
from angarium.modules.lua.whole import calculate

_PRELUDE = resources.files("angarium.modules.lua").joinpath("prelude.lua").read_bytes()
# Exceptions which Lua holds are userdata of lupa: their metatable is not for scripts.
_CLOSE = b"debug.getmetatable(python.builtins or python.none).__metatable = false python = nil"
_DONE, _WAITS = 0, 1
# Octets beyond the limit of a script: what is put into Lua where it cannot be refused.
_SLACK = 32 * 1024 * 1024
# Values handed to Lua in one call, which has a stack of 8000; an even number.
_AT_ONCE = 1000


class State:
    """Runs chunks and functions of Lua. Not for use by several threads."""

    def __init__(self, services: Services, *, jit: bool = False, memory: int = 0) -> None:
        """`jit`: compile, so that nothing stops a script which runs away. `memory`: most octets."""
        self.services = services
        self._memory = memory
        self._lua = luajit21.LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_builtins=False,
            register_eval=False,
            attribute_filter=_closed,
            max_memory=memory + _SLACK if memory else None,
        )
        self.lua_type: Callable[[Any], str | None] = luajit21.lua_type
        if not jit:
            self._lua.execute(b"jit.off()")
        self._lua.execute(_CLOSE)
        self._prelude = self._lua.compile(_PRELUDE, name=b"=prelude")(self._explain, calculate)
        # Handles got here belong to the main thread of Lua, which is never gone; see prelude.lua.
        self._start = self._prelude[b"start"]
        self._continue = self._prelude[b"continue"]
        self._abandon = self._prelude[b"abandon"]
        self._reference = self._prelude[b"reference"]
        self._make_list = self._prelude[b"make_list"]
        self._make_map = self._prelude[b"make_map"]
        self._put = self._prelude[b"put"]
        self._pairs_after = self._prelude[b"pairs_after"]
        self.get: Callable[[object, object], object] = self._prelude[b"get"]
        self.kept: Callable[[object], object] = self._prelude[b"same"]
        self.packages = Packages(self, self._lua, self._prelude)
        self.packages.install()
        self._lua.globals()[HELPERS.encode()] = self._prelude[b"operators"]

    # What scripts do.

    def load(self, source: bytes, name: str) -> object:
        """A function of the source's text; `name` stands in messages.

        Raises:
            ScriptError: it is not Lua.
        """
        if source.startswith(b"\x1b"):
            raise ScriptError(f"{name}:1: compiled code is not taken, only text is")
        try:
            return self._lua.compile(translated(source), name=b"=" + name.encode())
        except luajit21.LuaSyntaxError as error:
            raise ScriptError(_said(error)) from None

    def run_now(self, function: object, *arguments: object) -> tuple[object, ...]:
        """Call a function of Lua where nothing may wait.

        Raises:
            ScriptError: it failed.
        """
        return self._results(self._start(False, function, *arguments))

    async def run(self, function: object, *arguments: object) -> tuple[object, ...]:
        """Call a function of Lua in a coroutine which may wait.

        Raises:
            ScriptError: it failed.
        """
        outcome = self._start(True, function, *arguments)
        while type(outcome) is tuple and outcome[0] == _WAITS:
            _, number, awaited = outcome
            outcome = await self._resume(number, awaited)
        return self._results(outcome)

    async def _resume(self, number: int, awaited: Awaitable[object]) -> Any:
        came = _Came()
        try:
            with came:
                came.value = await awaited
        except BaseException:
            self._abandon(number)
            raise
        if came.error is not None:
            return self._continue(number, False, came.error)
        if isinstance(came.value, tuple):
            return self._continue(number, True, *came.value)
        return self._continue(number, True, came.value)

    def _results(self, outcome: Any) -> tuple[object, ...]:
        if type(outcome) is not tuple:
            return ()
        if outcome[0] == _DONE:
            return tuple(outcome[1:])
        _, error, trace = outcome
        raise ScriptError(self._text_of(error), trace.decode("utf-8", "replace"))

    # What functions of ours do.

    def to_lua(self, value: object) -> object:
        return to_lua(self, value)

    def from_lua(self, value: object) -> object:
        return from_lua(self, value)

    def panic(self, text: str) -> None:
        self.services.panic(text)

    def new_table(self, array: list[object], pairs: Mapping[object, object]) -> object:
        if pairs:
            flat = [one for pair in pairs.items() for one in pair]
            table = self._make_map(*flat[:_AT_ONCE])
        else:
            flat = []
            table = self._make_list(*array[:_AT_ONCE])
            for place in range(_AT_ONCE, len(array)):
                flat += [place + 1, array[place]]
            flat = [None] * _AT_ONCE + flat
        for start in range(_AT_ONCE, len(flat), _AT_ONCE):
            self._put(table, *flat[start : start + _AT_ONCE])
        return table

    def items(self, table: object) -> Iterator[tuple[object, object]]:
        key: object = None
        while True:
            flat = self._pairs_after(table, key)
            if flat is None:
                return
            for place in range(0, len(flat), 2):
                yield flat[place], flat[place + 1]
            key = flat[-2]

    def room_for(self, octets: int) -> None:
        if self._memory and self._lua.get_memory_used() + octets > self._memory:
            raise LuaError("not enough memory")

    def proxy(self, name: str, value: object) -> object:
        return self.packages.makers[name](value)

    def reference(self, value: object) -> object:
        found = self._reference(value)
        return found[0] if type(found) is tuple else None

    def _text_of(self, error: object) -> str:
        """An error of Lua as text; scripts may raise any value."""
        if isinstance(error, Exception):
            error = self._explain(error)
        if isinstance(error, bytes):
            return error.decode("utf-8", "replace")
        return f"error of type {self.lua_type(error) or type(error).__name__}"

    def _explain(self, error: object) -> Any:
        """What scripts are told of an exception; a fault of ours goes to the panic log as well."""
        if not isinstance(error, BaseException):
            return error
        if not isinstance(error, Exception):
            raise error
        if not isinstance(error, LuaError | ScriptError):
            self.panic("".join(traceback.format_exception(error)))
        # Its frames may hold handles on what will be gone with the coroutine which runs.
        error.__traceback__ = None
        if isinstance(error, LuaError):
            return str(error).encode("utf-8", "surrogateescape")
        if isinstance(error, ScriptError):
            return error.message.encode("utf-8", "surrogateescape")
        return f"internal error: {type(error).__name__}: {error}".encode("utf-8", "replace")


class _Came:
    """What an awaited thing came to: a value, or the exception which the script is told."""

    __slots__ = ("error", "value")

    def __init__(self) -> None:
        self.value: object = None
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False


def _closed(_of: object, _name: object, _setting: bool) -> object:
    raise AttributeError("closed")


def _said(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return str(text).removeprefix("error loading code: ")
