"""msys.counter: generic counters of the node, which the console's `counter` shows, too."""

from angarium.core.errors import Error
from angarium.modules.lua.api.shared import shared, told
from angarium.modules.lua.bind import Runtime, lua, lua_constants, lua_object
from angarium.policy.shared.counters import RELAXED, STRICT, Counters
from angarium.policy.shared.told import Number

lua_constants("msys.counter", STRICT=STRICT, RELAXED=RELAXED)


@lua_object("counter", "counter")
class Handle:
    """A counter which was opened."""

    __slots__ = ("name",)

    def __init__(self, name: bytes) -> None:
        self.name = name


def _named(counter: Handle | bytes) -> bytes:
    return counter.name if isinstance(counter, Handle) else counter


def _add(counters: Counters, counter: Handle | bytes, delta: Number) -> None:
    try:
        counters.add(_named(counter), delta)
    except Error as error:
        raise told(error) from error


@lua("msys.counter.open", since="3.1")
def open_counter(lua: Runtime, path: bytes, semantics: int = STRICT) -> Handle:
    """Return a counter, which is made where there is none.

    `semantics` is msys.counter.STRICT or RELAXED. Both count the same here.
    """
    try:
        shared(lua).counters.open(path, semantics)
    except Error as error:
        raise told(error) from error
    return Handle(path)


@lua("msys.counter.inc", since="3.1")
def increment(lua: Runtime, counter: Handle | bytes) -> None:
    """Add one to a counter; a path which there is not is made."""
    _add(shared(lua).counters, counter, 1)


@lua("msys.counter.add", since="3.1")
def add(lua: Runtime, counter: Handle | bytes, delta: float) -> None:
    """Add a number to a counter; a path which there is not is made."""
    _add(shared(lua).counters, counter, delta)


@lua("msys.counter.read", since="3.1")
def read(lua: Runtime, counter: Handle | bytes) -> Number:
    """Return a counter of the node; 0 where there is none."""
    return shared(lua).counters.read(_named(counter))


@lua("msys.counter.reset", since="3.1")
def reset(lua: Runtime, counter: Handle | bytes) -> None:
    """Set a counter to 0; a path which there is not is made."""
    try:
        shared(lua).counters.reset(_named(counter))
    except Error as error:
        raise told(error) from error


@lua("msys.counter.unlink", since="3.1")
def unlink(lua: Runtime, counter: Handle | bytes) -> None:
    """Forget a counter. A handle of it begins a new one when it counts again."""
    shared(lua).counters.unlink(_named(counter))
