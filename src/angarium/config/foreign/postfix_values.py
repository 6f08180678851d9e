"""Values of main.cf with the names in them replaced, as postconf(5) says under "parameter syntax".

    $name  ${name}  $(name)                      the value of another parameter
    ${name?text}  ${name?{text}:{otherwise}}     text if the value is not empty
    ${name:text}  ${name:{text}}                 text if it is
    ${{a} == {b} ? {text} : {otherwise}}         with == != < <= > >=

A name whose value is not in the file has Postfix's default, or one that comes with a session: then
the whole value is of no use. Where it is only asked whether there is one, there is none.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

MAX_DEPTH: Final = 20
MAX_SIZE: Final = 65536  # characters; names inside of names can double at each level
CLOSING: Final[Mapping[str, str]] = {"{": "}", "(": ")"}
NAME: Final = re.compile(r"[A-Za-z0-9_]+")
COMPARED: Final = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*")
OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Unusable(Exception):  # noqa: N818 - no failure: the value is then left out
    """Why a value is of no use; the text says it."""


class Values:
    """The parameters of main.cf by name, as they stand there.

    Args:
        texts: the values, with names in them.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self._known: dict[str, str] = {}  # expanded; else ten names in ten names take for ever
        host = self._texts.get("myhostname", "")
        if "." in host and "$" not in host:
            self._texts.setdefault("mydomain", host.partition(".")[2])
        if host:
            self._texts.setdefault("myorigin", "$myhostname")

    def expand(self, text: str, depth: int = 0) -> str:
        """Return a text with the names in it replaced. Raises Unusable."""
        if depth > MAX_DEPTH:
            raise Unusable("names stand in names too deep")
        parts: list[str] = []
        size = at = 0
        while at < len(text):
            start = text.find("$", at)
            start = len(text) if start < 0 else start
            parts.append(text[at:start])
            found, at = self._after(text, start + 1, depth) if start < len(text) else ("", start)
            parts.append(found)
            size += len(parts[-2]) + len(found)
            if size > MAX_SIZE:
                raise Unusable("it is too long with the names in it replaced")
        return "".join(parts)

    def _after(self, text: str, at: int, depth: int) -> tuple[str, int]:
        """Return what a $ stands for, and where what follows begins."""
        if text.startswith("$", at):
            return "$", at + 1
        if at < len(text) and text[at] in CLOSING:
            end = closing(text, at)
            return self._braced(text[at + 1 : end].strip(), depth), end + 1
        name = NAME.match(text, at)
        if name is None:
            return "$", at
        return self._value(name[0], depth), name.end()

    def _value(self, name: str, depth: int) -> str:
        if name not in self._texts:
            raise Unusable(f"{name} has no value here")
        if name not in self._known:
            self._known[name] = self.expand(self._texts[name], depth + 1)
        return self._known[name]

    def _braced(self, inner: str, depth: int) -> str:
        if inner.startswith("{"):
            holds, rest = self._comparison(inner, depth)
        else:
            name = NAME.match(inner)
            if name is None:
                raise Unusable(f"{inner!r} is no name")
            rest = inner[name.end() :].lstrip()
            if not rest:
                return self._value(name[0], depth)
            holds = name[0] in self._texts and bool(self._value(name[0], depth))
        return self._chosen(rest, depth, holds=holds)

    def _comparison(self, inner: str, depth: int) -> tuple[bool, str]:
        left, rest = group(inner)
        found = COMPARED.match(rest)
        if found is None or not rest[found.end() :].startswith("{"):
            raise Unusable(f"{inner!r} is no comparison")
        right, rest = group(rest[found.end() :])
        sides = [self.expand(each, depth + 1).strip() for each in (left, right)]
        if all(each.isdigit() for each in sides):
            width = max(map(len, sides))
            sides = [each.rjust(width, "0") for each in sides]
        return OPERATORS[found[1]](sides[0], sides[1]), rest.lstrip()

    def _chosen(self, rest: str, depth: int, *, holds: bool) -> str:
        """Return what stands behind ? or : for what was asked."""
        mark, rest = rest[:1], rest[1:].lstrip()
        if mark not in ("?", ":") or not mark:
            raise Unusable(f"{mark + rest!r} is no choice")
        if not rest.startswith("{"):
            return self.expand(rest, depth + 1) if holds == (mark == "?") else ""
        first, rest = group(rest)
        rest = rest.lstrip()
        other = group(rest[1:].lstrip())[0] if rest.startswith(":") else ""
        return self.expand(first if holds == (mark == "?") else other, depth + 1).strip()


def closing(text: str, at: int) -> int:
    """Return where the brace ends which begins at a place. Raises Unusable."""
    begin, end = text[at], CLOSING[text[at]]
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] == begin) - (text[place] == end)
        if not depth:
            return place
    raise Unusable(f"a {begin} is never closed")


def group(text: str) -> tuple[str, str]:
    """Return what is in the braces at the beginning, and what follows. Raises Unusable."""
    if not text.startswith("{"):
        raise Unusable(f"{text!r} begins with no brace")
    end = closing(text, 0)
    return text[1:end].strip(), text[end + 1 :]
