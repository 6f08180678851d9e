"""The Lua of Momentum's policies, made into what LuaJIT takes.

It is Lua 5.1 with additions, whose grammar is public (github.com/SparkPost/thrlua: PATCHES, and
`priority` in src/lparser.c): `!=` for `~=`; `!` for `not`; `& | ^^ << >> ~` on whole numbers and
`\\` for the floor of a quotient, with the events __and, __or, __xor, __shl, __shr, __not, __intdiv;
octal numbers, which begin with 0; `\\u00e4` in strings; `for x in thing` by the event __iter.

The rule: only what is an addition is touched, by text put before, after or in place of tokens, so
every line keeps its number. What is not Lua comes out as it is not Lua, and LuaJIT says where.
"""

import re
from dataclasses import dataclass, field
from typing import Final

# What the rewritten text calls: prelude.lua sets it for each chunk.
HELPERS: Final = "__operators"

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f\v]+)
  | (?P<comment>--(?:\[(?P<comment_level>=*)\[)?)
  | (?P<name>[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)
  | (?P<number>\.?[0-9][0-9.]*(?:[eEpP][+-]?)?[A-Za-z0-9_]*)
  | (?P<long>\[(?P<level>=*)\[)
  | (?P<string>"(?:[^"\\\r\n]|\\(?:\r\n|[\s\S]))*"|'(?:[^'\\\r\n]|\\(?:\r\n|[\s\S]))*')
  | (?P<mark>\.\.\.|\.\.|==|~=|!=|<=|>=|<<|>>|\^\^|::|[-+*/%^\#<>=(){}\[\];:,.&|~!\\])
    """,
    re.VERBOSE,
)
_LINE = re.compile(r"[^\r\n]*")
# Left and right priority, as its parser has them; the unary ones have 8.
BINARY: Final = {
    "+": (6, 6), "-": (6, 6), "*": (7, 7), "/": (7, 7), "%": (7, 7), "^": (10, 9),
    "|": (6, 6), "&": (6, 6), "^^": (6, 6), "<<": (7, 7), ">>": (7, 7), "\\": (7, 7),
    "..": (5, 4), "~=": (3, 3), "!=": (3, 3), "==": (3, 3),
    "<": (3, 3), "<=": (3, 3), ">": (3, 3), ">=": (3, 3), "and": (2, 2), "or": (1, 1),
}  # fmt: skip
UNARY: Final = frozenset({"-", "not", "#", "~", "!"})
_UNARY_PRIORITY: Final = 8
_EVENTS: Final = {
    "|": "bor", "&": "band", "^^": "bxor", "<<": "shl", ">>": "shr", "\\": "intdiv", "~": "bnot",
}  # fmt: skip
_KEYWORDS: Final = frozenset(
    "and break do else elseif end false for function if in local nil not or repeat return then true"
    " until while".split()
)
_LITERALS: Final = frozenset({"nil", "true", "false", "..."})
# Where a script may hold something of the dialect: without one of these nothing is parsed.
_HINT = re.compile(r"[&|!\\~]|\^\^|<<|>>|\b0[0-7]+\b|\bin\b")
_OCTAL = re.compile(r"0[0-7]+\Z")
_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{8}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{4})|(x[0-9A-Fa-f]{2}|[0-9]{1,3}|\r\n|[\s\S]))"
)
_KEPT: Final = frozenset("abfnrtv\\\"'\n\r0123456789x")


def translated(source: bytes) -> bytes:
    """The source for LuaJIT: the very same octets if nothing of the dialect is in it."""
    text = source.decode("latin-1")
    if text.startswith("#"):  # as files may begin, which are programs elsewhere
        text = "--" + text
    elif _HINT.search(text) is None:
        return source
    tokens = tokens_of(text)
    if tokens is None:
        return source
    edits = _Edits({}, {}, {})
    _Expressions(tokens, edits).read()
    if not edits.any and not text.startswith("--#"):
        return source
    return edits.applied(text, tokens).encode("latin-1")


@dataclass(slots=True)
class Token:
    """A name, number, string or mark of a source, and where it stands.

    Attributes:
        kind: name (keywords too), number, string, long (a string in long brackets) or mark.
    """

    kind: str
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token] | None:
    """All tokens, or None if some text is none: LuaJIT is to say so."""
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        kind = str(match.lastgroup)
        end = match.end()
        if kind in ("comment", "comment_level", "level", "long"):
            level = match["comment_level"] if match["comment"] is not None else match["level"]
            if level is None:
                found_line = _LINE.match(text, end)
                end = found_line.end() if found_line else end
            else:
                close = text.find(f"]{level}]", end)
                if close < 0:
                    return None
                end = close + len(level) + 2
            kind = "comment" if match["comment"] is not None else "long"
        if kind not in ("space", "comment"):
            found.append(Token(kind, text[at:end], at, end))
        at = end
    return found


@dataclass(slots=True)
class _Edits:
    """Text to put before and after tokens, and in their place, by their number."""

    before: dict[int, list[str]]
    after: dict[int, int]
    instead: dict[int, str]
    calls: bool = False

    @property
    def any(self) -> bool:
        return bool(self.before or self.instead)

    def call(self, function: str, first: int, last: int) -> None:
        """Put the tokens from `first` to `last` into a call."""
        self.calls = True
        self.before.setdefault(first, []).append(f"{HELPERS}.{function}(")
        self.after[last] = self.after.get(last, 0) + 1

    def applied(self, text: str, tokens: list[Token]) -> str:
        pieces = [f"local {HELPERS}={HELPERS} "] if self.calls else []
        at = 0
        for number, token in enumerate(tokens):
            pieces.append(text[at : token.start])
            pieces += reversed(self.before.get(number, ()))
            pieces.append(self.instead.get(number, token.text))
            pieces.append(")" * self.after.get(number, 0))
            at = token.end
        pieces.append(text[at:])
        return "".join(pieces)


@dataclass(slots=True)
class _Pending:
    """An operator which waits for what stands to its right."""

    sign: str
    number: int
    start: int
    right: int
    unary: bool


@dataclass(slots=True)
class _Level:
    """A bracket or block which is open, with the expression which is read in it.

    `operand`: where the operand begins which was read last; -1 means that one is to come.
    """

    opened: str
    at: int = -1
    pending: list[_Pending] = field(default_factory=list)
    operand: int = -1
    callable: bool = False
    called: bool = False
    each_from: int = -1

    def starts_anew(self) -> None:
        self.pending.clear()
        self.operand = -1


class _Expressions:
    """Reads tokens from left to right, with a stack for what is open: linear in their number."""

    def __init__(self, tokens: list[Token], edits: _Edits) -> None:
        self._tokens = tokens
        self._edits = edits
        self._levels = [_Level("")]
        self._at = 0

    def read(self) -> None:
        count = len(self._tokens)
        while self._at < count:
            self._literal()
            self._token()
            self._at += 1
        self._ended(count - 1)

    def _literal(self) -> None:
        """Numbers and strings, which are the same wherever they stand."""
        token = self._tokens[self._at]
        if token.kind == "number" and _OCTAL.match(token.text):
            self._edits.instead[self._at] = str(int(token.text, 8))
        elif token.kind == "string" and "\\" in token.text:
            changed = _ESCAPE.sub(_escape, token.text)
            if changed != token.text:
                self._edits.instead[self._at] = changed

    def _token(self) -> None:
        token, level = self._tokens[self._at], self._levels[-1]
        text = token.text if token.kind in ("name", "mark") else ""
        if text in ("!=", "!"):
            self._negation(text, level)
        if text in ("(", "{", "["):
            self._open(text, level)
        elif text in (")", "}", "]"):
            self._close(text)
        elif text == "function":
            self._function(level)
        elif level.operand < 0 and text in UNARY:
            self._unary(text, level)
        elif level.operand >= 0 and text in BINARY:
            self._binary(text, level)
        elif text in (".", ":") and level.operand >= 0 and level.callable:
            self._at += 1  # and the name after it
        elif text in _KEYWORDS and text not in _LITERALS:
            self._keyword(text, level)
        elif token.kind == "mark" and text != "...":
            self._ended(self._at - 1)
            level.starts_anew()
            if text in (",", ";") and level.each_from >= 0:
                level.each_from = -1
        else:
            self._operand(token, level)

    def _negation(self, text: str, level: _Level) -> None:
        if text == "!=":
            self._edits.instead[self._at] = "~="
        elif level.operand < 0:
            self._edits.instead[self._at] = "not "

    def _operand(self, token: Token, level: _Level) -> None:
        """A name or literal: an operand, or what a function is called with, or a new statement."""
        literal = token.kind != "name" or token.text in _LITERALS
        if level.operand >= 0:
            if token.kind in ("string", "long") and level.callable:
                level.called = True
                return
            self._ended(self._at - 1)
            level.starts_anew()
        level.operand = self._at
        level.callable = not literal
        level.called = False

    def _unary(self, text: str, level: _Level) -> None:
        level.pending.append(_Pending(text, self._at, self._at, _UNARY_PRIORITY, unary=True))

    def _binary(self, text: str, level: _Level) -> None:
        left, right = BINARY[text]
        self._reduce(level, left, self._at - 1)
        level.pending.append(_Pending(text, self._at, level.operand, right, unary=False))
        level.operand = -1
        level.each_from = -1

    def _reduce(self, level: _Level, priority: int, last: int) -> None:
        """Complete the operators which bind what was read, before one of this priority."""
        while level.pending and level.pending[-1].right >= priority:
            done = level.pending.pop()
            level.operand = done.start
            level.callable = False
            if (event := _EVENTS.get(done.sign)) is None or (done.sign == "~" and not done.unary):
                continue
            self._edits.instead[done.number] = "" if done.unary else ","
            self._edits.call(event, done.start, last)

    def _ended(self, last: int) -> None:
        level = self._levels[-1]
        if level.operand >= 0:
            self._reduce(level, 0, last)

    def _open(self, text: str, level: _Level) -> None:
        suffix = level.operand >= 0
        if suffix and not level.callable:
            # After a literal nothing is called: `(` begins a statement.
            self._ended(self._at - 1)
            level.starts_anew()
            suffix = False
        if not suffix:
            level.operand = self._at
        level.callable = text != "{" or suffix
        level.called = suffix and text != "["
        self._levels.append(_Level(text, self._at))

    def _close(self, text: str) -> None:
        self._ended(self._at - 1)
        if len(self._levels) > 1 and self._levels[-1].opened in ("(", "{", "["):
            self._levels.pop()

    def _function(self, level: _Level) -> None:
        """Skip its name and parameters; its body is a block."""
        expression = self._is_expected(level)
        if not expression:
            self._ended(self._at - 1)
            level.starts_anew()
        begin = self._at
        while self._at + 1 < len(self._tokens) and self._tokens[self._at].text != ")":
            self._at += 1
        self._levels.append(_Level("function" if expression else "block", begin))

    def _is_expected(self, level: _Level) -> bool:
        """Whether what comes is an operand: after an operator, a bracket, `=`, `return` ..."""
        if level.operand >= 0:
            return False
        if level.pending or level.opened in ("(", "{", "["):
            return True
        before = self._tokens[self._at - 1].text if self._at else ""
        return before in ("=", ",", "return", "in", "until", "if", "elseif", "while")

    def _keyword(self, text: str, level: _Level) -> None:
        self._ended(self._at - 1)
        if text == "do" and level.each_from >= 0 and level.operand >= 0 and not level.called:
            self._edits.call("each", level.each_from, self._at - 1)
        level.starts_anew()
        level.each_from = self._at + 1 if text == "in" else -1
        if text in ("if", "do", "repeat"):
            self._levels.append(_Level("block", self._at))
        elif text in ("end", "until"):
            self._end()

    def _end(self) -> None:
        """Close a block; a function is an operand of the expression it stands in."""
        while len(self._levels) > 1 and self._levels[-1].opened in ("(", "{", "["):
            self._levels.pop()
        if len(self._levels) == 1:
            return
        closed = self._levels.pop()
        level = self._levels[-1]
        if closed.opened == "function":
            level.operand = closed.at
            level.callable = False
            level.called = False


def _escape(match: re.Match[str]) -> str:
    """An escape as LuaJIT knows it; it refuses what Lua 5.1 takes for the character itself."""
    code, other = match.groups()
    if code is not None:
        number = int(code, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            return match[0]
        return "".join(f"\\{octet:03d}" for octet in chr(number).encode())
    if other[0] in _KEPT:
        return match[0]
    return str(other)
