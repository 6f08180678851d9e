"""Questions: what a process of the server can be asked by a command of the console.

    @question("queue sizes")
    def sizes(worker: "Parts", binding: str = "") -> Generator[None, None, Counts]:
        ...

    answers = await session.node.ask(sizes("b1"))        answers.total is what all said, added up

The function runs in the worker; to call what the decorator makes of it is to make an `Asking`,
which goes there. Arguments and answer are what msgspec takes: numbers, texts, lists, dictionaries,
Structs. An answer adds up by `+` (`console/sums` has the usual kinds) and is bounded: ask for a
page.

The rule: nothing a worker does for a question takes longer than a few milliseconds at once. What
does is written as a generator and yields now and then, every thousand things it has looked at; what
waits for something is a coroutine; what goes on until it is told to end is an asynchronous
generator of lines. What a generator yields, if it is a text, is told to the operator meanwhile; a
number is seconds in which it has nothing to do, because something it waits for is not there.
"""

import enum
import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add
from types import FunctionType
from typing import (
    Any,
    Concatenate,
    Final,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    get_args,
    get_type_hints,
    overload,
)

import msgspec

from angarium.console import questions
from angarium.core.errors import Error
from angarium.core.registry import Registry

P = ParamSpec("P")
R = TypeVar("R")

# Why there is no answer of a process.
GONE: Final = "it has ended"
STARTING: Final = "it is being started"
_GENERATOR_RESULT: Final = 2  # of the arguments of Generator


class Of(enum.Flag):
    """Which processes know an answer."""

    WORKER = enum.auto()
    HOSE = enum.auto()
    AIDE = enum.auto()
    ALL = WORKER | HOSE | AIDE


class QuestionError(Error):
    """A process cannot answer."""


@dataclass(frozen=True)
class Question(Generic[P, R]):
    """What a process can be asked. Called, it is put with these arguments."""

    name: str
    of: Of
    function: FunctionType

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> "Asking[R]":
        bound = self._signature.bind(None, *args, **kwargs)
        arguments = dict(list(bound.arguments.items())[1:])
        return Asking(self.name, self.of, _ENCODER.encode(arguments), self.answer)

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        """Return the types of the arguments and the answer.

        That of the worker stays unknown: who only asks need not import what a worker is made of.
        """
        first = next(iter(self._signature.parameters))
        bare = FunctionType(self.function.__code__, self.function.__globals__)
        bare.__annotations__ = {
            name: hint for name, hint in self.function.__annotations__.items() if name != first
        }
        return get_type_hints(bare)

    @cached_property
    def answer(self) -> Any:
        """Return the type of the answer; None where only lines come."""
        hint = self._hints["return"]
        if inspect.isasyncgenfunction(self.function):
            return None
        if inspect.isgeneratorfunction(self.function):
            return get_args(hint)[_GENERATOR_RESULT]
        return hint

    def begin(self, parts: object, arguments: bytes) -> Any:
        """Run it in the process which is asked; return what it returns.

        Raises:
            QuestionError: the arguments do not fit.
        """
        try:
            given = msgspec.msgpack.decode(arguments, type=dict[str, msgspec.Raw])
            kinds = {name: self._hints[name] for name in given}
            taken = {n: msgspec.msgpack.decode(each, type=kinds[n]) for n, each in given.items()}
        except (msgspec.MsgspecError, KeyError) as error:
            raise QuestionError(f"{self.name} is not asked like this: {error}") from error
        return self.function(parts, **taken)


@dataclass(frozen=True)
class Asking(Generic[R]):
    """A question with its arguments, to be sent."""

    name: str
    of: Of
    arguments: bytes
    answer: Any

    def decoded(self, octets: bytes) -> R:
        """Return an answer. Raises QuestionError if it is none."""
        try:
            found: R = msgspec.msgpack.decode(octets, type=self.answer)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise QuestionError(f"{self.name} is not answered like this: {error}") from error
        return found


@dataclass(frozen=True)
class Answers(Generic[R]):
    """What came of a question.

    Attributes:
        each: answers by the name of the process: `worker 0`, `hose`.
        stuck: names of those which said nothing for command_timeout.
        failed: reasons of those which could not answer, by name.
    """

    each: Mapping[str, R] = field(default_factory=dict)
    stuck: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> R | None:
        """Return all answers added up; None if there is none."""
        return reduce(add, self.each.values()) if self.each else None

    @property
    def missing(self) -> list[str]:
        """Return a line for each process whose answer is missing."""
        silent = [f"{name} does not answer: it is left out" for name in self.stuck]
        return silent + [f"{name} is left out: {why}" for name, why in self.failed.items()]


QUESTIONS: Final[Registry[Question[Any, Any]]] = Registry("question")
_ENCODER: Final = msgspec.msgpack.Encoder()


class Declare(Protocol):
    """What makes a question of a function, whichever way it is written."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Any, P], Generator[str | float | None, None, R]], /
    ) -> Question[P, R]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[Any, P], AsyncIterator[str]], /
    ) -> Question[P, None]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /
    ) -> Question[P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[Any, P], R], /) -> Question[P, R]: ...


def question(name: str, *, of: Of = Of.WORKER) -> Declare:
    """Declare a question; `of`: the processes which are asked."""

    def declare(function: FunctionType) -> Question[Any, Any]:
        made: Question[Any, Any] = Question(name, of, function)
        QUESTIONS.add(name, made, depth=2)
        return made

    return cast(Declare, declare)


def known(name: str) -> Question[Any, Any]:
    """Return a question by its name. Raises QuestionError if there is none."""
    if name not in QUESTIONS:
        declarations()
    if name not in QUESTIONS:
        raise QuestionError(f"there is no question {name}")
    return QUESTIONS[name]


def declarations() -> None:
    """Import every file of questions."""
    for _ in importing():
        continue


def importing() -> Iterator[None]:
    """Import them one by one: a worker has other things to do between."""
    for each in pkgutil.iter_modules(questions.__path__, f"{questions.__name__}."):
        importlib.import_module(each.name)
        yield
