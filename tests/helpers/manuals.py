"""The examples of Momentum's manuals: code blocks of Markdown pages, and which are configuration.

The pages are not ours and not in this tree: CONTRIBUTING.md says how to get them. A block is taken
for configuration when it has a line as the grammar has them (a setting, the head of a stanza, an
include) whose name is an option or stanza that we know, and no line that shows it to be something
else: a prompt, a statement of a language, an element of XML.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from angarium.config.errors import Fault, Severity
from angarium.config.load import check
from angarium.config.option import OPTIONS
from angarium.config.scope import STANZAS, Naming, StanzaKind
from angarium.config.tree import Snapshot

MANUALS: Final = (
    ("3", "momentum-documentation/docs/web-ref"),
    ("4", "momentum-documentation/docs/web-momo4"),
    ("5", "support-docs/content/momentum"),
)

NAMES: Final = {"listen": "*:25", "peer": "192.0.2.1"}  # of stanzas which want a certain form

_FENCE: Final = re.compile(r"[ >]*(?:[*+-] +)?```+ *([\w+-]*) *")
_FENCE_END: Final = re.compile(r"[ >]*```+ *")
_INDENTED: Final = re.compile(r" {4,}\S.*")
_SETTING: Final = re.compile(r"^[ \t]*([A-Za-z_][\w:.-]*)[ \t]*=(?!=)[ \t]*\S", re.MULTILINE)
_HEAD: Final = re.compile(
    r"^[ \t]*([A-Za-z_][\w:.-]*)(?:[ \t]+(?:\"[^\"\n]*\"|/\S+|[^\s\"={}()\[\]]+))?\s*=?\s*\{",
    re.MULTILINE,
)
_INCLUDE: Final = re.compile(
    r'^\s*(?:readonly_)?include\s+"?[^"\s=]+"?\s*$', re.IGNORECASE | re.MULTILINE
)
_OTHER: Final = re.compile(
    # a statement of a language or a shell, a prompt, an element of XML
    r"^\s*(?:end$|(?:local|function|static|struct|void|int|var|export|sudo|cat|cd|if|return|"
    r"upstream)\b(?! *=)|\S*/tmp/2025>|\d\d:\d\d:\d\d\s|\w*shell>|m?y?sql>|\S+@\S+[#$]|\$ |"
    r"</?\w[^>\n]*>|<\?|[A-Z_]+=['\"\w/$]+$|.*;[ \t]*$|"
    # a script, a step of a list, a table of Lua
    r"#!/|\d+\.  ?[A-Z]|.*\{\s*\{ *$|\[\"[^\"]+\"\] *=|\w+ *= *\{ *[\"\d]|"
    # a line of a log, what a program printed, a file of ec_rotate
    r"\d{10}:|[A-Z][\w -]*: |\w+ *=> |logfiles *=|"
    # what may be written, in place of it
    r"\w+ *= *<)",
    re.MULTILINE,
)
# How the pages are set: broken lines, emphasis, quotation marks, and what is left out.
_BROKEN: Final = re.compile(r"[ \t]*»[ \t]*\n[ \t]*")
_EMPHASIS: Final = re.compile(r"\*`([^`\n]*)`\*|`([^`\n]*)`|\*\*(?=\S)|(?<=\S)\*\*(?=\s|$)")
_TYPESET: Final = str.maketrans({"“": '"', "”": '"', "\u00a0": " "})
_LEFT_OUT: Final = re.compile(
    r"^[ \t]*(?:\.\.\..*|…|\.|\[\.\.\.\]|\(\.\.\.\))[ \t]*$|(?<=\{)\s*\.\.\.\s*(?=\})", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Example:
    """One block: the version of the manual, the page, its line there, and the text."""

    version: str
    page: str
    line: int
    text: str

    @property
    def name(self) -> str:
        """Return what names the text, wherever it is printed: pages move and are repeated."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:10]


def examples(corpora: Path) -> Iterator[Example]:
    """Yield every configuration of all manuals, each text once."""
    known = names()
    seen: set[str] = set()
    for version, folder in MANUALS:
        for path in sorted((corpora / folder).rglob("*.md")):
            page = path.relative_to(corpora / folder).with_suffix("").as_posix()
            for line, text in blocks(path.read_text("utf-8", "replace")):
                if text not in seen and is_configuration(text, known):
                    seen.add(text)
                    yield Example(version, page, line, as_written(text))


def names() -> frozenset[str]:
    """Return the names of all options and stanzas that we know."""
    options = {each.name for each in OPTIONS.values()}
    return frozenset(options | {each.name for each in STANZAS.values()})


def blocks(page: str) -> Iterator[tuple[int, str]]:
    """Yield the code blocks without a language, fenced or indented, with their first lines."""
    lines = page.split("\n")
    at = 0
    while at < len(lines):
        fence = _FENCE.fullmatch(lines[at])
        start = at = at + 1
        if fence is not None:
            while at < len(lines) and not _FENCE_END.fullmatch(lines[at]):
                at += 1
            if not fence[1]:
                yield start + 1, "\n".join(lines[start:at])
            at += 1
        elif _INDENTED.fullmatch(lines[start - 1]) and not (start > 1 and lines[start - 2].strip()):
            while at < len(lines) and _is_indented(lines[at]):
                at += 1
            yield start, "\n".join(lines[start - 1 : at])


def _is_indented(line: str) -> bool:
    return not _FENCE.fullmatch(line) and (not line.strip() or line.startswith("    "))


def is_configuration(text: str, known: frozenset[str]) -> bool:
    """Say whether a block is configuration, by the rule above."""
    if _OTHER.search(text) or text.lstrip().startswith(("{", "[", "<")):
        return False
    found = [each[1].lower() for each in (*_SETTING.finditer(text), *_HEAD.finditer(text))]
    return not known.isdisjoint(found) or _INCLUDE.search(text) is not None


def as_written(text: str) -> str:
    """Return a block as it would stand in a file, without what belongs to the page."""
    joined = _BROKEN.sub("", text)
    plain = _EMPHASIS.sub(lambda found: found[1] or found[2] or "", joined)
    return _LEFT_OUT.sub("", plain.translate(_TYPESET))


def errors(text: str) -> list[Fault]:
    """Return the errors of a configuration, or none if it loads in one of the stanzas it is from.

    Many an example is what stands in a stanza, without the stanza.
    """
    whole = _errors(text)
    if not whole or not any(not _errors(each) for each in _in_stanzas(text)):
        return whole
    return []


def _errors(text: str) -> list[Fault]:
    octets = text.encode("utf-8", "replace")
    found = check("example", Snapshot("example", (), {"example": octets}, {}))
    return [each for each in found.faults if each.severity is Severity.ERROR]


def _in_stanzas(text: str) -> Iterator[str]:
    """Yield the text inside each stanza it might be from."""
    for kind in STANZAS.values():
        if kind.free:
            continue  # It would take anything.
        inner = text
        for each in (kind, *_around(kind)):
            name = "" if each.naming is Naming.NEVER else f' "{NAMES.get(each.key, "x.com")}"'
            inner = f"{each.name}{name} {{\n{inner}\n}}"
        yield inner


def _around(kind: StanzaKind) -> Iterator[StanzaKind]:
    """Yield the stanzas around one, from it to the top of the file."""
    while "" not in kind.parents:
        kind = STANZAS["esmtp_listener" if "esmtp_listener" in kind.parents else min(kind.parents)]
        yield kind
