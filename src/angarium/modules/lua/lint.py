"""What can be said about a script without running it: names nobody knows, and what is missing here.

A name is judged only where it is plain what it means: `msys.a.b(...)` and what a local of the file
stands for by `local x = require(...)`; methods of arguments of callouts. What a script defines
itself, or a module of its own might, is not judged: silence is better than a false alarm.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from angarium.modules.lua.api.absent import MISSING
from angarium.modules.lua.api.register import CALLOUTS, LIFE
from angarium.modules.lua.declare import CONSTANTS, FIELDS, FUNCTIONS, OBJECTS
from angarium.modules.lua.dialect import Token, tokens_of
from angarium.modules.lua.packages import declare_all
from angarium.modules.lua.unknown import Defined, Names
from angarium.policy.hooks import ABSENT, HOOKS

ROOTS: Final = frozenset({"msys", "json", "xml", "curl", "thread"})
# What an argument of a callout is, by its name in policy/hooks; others are plain values.
KINDS: Final = {
    "accept": "accept_construct", "vctx": "validate_context", "msg": "ec_message",
    "message": "ec_message", "mdn": "ec_message", "buff": "ec_string", "dr": "domain_record",
}  # fmt: skip
_OPENS: Final = frozenset({"function", "if", "do", "repeat"})
_CLOSES: Final = frozenset({"end", "until"})
_CALLS: Final = frozenset({"string", "long"})
_REGISTER: Final = "msys.registerModule"
_MODULE: Final = re.compile(rb"^\s*module\s*\(?\s*[\"']([\w.]+)[\"']", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a line.

    Attributes:
        wrong: it cannot work; else it may, as where a name is known and not there in this server.
    """

    line: int
    text: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Names joined by dots, such as msys.core.log, and the number of the token after them."""

    names: tuple[str, ...]
    first: int
    after: int

    @property
    def dotted(self) -> str:
        return ".".join(self.names)


def remarks(source: bytes, others: Defined | None = None) -> list[Remark]:
    """Return what is to be said about a script, by line.

    Args:
        others: what scripts set which share its globals.
    """
    script = Script(source)
    found = [*script.functions(), *script.methods(), *script.callouts()]
    found += script.globals(others or Defined())
    return sorted(dict.fromkeys(found), key=lambda each: (each.line, each.text))


def registered_names(source: bytes) -> list[str]:
    """Return the names by which a script registers itself, as far as they stand in it."""
    return list(dict.fromkeys(name for name, _ in Script(source).registrations()))


def required(source: bytes) -> list[str]:
    """Return the modules a script requires which are not ours."""
    return [name for name in Script(source).names.required if name not in _known()]


def module_name(source: bytes) -> str:
    """Return the name a file gives itself by `module(...)`, "" if it does not."""
    found = _MODULE.search(source)
    return found[1].decode() if found else ""


def is_module(source: bytes) -> bool:
    """Say whether a file is for others to require: it names itself a module, or returns a value."""
    tokens = [each.text for each in tokens_of(source.decode("latin-1")) or [] if each.text != ";"]
    return bool(module_name(source)) or tokens[-2:-1] == ["return"]


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Names below ROOTS, packages too."""
    declare_all()
    plain = {*CONSTANTS, *(each for each in FUNCTIONS if ":" not in each)}
    plain |= {each.package for each in FUNCTIONS.values()}
    return frozenset(
        ".".join(parts[:count])
        for parts in (each.split(".") for each in plain)
        for count in range(1, len(parts) + 1)
    )


@lru_cache(maxsize=1)
def _absent() -> dict[str, str]:
    return {name: missing for missing, names in MISSING.items() for name in names.split()}


@lru_cache(maxsize=16)
def _methods(kind: str) -> frozenset[str]:
    """Names of methods and fields of a kind of object."""
    declare_all()
    tags = {each.tag for each in OBJECTS.values() if each.name == kind}
    methods = {name.partition(":") for name in FUNCTIONS if ":" in name}
    fields = {name.partition(".") for name in FIELDS}
    return frozenset(name for tag, _, name in methods | fields if tag in tags)


class Script:
    """The tokens of a script, and what they say; of what is no Lua, nothing."""

    def __init__(self, source: bytes) -> None:
        text = source.decode("latin-1")
        self._tokens = tokens_of("--" + text if text.startswith("#") else text) or []
        self._ends = [at for at, octet in enumerate(text) if octet == "\n"]
        self._lines = self._numbers()
        self.names = Names(self._tokens, self._lines)
        self._declared = Counter(self._locals())
        self._aliases = self._named()
        self._defined = self._definitions()

    def _numbers(self) -> list[int]:
        lines, line, at = [], 1, 0
        for token in self._tokens:
            while at < len(self._ends) and self._ends[at] < token.start:
                at += 1
                line += 1
            lines.append(line)
        return lines

    def _text(self, number: int) -> str:
        return self._tokens[number].text if 0 <= number < len(self._tokens) else ""

    def _kind(self, number: int) -> str:
        return self._tokens[number].kind if 0 <= number < len(self._tokens) else ""

    # What names mean.

    def _locals(self) -> Iterator[str]:
        """Yield each name that is declared or set, as often as it is."""
        for number, token in enumerate(self._tokens):
            if token.text == "function":
                at = number + 1
                while self._text(at) not in ("(", ""):
                    at += 1
                yield from self._list(at + 1)
            elif token.text in ("local", "for"):
                at = number + 1
                yield from self._list(at + 1 if self._text(at) == "function" else at)
            elif self._is_set(number):
                yield token.text

    def _list(self, at: int) -> Iterator[str]:
        while self._kind(at) == "name":
            yield self._text(at)
            if self._text(at + 1) != ",":
                return
            at += 2

    def _is_set(self, number: int) -> bool:
        """Whether a plain name is set here, outside of `local` and of a table."""
        if self._kind(number) != "name" or self._text(number + 1) != "=":
            return False
        return self._text(number - 1) not in ("local", ",", "{", ".", ":", ";")

    def _named(self) -> dict[str, str]:
        """What locals stand for which are set once: a package, or a part of one."""
        found: dict[str, str] = {}
        for number, token in enumerate(self._tokens):
            if token.text != "local" or self._text(number + 2) != "=":
                continue
            name = self._text(number + 1)
            if self._declared[name] == 1:
                meant = self._meant(number + 3, found)
                if meant:
                    found[name] = meant
        return found

    def _meant(self, at: int, known: dict[str, str]) -> str:
        if self._text(at) == "require":
            at += 2 if self._text(at + 1) == "(" else 1
            return _unquoted(self._tokens[at]) if self._kind(at) == "string" else ""
        chain = self._chain(at)
        if chain is None or self._text(chain.after) in ("(", "[", ":", "{"):
            return ""
        if self._kind(chain.after) in _CALLS:
            return ""
        first, *rest = chain.names
        if first in known:
            return ".".join((known[first], *rest))
        return chain.dotted if first in ROOTS and not self._declared[first] else ""

    def _chain(self, at: int) -> Chain | None:
        if self._kind(at) != "name" or self._text(at - 1) in (".", ":"):
            return None
        names, first = [self._text(at)], at
        while self._text(at + 1) == "." and self._kind(at + 2) == "name":
            at += 2
            names.append(self._text(at))
        return Chain(tuple(names), first, at + 1)

    def _chains(self) -> Iterator[tuple[str, Chain]]:
        """Yield what stands in the file and is below one of ROOTS, by its whole name."""
        for number in range(len(self._tokens)):
            chain = self._chain(number)
            if chain is None:
                continue
            first, *rest = chain.names
            if first in self._aliases:
                yield ".".join((self._aliases[first], *rest)), chain
            elif first in ROOTS and not self._declared[first]:
                yield chain.dotted, chain

    def _definitions(self) -> frozenset[str]:
        """Names below ROOTS which the script sets itself, and modules of others it requires."""
        found = {
            whole
            for whole, chain in self._chains()
            if self._text(chain.first - 1) == "function"
            or (self._text(chain.after) == "=" and self._text(chain.first - 1) != "local")
        }
        for number, token in enumerate(self._tokens):
            at = number + (2 if self._text(number + 1) == "(" else 1)
            if token.text in ("require", "module") and self._kind(at) == "string":
                name = _unquoted(self._tokens[at])
                if name not in _known():
                    found.add(name)
        return frozenset(found)

    def _is_defined(self, whole: str) -> bool:
        parts = whole.split(".")
        return any(".".join(parts[:count]) in self._defined for count in range(1, len(parts) + 1))

    # What is said of them.

    def functions(self) -> Iterator[Remark]:
        """Calls of functions which are not there."""
        for whole, chain in self._chains():
            called = self._text(chain.after) in ("(", "{") or self._kind(chain.after) in _CALLS
            if not called or self._text(chain.first - 1) == "function":
                continue
            line = self._lines[chain.after - 1]
            if whole in _absent():
                yield Remark(line, f"{whole} needs {_absent()[whole]}", wrong=False)
            elif (
                whole.partition(".")[0] in ROOTS
                and whole not in _known()
                and not self._is_defined(whole)
            ):
                yield Remark(line, f"there is no function {whole}", wrong=True)

    def globals(self, others: Defined) -> Iterator[Remark]:
        """Globals nobody sets, and what is not in the library of Lua."""
        for each in self.names.doubts(others):
            yield Remark(self._lines[each.token], each.text, each.wrong)

    def methods(self) -> Iterator[Remark]:
        """Calls of methods which the arguments of callouts do not have."""
        for hook, parameters, begin in self._bodies():
            end = self._end(begin)
            given = dict(zip(parameters, hook, strict=False))
            for name, kind in given.items():
                if kind in KINDS and not self._is_other(name, begin, end):
                    yield from self._called(name, KINDS[kind], begin, end)

    def _called(self, name: str, kind: str, begin: int, end: int) -> Iterator[Remark]:
        known = _methods(kind)
        for at in range(begin, end):
            sign, what = self._text(at + 1), self._text(at + 2)
            if self._text(at) != name or self._text(at - 1) in (".", ":") or what in known:
                continue
            if sign == ":":
                text = f"there is no method {name}:{what} of {kind}"
                yield Remark(self._lines[at + 2], text, wrong=True)
            elif sign == "." and self._kind(at + 2) == "name" and "__index" not in known:
                yield Remark(self._lines[at + 2], f"{kind} has no {name}.{what}", wrong=True)

    def _is_other(self, name: str, begin: int, end: int) -> bool:
        """Whether a name is given another meaning in a body."""
        for at in range(begin, end):
            if self._text(at) == name and (
                self._is_set(at)
                or self._text(at - 1) in ("local", "for")
                or (self._text(at - 1) in ("(", ",") and self._is_parameter(at))
            ):
                return True
        return False

    def _is_parameter(self, at: int) -> bool:
        while self._kind(at) == "name" or self._text(at) == ",":
            at -= 1
        return self._text(at) == "(" and "function" in (self._text(at - 1), self._text(at - 2))

    def _bodies(self) -> Iterator[tuple[Sequence[str], list[str], int]]:
        """Yield what a callout is given, its parameters, and where its body begins."""
        for method, name, at in self._functions():
            hook = HOOKS.get(name)
            if hook is None:
                continue
            begin = at
            while self._text(begin) not in ("(", ""):
                begin += 1
            parameters = list(self._list(begin + 1))
            if not method:
                parameters = parameters[1:]
            while self._text(begin) not in (")", ""):
                begin += 1
            yield hook.arguments, parameters, begin + 1

    def _functions(self) -> Iterator[tuple[bool, str, int]]:
        """Yield functions that are put into registered tables: by a colon, name, number of it."""
        tables = {table for _, table in self.registrations()}
        for number, token in enumerate(self._tokens):
            if token.text not in tables or self._text(number + 1) not in (".", ":"):
                continue
            name = number + 2
            if self._text(number - 1) == "function":
                yield self._text(number + 1) == ":", self._text(name), name
            elif self._text(name + 1) == "=" and self._text(name + 2) == "function":
                yield False, self._text(name), name

    def _end(self, begin: int) -> int:
        """Return where the block ends whose first token this is."""
        depth = 1
        for at in range(begin, len(self._tokens)):
            if self._kind(at) != "name" or self._text(at - 1) in (".", ":"):
                continue
            depth += (self._text(at) in _OPENS) - (self._text(at) in _CLOSES)
            if depth == 0:
                return at
        return len(self._tokens)

    def registrations(self) -> Iterator[tuple[str, str]]:
        """Yield names a script registers, and the locals which are registered by them."""
        for whole, chain in self._chains():
            at = chain.after + 1
            if whole == _REGISTER and self._kind(at) == "string" and self._text(at + 1) == ",":
                table = self._text(at + 2) if self._kind(at + 2) == "name" else ""
                yield _unquoted(self._tokens[at]), table

    def callouts(self) -> Iterator[Remark]:
        """Functions of registered tables which look like callouts and are none."""
        asked = {name.partition("_")[0] for name in CALLOUTS - set(LIFE) - set(ABSENT)}
        needs = {name.partition("_")[0]: needed for name, needed in ABSENT.items()}
        for _, name, at in self._functions():
            if name in ABSENT:
                text = f"{name} is never called, it needs {ABSENT[name]}"
                yield Remark(self._lines[at], text, wrong=False)
                continue
            first = name.partition("_")[0] if "_" in name and name not in CALLOUTS else ""
            if first in asked:
                yield Remark(self._lines[at], f"there is no hook {name}", wrong=True)
            elif first in needs:
                text = f"{name} is never called, it needs {needs[first]}"
                yield Remark(self._lines[at], text, wrong=False)


def _unquoted(token: Token) -> str:
    return token.text[1:-1]
