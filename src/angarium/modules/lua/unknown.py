"""Globals of a script which nobody sets, and what the library of Lua does not have.

What can only fail is wrong: a call of what is not there, a member of it, a calculation with it.
What may be meant is doubtful: to look whether something is there, to read what only a function
sets. Where a script makes globals in a way that cannot be read off it, all is doubtful.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from angarium.core.clock import Clock
from angarium.modules.lua.api.register import LIFE
from angarium.modules.lua.dialect import Token, tokens_of
from angarium.modules.lua.packages import declare_all
from angarium.modules.lua.runtime import State
from angarium.modules.lua.scopes import SURE, How, UnreadableError, Use, uses_of
from angarium.modules.lua.services import Services
from angarium.modules.lua.values import TableHandle

# Names which Lua has and scripts have not, with what there is in their place.
INSTEAD: Final = {
    "io": "files have msys.readfile and msys.core.io_wrapper_open",
    "dofile": "scripts have require",
    "loadfile": "scripts have require",
    "jit": "the server decides, by the option jit",
    "ffi": "C is out of reach",
    "newproxy": "tables have metatables",
    "gcinfo": 'there is collectgarbage("count")',
}
# By these a script makes globals which do not stand in it by their names.
_MAKERS: Final = frozenset({"setfenv", "loadstring", "load"})
_SPACES: Final = frozenset({"msys", "json", "xml", "curl", "thread"})  # `lint` looks at those


@dataclass(slots=True)
class Defined:
    """What scripts set.

    Attributes:
        surely: globals which are there once the files have run.
        maybe: those which functions set, with the line where.
        members: what is put into tables of globals: string.split.
        unclear: there may be others.
    """

    surely: set[str] = field(default_factory=set)
    maybe: dict[str, int] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)
    unclear: bool = False

    def add(self, other: "Defined") -> None:
        self.surely |= other.surely
        self.maybe.update(other.maybe)
        self.members |= other.members
        self.unclear |= other.unclear


@dataclass(frozen=True, slots=True)
class Doubt:
    """A use of what is not there.

    Attributes:
        wrong: it fails; else it may.
    """

    token: int
    text: str
    wrong: bool


class Names:
    """The globals of one script.

    Args:
        lines: of the tokens.
    """

    def __init__(self, tokens: list[Token], lines: list[int]) -> None:
        self._tokens = tokens
        self._lines = lines
        try:
            self._uses = uses_of(tokens)
        except UnreadableError:
            self._uses = []

    def _quoted(self, at: int) -> str:
        """The string a function is called with, "" if it is none."""
        at += 2 if self._tokens[at + 1 : at + 2] and self._tokens[at + 1].text == "(" else 1
        found = self._tokens[at] if at < len(self._tokens) else None
        return found.text[1:-1] if found is not None and found.kind == "string" else ""

    @property
    def required(self) -> list[str]:
        """The names of what it requires."""
        found = [self._quoted(each.token) for each in self._uses if each.name == "require"]
        return [name for name in found if name]

    def defined(self) -> Defined:
        made = Defined()
        for each in self._uses:
            if each.how is How.SET and (not each.within or each.within[0] in LIFE):
                made.surely.add(each.name)
            elif each.how is How.SET:
                made.maybe.setdefault(each.name, self._lines[each.token])
            elif each.how is How.DEFINE:
                made.members.add((each.name, each.members[0]))
            if each.name == "module":
                made.surely.add(self._quoted(each.token).partition(".")[0])
            made.unclear |= each.name in _MAKERS or self._is_open(each)
        return made

    def _is_open(self, use: Use) -> bool:
        """Whether the table of globals itself is handed on, or anything is put into it by name."""
        if use.name != "_G" or use.members:
            return False
        if use.how in (How.VALUE, How.TEST):
            return True
        behind = self._tokens[use.token + 1 : use.token + 3]
        return [each.text for each in behind[:1]] == ["["]

    def doubts(self, others: Defined) -> Iterator[Doubt]:
        """Yield what is not there; each of the doubtful globals once."""
        defined = self.defined()
        defined.add(others)
        tested = {each.name for each in self._uses if each.how is How.TEST and not each.members}
        told: set[str] = set()
        for each in self._uses:
            if each.how is How.SET or each.name in _SPACES:
                continue
            library = library_of_lua()
            if each.name in library or each.name in defined.surely:
                yield from self._member(each, library.get(each.name), defined)
                continue
            if each.name in defined.maybe:
                found = self._set_elsewhere(each, defined.maybe[each.name], tested)
            else:
                found = _unknown(each, unclear=defined.unclear or each.name in tested)
            if found is not None and (found.wrong or each.name not in told):
                told.add(each.name)
                yield found

    def _member(
        self, use: Use, members: frozenset[str] | None, defined: Defined
    ) -> Iterator[Doubt]:
        """Look at what is wanted of a table of the library."""
        if not members or not use.members or use.how in (How.DEFINE, How.TEST):
            return
        name = use.members[0]
        if name in members or (use.name, name) in defined.members or use.name in defined.maybe:
            return
        wrong = use.how is not How.VALUE and not defined.unclear
        yield Doubt(use.token, f"there is no {use.name}.{name}", wrong)

    def _set_elsewhere(self, use: Use, line: int, tested: set[str]) -> Doubt | None:
        """Look at a global which functions set: a file which reads it as it runs has it not yet."""
        if use.within or use.how not in SURE or use.name in tested:
            return None
        said = f"{use.name} is set in a function only, on line {line}"
        return Doubt(use.token, said, wrong=False)


def _unknown(use: Use, *, unclear: bool) -> Doubt | None:
    if use.how is How.TEST:
        return None
    instead = INSTEAD.get(use.name)
    said = f"there is no {use.name} here: {instead}" if instead else f"nothing sets {use.name}"
    if not instead and use.how is How.CALL and not use.members:
        said = f"there is no function {use.name}"
    return Doubt(use.token, said, wrong=use.how in SURE and not unclear)


def defined_in(sources: Iterable[bytes]) -> Defined:
    """Return what scripts set together."""
    found = Defined()
    for source in sources:
        text = source.decode("latin-1")
        tokens = tokens_of("--" + text if text.startswith("#") else text) or []
        found.add(Names(tokens, [0] * len(tokens)).defined())
    return found


class _NoClock:
    """Nobody asks what time it is."""

    def time(self) -> float:
        return 0.0

    monotonic = time


@lru_cache(maxsize=1)
def library_of_lua() -> Mapping[str, frozenset[str]]:
    """Return the globals of scripts, with the members of those which are tables."""
    declare_all()
    clock: Clock = _NoClock()
    state = State(Services(clock))
    every = state.from_lua(state.run_now(state.load(b"return _G", "names"))[0])
    found: dict[str, frozenset[str]] = {"_TLS": frozenset()}
    assert isinstance(every, TableHandle)
    for key, value in every.items():
        members = [one for one, _ in value.items()] if isinstance(value, TableHandle) else []
        name = key.decode() if isinstance(key, bytes) else ""
        # What stands in these two comes and goes.
        open_ = name in ("_G", "_OSTLS", "package")
        names = [one.decode() for one in members if isinstance(one, bytes) and not open_]
        found[name] = frozenset(names)
    return found
