r"""Console words to a place in the tree of stanzas, and back.

    domain example.com max_outbound_connections 5
    binding_group g binding b domain d retry_interval = 60
    Esmtp_Listener::Listen:\:25: concurrency 5

A word is taken as the stanza it names inside the one before; the first word which names none begins
the `rest`. The rules for what could be read in two ways, in this order:

1. `Name:instance:` is a stanza and its instance, as `config locate` prints them; a colon in an
   instance is `\:`.
2. A word which is a stanza and an option is the stanza, unless it is the last one, or `=`, `(` or
   `[` follows.
3. After a stanza which may have a name comes its name, unless the word is an option or a stanza
   in there, and the configuration has no such name.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from angarium.config.check import normal_instance, scope_names
from angarium.config.describe import options_of
from angarium.config.grammar import unescaped, written
from angarium.config.load import declarations
from angarium.config.option import OPTIONS, Option
from angarium.config.scope import STANZAS, TOP, Naming, Scope, StanzaKind, stanza_in, stanzas_in
from angarium.config.section import Section
from angarium.core.errors import Error

Step: TypeAlias = tuple[StanzaKind, str]  # what stanza, and its instance in normal form

MAX_ADVICE: Final = 80  # characters of a name for which the nearest one is looked for
_LOCATED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_.\-]*+):((?:\\:|[^:])*+):")
_WORD: Final = re.compile(r'\s*+(?:"((?:[^"\\]++|\\(?s:.))*)"(?=\s|$)|(\S++))')
_FOLLOW_OPTIONS: Final = ("=", "(", "[")


class PathError(Error):
    """Words which name no place; the message says what would."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where words lead, and the words which are left: an option and its value, or nothing."""

    steps: tuple[Step, ...]
    rest: tuple[str, ...] = ()

    @property
    def kind(self) -> StanzaKind:
        """Return the innermost stanza; without steps it is the file itself."""
        return self.steps[-1][0] if self.steps else TOP


def parse(given: Sequence[str], root: Section | None = None) -> Place:
    """Return the place which words name, and what follows.

    Args:
        root: the configuration, if its instances shall decide rule 3.

    Raises:
        PathError: a word is neither a stanza nor an option there, or an instance is missing or
            none.
    """
    declarations()
    return _Walk(given, root).place()


def find(root: Section, steps: Iterable[Step]) -> Section | None:
    """Return the section at a place, None if the configuration has none there."""
    section: Section | None = root
    for kind, instance in steps:
        if section is None:
            return None
        section = section.get(kind.key, instance)
    return section


def words(section: Section) -> str:
    """Return what a console takes for a section: `binding b domain example.com`."""
    return " ".join(words_of(steps_to(section)))


def words_of(steps: Iterable[Step]) -> list[str]:
    """Return the words which lead along steps, as a console takes them."""
    found: list[str] = []
    for kind, instance in steps:
        found += (kind.name, written(instance)) if instance else (kind.name,)
    return found


def located(section: Section) -> str:
    r"""Return the form of `config locate`: `esmtp_listener::listen:\:25:`.

    It can be read again unless an instance ends with a backslash.
    """
    found: list[str] = []
    for kind, instance in steps_to(section):
        found += (kind.name, ":", instance.replace(":", r"\:"), ":")
    return "".join(found)


def steps_to(section: Section) -> tuple[Step, ...]:
    """Return the steps from the file itself to a section."""
    found: list[Step] = []
    at: Section | None = section
    while at is not None and at.parent is not None:
        found.append((at.kind, at.instance))
        at = at.parent
    return tuple(reversed(found))


def option_in(kind: StanzaKind, name: str) -> Option[Any] | None:
    """Return the option a name (in any case) means in a stanza, None if it is none there."""
    name = name.lower()
    if kind.scope is Scope.OWN:
        return OPTIONS.get(f"{kind.key}.{name}")
    found = OPTIONS.get(name)
    return found if found is not None and kind.scope in found.scopes else None


def unknown(kind: StanzaKind, name: str) -> PathError:
    """Return the fault of a word which means nothing in a stanza, with the nearest that does."""
    where = f"in {kind.name} stanzas" if kind.key else "at the top of the file"
    name = name[:MAX_ADVICE]
    lower = name.lower()
    parents = sorted({each or "the file itself" for stanza in STANZAS.values()
                      if stanza.name == lower for each in stanza.parents})  # fmt: skip
    if parents:
        known = ", ".join(parents)
        return PathError(f"the stanza {name} may not stand {where}; it may stand in: {known}")
    places: dict[str, None] = {}
    for option in OPTIONS.values():
        if option.name == lower:
            places |= dict.fromkeys(scope_names(option))
    if places:
        known = ", ".join(places)
        return PathError(f"the option {name} may not stand {where}; it may stand in: {known}")
    names = [*(each.name for each in options_of(kind)), *stanzas_in(kind)]
    near = difflib.get_close_matches(lower, names, 1, 0.7)
    advice = f"; did you mean {near[0]}?" if near else ""
    return PathError(f"there is no option or stanza {name} {where}{advice}")


# Lines of a console.


def split(line: str) -> list[str]:
    """Return the words of a line: separated by blanks, or in quotes as in a file."""
    return [word for word, _, _ in _words(line)]


def assignment(line: str, root: Section | None = None) -> tuple[Place, str]:
    """Return the place with the option's name in `rest`, and the text of the value.

    The value is all that follows the option, with or without `=`, as it stands in the line.

    Raises:
        PathError: there is no such place, no option, or no value.
    """
    found = _words(line)
    place = parse([word for word, _, _ in found], root)
    if not place.rest:
        raise PathError("an option and its value are missing")
    word, start, end = found[len(found) - len(place.rest)]
    name, joined, _ = word.partition("=")
    if joined and option_in(place.kind, word) is None:
        end = start + len(name)
    text = line[end:].strip().removeprefix("=").strip()
    if not text:
        raise PathError(f"the value of {name} is missing")
    return Place(place.steps, (name,)), text


def _words(line: str) -> list[tuple[str, int, int]]:
    """Return words with their offsets in the line."""
    words: list[tuple[str, int, int]] = []
    at = 0
    while (found := _WORD.match(line, at)) is not None:
        at = found.end()
        if found[1] is None:
            words.append((found[2], found.start(2), at))
        else:
            words.append((unescaped(found[1]), found.start(1) - 1, at))
    return words


class _Walk:
    """Goes through words once; `_kind` is the stanza it stands in, `_section` the same if any."""

    __slots__ = ("_at", "_kind", "_section", "_steps", "_words")

    def __init__(self, words: Sequence[str], root: Section | None) -> None:
        self._words = words
        self._at = 0
        self._kind = TOP
        self._section = root
        self._steps: list[Step] = []

    def place(self) -> Place:
        while self._at < len(self._words):
            word = self._words[self._at]
            if _LOCATED.match(word):
                self._located(word)
            elif not self._stanza(word):
                break
        rest = tuple(self._words[self._at :])
        if rest and not self._may_be_set(rest[0]):
            raise unknown(self._kind, rest[0])
        return Place(tuple(self._steps), rest)

    def _may_be_set(self, word: str) -> bool:
        name = word.partition("=")[0]
        return self._kind.free or option_in(self._kind, name) is not None

    def _stanza(self, word: str) -> bool:
        """Take a stanza and its instance; say whether the word is one."""
        kind = stanza_in(self._kind, word.lower())
        if kind is None:
            return False
        following = self._words[self._at + 1 : self._at + 2]
        is_option = option_in(self._kind, word) is not None
        if is_option and (not following or following[0].startswith(_FOLLOW_OPTIONS)):
            return False
        self._at += 1
        instance = ""
        if kind.naming is Naming.ALWAYS and not following:
            raise PathError(f"{kind.name} needs a name: write {kind.name} NAME")
        if following and self._is_instance(kind, following[0]):
            instance = following[0]
            self._at += 1
        self._step(kind, instance)
        return True

    def _is_instance(self, kind: StanzaKind, word: str) -> bool:
        if kind.naming is not Naming.MAYBE:
            return kind.naming is Naming.ALWAYS
        if self._section is not None and self._section.get(kind.key, word) is not None:
            return True
        means_something = option_in(kind, word.partition("=")[0]) or stanza_in(kind, word.lower())
        return means_something is None and _LOCATED.match(word) is None

    def _located(self, word: str) -> None:
        at = 0
        while at < len(word):
            found = _LOCATED.match(word, at)
            if found is None:
                raise PathError(f"{word!r} is no place such as Domain:example.com:")
            kind = stanza_in(self._kind, found[1].lower())
            if kind is None:
                raise unknown(self._kind, found[1])
            instance = found[2].replace(r"\:", ":")
            if kind.naming is Naming.ALWAYS and not instance:
                raise PathError(f"{kind.name} needs a name: write {kind.name}:NAME:")
            if kind.naming is Naming.NEVER and instance:
                raise PathError(f"{kind.name} has no name: write {kind.name}::")
            self._step(kind, instance)
            at = found.end()
        self._at += 1

    def _step(self, kind: StanzaKind, given: str) -> None:
        try:
            instance = normal_instance(kind, given) if given else ""
        except ValueError as wrong:
            raise PathError(f"{kind.name}: {wrong}") from None
        self._steps.append((kind, instance))
        self._kind = kind
        self._section = self._section and self._section.get(kind.key, instance)
