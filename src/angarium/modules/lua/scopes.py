"""Which names of a script are globals, and what it does with them: its grammar, and no meaning.

A descent through the tokens which knows blocks, functions and `local`, and of expressions only
where an operand begins. What is no Lua raises `UnreadableError`: LuaJIT is to say where.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final

from angarium.modules.lua.dialect import BINARY, UNARY, Token

# Deeper than this nobody writes, and Python would not descend for ever.
DEEPEST: Final = 100
_ENDERS: Final = frozenset({"end", "else", "elseif", "until", ""})
_WORDS: Final = frozenset(
    "and break do else elseif end for function if in local not or repeat return then until"
    " while".split()
)
_TESTS: Final = frozenset({"and", "or", "not", "!", "==", "~=", "!=", "if", "elseif", "while"})
_TESTED: Final = frozenset({"and", "or", "==", "~=", "!=", "then"})


class How(Enum):
    """What is done with a global."""

    SET = "it is set"
    DEFINE = "something in it is set"
    CALL = "it, or what is in it, is called"
    INDEX = "something in it is read"
    METHOD = "a method of it is called"
    OPERATE = "it is calculated with"
    TEST = "it is looked at whether it is there"
    VALUE = "it is read"


SURE: Final = frozenset({How.CALL, How.INDEX, How.METHOD, How.OPERATE, How.DEFINE})


@dataclass(frozen=True, slots=True)
class Use:
    """A global in a script.

    Attributes:
        members: the names behind its own, as far as they are plain.
        within: the names of the functions it stands in, the outermost first; () is the file itself.
    """

    name: str
    members: tuple[str, ...]
    how: How
    token: int
    within: tuple[str, ...]


class UnreadableError(Exception):
    """It is no Lua, or too deep."""


@dataclass(slots=True)
class _Operand:
    """An expression with suffixes: what it begins with, and what its suffixes are."""

    root: int
    is_name: bool
    members: list[str]
    how: How | None = None
    called: bool = False


def uses_of(tokens: Sequence[Token]) -> list[Use]:
    """Return all uses of globals, in order. Raises UnreadableError."""
    reader = _Reader(tokens)
    reader.chunk()
    return sorted(reader.uses, key=lambda each: each.token)


class _Reader:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._scopes: list[set[str]] = [set()]
        self._within: list[str] = []
        self._depth = 0
        self.uses: list[Use] = []

    # Tokens.

    def _text(self, more: int = 0) -> str:
        at = self._at + more
        return self._tokens[at].text if 0 <= at < len(self._tokens) else ""

    def _kind(self, more: int = 0) -> str:
        at = self._at + more
        return self._tokens[at].kind if 0 <= at < len(self._tokens) else ""

    def _mark(self) -> str:
        """The token, if it is a mark or a word; a string is neither."""
        return self._text() if self._kind() in ("mark", "name") else ""

    def _take(self, wanted: str) -> None:
        if self._mark() != wanted:
            raise UnreadableError
        self._at += 1

    def _took(self, wanted: str) -> bool:
        if self._mark() != wanted:
            return False
        self._at += 1
        return True

    def _name(self) -> str:
        if self._kind() != "name" or self._text() in _WORDS:
            raise UnreadableError
        self._at += 1
        return self._text(-1)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise UnreadableError
        yield
        self._depth -= 1

    @contextmanager
    def _scope(self, *names: str) -> Iterator[None]:
        self._scopes.append(set(names))
        yield
        self._scopes.pop()

    def _declare(self, *names: str) -> None:
        self._scopes[-1].update(names)

    def _note(self, root: int, members: Sequence[str], how: How) -> None:
        name = self._tokens[root].text
        if not any(name in each for each in self._scopes):
            self.uses.append(Use(name, tuple(members), how, root, tuple(self._within)))

    # Statements.

    def chunk(self) -> None:
        self._block()
        if self._at < len(self._tokens):
            raise UnreadableError

    def _block(self) -> None:
        with self._deeper():
            while self._mark() not in _ENDERS or self._kind() in ("string", "long", "number"):
                if self._at >= len(self._tokens):
                    return
                self._statement()

    def _inner(self, *names: str) -> None:
        with self._scope(*names):
            self._block()

    def _statement(self) -> None:
        word = self._mark()
        plain = {
            "if": self._if, "while": self._while, "for": self._for, "repeat": self._repeat,
            "function": self._function, "local": self._local, "return": self._return,
        }.get(word)  # fmt: skip
        if plain is not None:
            self._at += 1
            plain()
        elif word == "do":
            self._at += 1
            self._inner()
            self._take("end")
        elif word in (";", "break"):
            self._at += 1
        elif word == "::":
            self._at += 1
            self._name()
            self._take("::")
        elif word == "goto" and self._kind(1) == "name":
            self._at += 2
        else:
            self._assignment()

    def _if(self) -> None:
        self._expression()
        self._take("then")
        self._inner()
        while self._took("elseif"):
            self._expression()
            self._take("then")
            self._inner()
        if self._took("else"):
            self._inner()
        self._take("end")

    def _while(self) -> None:
        self._expression()
        self._take("do")
        self._inner()
        self._take("end")

    def _repeat(self) -> None:
        with self._scope():
            self._block()
            self._take("until")
            self._expression()  # it sees what the block declares

    def _for(self) -> None:
        names = self._names()
        if not self._took("="):
            self._take("in")
        self._expressions()
        self._take("do")
        self._inner(*names)
        self._take("end")

    def _names(self) -> list[str]:
        names = [self._name()]
        while self._took(","):
            names.append(self._name())
        return names

    def _local(self) -> None:
        if self._took("function"):
            name = self._name()
            self._declare(name)
            self._body(name)
            return
        names = self._names()
        if self._took("="):
            self._expressions()
        self._declare(*names)

    def _function(self) -> None:
        root, members, method = self._at, list[str](), False
        name = self._name()
        while self._mark() in (".", ":"):
            method = self._mark() == ":"
            self._at += 1
            name = self._name()
            members.append(name)
        self._note(root, members, How.DEFINE if members else How.SET)
        self._body(name, *(("self",) if method else ()))

    def _return(self) -> None:
        if self._mark() not in _ENDERS | {";"} or self._kind() in ("string", "long", "number"):
            self._expressions()

    def _assignment(self) -> None:
        targets = [self._suffixed()]
        while self._took(","):
            targets.append(self._suffixed())
        if not self._took("="):
            if len(targets) > 1 or not targets[0].called:
                raise UnreadableError
            self._read(targets[0])
            return
        self._expressions()
        for each in targets:
            if each.is_name and each.how is None:
                self._note(each.root, each.members, How.DEFINE if each.members else How.SET)
            else:
                self._read(each)

    def _body(self, name: str, *own: str) -> None:
        """The parameters and the block of a function."""
        self._take("(")
        names = [*own]
        while not self._took(")"):
            if not self._took("..."):
                names.append(self._name())
            self._took(",")
        self._within.append(name)
        self._inner(*names, "arg")
        self._within.pop()
        self._take("end")

    # Expressions.

    def _expressions(self) -> None:
        self._expression()
        while self._took(","):
            self._expression()

    def _expression(self) -> None:
        with self._deeper():
            self._operand()
            while self._mark() in BINARY:
                self._at += 1
                self._operand()

    def _operand(self) -> None:
        before = self._text(-1)
        while self._mark() in UNARY:
            before = self._text()
            self._at += 1
        kind, word = self._kind(), self._mark()
        if kind in ("string", "long", "number") or word in ("nil", "true", "false", "..."):
            self._at += 1
        elif word == "function":
            self._at += 1
            self._body("")
        elif word == "{":
            self._table()
        else:
            self._read(self._suffixed(), before)

    def _read(self, operand: _Operand, before: str = "") -> None:
        if not operand.is_name:
            return
        how = operand.how
        if how is None:
            after = self._mark()
            if before in _TESTS or after in _TESTED:
                how = How.TEST
            elif (before in BINARY or before in UNARY or after in BINARY) and not operand.members:
                how = How.OPERATE
            else:
                how = How.VALUE
        self._note(operand.root, operand.members, how)

    def _suffixed(self) -> _Operand:
        root = self._at
        if self._took("("):
            self._expression()
            self._take(")")
            operand = _Operand(root, is_name=False, members=[])
        else:
            self._name()
            operand = _Operand(root, is_name=True, members=[])
        while self._suffix(operand):
            pass
        return operand

    def _suffix(self, operand: _Operand) -> bool:
        """Read a suffix. What comes after the first call, index or method says no more."""
        mark, kind = self._mark(), self._kind()
        open_ = operand.how is None
        called, operand.called = operand.called, False
        if mark == ".":
            self._at += 1
            name = self._name()
            if open_:
                operand.members.append(name)
        elif mark == "[":
            self._at += 1
            self._expression()
            self._take("]")
            operand.how = operand.how or How.INDEX
        elif mark == ":" and self._kind(1) == "name":
            self._at += 1
            name = self._name()
            if open_:
                operand.members.append(name)
                operand.how = How.METHOD
            operand.called = True
            self._arguments()
        elif mark in ("(", "{") or kind in ("string", "long"):
            operand.how = operand.how or How.CALL
            operand.called = True
            self._arguments()
        else:
            operand.called = called
            return False
        return True

    def _arguments(self) -> None:
        if self._kind() in ("string", "long"):
            self._at += 1
        elif self._mark() == "{":
            self._table()
        else:
            self._take("(")
            if not self._took(")"):
                self._expressions()
                self._take(")")

    def _table(self) -> None:
        self._take("{")
        while not self._took("}"):
            if self._mark() == "[":
                self._at += 1
                self._expression()
                self._take("]")
                self._take("=")
            elif self._kind() == "name" and self._text(1) == "=" and self._kind(1) == "mark":
                self._at += 2
            self._expression()
            if not (self._took(",") or self._took(";")) and self._mark() != "}":
                raise UnreadableError
