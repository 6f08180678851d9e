"""What scripts may call: functions, methods, fields, constants and the kinds of objects.

Each is declared once, where it is written, by a decorator; its arguments are what its signature
says. From the declarations follow the checks (`stubs`), the packages (`packages`) and the manual.
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union, runtime_checkable

from angarium.core.errors import Error
from angarium.core.registry import Registry

if TYPE_CHECKING:
    from angarium.modules.lua.services import Services

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

Scalar = bool | int | float | bytes


class Several(tuple[object, ...]):
    """Several values as the result of one call: `return Several(code, text)`."""

    __slots__ = ()

    def __new__(cls, *values: object) -> "Several":
        return super().__new__(cls, values)


@runtime_checkable
class Function(Protocol):
    """A function of a script, kept to be called later."""

    async def __call__(self, *arguments: object) -> tuple[object, ...]:
        """Call it as a coroutine of its own, which may wait.

        Raises:
            ScriptError: it failed.
        """

    def now(self, *arguments: object) -> tuple[object, ...]:
        """Call it where nothing may wait.

        Raises:
            ScriptError: it failed, or wanted to wait.
        """


@runtime_checkable
class Table(Protocol):
    """A table of a script."""

    def get(self, key: str | bytes | int) -> object:
        """None, a bool, int, float, bytes, Table, Function or an object of ours."""

    def set(self, key: str | bytes | int, value: object) -> None:
        """Put something there; None takes away what was.

        Raises:
            LuaError: it is nothing Lua knows.
        """

    def text(self, key: str, default: bytes | None = None) -> bytes | None:
        """A string; numbers become one.

        Raises:
            LuaError: it is of another kind.
        """

    def number(self, key: str, default: float | None = None) -> float | None:
        """A number; strings which are one become it.

        Raises:
            LuaError: it is of another kind.
        """

    def flag(self, key: str, default: bool = False) -> bool:
        """Whether it is set: false, nil, 0, "false", "no" and "off" say no."""

    def items(self) -> Iterator[tuple[object, object]]:
        """All keys with their values, in Lua's order, which is none."""

    def array(self) -> list[object]:
        """What stands at 1, 2, 3 ..., up to the first nil."""

    def plain(self) -> object:
        """A copy: a list if its keys are 1 to n, else a dict; tables within it likewise.

        Raises:
            LuaError: it is deeper than 100, as one which holds itself is.
        """


class Runtime(Protocol):
    """The Lua of a worker, as functions see it.

    Attributes:
        named: the object of which Lua has just been told the number.
    """

    named: object

    @property
    def services(self) -> "Services":
        """What lies outside of Lua: the loop, the clock, name servers ..."""

    @property
    def situation(self) -> Any:
        """What the script which runs was called for: an event of a hook, or None."""

    @property
    def caller(self) -> object:
        """What is one and the same for a call of a script and all it does, waits included."""

    @property
    def may_wait(self) -> bool:
        """Whether a function may wait where the script is."""

    def to_lua(self, value: object) -> object:
        """A value as scripts get it: lists and dicts become tables, objects their userdata."""

    def from_lua(self, value: object) -> object:
        """A value of a script: tables and functions are given a handle, objects taken out."""

    def room_for(self, octets: int) -> None:
        """Whether so much has room in the memory of Lua, before it is made.

        Raises:
            LuaError: it has not.
        """

    def metatable(self, kind: str) -> object:
        """The metatable of a kind of object, by the name scripts see."""

    def panic(self, text: str) -> None:
        """Say it in the panic log, with the name of the script which runs."""


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A kind of object which scripts hold: `tag` before the colon of its methods.

    `lasting`: one and the same is handed to scripts again and again.
    """

    tag: str
    name: str
    type: type
    userdata: bool
    lasting: bool
    doc: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: what it may be, and what it is when it is not given."""

    name: str
    types: tuple[type, ...]
    default: object
    required: bool
    rest: bool
    kinds: tuple[str, ...]

    @property
    def expected(self) -> str:
        """As an error message names it."""
        plain = [_name_in_lua(kind) for kind in self.types if kind not in _KINDS]
        return " or ".join(dict.fromkeys([*plain, *self.kinds])) or "nil"


@dataclass(frozen=True, slots=True)
class LuaFunction:
    """A function or method: `name` as scripts write it.

    `fields`: of the table which the last parameter may be; the function takes what they are.
    `seen_as`: the tag of a kind; the function gives back its argument as an object of this kind.
    `pure`: it takes a string, and what it returns depends on nothing else.
    """

    name: str
    function: Callable[..., Any]
    package: str
    parameters: tuple[Parameter, ...]
    fields: tuple[Parameter, ...]
    results: tuple[type, ...]
    wants_runtime: bool
    waits: bool
    maybe: bool
    otherwise: Callable[..., Any] | None
    phases: tuple[str, ...]
    since: str
    doc: str
    seen_as: str = ""
    pure: bool = False

    @property
    def is_method(self) -> bool:
        return ":" in self.name

    @property
    def tag(self) -> str:
        return self.name.partition(":")[0] if self.is_method else ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, read and perhaps set by functions.

    `kind`: of the object it is, unless it is nil; None: it is a plain value.
    """

    name: str
    read: Callable[[Any], object]
    write: Callable[[Any, Any], None] | None
    package: str
    doc: str
    kind: type | None = None


FUNCTIONS: Registry[LuaFunction] = Registry("function of Lua")
OBJECTS: Registry[ObjectKind] = Registry("kind of object of Lua")
FIELDS: Registry[Field] = Registry("field of Lua")
CONSTANTS: Registry[Scalar] = Registry("constant of Lua")

_KINDS: dict[type, list[ObjectKind]] = {}
_IN_LUA = {bytes: "string", str: "string", int: "number", float: "number", bool: "boolean"}


def lua(
    name: str,
    *,
    package: str = "",
    phases: tuple[str, ...] = (),
    since: str = "",
    otherwise: Callable[..., Any] | None = None,
    fields: tuple[str, ...] = (),
    seen_as: str = "",
    pure: bool = False,
) -> Callable[[F], F]:
    """Declare a function of Lua under its whole name, or a method as `tag:name`.

    `package` is what `require` makes it known by; without it, what stands before the last dot.
    `phases`: it may be called in these only; empty means anywhere. `otherwise`: what is called
    with the same arguments where nothing may wait, such as init. `fields`: its last parameters by
    name, which scripts give as a table with these fields, or as the first of them alone; read in
    Lua, they cost a tenth of what a `Table` does. `seen_as`: what it returns is its argument, which
    scripts get as another kind of object; that is done in Lua. `pure`: of a string it always
    returns the same; Lua remembers what it has been told.
    """

    def declare(function: F) -> F:
        known = _declared(name, function, package, phases, since, otherwise, fields)
        FUNCTIONS.add(name, dataclasses.replace(known, seen_as=seen_as, pure=pure), depth=2)
        return function

    return declare


def lua_object(
    tag: str, name: str, *, userdata: bool = False, lasting: bool = False, doc: str = ""
) -> Callable[[C], C]:
    """Declare a class whose instances scripts hold as `name`; its methods are `tag:method`.

    A class may be several kinds to scripts: what a function returns is the first one declared.
    `userdata`: the length operator works on it, which Lua 5.1 asks of userdata only. `lasting`:
    the same instance is handed over again and again, so what Lua has made of it is used again.
    `doc`: what it is to scripts, if that is not what the class says.
    """

    def declare(cls: C) -> C:
        told = doc or (inspect.getdoc(cls) or "").partition("\n\n")[0]
        kind = ObjectKind(tag, name, cls, userdata, lasting, told)
        OBJECTS.add(tag, kind, depth=2)
        _KINDS.setdefault(cls, []).append(kind)
        return cls

    return declare


def lua_field(
    name: str,
    read: Callable[[Any], object],
    write: Callable[[Any, Any], None] | None = None,
    *,
    package: str = "",
    doc: str,
    kind: type | None = None,
) -> None:
    """Declare a field as `tag.name`; without `write` scripts cannot set it."""
    FIELDS.add(name, Field(name, read, write, package, doc, kind), depth=2)


def lua_constants(namespace: str, **values: Scalar) -> None:
    """Declare constants below `namespace`, the empty one being the globals."""
    for name, value in values.items():
        CONSTANTS.add(f"{namespace}.{name}" if namespace else name, value, depth=2)


def kind_of(cls: type) -> ObjectKind | None:
    """The kind of object a class stands for, or one it derives from."""
    for base in cls.__mro__:
        if base in _KINDS:
            return _KINDS[base][0]
    return None


def only_kind(cls: type) -> ObjectKind | None:
    """The kind of object which every instance of a class is; None: there is none, or several."""
    if any(issubclass(each, cls) for each in _KINDS if each is not cls):
        return None
    return kind_of(cls)


def _name_in_lua(kind: type) -> str:
    if kind is Function:
        return "function"
    if kind is Table:
        return "table"
    if kind is object:
        return "value"
    return _IN_LUA.get(kind, "nil")


def _declared(
    name: str,
    function: Callable[..., Any],
    package: str,
    phases: tuple[str, ...],
    since: str,
    otherwise: Callable[..., Any] | None,
    fields: tuple[str, ...],
) -> LuaFunction:
    hints = typing.get_type_hints(function)
    given = list(inspect.signature(function).parameters.values())
    wants_runtime = bool(given) and hints.get(given[0].name) is Runtime
    parameters = [_parameter(name, one, hints) for one in given[wants_runtime:]]
    inner = parameters[len(parameters) - len(fields) :]
    if tuple(one.name for one in inner) != fields:
        raise Error("fields are the last parameters, in their order", name=name)
    if fields:
        key = inner[0]
        table = dataclasses.replace(key, name=f"options_or_{key.name}", types=(object,))
        parameters[-len(fields) :] = [table]
    tag, colon, _ = name.partition(":")
    if colon and parameters:
        parameters[0] = dataclasses.replace(parameters[0], kinds=(OBJECTS[tag].name,))
    results = _members(hints.get("return", object))
    doc = inspect.getdoc(function)
    if not doc:
        raise Error("a function of Lua says what it does", name=name)
    return LuaFunction(
        name,
        function,
        package or (name.rpartition(".")[0] if ":" not in name else ""),
        tuple(parameters),
        tuple(inner),
        tuple(kind for kind in results if kind is not Awaitable),
        wants_runtime,
        inspect.iscoroutinefunction(function),
        Awaitable in results,
        otherwise,
        phases,
        since,
        doc,
    )


def _parameter(function: str, given: inspect.Parameter, hints: dict[str, Any]) -> Parameter:
    if given.kind in (given.KEYWORD_ONLY, given.VAR_KEYWORD) or given.name not in hints:
        raise Error("an argument of Lua has a place and a type", name=function, at=given.name)
    kinds = _members(hints[given.name])
    for kind in kinds:
        if kind not in _PLAIN and kind not in _KINDS:
            raise Error("Lua has no such type", name=function, at=given.name, type=kind)
    rest = given.kind is given.VAR_POSITIONAL
    required = not rest and given.default is given.empty
    default = None if required or rest else given.default
    names = tuple(one.name for kind in kinds for one in _KINDS.get(kind, ()))
    return Parameter(given.name, kinds, default, required, rest, names)


def _members(annotation: Any) -> tuple[type, ...]:
    """The types of a union, or the one there is; None is what nil becomes."""
    if annotation is None:
        return (types.NoneType,)
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType):
        return tuple(kind for one in typing.get_args(annotation) for kind in _members(one))
    return (origin or annotation,)


_PLAIN = frozenset({bytes, str, int, float, bool, object, types.NoneType, Function, Table})
