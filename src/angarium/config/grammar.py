"""The grammar of ecelerity.conf: text to tree and back; it knows no option.

    file       = *( setting | stanza | include )
    setting    = name "=" value  /  name ( list | dictionary )
    stanza     = name [ word ] [ "=" ] "{" *( setting | stanza | include ) "}"
    include    = ( "include" | "readonly_include" ) word
    value      = word / list / dictionary
    list       = "(" *( value [ "," ] ) ")"
    dictionary = "[" *( word "=" value [ "," ] ) "]"
    word       = bare characters, or "quoted", where \\" and \\\\ stand for one character;
                 the name of a stanza may also be /a pattern/

Names are kept in lower case, instances and values as written. Comments are `# ...` and
`/* ... */`; they do not nest. Any text gives a tree or faults with their places, in linear time.

A node says where it stands in the text, and nothing of the text is thrown away: an edit replaces
what stands between two offsets, so comments and layout stay as they are, octet for octet.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from angarium.config.errors import Fault
from angarium.config.kinds import Raw

MAX_DEPTH: Final = 32  # of stanzas, and of values; the deepest in use is four
MAX_FAULTS: Final = 20  # of one file; what follows is noise caused by the first ones
MAX_SHARED: Final = 4096  # different values of which one copy is kept

INCLUDES: Final = frozenset({"include", "readonly_include"})

# A text which does not match fails in linear time: single sets are possessive, and no two parts of
# a group begin alike. Groups are not: before 3.11.5 Python loses its place in a possessive group
# whose inside can go back, and took half a comment for a whole one.
_SPACE: Final = r"(?:[ \t\r\n\f\v]++|\#[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*\*/)*"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.:\-]*+"
_QUOTED: Final = r'"((?:[^"\\]++|\\(?s:.))*)"'
_BARE: Final = r"((?:[^\x00-\x20\x7f#\"'={}\[\]()/]++|/(?!\*))+)"
# In lists and dictionaries a comma separates.
_BARE_ITEM: Final = r"((?:[^\x00-\x20\x7f#\"'={}\[\]()/,]++|/(?!\*))+)"

SPACE: Final = re.compile(_SPACE)
SETTING: Final = re.compile(rf"{_SPACE}({_NAME}){_SPACE}={_SPACE}(?:{_QUOTED}|{_BARE})")
# A pattern as the name of a stanza may stand without quotes: domain /[.]example$/{ }. It ends with
# a slash before the brace, for there may be braces in it: /a{2}/.
_SLASHED: Final = r"(/(?!\*)(?:[^\s\"/]++|/(?![ \t\r\n]*+\{))*/)(?=[ \t\r\n]*+\{)"
HEAD: Final = re.compile(rf"({_NAME}){_SPACE}(?:(?:{_QUOTED}|{_SLASHED}|{_BARE}){_SPACE})?(=?)")
WORD: Final = re.compile(rf"{_QUOTED}|{_BARE}")
ITEM: Final = re.compile(rf"{_QUOTED}|{_BARE_ITEM}")
ESCAPE: Final = re.compile(r'\\(["\\])')
SEPARATOR: Final = re.compile(rf"{_SPACE},?{_SPACE}")


class Setting:
    """name = value. Offsets: of the name, of the value, and after the value.

    There may be a million of them, so the latter two are kept as distances: Python has one object
    for each small number.
    """

    __slots__ = ("_length", "_value_at", "name", "start", "value")

    def __init__(self, name: str, value: Raw, start: int, value_start: int, end: int) -> None:
        self.name = name
        self.value = value
        self.start = start
        self._value_at = value_start - start
        self._length = end - start

    @property
    def value_start(self) -> int:
        return self.start + self._value_at

    @property
    def end(self) -> int:
        return self.start + self._length


class Stanza:
    """name "instance" { ... }. Offsets: of the name, after the `{`, and after the `}`."""

    __slots__ = ("_inside_at", "_length", "instance", "items", "name", "start")

    def __init__(self, name: str, instance: str | None, start: int, inside: int) -> None:
        self.name = name
        self.instance = instance
        self.items: list[Item] = []
        self.start = start
        self._inside_at = self._length = inside - start

    @property
    def inside(self) -> int:
        return self.start + self._inside_at

    @property
    def end(self) -> int:
        return self.start + self._length

    def close(self, end: int) -> None:
        self._length = end - self.start


class Include:
    """include "target"."""

    __slots__ = ("end", "readonly", "start", "target")

    def __init__(self, target: str, readonly: bool, start: int, end: int) -> None:
        self.target = target
        self.readonly = readonly
        self.start = start
        self.end = end


Item: TypeAlias = Setting | Stanza | Include


@dataclass(slots=True)
class File:
    """One file: its text, what stands in it, and what is wrong with it."""

    path: str
    text: str
    items: list[Item] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # offsets of lines, made when first asked for

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1; columns count characters."""
        if not self.lines:
            self.lines = [0, *(each.end() for each in re.finditer(r"\n", self.text))]
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def fault(self, offset: int, message: str, advice: str = "") -> None:
        line, column = self.place(offset)
        self.faults.append(Fault(self.path, line, column, message, advice))

    def encode(self) -> bytes:
        """Return the octets the file was made of."""
        return self.text.encode("utf-8", "surrogateescape")


def parse(path: str, octets: bytes) -> File:
    """Read a file. `faults` of the result tells whether it can be used.

    Octets which are no UTF-8 are kept as they are: old files have them in comments.
    """
    file = File(path, octets.decode("utf-8", "surrogateescape"))
    _Parser(file).run()
    return file


class _StatementError(Exception):
    """What stops the parser at a statement: an offset, a sentence and advice."""

    def __init__(self, offset: int, message: str, advice: str = "", *, final: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.advice = advice
        self.final = final  # nothing after it can be understood


class _Parser:
    """Goes through the text once. `_open` are the stanzas around the present offset."""

    __slots__ = ("_at", "_file", "_items", "_names", "_open", "_text", "_values")

    def __init__(self, file: File) -> None:
        self._file = file
        self._text = file.text
        self._at = 1 if file.text.startswith("\ufeff") else 0
        self._open: list[Stanza] = []
        self._items = file.items
        self._names: dict[str, str] = {}  # as written, and in lower case
        self._values: dict[str, str] = {}

    def run(self) -> None:
        while True:
            try:
                self._statements()
                break
            except _StatementError as wrong:
                self._file.fault(wrong.offset, wrong.message, wrong.advice)
                if wrong.final or len(self._file.faults) >= MAX_FAULTS:
                    return
                self._at = self._next_line(wrong.offset)
        if self._open:
            innermost = self._open[-1]
            self._file.fault(innermost.start, f"{innermost.name} {{ is never closed", "add a }")

    def _next_line(self, offset: int) -> int:
        end = self._text.find("\n", offset)
        return len(self._text) if end < 0 else end + 1

    def _statements(self) -> None:
        text, names, values = self._text, self._names, self._values
        setting = SETTING.match
        while True:
            found = setting(text, self._at)
            if found is None:
                self._skip()
                if self._at == len(text):
                    return
                self._other(self._at)
                continue
            name, quoted, bare = found.groups()
            self._at = end = found.end()
            if quoted is None:
                value, value_start = bare, found.start(3)
            else:
                value, value_start = unescaped(quoted), found.start(2) - 1
            lowered = names.get(name) or names.setdefault(name, name.lower())
            if len(values) < MAX_SHARED:
                value = values.setdefault(value, value)
            else:
                value = values.get(value, value)
            self._items.append(Setting(lowered, value, found.start(1), value_start, end))

    def _skip(self) -> None:
        found = SPACE.match(self._text, self._at)
        assert found is not None  # it matches nothing, too
        self._at = found.end()

    def _other(self, at: int) -> None:
        """Take what is no plain setting: a stanza, its end, an include, a list, a dictionary."""
        if self._text[at] == "}":
            self._close(at)
            return
        found = HEAD.match(self._text, at)
        if found is None:
            raise self._unexpected(at, "the name of an option or stanza")
        name = found[1].lower()
        word = found[3] or found[4] if found[2] is None else unescaped(found[2])
        self._at = found.end()
        self._skip()
        follows = self._text[self._at : self._at + 1]
        if follows == "{":
            self._begin(name, word, at)
        elif follows in ("(", "[") and follows and word is None:
            start = self._at
            value = self._value(ITEM, 0)
            self._items.append(Setting(name, value, at, start, self._at))
        elif name in INCLUDES and word is not None and not found[5]:
            end = found.end(2) + 1 if found[2] is not None else found.end(4)
            self._items.append(Include(word, name == "readonly_include", at, end))
        elif found[5]:
            raise self._unexpected(self._at, f"a value for {name}")
        else:
            raise _StatementError(
                at, f"{name} is followed by neither = nor {{", f"write {name} = value"
            )

    def _begin(self, name: str, instance: str | None, at: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _StatementError(at, f"stanzas are nested deeper than {MAX_DEPTH}", final=True)
        self._at += 1
        name = self._names.setdefault(name, name)
        stanza = Stanza(name, instance, at, self._at)
        self._items.append(stanza)
        self._open.append(stanza)
        self._items = stanza.items

    def _close(self, at: int) -> None:
        if not self._open:
            raise _StatementError(at, "} without a stanza it could close", "remove it")
        self._at = at + 1
        self._open.pop().close(self._at)
        self._items = self._open[-1].items if self._open else self._file.items

    def _value(self, pattern: re.Pattern[str], depth: int) -> Raw:
        """Take a word, list or dictionary, at the present offset."""
        follows = self._text[self._at : self._at + 1]
        if depth > MAX_DEPTH:
            raise _StatementError(
                self._at, f"values are nested deeper than {MAX_DEPTH}", final=True
            )
        if follows == "(":
            return self._list(depth)
        if follows == "[":
            return self._dictionary(depth)
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._unexpected(self._at, "a value")
        self._at = found.end()
        return found[2] if found[1] is None else unescaped(found[1])

    def _list(self, depth: int) -> Raw:
        start = self._at
        self._at += 1
        items: list[Raw] = []
        while not self._ends(")", start):
            items.append(self._value(ITEM, depth + 1))
        return tuple(items)

    def _dictionary(self, depth: int) -> Raw:
        start = self._at
        self._at += 1
        found: dict[str, Raw] = {}
        while not self._ends("]", start):
            at = self._at
            key = self._value(ITEM, MAX_DEPTH)
            if not isinstance(key, str):
                raise _StatementError(at, "a key is expected here, not a list")
            if key in found:
                raise _StatementError(at, f"{key} stands twice in this dictionary", "remove one")
            self._skip()
            if self._text[self._at : self._at + 1] != "=":
                raise self._unexpected(self._at, f"= after {key}")
            self._at += 1
            self._skip()
            found[key] = self._value(ITEM, depth + 1)
        return found

    def _ends(self, bracket: str, start: int) -> bool:
        """Skip to the next item; say whether it is the end of the list, and take it."""
        found = SEPARATOR.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        if self._at == len(self._text):
            raise _StatementError(start, f"{self._text[start]} is never closed", f"add a {bracket}")
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True

    def _unexpected(self, at: int, wanted: str) -> _StatementError:
        text = self._text
        if text.startswith("/*", at):
            return _StatementError(at, "this comment is never closed", "add a */", final=True)
        if text.startswith('"', at):
            return _StatementError(at, "this quotation is never closed", 'add a "', final=True)
        if text.startswith("'", at):
            return _StatementError(at, f"{wanted} is expected, not '", 'quote with "')
        if at >= len(text):
            return _StatementError(at, f"the file ends where {wanted} is expected")
        there = text[at] if text[at].isprintable() else f"character U+{ord(text[at]):04X}"
        return _StatementError(at, f"{wanted} is expected, not {there}", _advice(text[at]))


def _advice(there: str) -> str:
    """Return what is advised against a character which stands where it means nothing."""
    if there == ";":
        return "a statement needs no ;"
    if there == ",":
        return "a comma stands in lists and dictionaries only"
    if there > "\x7f":
        return f"it is {unicodedata.name(there, 'no character')}"  # It may look like another one.
    return ""


def unescaped(quoted: str) -> str:
    """Return what a quotation stands for; a backslash before other characters is itself."""
    return ESCAPE.sub(r"\1", quoted) if "\\" in quoted else quoted


def written(value: Raw) -> str:
    """Return a value as it is written in a file."""
    if isinstance(value, str):
        if ITEM.fullmatch(value) and not value.startswith('"'):
            return value
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    if isinstance(value, Mapping):
        pairs = " ".join(f"{written(key)} = {written(each)}" for key, each in value.items())
        return f"[ {pairs} ]" if pairs else "[ ]"
    items = " ".join(written(each) for each in value)
    return f"( {items} )" if items else "( )"
