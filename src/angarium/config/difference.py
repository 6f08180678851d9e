"""What differs between two configurations in meaning, whatever the files look like.

Comments, layout, the order of options and the spelling of values make no difference. What does:
an option set, unset or changed in a stanza, a stanza that came or went, and the order of patterns,
as the first one that fits counts.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from angarium.config.describe import options_of
from angarium.config.option import Option
from angarium.config.path import words
from angarium.config.scope import StanzaKind
from angarium.config.section import Section
from angarium.config.spelling import spelled

NOT_SET: Final = "not set"


class What(enum.Enum):
    """What a change is about."""

    OPTION = "option"
    STANZA = "stanza"
    ORDER = "order"  # of the patterns in a stanza


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `path` is as the console writes it, "" for the file itself.

    Values are as written in a file, secrets are masked; None is "not set". Of a stanza `old` is
    None if it came, `new` is None if it went; of an order both are the patterns as they stand.
    `restart`: the option keeps its old value until the server is started anew.
    """

    what: What
    path: str
    option: str
    old: str | None
    new: str | None
    restart: bool = False

    def __str__(self) -> str:
        where = self.path or "global"
        if self.what is What.STANZA:
            return f"{where}: the stanza {'is new' if self.old is None else 'is gone'}"
        if self.what is What.ORDER:
            return f"{where}: the order of {self.option} patterns: {self.old} -> {self.new}"
        old, new = (NOT_SET if each is None else each for each in (self.old, self.new))
        if old == new:
            new += " (another one)"  # a secret
        return f"{where}: {self.option}: {old} -> {new}" + (
            " (with a restart)" if self.restart else ""
        )

    def plain(self) -> dict[str, Any]:
        """Return the change as JSON has it."""
        return {
            "what": self.what.value,
            "path": self.path,
            "option": self.option,
            "old": self.old,
            "new": self.new,
            "restart": self.restart,
        }


def differences(old: Section, new: Section) -> list[Change]:
    """Return what is different in `new`, in an order which depends on nothing but the two."""
    return list(_Comparison().sections(old, new))


class _Comparison:
    """Remembers which options a stanza may have, as it is asked for each of its instances."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, Option[Any]]] = {}

    def known(self, kind: StanzaKind) -> Mapping[str, Option[Any]]:
        found = self._known.get(kind.key)
        if found is None:
            found = {each.name: each for each in options_of(kind)}
            self._known[kind.key] = found
        return found

    def sections(self, old: Section, new: Section) -> Iterator[Change]:
        if old.values != new.values:
            yield from self._options(old, new)
        if old.children is None and new.children is None:
            return
        yield from _orders(old, new)
        for kind in dict.fromkeys([*(old.children or ()), *(new.children or ())]):
            before, after = old.all(kind), new.all(kind)
            for instance, was in before.items():
                now = after.get(instance)
                if now is None:
                    yield from self._whole(was, came=False)
                else:
                    yield from self.sections(was, now)
            for instance, now in after.items():
                if instance not in before:
                    yield from self._whole(now, came=True)

    def _options(self, old: Section, new: Section) -> Iterator[Change]:
        for name in sorted({*old.values, *new.values}):
            both = name in old.values and name in new.values
            if not both or old.values[name] != new.values[name]:
                yield self._change(name, old, new)

    def _change(self, name: str, old: Section, new: Section) -> Change:
        declared = self.known(new.kind).get(name)
        texts = [
            spelled(declared, each.values[name], name=name) if name in each.values else None
            for each in (old, new)
        ]
        restart = declared is not None and not declared.dynamic
        return Change(What.OPTION, words(new), name, texts[0], texts[1], restart)

    def _whole(self, section: Section, *, came: bool) -> Iterator[Change]:
        """Yield a stanza which came or went, with all that is in it."""
        there = "{ }"
        for each in section.walk():
            path = words(each)
            old, new = (None, there) if came else (there, None)
            yield Change(What.STANZA, path, "", old, new)
            empty = Section(each.kind, each.instance, each.parent)
            yield from self._options(*((empty, each) if came else (each, empty)))


def _orders(old: Section, new: Section) -> Iterator[Change]:
    """Yield the kinds of stanzas whose patterns, of those that stayed, are tried in a new order."""
    if old.patterns is None or new.patterns is None:
        return
    for kind in dict.fromkeys(each[0] for each in new.patterns):
        before, after = _patterns(old, kind), _patterns(new, kind)
        stayed = set(before).intersection(after)
        was, now = ([each for each in names if each in stayed] for names in (before, after))
        if was != now:
            yield Change(What.ORDER, words(new), kind, " ".join(was), " ".join(now))


def _patterns(section: Section, kind: str) -> list[str]:
    return [each.instance for key, _, each in section.patterns or () if key == kind]
