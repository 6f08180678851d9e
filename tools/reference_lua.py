"""Write the manual's page about Lua, docs/reference/lua.md, from what is declared for scripts.

python tools/reference_lua.py           writes it
python tools/reference_lua.py --check   ends with 1 if it differs
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from angarium.core.registry import Registry
from angarium.modules.lua.api.absent import MISSING
from angarium.modules.lua.declare import (
    CONSTANTS,
    FIELDS,
    FUNCTIONS,
    OBJECTS,
    LuaFunction,
    Parameter,
)
from angarium.modules.lua.packages import declare_all

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/reference/lua.md"
MADE = "<!-- Made by tools/reference_lua.py from the declarations; edit those. -->\n"
HEAD = """
# Functions of Lua

What scripts of a `scriptlet` stanza may call, by package. In a signature `[x]` may be left out.
"Waits": the script, and the session it was called for, wait; nobody else does. Every package is
there without being required; `require` returns it. A wrong argument is an error of Lua, which
`pcall` catches.
"""
# Of functions whose engine is missing only the list at the end speaks.
ABSENT = frozenset(name for names in MISSING.values() for name in names.split())
SPECIAL = re.compile(r"__\w+\Z")


def page() -> str:
    """Return the text of the page."""
    declare_all()
    functions = [FUNCTIONS[name] for name in ours(FUNCTIONS) if name not in ABSENT]
    plain = [each for each in functions if not each.is_method]
    lines = [MADE + HEAD]
    by_package: dict[str, list[LuaFunction]] = defaultdict(list)
    for each in plain:
        by_package[each.name.rpartition(".")[0] or "globals"].append(each)
    for package in sorted(by_package):
        lines += [f"## {package}", ""]
        for each in sorted(by_package[package], key=lambda one: one.name):
            lines += entry(each)
    lines += ["## Objects", "", "What functions return and callouts are given.", ""]
    for tag in sorted(ours(OBJECTS)):
        lines += of_object(tag, [each for each in functions if each.tag == tag])
    lines += [*constants(), *missing()]
    return "\n".join(lines).rstrip() + "\n"


def ours(registry: "Registry[Any]") -> list[str]:
    """Return the names which the package declares: tests declare others."""
    return [name for name in registry if registry.place(name).file.startswith(str(ROOT / "src"))]


def entry(function: LuaFunction, level: int = 3) -> list[str]:
    """Return what is said of one function."""
    said = [f"{'#' * level} {function.name}", "", f"    {signature(function)}", "", function.doc]
    remarks = []
    if function.waits or function.maybe:
        remarks.append("Waits." if function.waits else "May wait.")
    if function.phases:
        remarks.append(f"Only in {', '.join(function.phases)}.")
    if function.since:
        remarks.append(f"Since Momentum {function.since}.")
    return [*said, *(["", " ".join(remarks)] if remarks else []), ""]


def signature(function: LuaFunction) -> str:
    """Return how it is called."""
    parameters = function.parameters[1:] if function.is_method else function.parameters
    return f"{function.name}({', '.join(map(_argument, parameters))})"


def _argument(parameter: Parameter) -> str:
    name = parameter.name.rstrip("_")
    if parameter.rest:
        return "..."
    return name if parameter.required else f"[{name}]"


def of_object(tag: str, methods: list[LuaFunction]) -> list[str]:
    """Return what is said of a kind of object."""
    kind = OBJECTS[tag]
    lines = [f"### {tag}", "", f"`{kind.name}`. {kind.doc}".strip(), ""]
    fields = [name for name in ours(FIELDS) if name.partition(".")[0] == tag]
    for name in sorted(fields):
        field = FIELDS[name]
        may = "" if field.write is None else " May be set."
        lines.append(f"- `{name}`: {field.doc}{may}")
    lines += [""] if fields else []
    for each in sorted(methods, key=lambda one: one.name):
        if not SPECIAL.search(each.name):
            lines += entry(each, 4)
    return lines


def constants() -> Iterator[str]:
    yield from ("## Constants", "")
    by_space: dict[str, list[str]] = defaultdict(list)
    for name in ours(CONSTANTS):
        space, _, last = name.rpartition(".")
        by_space[space].append(last)
    for space in sorted(by_space):
        names = ", ".join(f"`{name}`" for name in sorted(by_space[space]))
        yield from (f"**{space}**: {names}", "")


def missing() -> Iterator[str]:
    yield from ("## What is missing", "")
    yield "These functions are there and raise an error which says what they need."
    yield ""
    for what, names in MISSING.items():
        shown = ", ".join(f"`{name}`" for name in sorted(names.split()))
        yield f"- {what}: {shown}"


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        same = PAGE.exists() and PAGE.read_text("utf-8") == page()
        if not same:
            print(f"{PAGE.name} differs; run tools/reference_lua.py", file=sys.stderr)
        return 0 if same else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
