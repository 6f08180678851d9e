"""Write the manual's pages about options, docs/reference/options/, from their declarations.

python tools/reference.py           writes them
python tools/reference.py --check   says which differ, and ends with 1 if any does
"""

import inspect
import re
import sys
from pathlib import Path
from typing import Any

from angarium.config.describe import Description, describe, options_of, stanza_kinds
from angarium.config.load import declarations
from angarium.config.option import OPTIONS, Option, Options
from angarium.config.scope import STANZAS, Naming, Scope, StanzaKind

FOLDER = Path(__file__).parent.parent / "docs/reference/options"
MADE = "<!-- Made by tools/reference.py from the declarations; edit those. -->\n"
DIRECTIONS = {"sending": "sending", "receiving": "reception", "both": "both ways", "na": ""}


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    declarations()
    classes: dict[type[Options], list[Option[Any]]] = {}
    for declared in OPTIONS.values():
        if declared.owner is not None:
            classes.setdefault(declared.owner, []).append(declared)
    found = {f"{slug(cls)}.md": page(cls, options) for cls, options in classes.items()}
    return found | {"index.md": index(), "stanzas.md": stanzas()}


def slug(cls: type[Options]) -> str:
    """Return the name of the page of a class."""
    return cls.stanza or re.sub(r"(?<=.)([A-Z])", r"-\1", cls.__name__).lower()


def page(cls: type[Options], options: list[Option[Any]]) -> str:
    title = f"The stanza `{cls.stanza}`" if cls.stanza else inspect.cleandoc(cls.__doc__ or "")
    first, _, rest = title.partition("\n")
    lines = [MADE, f"# {first.rstrip('.')}", ""]
    if cls.stanza:
        lines += [inspect.cleandoc(cls.__doc__ or ""), ""]
    elif rest.strip():
        lines += [rest.strip(), ""]
    for declared in options:
        lines += entry(describe(declared), declared.name)
    return "\n".join(lines).rstrip() + "\n"


def entry(about: Description, name: str) -> list[str]:
    """Return what is said of one option."""
    rows = [
        ("may stand in", ", ".join(f"`{each}`" for each in about.scopes)),
        ("value", about.kind),
        ("default", f"`{about.default}`" if about.default else "none"),
        ("concerns", DIRECTIONS[about.direction]),
        ("changes", "while running" if about.dynamic else "with a restart"),
        ("since", about.since),
    ]
    rows += [(f"unset in a `{scope}`", f"`{value}`") for scope, value in about.unset if value]
    if about.state != "works":
        rows.append(("here", f"{about.state}. {about.reason}"))
    table = [f"| {left} | {escaped(right)} |" for left, right in rows if right]
    return [f"## {escaped(name)}", "", about.doc, "", "| | |", "|-|-|", *table, ""]


def link(declared: Option[Any], text: str) -> str:
    assert declared.owner is not None
    return f"[{escaped(text)}]({slug(declared.owner)}.md#{declared.name})"


def escaped(text: str) -> str:
    """Keep Markdown from taking a leading underscore for emphasis, or a bar for a column."""
    lead = "\\" if text.startswith("_") else ""
    return lead + text.replace("|", "\\|")


def index() -> str:
    lines = [
        MADE,
        "# Options",
        "",
        "Every option there is. [Stanzas](stanzas.md) says what may stand where, the guide to"
        " [configuration](../../guide/configuration.md) how values fall back.",
        "",
        "| option | default | what for |",
        "|-|-|-|",
    ]
    for key in sorted(OPTIONS, key=lambda each: each.lstrip("_")):
        about = describe(OPTIONS[key])
        sentence = re.split(r"(?<=[.:]) ", about.doc)[0].rstrip(".:")
        default = f"`{about.default}`" if about.default else ""
        lines.append(f"| {link(OPTIONS[key], key)} | {default} | {escaped(sentence)} |")
    return "\n".join(lines) + "\n"


def stanzas() -> str:
    lines = [MADE, "# Stanzas", "", "What may be opened with `{`, and what may be set in it.", ""]
    for kind in stanza_kinds():
        lines += stanza(kind)
    return "\n".join(lines).rstrip() + "\n"


def stanza(kind: StanzaKind) -> list[str]:
    options = [link(each, each.name) for each in options_of(kind)]
    if kind.scope is not Scope.OWN and not options:
        return []
    names = {
        Naming.NEVER: "",
        Naming.ALWAYS: ' "name"',
        Naming.MAYBE: ' ["name"]',
    }[kind.naming]
    lines = [f"## {kind.name or 'The file itself'}", "", kind.doc, ""]
    if kind.key:
        outer = [STANZAS[each].name if each else "the file itself" for each in sorted(kind.parents)]
        lines += [f"`{kind.name}{names} {{ ... }}` in: {', '.join(outer)}.", ""]
    return [*lines, "Options: " + ", ".join(options) + ".", ""]


def main(arguments: list[str]) -> int:
    made = pages()
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    if "--check" in arguments:
        differing = sorted(
            name for name in made | there if made.get(name) != there.get(name)
        )  # fmt: skip
        for name in differing:
            print(f"docs/reference/options/{name} differs; run tools/reference.py", file=sys.stderr)
        return 1 if differing else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
