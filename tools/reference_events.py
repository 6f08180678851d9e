"""Write the manual's page about events, docs/reference/events.md, from their declarations.

python tools/reference_events.py           writes it
python tools/reference_events.py --check   ends with 1 if it differs
"""

import inspect
import sys
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from angarium.events import schema
from angarium.events.schema import EVENTS, number_of

PAGE = Path(__file__).parent.parent / "docs/reference/events.md"
MADE = "<!-- Made by tools/reference_events.py from the declarations; edit those. -->\n"
TYPES = {float: "time", int: "integer", str: "text", dict: "map of texts"}


def page() -> str:
    """Return the text of the page."""
    rule = inspect.cleandoc(schema.__doc__ or "").partition("\n\n")[2]
    lines = [MADE, "# Events", "", rule, ""]
    lines += ["Logs are made from them: [the lines of the text logs](logs.md).", ""]
    for declared in EVENTS.values():
        lines += entry(declared)
    return "\n".join(lines).rstrip() + "\n"


def entry(declared: type[Struct]) -> list[str]:
    """Return what is said of one event."""
    rows = [
        f"| {each.name} | {kind(each)} | {meaning(declared, each)} |" for each in fields(declared)
    ]
    return [
        f"## {declared.__name__}",
        "",
        f"{inspect.cleandoc(declared.__doc__ or '')} Number {number_of(declared)}.",
        "",
        "| field | value | meaning |",
        "|-|-|-|",
        *rows,
        "",
    ]


def kind(field: FieldInfo) -> str:
    plain = field.type.__origin__
    name = TYPES[get_origin(plain) or plain]
    return name if field.default is NODEFAULT else f"{name}, else `{field.default}`"


def meaning(declared: type[Struct], field: FieldInfo) -> str:
    hint = get_type_hints(declared, include_extras=True)[field.name]
    _, meta = get_args(hint)
    return str(meta.description)


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == page() else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
