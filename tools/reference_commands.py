"""Write the manual's page about console commands, docs/reference/commands.md, from their help.

python tools/reference_commands.py           writes it
python tools/reference_commands.py --check   ends with 1 if it differs
"""

import sys
from pathlib import Path

from angarium.console.command import COMMANDS, Command, declarations

PAGE = Path(__file__).parent.parent / "docs/reference/commands.md"
MADE = "<!-- Made by tools/reference_commands.py from the declarations; edit those. -->\n"
HEAD = """
# Commands of the console

What `angarium console` takes, by name. How to use it: [the
console](../guide/console.md). In the syntax `<x>` has to be there, `[x]` may be left
out. A *scope* is a stanza, by the words which lead to it: `binding b1 domain example.com`; none is
the whole file. "Looks only": a command which changes nothing. The client has words of its own:
`quit`, `exit`, `watch N COMMAND` and `\\pager`.
"""


def page() -> str:
    """Return the text of the page."""
    declarations()
    lines = [MADE + HEAD]
    for name in sorted(COMMANDS):
        lines += entry(COMMANDS[name])
    return "\n".join(lines).rstrip() + "\n"


def entry(command: Command) -> list[str]:
    """Return what is said of one command."""
    looks = command.who.name == "VIEWER"
    doc = command.doc + ("\n\nLooks only." if looks else "")
    return [f"## {command.name}", "", f"    {command.syntax}", "", doc, ""]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        same = PAGE.exists() and PAGE.read_text("utf-8") == page()
        if not same:
            print(f"{PAGE.name} differs; run tools/reference_commands.py", file=sys.stderr)
        return 0 if same else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
