"""`State`: one Lua, with everything that was declared for it.

A worker has one for each generation of its configuration. Nothing of Python can be reached by a
script but what is declared: attributes are closed, and Python's own functions are not there.
"""

import re
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from importlib import resources
from types import TracebackType
from typing import Any, Final, Self

from lupa import luajit21

from angarium.core.errors import Error
from angarium.modules.lua.dialect import HELPERS, translated
from angarium.modules.lua.errors import LuaError, ScriptError
from angarium.modules.lua.limits import DEFAULTS, Limits
from angarium.modules.lua.packages import Packages
from angarium.modules.lua.services import Services
from angarium.modules.lua.values import Held, from_lua, to_lua
from angarium.modules.lua.whole import calculate
from angarium.modules.lua.within import Within

_FILES: Final = ("prelude", "threads", "patterns", "sandbox")
# Exceptions which Lua holds are userdata of lupa: their metatable is not for scripts.
_CLOSE: Final = b"debug.getmetatable(python.none).__metatable = false"
# The objects of a session are made once for it; without one there are none.
_RECORD: Final = b"""
local runtime = ...
local kinds = runtime.by_name
return function(session)
  local made = runtime.record()
  if session and kinds.accept_construct then
    made.ac = kinds.accept_construct.new(session)
    made.vctx = kinds.validate_context.new(session)
  end
  return made
end
"""
# A place in our own Lua says nothing to who wrote a script.
_INSIDE: Final = re.compile(rf"\A(?:{'|'.join(_FILES)}):\d+: ")
_PLACED: Final = re.compile(r".+?:\d+: ")
_DONE, _WAITS = 0, 1
# What a call is about, whether it may wait, and `State.caller`, None as long as nobody wants it.
Turn = tuple[Any, bool, object]
FAULT: Final = luajit21.LuaError  # raised by lupa: `inside` says what it was
# Octets beyond the limit of a script: what is put into Lua where it cannot be refused.
_SLACK = 32 * 1024 * 1024
# Values handed to Lua in one call, which has a stack of 8000; an even number.
_AT_ONCE = 1000


class State:
    """Runs chunks and functions of Lua. Not for use by several threads.

    Attributes:
        turn: of the call which runs.
        named: what a function of ours has told Lua the number of.
    """

    def __init__(
        self,
        services: Services,
        limits: Limits = DEFAULTS,
        find: Callable[[str, str], tuple[bytes, str] | None] = lambda _name, _path: None,
    ) -> None:
        """Args: `find` reads the file of a module, by its name and Lua's package.path."""
        self.services = services
        self.turn: Turn = (None, False, self)
        self.named: object = None
        self._memory = limits.memory
        self._find = find
        self._lua = luajit21.LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_builtins=False,
            register_eval=False,
            attribute_filter=_closed,
            max_memory=limits.memory + _SLACK if limits.memory else None,
        )
        self._collect = self._lua.globals()[b"collectgarbage"]  # before the sandbox closes it
        self.lua_type: Callable[[Any], str | None] = luajit21.lua_type
        self._lua.execute(_CLOSE)
        if not limits.jit:
            self._lua.execute(b"jit.off()")
        runtime = self._lua.table_from(
            {
                b"explain": self._explain,
                b"is_same": _is_same,
                b"named": self._named,
                b"about": self._about,
                b"calculate": calculate,
                b"translate": _text_only,
                b"package": self._package,
                b"find": self._source,
                b"room": self.room_for,
                b"search": _search,
                b"show": self._show,
                b"forget": _forget,
                b"limits": self._lua.table_from(
                    {
                        b"seconds": limits.seconds,
                        b"kilobytes": limits.memory // 1024,
                        b"spare": limits.spare,
                        b"uses": limits.uses,
                        b"fresh": limits.fresh,
                        b"steps": limits.steps,
                    }
                ),
            }
        )
        for name in _FILES:
            text = resources.files("angarium.modules.lua").joinpath(f"{name}.lua").read_bytes()
            self._lua.compile(text, name=f"={name}".encode())(runtime)
        # Handles got here belong to the main thread of Lua, which is never gone; see prelude.lua.
        self._start = runtime[b"start"]
        self._entrance = runtime[b"entrance"]
        self._continue = runtime[b"continue"]
        self._abandon = runtime[b"abandon"]
        self._reference = runtime[b"reference"]
        self._make_list = runtime[b"make_list"]
        self._make_map = runtime[b"make_map"]
        self._put = runtime[b"put"]
        self._pairs_after = runtime[b"pairs_after"]
        self._loaded = runtime[b"loaded"]
        self.counted: Callable[[], tuple[int, int]] = runtime[b"counted"]
        self.record: Callable[[object], object] = runtime[b"record"]
        self._own_self = runtime[b"own_self"]
        self._get = runtime[b"get"]
        self.kept: Callable[[object], object] = runtime[b"same"]
        self.name_of: Callable[[object], bytes] = runtime[b"name_of"]
        self.kinds: Any = runtime[b"by_name"]
        self.packages = Packages(self, self._lua, runtime)
        self.packages.install()
        self._record_of = self._lua.compile(_RECORD, name=b"=record")(runtime)
        self._lua.globals()[HELPERS.encode()] = runtime[b"operators"]

    # What scripts do.

    def load(self, source: bytes, name: str) -> Any:
        """A function of the source's text; `name` stands in messages.

        Raises:
            ScriptError: it is not Lua.
        """
        made = self._loaded(source, b"@" + name.encode())
        if isinstance(made, tuple):
            said = self._text_of(made[1])
            raise ScriptError(said if _PLACED.match(said) else f"{name}:1: {said}")
        return made

    def run_now(self, function: object, *arguments: object) -> tuple[object, ...]:
        """Call a function of Lua where nothing may wait.

        Raises:
            ScriptError: it failed.
        """
        before = self.turn
        self.turn = before[0], False, self.caller
        try:
            outcome = self._start(False, None, function, *arguments)
        except FAULT as error:
            raise inside(error) from None
        finally:
            self.turn = before
        came = self.outcome(outcome)
        assert isinstance(came, tuple)
        return came

    async def run(self, function: object, *arguments: object) -> tuple[object, ...]:
        """Call a function of Lua in a coroutine which may wait.

        Raises:
            ScriptError: it failed.
        """
        came = self.ask(True, None, function, *arguments)
        return came if isinstance(came, tuple) else await came

    def ask(
        self, may_wait: bool, record: object, function: object, *arguments: object
    ) -> tuple[object, ...] | Coroutine[Any, Any, tuple[object, ...]]:
        """Call a function of Lua: its results, or a coroutine that brings them if it waits.

        Args:
            record: of the session it is called for; None: as around it.

        Raises:
            ScriptError: it failed.
        """
        before = self.turn
        self.turn = before[0], may_wait, None
        try:
            return self.outcome(self._start(may_wait, record, function, *arguments))
        except FAULT as error:
            raise inside(error) from None
        finally:
            self.turn = before

    @property
    def situation(self) -> Any:
        """What the call which runs is about: an event of a hook, or None."""
        return self.turn[0]

    @situation.setter
    def situation(self, situation: Any) -> None:
        self.turn = situation, *self.turn[1:]

    @property
    def caller(self) -> object:
        """What is one and the same for a call and all it does; made where somebody asks for it."""
        situation, may_wait, caller = self.turn
        if caller is None:
            caller = _Caller()
            self.turn = situation, may_wait, caller
        return caller

    @caller.setter
    def caller(self, caller: object) -> None:
        self.turn = *self.turn[:2], caller

    def outcome(self, outcome: Any) -> tuple[object, ...] | Coroutine[Any, Any, tuple[object, ...]]:
        """What a call came to, in its situation.

        Raises:
            ScriptError: it failed.
        """
        if type(outcome) is not tuple:
            return ()
        if outcome[0] == _DONE:
            return outcome[1:]
        if outcome[0] == _WAITS:
            return self._go_on(outcome, self.situation, self.caller)
        raise self._failure(outcome)

    async def _go_on(self, outcome: Any, situation: Any, caller: object) -> tuple[object, ...]:
        while type(outcome) is tuple and outcome[0] == _WAITS:
            _, number, awaited = outcome
            came = await self._what(number, Within(self, situation, caller, awaited))
            before, self.turn = self.turn, (situation, True, caller)
            try:
                outcome = self._continue(number, *came)
            except FAULT as error:
                raise inside(error) from None
            finally:
                self.turn = before
        if type(outcome) is not tuple:
            return ()
        if outcome[0] == _DONE:
            return tuple(outcome[1:])
        raise self._failure(outcome)

    async def _what(self, number: int, awaited: Awaitable[object]) -> tuple[object, ...]:
        """What a script waited for, as `wait` in threads.lua gives it back."""
        came = _Came()
        try:
            with came:
                came.value = await awaited
        except BaseException:  # A session that is cancelled, too; it is raised again.
            self._abandon(number)
            raise
        if came.error is not None:
            return False, Held(came.error)
        return (True, *came.value) if isinstance(came.value, tuple) else (True, came.value)

    def _failure(self, outcome: Any) -> ScriptError:
        _, error, trace = outcome
        return ScriptError(self._text_of(error), trace.decode("utf-8", "replace"))

    def entrance(self, chunk: str, name: str, module: object, *, may_wait: bool) -> Any:
        """What calls a callout of a module, see `callouts`, with a record and the number of a
        message: it gives a number, if that is the answer, or what `outcome` takes.
        """
        made = self._lua.compile(chunk.encode(), name=f"={name}".encode())
        return self._entrance(may_wait, made(module, self._own_self, self.kinds, self._about))

    def records(self) -> Callable[[object], object]:
        """What makes the record of a session."""
        made = self._record_of
        return lambda session: made(None if session is None else Held(session))

    def collect(self, how: bytes = b"collect", amount: int = 0) -> object:
        """Collect garbage, or set what Lua's collectgarbage sets."""
        return self._collect(how, amount)

    @property
    def memory(self) -> int:
        """Octets which scripts use."""
        return int(float(self._collect(b"count")) * 1024)

    # What functions of ours do.

    @property
    def may_wait(self) -> bool:
        return self.turn[1]

    def to_lua(self, value: object) -> object:
        return to_lua(self, value)

    def from_lua(self, value: object) -> object:
        return from_lua(self, value)

    def metatable(self, kind: str) -> object:
        return self.from_lua(self.get(self.get(self.kinds, kind.encode()), b"mt"))

    def panic(self, text: str) -> None:
        self.services.panic(text)

    def _show(self, text: bytes) -> None:
        self.services.show(text.decode("utf-8", "replace"))

    def _named(self) -> Held:
        return Held(self.named)

    def _about(self) -> Held:
        """The message of the call which runs."""
        return Held(self.turn[0].about[1])

    def _package(self, name: bytes) -> object:
        return self.packages.find(name.decode("utf-8", "replace"))

    def _source(self, name: bytes, path: object) -> object:
        """The text of a module's file and where it is; or None and why not."""
        shown = name.decode("utf-8", "replace")
        where = path.decode("utf-8", "replace") if isinstance(path, bytes) else ""
        found = self._find(shown, where)
        if found is None:
            return None, f"module '{shown}' is not found".encode()
        return found[0], found[1].encode()

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

    def get(self, table: object, key: object) -> Any:
        """What stands in a table; its metatable may have to say.

        Raises:
            ScriptError: that failed.
        """
        try:
            return self._get(table, key)
        except FAULT as error:
            raise inside(error) from None

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
            self._collect(b"collect")
            if self._lua.get_memory_used() + octets > self._memory:
                raise LuaError("not enough memory")

    def put(self, table: object, key: object, value: object) -> None:
        self._put(table, key, value)

    def proxy(self, name: str, value: object) -> object:
        return self.packages.makers[name](value)

    def reference(self, value: object) -> object:
        found = self._reference(value)
        return found[0].it if type(found) is tuple and isinstance(found[0], Held) else None

    def _text_of(self, error: object) -> str:
        """An error of Lua as text; scripts may raise any value."""
        if isinstance(error, Exception):
            error = self._explain(error)
        if isinstance(error, bytes):
            return _INSIDE.sub("", error.decode("utf-8", "replace"))
        return f"error of type {self.lua_type(error) or type(error).__name__}"

    def _explain(self, error: object) -> Any:
        """What scripts are told of an exception; a fault of ours goes to the panic log as well."""
        if isinstance(error, Held):
            error = error.it
        if not isinstance(error, BaseException):
            return error
        if not isinstance(error, Exception):
            raise error
        if not isinstance(error, Error):
            self.panic("".join(traceback.format_exception(error)))
        # Its frames may hold handles on what will be gone with the coroutine which runs, and lupa
        # keeps the traceback until the next exception.
        _forget_frames(error)
        if isinstance(error, ScriptError):
            return error.message.encode("utf-8", "surrogateescape")
        if isinstance(error, Error):
            return str(error).encode("utf-8", "surrogateescape")
        return f"internal error: {type(error).__name__}: {error}".encode("utf-8", "replace")


def _forget_frames(error: BaseException | None) -> None:
    """Empty the frames of an exception, and of those which led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


class _Caller:
    """One call of a script, with all it does."""

    __slots__ = ()


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


def inside(error: Exception) -> ScriptError:
    """Of our own Lua, such as a stack which is full, or no memory to begin with."""
    said = str(error.args[0] if error.args else error)
    return ScriptError(said.partition("\nstack traceback")[0])


def _is_same(left: Held, right: Held) -> bool:
    return left.it is right.it


def _closed(_of: object, _name: object, _setting: bool) -> object:
    raise AttributeError("closed")


def _search(text: bytes, wanted: bytes, start: int) -> tuple[int, int] | None:
    """What string.find says of a plain text; in linear time."""
    at = text.find(wanted, start - 1)
    return None if at < 0 else (at + 1, at + len(wanted))


def _text_only(source: bytes) -> bytes:
    if source.startswith(b"\x1b"):
        raise LuaError("compiled code is not taken, only text is")
    return translated(source)


def _forget(awaited: object) -> None:
    if isinstance(awaited, Coroutine):
        awaited.close()
