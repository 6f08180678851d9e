"""Write the manual's pages about options, stanzas and modules from their declarations.

python tools/reference.py           writes docs/reference/{options,stanzas,modules}
python tools/reference.py --check   says which differ, and ends with 1 if any does

options   a page for each option which falls back, by name and by subject
stanzas   a page for each stanza of the server's own: what may stand in it
modules   a page for each module, with all its options
"""

import inspect
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from angarium.config import sample
from angarium.config.describe import Description, describe, options_of, stanza_kinds
from angarium.config.load import declarations
from angarium.config.option import CLASSES, OPTIONS, Option, Options, State
from angarium.config.scope import STANZAS, Naming, Scope, StanzaKind

FOLDER: Final = Path(__file__).parent.parent / "docs/reference"
PARTS: Final = ("options", "stanzas", "modules")
MADE: Final = "<!-- Made by tools/reference.py from the declarations; edit those. -->\n"
DIRECTIONS: Final = {"sending": "sending", "receiving": "reception", "both": "both ways", "na": ""}
STATES: Final = {State.WORKS: "works", State.ACCEPTED: "no effect", State.PLANNED: "planned"}
RELATED: Final = 8  # options named at the end of a page
TOP: Final = "global"  # the name of the page about the file itself


def pages() -> dict[str, str]:
    """Return the text of every page by its path below docs/reference."""
    declarations()
    made = {f"options/{each.name}.md": option_page(each) for each in falling_back()}
    for kind in stanza_kinds():
        made[where(kind)] = stanza_page(kind)
    made["options/index.md"] = by_name()
    made["options/subjects.md"] = by_subject()
    made["stanzas/index.md"] = all_stanzas()
    made["modules/index.md"] = all_modules()
    return made


def falling_back() -> list[Option[Any]]:
    """Return the options which stand in stanzas that fall back, not in one of their own."""
    return [each for each in OPTIONS.values() if not each.stanza]


def kinds() -> list[StanzaKind]:
    """Return all stanzas by key; the order of declaration depends on who imported what first."""
    return sorted(STANZAS.values(), key=lambda each: each.key)


def is_module(kind: StanzaKind) -> bool:
    """Say whether a stanza, or the one it belongs to, is a module's."""
    outer = kind.key.partition(".")[0]
    cls = CLASSES.get(outer)
    return cls is not None and cls.__module__.startswith("angarium.modules.")


def where(kind: StanzaKind) -> str:
    """Return the path of a stanza's page."""
    return f"{'modules' if is_module(kind) else 'stanzas'}/{kind.key or TOP}.md"


# Links, from a page in one of the folders.


def to_option(declared: Option[Any], text: str = "") -> str:
    shown = f"`{text or declared.name}`"
    if declared.stanza:
        return f"[{shown}](../{where(STANZAS[declared.stanza])}#{anchor(declared.name)})"
    return f"[{shown}](../options/{declared.name}.md)"


def to_stanza(kind: StanzaKind) -> str:
    return f"[`{kind.name or TOP}`](../{where(kind)})"


def anchor(name: str) -> str:
    return name.lower()


def escaped(text: str) -> str:
    """Keep Markdown from taking a leading underscore for emphasis, or a bar for a column."""
    lead = "\\" if text.startswith("_") else ""
    return lead + text.replace("|", "\\|")


def sentence(text: str) -> str:
    """Return the first sentence without its end, for a table."""
    return escaped(re.split(r"(?<=[.:;]) ", " ".join(text.split()))[0].rstrip(".:;"))


# Options.


def option_page(declared: Option[Any]) -> str:
    """Return the page of one option."""
    about = describe(declared)
    lines = [MADE, f"# {escaped(declared.name)}", "", about.doc, ""]
    lines += [*table(declared, about), *shown(sample.example(declared))]
    owner = declared.owner
    assert owner is not None
    family = [each for each in owner.declared if each.name != declared.name]
    near = sorted(family, key=lambda each: abs(position(owner, each) - position(owner, declared)))
    if near:
        names = ", ".join(to_option(each) for each in near[:RELATED])
        subject = heading(owner)
        lines += [f"See also: {names}; all of [{subject}](subjects.md#{slug(subject)}).", ""]
    return "\n".join(lines).rstrip() + "\n"


def position(owner: type[Options], declared: Option[Any]) -> int:
    return owner.declared.index(declared)


def table(declared: Option[Any], about: Description) -> list[str]:
    """Return the facts of an option as a table."""
    stanzas = ", ".join(to_stanza(kind) for kind in stanza_kinds() if kind.scope in declared.scopes)
    rows = [
        ("may stand in", "" if declared.stanza else stanzas),
        ("value", about.kind),
        ("default", f"`{about.default}`" if about.default else "none"),
        ("concerns", DIRECTIONS[about.direction]),
        ("changes", "while running" if about.dynamic else "with a restart"),
        ("since", about.since),
    ]
    rows += [(f"unset in a `{scope}`", f"`{value}`") for scope, value in about.unset if value]
    standing = STANZAS[declared.stanza].standing if declared.stanza else None
    told = standing is not None and (standing.state, standing.reason) == (
        declared.state,
        about.reason,
    )
    if declared.state is not State.WORKS and not told:
        rows.append(("here", f"{about.state}. {about.reason}".rstrip()))
    lines = [f"| {left} | {escaped(right)} |" for left, right in rows if right]
    return ["| | |", "|-|-|", *lines, ""]


def shown(text: str) -> list[str]:
    return ["```", *text.split("\n"), "```", ""]


def by_name() -> str:
    lines = [
        MADE,
        "# Options",
        "",
        "Every option there is, by name; [by subject](subjects.md),"
        " [by stanza](../stanzas/index.md), [by module](../modules/index.md). The guide to"
        " [configuration](../../guide/configuration.md) says how values fall back. In a terminal"
        " `angarium config explain NAME` says the same.",
        "",
        "| option | default | here | what for |",
        "|-|-|-|-|",
    ]
    names = sorted(OPTIONS, key=lambda each: each.lstrip("_"))
    lines += [row(OPTIONS[key], key) for key in names]
    return "\n".join(lines) + "\n"


def row(declared: Option[Any], text: str = "") -> str:
    about = describe(declared)
    default = f"`{escaped(about.default)}`" if about.default else ""
    state = STATES[declared.state]
    return f"| {to_option(declared, text)} | {default} | {state} | {sentence(about.doc)} |"


def by_subject() -> str:
    """Return the options which fall back, class by class of the declarations."""
    lines = [MADE, "# Options by subject", ""]
    families: dict[type[Options], list[Option[Any]]] = {}
    for declared in falling_back():
        assert declared.owner is not None
        families.setdefault(declared.owner, []).append(declared)
    for owner in sorted(families, key=heading):
        rest = inspect.cleandoc(owner.__doc__ or "").partition("\n")[2].strip()
        lines += [f"## {heading(owner)}", "", *([rest, ""] if rest else [])]
        lines += ["| option | default | here | what for |", "|-|-|-|-|"]
        lines += [*map(row, families[owner]), ""]
    return "\n".join(lines).rstrip() + "\n"


def heading(owner: type[Options]) -> str:
    return inspect.cleandoc(owner.__doc__ or "").partition("\n")[0].rstrip(".")


def slug(text: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", text.lower()).strip())


# Stanzas and modules.


def stanza_page(kind: StanzaKind) -> str:
    """Return the page of a stanza: what it is, where it stands, what may stand in it."""
    title = kind.name or "The file itself"
    lines = [MADE, f"# {title}", "", kind.doc, ""]
    lines += [*state_of(kind), *placing(kind), *inner_stanzas(kind)]
    options = options_of(kind)
    if kind.free:
        lines += ["Options of any other name may stand in it; what reads it knows them.", ""]
    if kind.scope is Scope.OWN:
        for declared in options:
            lines += entry(declared)
    elif options:
        lines += ["| option | default | here | what for |", "|-|-|-|-|", *map(row, options), ""]
    return "\n".join(lines).rstrip() + "\n"


def state_of(kind: StanzaKind) -> list[str]:
    standing = kind.standing
    if standing.state is State.WORKS:
        return []
    said = standing.state.value
    lines = [f"**{said[0].upper()}{said[1:]}.** {standing.reason}".rstrip()]
    if standing.refused:
        lines.append("A file which uses it is refused: going on without it is not safe.")
    elif standing.loss:
        lines.append(f"Without it: {standing.loss}.")
    return [" ".join(lines), ""]


def placing(kind: StanzaKind) -> list[str]:
    """Return how a stanza is opened, and where."""
    if not kind.key:
        return []
    outer = [to_stanza(STANZAS[each]) if each else "the file itself" for each in ordered(kind)]
    name = {Naming.NEVER: "", Naming.ALWAYS: ' "name"', Naming.MAYBE: ' ["name"]'}[kind.naming]
    return [f"`{kind.name}{name} {{ ... }}` stands in {', '.join(outer)}.", ""]


def ordered(kind: StanzaKind) -> Iterable[str]:
    return sorted(kind.parents)


def inner_stanzas(kind: StanzaKind) -> list[str]:
    inner = [each for each in kinds() if kind.key in each.parents]
    if not kind.key:
        inner = [each for each in inner if not is_module(each)]
    if not inner:
        return []
    modules = "" if kind.key else ", and [modules](../modules/index.md)"
    return [f"Stanzas in it: {', '.join(map(to_stanza, inner))}{modules}.", ""]


def entry(declared: Option[Any]) -> list[str]:
    """Return what a stanza's page says of an option of its own."""
    about = describe(declared)
    facts = table(declared, about)
    lines = [f"## {escaped(declared.name)}", "", about.doc, "", *facts]
    return [*lines, *shown(sample.example(declared))]


def all_stanzas() -> str:
    lines = [MADE, "# Stanzas", "", "What may be opened with `{`, and where.", ""]
    lines += ["| stanza | stands in | what it is |", "|-|-|-|"]
    for kind in (stanza_kinds()[0], *kinds()):
        if not is_module(kind):
            outer = ", ".join(
                to_stanza(STANZAS[each]) if each else "the file" for each in ordered(kind)
            )
            lines.append(f"| {to_stanza(kind)} | {outer} | {sentence(kind.doc)} |")
    lines += ["", "Every [module](../modules/index.md) has a stanza of its name."]
    return "\n".join(lines) + "\n"


def all_modules() -> str:
    lines = [
        MADE,
        "# Modules",
        "",
        "Each has a stanza of its name; those with instances may have several, by name. What is"
        " planned may stand in a file, and is told when the file is read.",
        "",
        "| module | instances | here | what it does |",
        "|-|-|-|-|",
    ]
    for kind in kinds():
        if is_module(kind) and "." not in kind.key:
            many = "no" if kind.naming is Naming.NEVER else "yes"
            state = STATES[kind.standing.state]
            lines.append(f"| {to_stanza(kind)} | {many} | {state} | {sentence(kind.doc)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    made = pages()
    there = {
        f"{part}/{path.name}": path.read_text("utf-8")
        for part in PARTS
        for path in (FOLDER / part).glob("*.md")
    }
    if "--check" in arguments:
        differing = sorted(name for name in made | there if made.get(name) != there.get(name))
        for name in differing:
            print(f"docs/reference/{name} differs; run tools/reference.py", file=sys.stderr)
        return 1 if differing else 0
    for part in PARTS:
        (FOLDER / part).mkdir(parents=True, exist_ok=True)
    for name in there.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, text in made.items():
        if there.get(name) != text:
            (FOLDER / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
