"""Where in the files a section and what is set in it stand.

There may be a million settings, and hardly anybody asks: a rule which reports, an operator who
wants an explanation. So only the stanzas of a section are noted, and they are read again for whom
asks.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from angarium.config.grammar import File, Include, Setting, Stanza
from angarium.config.section import Section
from angarium.config.tree import Document

Where: TypeAlias = tuple[File, int]
Body: TypeAlias = tuple[File, Stanza | File]  # what stands in a file, or all of it

MAX_KEPT: Final = 64  # sections whose settings are kept, for the next question


class Origins:
    """Remembers what a section was made of."""

    __slots__ = ("_bodies", "_document", "_found")

    def __init__(self, document: Document) -> None:
        self._document = document
        self._bodies: dict[Section, Body | list[Body]] = {}
        self._found: dict[Section, Mapping[str, Where]] = {}

    def add(self, section: Section, file: File, inside: Stanza | File) -> None:
        """Note that what stands in a stanza of a file, or in all of it, belongs to the section."""
        body = (file, inside)
        known = self._bodies.setdefault(section, body)
        if isinstance(known, list):
            known.append(body)
        elif known is not body:
            self._bodies[section] = [known, body]

    def bodies(self, section: Section) -> list[Body]:
        """Return what the section was made of, in the order it was read."""
        known = self._bodies.get(section)
        if known is None:
            return []
        return known if isinstance(known, list) else [known]

    def first(self, section: Section) -> Where | None:
        """Return where the section first stands; None for the file itself."""
        for file, inside in self.bodies(section)[:1]:
            if isinstance(inside, Stanza):
                return file, inside.start
        return None

    def last(self, section: Section, option: str) -> Where | None:
        """Return where an option was set last."""
        found = self._found.get(section)
        if found is None:
            if len(self._found) >= MAX_KEPT:
                self._found.clear()
            found = self._found[section] = dict(self._settings(section))
        return found.get(option)

    def until(self, section: Section, item: Setting) -> dict[str, Where]:
        """Return where options of the section were set last before `item`."""
        found: dict[str, Where] = {}
        for body in self.bodies(section):
            for file, each in self._inside(*body):
                if each is item:
                    return found
                found[each.name] = file, each.start
        return found

    def _settings(self, section: Section) -> Iterator[tuple[str, Where]]:
        for body in self.bodies(section):
            for file, item in self._inside(*body):
                yield item.name, (file, item.start)

    def _inside(self, file: File, inside: Stanza | File) -> Iterator[tuple[File, Setting]]:
        """Yield the settings which stand in a stanza or file itself, and in what it includes."""
        for item in inside.items:
            if isinstance(item, Setting):
                yield file, item
            elif isinstance(item, Include):
                for included in self._document.included.get(item, ()):
                    yield from self._inside(included, included)
