"""Write the manual's page about programs, docs/reference/programs.md, from their --help.

python tools/reference_programs.py           writes it
python tools/reference_programs.py --check   ends with 1 if it differs
"""

import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from angarium.run.programs import cli

PAGE = Path(__file__).parent.parent / "docs/reference/programs.md"
MADE = "<!-- Made by tools/reference_programs.py from the declarations; edit those. -->\n"


def page() -> str:
    """Return the text of the page."""
    codes = inspect.cleandoc(cli.__doc__ or "").partition("\n\n")[2]
    lines = [
        MADE,
        "# Programs",
        "",
        "Everything is a subcommand of `angarium`; each has `--help`.",
        "",
        codes,
        "",
    ]
    group = click.Context(cli.main, info_name="angarium")
    for name in cli.main.list_commands(group):
        # One that is announced and not there yet is left out.
        if importlib.util.find_spec(f"angarium.run.programs.{name}") is not None:
            command = cli.main.get_command(group, name)
            assert command is not None
            lines += entries(name, command, group)
    return "\n".join(lines).rstrip() + "\n"


def entries(name: str, command: click.Command, above: click.Context) -> Iterator[str]:
    """Yield what is said of a program, and of its subcommands where it has some."""
    yield from entry(name, command, above)
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name, parent=above)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from entries(f"{name} {each}", below, context)


def entry(name: str, command: click.Command, group: click.Context) -> list[str]:
    """Return what is said of one program."""
    context = click.Context(command, info_name=name, parent=group)
    pieces = command.collect_usage_pieces(context)
    words = ["angarium", name, *(each for each in pieces if each != "[OPTIONS]")]
    rows = [row(each, context) for each in command.params if isinstance(each, click.Option)]
    return [
        f"## angarium {name}",
        "",
        f"    {' '.join(words)} [OPTIONS]",
        "",
        *paragraphs(inspect.cleandoc(command.help or "")),
        *(["| option | | default |", "|-|-|-|", *rows, ""] if rows else []),
    ]


def paragraphs(text: str) -> Iterator[str]:
    """Yield the lines of a help text; what it indents stays as it is (click's \\b mark)."""
    for block in text.replace("\b\n", "").split("\n\n"):
        yield block
        yield ""


def row(option: click.Option, context: click.Context) -> str:
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    names = ", ".join(f"`{each}{metavar}`" for each in (*option.opts, *option.secondary_opts))
    needed = " Required." if option.required else ""
    return f"| {escaped(names)} | {escaped((option.help or '') + needed)} | {default(option)} |"


def default(option: click.Option) -> str:
    """Return what holds if the option is not given, as one would write it; "" for nothing."""
    value = option.to_info_dict()["default"]
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not value:
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def escaped(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        same = PAGE.exists() and PAGE.read_text("utf-8") == page()
        if not same:
            print(f"{PAGE.name} differs; run tools/reference_programs.py", file=sys.stderr)
        return 0 if same else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
