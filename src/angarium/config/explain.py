"""Why an option has its value: what it is, where it is set, who is asked and who wins.

Nothing here is written by hand about any option: the declaration, the files and the syntax trees of
the package say it all.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from angarium.config.check import Checked, normal_instance
from angarium.config.describe import Description, describe
from angarium.config.grammar import File, Item, Setting, Stanza
from angarium.config.kinds import Cap, Throttle
from angarium.config.option import OPTIONS, Option
from angarium.config.path import words
from angarium.config.readers import readers
from angarium.config.scope import STANZAS, Scope, State, stanza_in
from angarium.config.section import Section
from angarium.config.spelling import HIDDEN, lines, quotes, secret, spelled
from angarium.config.where import Chain
from angarium.core.errors import Error

SHOWN: Final = 8  # names in a message
WINS, HIDDEN_BY, NOT_SET, DEFAULT = "wins", "hidden", "not set", "default"


class UnknownError(Error):
    """No option has the name, or several; the message says which there are."""


def named(name: str) -> Option[Any]:
    """Return the option with a name, in any case: `retry_interval`, or `ec_logger.mainlog`.

    Raises:
        UnknownError: there is none, or there are several.
    """
    name = name.lower()
    found = OPTIONS.get(name)
    if found is not None:
        return found
    inside = [key for key, each in OPTIONS.items() if each.name == name]
    if len(inside) == 1:
        return OPTIONS[inside[0]]
    if inside:
        known = ", ".join(inside[:SHOWN]) + (", ..." if len(inside) > SHOWN else "")
        raise UnknownError(f"several stanzas have an option {name}: write one of {known}")
    near = difflib.get_close_matches(name, list(OPTIONS), 1, 0.7) if len(name) < 100 else []
    raise UnknownError(
        f"there is no option {name}" + (f"; did you mean {near[0]}?" if near else "")
    )


@dataclass(frozen=True, slots=True)
class Set:
    """A place in the files where an option is set. `counts`: nothing after it sets it again."""

    file: str
    line: int
    column: int
    path: str
    value: str
    counts: bool

    def __str__(self) -> str:
        again = "" if self.counts else "  (set again further on)"
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.value}{again}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A stanza that was asked for an option, and what came of it."""

    verdict: str  # WINS, HIDDEN_BY, NOT_SET or DEFAULT
    path: str
    value: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        if self.verdict == DEFAULT:
            return f"{self.verdict:8} {self.value or 'nothing'}"
        value = f": {self.value}" if self.verdict != NOT_SET else ""
        where = f"  ({self.file}:{self.line})" if self.file else ""
        return f"{self.verdict:8} {self.path}{value}{where}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be said of an option; `asked` and `counter` only of a place."""

    about: Description
    readers: tuple[str, ...]
    set: tuple[Set, ...] = ()
    place: str = ""
    asked: tuple[Asked, ...] = ()
    counter: str = ""  # whose allowance it is, of an option that is counted

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found = asdict(self)
        found["about"]["unset"] = dict(self.about.unset)
        return found


def explain(
    declared: Option[Any],
    checked: Checked | None = None,
    place: str = "",
    chain: Chain | None = None,
) -> Explanation:
    """Return what there is to say of an option.

    Args:
        checked: the files, for where it is set.
        place: what `chain` is asked for, in words.
    """
    works = declared.state is State.WORKS
    read = tuple(str(each) for each in readers(declared)) if works else ()
    about = describe(declared)
    if checked is None:
        return Explanation(about, read)
    settings = tuple(_settings(checked, declared))
    if chain is None:
        return Explanation(about, read, settings)
    asked = tuple(_asked(checked, chain, declared))
    return Explanation(about, read, settings, place, asked, _counter(chain, declared))


def sections_of(root: Section, declared: Option[Any]) -> list[Section]:
    """Return the stanzas an option of their own may stand in, as they are in the files."""
    kind = STANZAS[declared.stanza]
    if "" in kind.parents:
        return list(root.all(kind.key).values())
    return [each for each in root.walk() if each.kind is kind]


def _counter(chain: Chain, declared: Option[Any]) -> str:
    value = chain.value(declared)
    winner = chain.winner(declared)
    if not isinstance(value, Throttle | Cap) or winner is None:
        return ""
    return _path(winner)


def _path(section: Section) -> str:
    return words(section) or "global"


# Where it is set.


def _settings(checked: Checked, declared: Option[Any]) -> Iterator[Set]:
    document = checked.document
    yield from _in_items(checked, declared, document.main, document.main.items, checked.root)
    if document.local is not None:
        yield from _in_items(checked, declared, document.local, document.local.items, checked.root)


def _in_items(
    checked: Checked, declared: Option[Any], file: File, items: Iterable[Item], section: Section
) -> Iterator[Set]:
    for item in items:
        if isinstance(item, Setting):
            if item.name == declared.name and _may_stand(declared, section):
                yield _set(checked, declared, file, item, section)
        elif isinstance(item, Stanza):
            inner = _inner(section, item)
            if inner is not None:
                yield from _in_items(checked, declared, file, item.items, inner)
        else:
            for each in checked.document.included.get(item, ()):
                yield from _in_items(checked, declared, each, each.items, section)


def _inner(section: Section, item: Stanza) -> Section | None:
    kind = stanza_in(section.kind, item.name)
    if kind is None:
        return None
    try:
        instance = "" if item.instance is None else normal_instance(kind, item.instance)
    except ValueError:
        return None
    return section.get(kind.key, instance)


def _may_stand(declared: Option[Any], section: Section) -> bool:
    if declared.stanza:
        return section.kind.key == declared.stanza
    return section.kind.scope is not Scope.OWN and section.kind.scope in declared.scopes


def _set(
    checked: Checked, declared: Option[Any], file: File, item: Setting, section: Section
) -> Set:
    line, column = file.place(item.start)
    last = checked.place(section, item.name)
    counts = last is not None and last[0] is file and last[1] == item.start
    value = HIDDEN if secret(declared) else " ".join(lines(item.value, quoted=quotes(declared)))
    return Set(file.path, line, column, _path(section), value, counts)


# Who is asked.


def _asked(checked: Checked, chain: Chain, declared: Option[Any]) -> Iterator[Asked]:
    won = False
    for section in chain.asked(declared):
        if declared.name not in section.values:
            if _may_stand(declared, section):
                yield Asked(NOT_SET, _path(section))
            continue
        value = spelled(declared, section.values[declared.name])
        file, line = "", 0
        place = checked.place(section, declared.name)
        if place is not None:
            file, line = place[0].path, place[0].place(place[1])[0]
        yield Asked(HIDDEN_BY if won else WINS, _path(section), value, file, line)
        won = True
    if not won:
        default = chain.default(declared)
        yield Asked(DEFAULT, "", "" if default is None else spelled(declared, default))
