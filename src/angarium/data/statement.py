"""Statements: the text of a query, its placeholders, and the values which are bound to them.

    SELECT name FROM users WHERE id = ? AND region = ?      by place, the first one is 1
    SELECT name FROM users WHERE id = :id                   by name
    ldap:///ou=people,dc=example?cn?sub?(mail=$rcpt)        by name, where ? and : mean something

Where a placeholder stands in a string, a quoted name or a comment it is none. `??` is a question
mark of SQL itself. The rule: no value ever becomes part of the text of a statement; a driver gets
both, and says how they go to its database.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from angarium.data.errors import StatementError
from angarium.data.rows import Scalar

Name: TypeAlias = str | int
# What they are is looked at when they are bound: who calls from a script has no types.
Parameters: TypeAlias = Sequence[object] | Mapping[str, object] | Mapping[int, object]

_STANDARD: Final = r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/
"""
# What must not be looked into, by dialect. `::` is a cast.
_OPAQUE: Final[Mapping[str, str]] = {
    "sqlite": _STANDARD + r"| `(?:[^`]|``)*`",
    "pgsql": r"""[eE]'(?:[^'\\]|\\.|'')*' | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$ | :: |
        """
    + _STANDARD,
    "mysql": r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`]|``)*` | \#[^\n]* |
        --[\s][^\n]* | /\*.*?\*/""",
}
_SQL: Final = {
    dialect: re.compile(
        rf"(?P<opaque>{opaque}) | (?P<literal>\?\?) | (?P<place>\?)"
        r"| (?<!\w):(?P<name>[A-Za-z_]\w*)",
        re.VERBOSE | re.DOTALL,
    )
    for dialect, opaque in _OPAQUE.items()
}
_DOLLAR: Final = re.compile(r"\$(?P<name>[A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Template:
    """A statement taken apart: a text, then a name and a text for each placeholder."""

    texts: tuple[str, ...]
    names: tuple[Name, ...]

    @property
    def by_place(self) -> bool:
        return bool(self.names) and isinstance(self.names[0], int)

    def joined(self, marks: Sequence[str]) -> str:
        """Return the text with a mark at each placeholder."""
        pieces = [self.texts[0]]
        for mark, text in zip(marks, self.texts[1:], strict=True):
            pieces += mark, text
        return "".join(pieces)


@lru_cache(maxsize=1024)
def sql(text: str, dialect: str) -> Template:
    """Take a statement of SQL apart. Raises StatementError if it mixes kinds of placeholders."""
    texts, names, last = [""], list[Name](), 0
    for found in _SQL[dialect].finditer(text):
        texts[-1] += text[last : found.start()]
        last = found.end()
        if found["place"]:
            names.append(len(names) + 1)
            texts.append("")
        elif found["name"]:
            names.append(found["name"])
            texts.append("")
        else:
            texts[-1] += "?" if found["literal"] else found[0]
    texts[-1] += text[last:]
    if len({type(each) for each in names}) > 1:
        raise StatementError("the query has both ? and :name")
    return Template(tuple(texts), tuple(names))


@lru_cache(maxsize=1024)
def dollars(text: str) -> Template:
    """Take a query with $name apart."""
    pieces = _DOLLAR.split(text)
    return Template(tuple(pieces[::2]), tuple(pieces[1::2]))


def bound(template: Template, parameters: Parameters) -> tuple[Scalar, ...]:
    """Return the value of each placeholder.

    Raises:
        StatementError: there are too few values, or too many of them by place.
    """
    if isinstance(parameters, str | bytes):
        raise StatementError("parameters are a list or a table, not one text")
    if not isinstance(parameters, Mapping):
        if template.names and not template.by_place:
            raise StatementError("the query has names, and the parameters have none")
        if len(parameters) != len(template.names):
            asked = len(template.names)
            raise StatementError("wrong number of parameters", asked=asked, given=len(parameters))
        return tuple(_checked(each) for each in parameters)
    try:
        return tuple(_checked(parameters[name]) for name in template.names)  # type: ignore[index]
    except KeyError as error:
        raise StatementError("a parameter is missing", name=error.args[0]) from None


def _checked(value: object) -> Scalar:
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    raise StatementError("this cannot be a parameter", type=type(value).__name__)


def identity(values: Sequence[Scalar]) -> tuple[tuple[str, Scalar], ...]:
    """Return values as part of a key. 1, 1.0 and true are equal to Python, not to a database."""
    return tuple((type(each).__name__, each) for each in values)
