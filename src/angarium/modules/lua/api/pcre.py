"""msys.pcre: regular expressions of PCRE, on octets.

A pattern is what `config/pcre` takes; one which could take longer than anybody waits is refused
there. What is left can still take the square of the text, or its cube: then the text may not be so
long that it would stop a worker. Patterns and texts are octets; with (*UTF8) in front they are
characters.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from angarium.config.pcre import regex
from angarium.modules.lua.bind import LuaError, Several, lua

KEPT: Final = 1024  # patterns
# Steps a search may take at worst: some seconds, for a text made to hurt.
MOST_STEPS: Final = 10_000_000_000
BAD_PATTERN: Final = 1
BAD_TEXT: Final = 2
_UTF8: Final = re.compile(rb"\(\*UTF8?\)")
# What PCRE leaves out of the match before it; a match of ours would begin too early.
_KEEP: Final = re.compile(rb"(?:[^\\]|\\[^KQ])*?\\K")
_REFERENCE: Final = re.compile(rb"\$(?:(\d{1,2})|\{(\w+)\}|([A-Za-z_]\w*))")


class PatternError(LuaError):
    """A pattern is none, or a text is not for it: `number` tells them apart."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


class Pattern(NamedTuple):
    """A pattern that can be used, or what is wrong with it.

    Attributes:
        power: the time grows with this power of the length of a line, or of the text if `crosses`.
    """

    compiled: re.Pattern[str] | None
    codec: str = "latin-1"
    fault: str = ""
    power: int = 1
    crosses: bool = False


@lru_cache(maxsize=KEPT)
def compiled(source: bytes) -> Pattern:
    """Return a pattern, ready for use."""
    codec = "utf-8" if _UTF8.match(source) else "latin-1"
    if _KEEP.match(source):
        return Pattern(None, fault="\\K is not supported")
    try:
        made = regex(source.decode(codec))
    except ValueError as error:  # UnicodeDecodeError is one
        return Pattern(None, fault=str(error))
    return Pattern(made.compiled, codec, "", made.power, made.crosses)


def prepared(subject: bytes, pattern: bytes) -> tuple[re.Pattern[str], str, str]:
    """Return the pattern and the text as characters, and the codec of both.

    Raises:
        PatternError: the pattern is none, or the text is too long for it.
    """
    made = compiled(pattern)
    if made.compiled is None:
        raise PatternError(made.fault, BAD_PATTERN)
    longest = len(subject)
    if longest**made.power > MOST_STEPS and not made.crosses:
        longest = max(map(len, subject.split(b"\n")))
    if len(subject) * longest ** (made.power - 1) > MOST_STEPS:
        raise PatternError(
            f"a text of {len(subject)} octets could take this pattern too long", BAD_TEXT
        )
    try:
        return made.compiled, subject.decode(made.codec), made.codec
    except UnicodeDecodeError as error:
        raise PatternError(f"the text is not UTF-8: {error}", BAD_TEXT) from None


def captured(found: re.Match[str], codec: str) -> dict[int | str, bytes]:
    """Return the captures: 0 is all that matched, names stand beside their numbers.

    As in PCRE, a group before the last one that took part has an empty string if it did not.
    """
    groups = found.regs
    last = max(number for number, (start, _) in enumerate(groups) if start >= 0)
    captures: dict[int | str, bytes] = {
        number: (found[number] or "").encode(codec) for number in range(last + 1)
    }
    for name, number in found.re.groupindex.items():
        captures[name] = captures.get(number, b"")
    return captures


@lru_cache(maxsize=KEPT)
def _pieces(replacement: bytes) -> tuple[tuple[bytes, bytes | None], ...]:
    """Return a replacement as texts, each with the reference that follows."""
    pieces: list[tuple[bytes, bytes | None]] = []
    at = 0
    for found in _REFERENCE.finditer(replacement):
        pieces.append((replacement[at : found.start()], found[0]))
        at = found.end()
    return (*pieces, (replacement[at:], None))


@lua("msys.pcre.match")
def match(subject: bytes, pattern: bytes) -> Several:
    """Search a text; return the captures, or nil.

    The table has all that matched at 0, the groups at 1, 2, ..., and named groups by their names
    too. Of a pattern that is none: nil, what is wrong with it, and a number.
    """
    try:
        expression, text, codec = prepared(subject, pattern)
    except PatternError as fault:
        return Several(None, fault.message, fault.number)
    found = expression.search(text)
    return Several(captured(found, codec) if found else None)


@lua("msys.pcre.replace")
def replace(subject: bytes, pattern: bytes, replacement: bytes) -> bytes:
    """Return a text in which each match is replaced.

    $0 in the replacement is what matched, $1 ... what a group took, ${name} a named one; a number
    or a name which the pattern has not is left as it stands.
    """
    expression, text, codec = prepared(subject, pattern)
    return expression.sub(expansion(replacement, codec), text).encode(codec, "surrogateescape")


def expansion(replacement: bytes, codec: str) -> Callable[[re.Match[str]], str]:
    """Return what makes of a match the text which takes its place."""
    pieces = _pieces(replacement)

    def replaced(found: re.Match[str]) -> str:
        return "".join(
            before.decode(codec, "surrogateescape")
            + (_taken(found, reference) if reference else "")
            for before, reference in pieces
        )

    return replaced


def _taken(found: re.Match[str], reference: bytes) -> str:
    """Return what a reference stands for."""
    name = reference.decode()[1:].strip("{}")
    if not name.isdigit():
        return (found[name] or "") if name in found.re.groupindex else reference.decode()
    for digits in (name, name[:1]) if len(name) > 1 and "{" not in reference.decode() else (name,):
        if int(digits) <= found.re.groups:
            return (found[int(digits)] or "") + name[len(digits) :]
    return reference.decode()


@lua("msys.pcre.split")
def split(subject: bytes, pattern: bytes) -> list[bytes]:
    """Return the parts of a text between the matches of a pattern."""
    expression, text, codec = prepared(subject, pattern)
    parts, at = [], 0
    for found in expression.finditer(text):
        if found.end() == 0 or (found.start() == found.end() == len(text)):
            continue  # an empty match at an edge parts nothing from something
        parts.append(text[at : found.start()].encode(codec))
        at = found.end()
    parts.append(text[at:].encode(codec))
    return parts
