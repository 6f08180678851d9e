"""Edits of a file's text: each replaces what stands between two offsets, and nothing else.

Comments and layout are the operator's. What is added looks like what stands around it: indentation,
line ends, stanzas on one line. What is removed takes its line along, with a comment on that line;
comments on lines of their own stay.

The functions return an `Edit` and change nothing; `Edit.undo` is its way back.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from angarium.config import spelling
from angarium.config.grammar import SPACE, File, Include, Item, Setting, Stanza
from angarium.config.kinds import Raw

MAX_LINE: Final = 100  # columns; longer lists and stanzas are put on several lines

# To the end of a line, if nothing but blanks and comments is there.
_TAIL: Final = re.compile(
    r"(?:[ \t\f\v]++|/\*[^*\n]*+(?:\*(?!/)[^*\n]*+)*\*/)*(?:\#[^\n]*+)?(?:\r?\n|\Z)"
)
_BLANKS: Final = " \t\f\v"
_INDENTED: Final = re.compile(
    r"^([ \t]*+)[^\n{]*+\{[ \t]*+(?:\#[^\n]*+)?\r?\n\1([ \t]++)\S", re.MULTILINE
)
_BELOW: Final = re.compile(r"[^\s{}][ \t\r]*+(\n[ \t]*+)?\{")


@dataclass(frozen=True, slots=True)
class Edit:
    """The text between two offsets, and what is to stand there."""

    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.end :]

    def undo(self, text: str) -> Self:
        """Return the edit which makes `text` of what `apply` makes of it."""
        return type(self)(self.start, self.start + len(self.text), text[self.start : self.end])


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is laid out."""

    eol: str = "\n"
    unit: str = "  "  # one more for each stanza
    below: bool = False  # the brace of a stanza stands on the next line

    @classmethod
    def of(cls, text: str) -> Self:
        first = text.find("\n")
        indented = _INDENTED.search(text)
        brace = _BELOW.search(text)
        return cls(
            "\r\n" if first > 0 and text[first - 1] == "\r" else "\n",
            indented[2] if indented is not None else "  ",
            below=brace is not None and brace[1] is not None,
        )


@dataclass(frozen=True, slots=True)
class Addition:
    """What is added: a setting, inside new stanzas (keyword and instance) or none."""

    option: str
    value: Raw
    stanzas: tuple[tuple[str, str], ...] = ()
    quoted: bool = False  # the option is a text, and texts are quoted

    def line(self, assign: str = " = ") -> str:
        """Return it on one line."""
        setting = f"{self.option}{assign}{' '.join(self._value())}"
        for keyword, instance in reversed(self.stanzas):
            setting = f"{_head(keyword, instance)} {{ {setting} }}"
        return setting

    def lines(self, indent: str, style: Style, assign: str = " = ") -> str:
        """Return it with each stanza on lines of its own; without the last line end."""
        lines: list[str] = []
        inner = indent
        for keyword, instance in self.stanzas:
            lines.append(f"{inner}{_head(keyword, instance)}")
            if style.below:
                lines.append(f"{inner}{{")
            else:
                lines[-1] += " {"
            inner += style.unit
        setting = f"{inner}{self.option}{assign}"
        value = self._value()
        if len(setting) + sum(len(each) + 1 for each in value) > MAX_LINE and len(value) > 1:
            lines.append(setting + value[0])
            lines += [inner + style.unit + each for each in value[1:-1]]
            lines.append(inner + value[-1])
        else:
            lines.append(setting + " ".join(value))
        for _ in self.stanzas:
            inner = inner.removesuffix(style.unit)
            lines.append(f"{inner}}}")
        return style.eol.join(lines)

    def _value(self) -> list[str]:
        return spelling.lines(self.value, quoted=self.quoted)


def _head(keyword: str, instance: str) -> str:
    return f"{keyword} {_quoted(instance)}" if instance else keyword


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


# The edits.


def replaced(file: File, item: Setting, value: Raw, style: Style, *, quoted: bool = False) -> Edit:
    """Return the edit which gives a setting another value; lists stay on their lines."""
    text = file.text
    lines = spelling.lines(value, quoted=quoted)
    old = text[item.value_start : item.end]
    several = "\n" in old and len(lines) > 2
    new = _on_lines(lines, old, style) if several else " ".join(lines)
    name_end = item.start + len(item.name)
    space = SPACE.match(text, name_end)
    start = item.value_start
    if space is not None and text[space.end()] != "=" and isinstance(value, str):
        new = f"= {new}"  # A list needs no =, a word does.
        if start == name_end:
            new = f" {new}"
    if not new.endswith(('"', ")", "]")) and not _separates(text, item.end):
        new += " "
    return Edit(start, item.end, new)


def _on_lines(lines: Sequence[str], old: str, style: Style) -> str:
    """Return a list or dictionary on lines with the indentation of the old one."""
    _, *below = old.split("\n")
    closing = re.match(r"[ \t]*", below[-1])
    outer = closing[0] if closing is not None else ""
    first = re.match(r"([ \t]*)[^\s)\]]", below[0])
    inner = first[1] if first is not None else outer + style.unit
    middle = [inner + each for each in lines[1:-1]]
    return style.eol.join([lines[0], *middle, outer + lines[-1]])


def added(file: File, inside: Stanza | None, what: Addition, style: Style) -> Edit:
    """Return the edit which adds to a stanza, None for the file.

    A setting comes after the last setting or include, so that it counts; a stanza at the end.
    """
    items = file.items if inside is None else inside.items
    after = anchor(items, stanza=bool(what.stanzas))
    if after is not None:
        return _after(file.text, after, inside, what, style)
    if inside is None:
        return appended(file.text, what, style)
    if items:
        return _first(file.text, inside, what, style)
    return _alone(file.text, inside, what, style)


def anchor(items: Sequence[Item], *, stanza: bool) -> Item | None:
    """Return the item behind which something is added."""
    for item in reversed(items):
        if stanza or isinstance(item, Setting | Include):
            return item
    return None


def _after(text: str, item: Item, inside: Stanza | None, what: Addition, style: Style) -> Edit:
    assign = _assign(text, item)
    end = line_end(text, item.end)
    if end is None:  # Something else stands behind it.
        space = "" if _separates(text, item.end) else " "
        return Edit(item.end, item.end, f" {what.line(assign)}{space}")
    indent = _indent(text, item.start)
    if inside is not None and _line_start(text, item.start) < inside.inside:
        indent += style.unit  # The stanza begins on the same line.
    gap = style.eol if what.stanzas and not indent else ""
    body = gap + what.lines(indent, style, assign)
    return _whole_lines(text, end, body, style)


def _whole_lines(text: str, at: int, body: str, style: Style) -> Edit:
    """Return the edit which puts lines where a line begins, or after a last one without end."""
    if at and text[at - 1] != "\n":
        return Edit(at, at, style.eol + body)
    return Edit(at, at, body + style.eol)


def appended(text: str, what: Addition, style: Style) -> Edit:
    """Return the edit which adds at the end of a file."""
    gap = ""
    if what.stanzas and text.strip() and not re.search(r"\n[ \t\r]*\n\Z", text):
        gap = style.eol
    return _whole_lines(text, len(text), gap + what.lines("", style), style)


def _first(text: str, inside: Stanza, what: Addition, style: Style) -> Edit:
    """Add before what is in a stanza which has nothing but stanzas in it."""
    begin = line_end(text, inside.inside)
    if begin is None:
        return Edit(inside.inside, inside.inside, f" {what.line()}")
    item = inside.items[0]
    indent = _indent(text, item.start) if _alone_before(text, item.start) else None
    if indent is None:
        indent = _indent(text, inside.start) + style.unit
    return Edit(begin, begin, what.lines(indent, style) + style.eol)


def _alone(text: str, inside: Stanza, what: Addition, style: Style) -> Edit:
    """Add to a stanza in which there is nothing yet."""
    close = inside.end - 1
    within = text[inside.inside : close]
    outer = _indent(text, inside.start)
    if "\n" not in within:
        line = what.line()
        start = inside.inside + len(within.rstrip())
        if within.strip() or len(outer) + close - _line_start(text, close) + len(line) < MAX_LINE:
            return Edit(start, close, f" {line} ")
        body = what.lines(outer + style.unit, style)
        return Edit(inside.inside, close, f"{style.eol}{body}{style.eol}{outer}")
    if _alone_before(text, close):
        begin = _line_start(text, close)
        return Edit(begin, begin, what.lines(outer + style.unit, style) + style.eol)
    return Edit(close, close, f" {what.line()} ")


def removed(file: File, item: Item) -> Edit:
    """Return the edit which removes a setting, stanza or include, with its lines if alone there."""
    text = file.text
    begin, end = _line_start(text, item.start), line_end(text, item.end)
    if not _alone_before(text, item.start):
        start = item.start
        while start and text[start - 1] in _BLANKS:
            start -= 1
        apart = _separates(text, item.end) or text[start - 1] in "{\n"
        return Edit(start, item.end, "" if apart else " ")
    if end is None:
        behind = item.end
        while text[behind] in _BLANKS:
            behind += 1
        return Edit(item.start, behind, "")
    if isinstance(item, Stanza):
        begin = _without_blank_line(text, begin)
    if text[end - 1] != "\n":  # the last line, without an end: the one before becomes that
        begin -= _eol_before(text, begin)
    return Edit(begin, end, "")


def _without_blank_line(text: str, begin: int) -> int:
    """Return where the blank line before a line begins, or the line itself."""
    if not begin:
        return begin
    before = _line_start(text, begin - 1)
    return begin if text[before:begin].strip() else before


def _eol_before(text: str, at: int) -> int:
    if text.endswith("\r\n", 0, at):
        return 2
    return 1 if text.endswith("\n", 0, at) else 0


# Lines.


def line_end(text: str, at: int) -> int | None:
    """Return where the next line begins, if only blanks and comments stand before; else None."""
    found = _TAIL.match(text, at)
    return None if found is None else found.end()


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _alone_before(text: str, at: int) -> bool:
    """Say whether nothing but blanks stands before an offset, on its line."""
    return not text[_line_start(text, at) : at].strip(_BLANKS + "\ufeff")


def _indent(text: str, at: int) -> str:
    """Return the blanks a line begins with."""
    line = text[_line_start(text, at) : at]
    return line[: len(line) - len(line.lstrip(_BLANKS))]


def _separates(text: str, at: int) -> bool:
    """Say whether a bare word may end at an offset."""
    return at >= len(text) or text[at] in " \t\r\n\f\v}#" or text.startswith("/*", at)


def _assign(text: str, item: Item) -> str:
    """Return how a setting is written: with blanks around the `=` or without."""
    if isinstance(item, Setting) and text[item.start + len(item.name) : item.value_start] == "=":
        return "="
    return " = "
