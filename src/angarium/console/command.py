"""Commands: a function each, declared where it stands; its signature is its syntax.

    @command("config restore", who=Rank.OPERATOR)
    async def restore(session: Session, number: int) -> Result:
        ...

    config restore 12            number = 12

After the session come the arguments, from the words after the name: a `str` takes one word, an
`int` one that is a whole number, `Words` all that are left, `Line` the rest as it was typed. A
default makes it optional. The longest name which fits is the command that is meant.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, NewType, get_args, get_origin, get_type_hints

from angarium.config.path import split
from angarium.console import absent, commands
from angarium.console.access import Rank
from angarium.console.errors import CommandError, UnknownError
from angarium.console.result import Result
from angarium.core.registry import Registry

Words = NewType("Words", tuple[str, ...])
Line = NewType("Line", str)

Handler = Callable[..., Result | Awaitable[Result]]
Mask = Callable[[str], str]

MAX_WORDS: Final = 6  # of a name
# Modules whose commands name an instance.
INSTANCED: Final = frozenset({"ec_logger", "bounce_logger", "inbound_audit", "outbound_audit"})
_WORD: Final = re.compile(r"\s*(\S+)")
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument: its name, its type, how it is shown, whether it may be left out."""

    name: str
    kind: Any
    shown: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A declared command. `mask` returns the rest of a line as it may be logged."""

    name: str
    handler: Handler
    parameters: tuple[Parameter, ...]
    who: Rank
    doc: str
    mask: Mask | None

    @property
    def syntax(self) -> str:
        return " ".join([self.name, *(each.shown for each in self.parameters)])

    def arguments(self, rest: str) -> dict[str, Any]:
        """Return the arguments which the rest of a line is.

        Raises:
            CommandError: they do not fit.
        """
        found: dict[str, Any] = {}
        words = split(rest)
        for each in self.parameters:
            if each.kind is Line:
                found[each.name], words = rest.strip(), []
            elif each.kind is Words:
                found[each.name], words = tuple(words), []
            elif words:
                found[each.name] = self._taken(each, words.pop(0))
            elif not each.optional:
                raise CommandError(f"{each.name} is missing; write {self.syntax}")
        if words:
            raise CommandError(f"{words[0]} is one word too many; write {self.syntax}")
        return found

    def _taken(self, parameter: Parameter, word: str) -> str | int:
        if parameter.kind is not int:
            return word
        if not _NUMBER.fullmatch(word):
            raise CommandError(f"{parameter.name}: {word} is no number; write {self.syntax}")
        return int(word)


COMMANDS: Final[Registry[Command]] = Registry("command")


def command(name: str, *, who: Rank, mask: Mask | None = None) -> Callable[[Handler], Handler]:
    """Declare a command.

    Args:
        who: the least who may give it.
        mask: returns the rest of a line without what may not be logged.
    """

    def declare(handler: Handler) -> Handler:
        made = Command(
            name, handler, _parameters(handler), who, inspect.cleandoc(handler.__doc__ or ""), mask
        )
        COMMANDS.add(name, made, depth=2)
        return handler

    return declare


@cache
def declarations() -> None:
    """Import every file of commands."""
    for each in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
        importlib.import_module(each.name)


def find(line: str) -> tuple[Command, str]:
    """Return the command a line begins with, and the rest of the line.

    Raises:
        UnknownError: there is none.
        CommandError: Momentum has it, and we have not.
    """
    declarations()
    found: tuple[Command, str] | None = None
    name, at = "", 0
    for _ in range(MAX_WORDS):
        word = _WORD.match(line, at)
        if word is None:
            break
        plain = word[1].lower() if name else _without_instance(word[1].lower())
        name, at = f"{name} {plain}".strip(), word.end()
        if name in COMMANDS:
            found = COMMANDS[name], line[at:]
    if found is None and (missing := absent.said(line)):
        # Of a module which is built the workers are asked before that is said.
        raise UnknownError(missing) if absent.built(line) else CommandError(missing)
    if found is None:
        first = name.partition(" ")[0]
        known = sorted(each for each in COMMANDS if each.partition(" ")[0] == first)
        advice = f"there are: {', '.join(known)}" if known else "help lists what there is"
        raise UnknownError(f"there is no such command; {advice}")
    return found


def _without_instance(word: str) -> str:
    """Return the name of a module without that of its instance: `ec_logger:main`."""
    module, _, instance = word.partition(":")
    return module if instance and module in INSTANCED else word


def _parameters(handler: Handler) -> tuple[Parameter, ...]:
    hints = get_type_hints(handler, include_extras=True)
    found = []
    for name, each in list(inspect.signature(handler).parameters.items())[1:]:
        kind, optional = hints[name], each.default is not inspect.Parameter.empty
        shown = f"[{name}]" if optional else f"<{name}>"
        if get_origin(kind) is Annotated:
            kind, shown = get_args(kind)
        found.append(Parameter(name, kind, shown, optional or kind is Words or kind is Line))
    return tuple(found)
