"""A stanza of a configuration as text, JSON or XML: what it sets, or what holds there.

The text is read as a configuration again, and means the same: what is set elsewhere, or nowhere,
stands in comments only. Secrets are masked unless they are asked for; then a file with them is not
the same.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from angarium.config import spelling
from angarium.config.describe import options_of
from angarium.config.kinds import Raw
from angarium.config.option import Option
from angarium.config.path import words
from angarium.config.resolve import Configuration
from angarium.config.scope import Naming, StanzaKind
from angarium.config.section import Section
from angarium.config.spelling import HIDDEN
from angarium.config.where import around

INDENT: Final = "  "
NOT_XML: Final = re.compile(r"[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


@dataclass(frozen=True, slots=True)
class Entry:
    """An option at a stanza. `source`: the stanza that sets it, None if nobody does."""

    name: str
    declared: Option[Any] | None
    value: object
    source: Section | None

    def raw(self, *, secrets: bool) -> Raw:
        """Return the value as the grammar has it, or what stands for a secret."""
        if not secrets and spelling.secret(self.declared, self.name, self.value):
            return HIDDEN
        kind = None if self.declared is None else self.declared.kind
        return spelling.raw(kind, self.value)


class Show:
    """How configurations are shown.

    Args:
        conf: needed to tell what holds at a stanza.
        effective: also options which outer stanzas set.
        defaults: also those which nobody sets, with `effective`.
        secrets: do not mask them.
    """

    __slots__ = ("_conf", "_known", "defaults", "effective", "secrets")

    def __init__(
        self,
        conf: Configuration,
        *,
        effective: bool = False,
        defaults: bool = False,
        secrets: bool = False,
    ) -> None:
        self._conf = conf
        self._known: dict[str, Mapping[str, Option[Any]]] = {}
        self.effective = effective or defaults
        self.defaults = defaults
        self.secrets = secrets

    def known(self, kind: StanzaKind) -> Mapping[str, Option[Any]]:
        found = self._known.get(kind.key)
        if found is None:
            found = self._known[kind.key] = {each.name: each for each in options_of(kind)}
        return found

    def entries(self, section: Section) -> Iterator[Entry]:
        """Yield the options of a stanza: its own as in the file, then the others by name."""
        known = self.known(section.kind)
        for name, value in section.values.items():
            yield Entry(name, known.get(name), value, section)
        if not self.effective:
            return
        chain = around(self._conf, section)
        outer = (name for each in (*chain.hosts, *chain.sections) for name in each.values)
        for name in known if self.defaults else sorted(known.keys() & set(outer)):
            declared = known[name]
            winner = None if name in section.values else chain.winner(declared)
            if winner is not None:
                yield Entry(name, declared, winner.values[name], winner)
            elif self.defaults and name not in section.values:
                yield Entry(name, declared, chain.default(declared), None)

    # The three forms.

    def text(self, section: Section, *, recurse: bool = True) -> str:
        """Return what is in a stanza as lines of a file; without `recurse` inner ones closed."""
        return "".join(self.lines(section, recurse=recurse))

    def lines(self, section: Section, *, recurse: bool = True, indent: str = "") -> Iterator[str]:
        """Yield the lines of `text`, with their ends."""
        for entry in self.entries(section):
            yield from self._lines(entry, section, indent)
        for kind in section.children or ():
            for inner in section.all(kind).values():
                if recurse:
                    yield f"{indent}{head(inner)} {{\n"
                    yield from self.lines(inner, indent=indent + INDENT)
                    yield f"{indent}}}\n"
                else:
                    yield f"{indent}{head(inner)} {{ ... }}\n"

    def _lines(self, entry: Entry, section: Section, indent: str) -> Iterator[str]:
        value = entry.raw(secrets=self.secrets)
        shown = spelling.lines(value, quoted=spelling.quotes(entry.declared))
        if entry.source is not section:
            # A comment ends with its line, also within a value.
            text = " ".join(shown).replace("\n", "\\n")
            yield f"{indent}# {entry.name} = {text}  ({said(entry.source)})\n"
            return
        between = [f"\n{indent}{INDENT}{each}" for each in shown[1:-1]]
        end = [f"\n{indent}{shown[-1]}"] if len(shown) > 1 else []
        yield "".join([indent, entry.name, " = ", shown[0], *between, *end, "\n"])

    def plain(self, section: Section) -> dict[str, Any]:
        """Return a stanza as JSON has it, valid by `schema.document`."""
        found: dict[str, Any] = {}
        for entry in self.entries(section):
            if not self.secrets and spelling.secret(entry.declared, entry.name, entry.value):
                found[entry.name] = HIDDEN
            elif entry.source is not None or entry.value is not None:
                found[entry.name] = spelling.plain_value(entry.declared, entry.value)
        for kind in section.children or ():
            for instance, inner in section.all(kind).items():
                if inner.kind.naming is Naming.NEVER:
                    found[inner.kind.name] = self.plain(inner)
                else:
                    found.setdefault(inner.kind.name, {})[instance] = self.plain(inner)
        return found

    def xml(self, section: Section, *, indent: str = "") -> Iterator[str]:
        """Yield the elements of a stanza, a line each, with their ends."""
        for entry in self.entries(section):
            value = entry.raw(secrets=self.secrets)
            source = "" if entry.source is section else f" from={quoted(origin(entry.source))}"
            yield from _element("option", f" name={quoted(entry.name)}{source}", value, indent)
        for kind in section.children or ():
            for instance, inner in section.all(kind).items():
                name = f" instance={quoted(instance)}" if named(inner) else ""
                yield f"{indent}<stanza name={quoted(inner.kind.name)}{name}>\n"
                yield from self.xml(inner, indent=indent + INDENT)
                yield f"{indent}</stanza>\n"


def document(show: Show, section: Section) -> Iterator[str]:
    """Yield a whole XML document, as `ec_dump_config` prints it."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<configuration{f' of={quoted(words(section))}' if section.parent else ''}>\n"
    yield from show.xml(section, indent=INDENT)
    yield "</configuration>\n"


def head(section: Section) -> str:
    """Return what stands before the { of a stanza."""
    name = section.kind.name
    return f"{name} {written_name(section.instance)}" if named(section) else name


def named(section: Section) -> bool:
    return bool(section.instance) or section.kind.naming is Naming.ALWAYS


def written_name(instance: str) -> str:
    """Return the name of a stanza in quotes, as the console prints it."""
    return '"' + re.sub(r'(["\\])', r"\\\1", instance) + '"'


def origin(source: Section | None) -> str:
    """Return who sets a value, as one word of the console each."""
    if source is None:
        return "default"
    return words(source) or "global"


def said(source: Section | None) -> str:
    """Say who sets a value."""
    return f"from {origin(source)}" if source is not None else "default"


def quoted(text: str) -> str:
    """Return an attribute of XML; what may not stand in XML is U+FFFD."""
    return quoteattr(NOT_XML.sub("\ufffd", text))


def _element(tag: str, attributes: str, value: Raw, indent: str) -> Iterator[str]:
    start = f"{indent}<{tag}{attributes}"
    if isinstance(value, str):
        if NOT_XML.search(value):
            octets = value.encode("utf-8", "surrogateescape")
            yield f'{start} encoding="base64">{base64.b64encode(octets).decode()}</{tag}>\n'
        else:
            yield f"{start}>{escape(value)}</{tag}>\n"
        return
    yield f"{start}>\n"
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _element("entry", f" key={quoted(key)}", each, indent + INDENT)
    else:
        for each in value:
            yield from _element("item", "", each, indent + INDENT)
    yield f"{indent}</{tag}>\n"
