"""`help`: what commands there are, and what one does."""

from typing import Annotated

from angarium.console.access import Rank
from angarium.console.command import COMMANDS, Command, Words, command
from angarium.console.errors import CommandError
from angarium.console.result import Result, Said
from angarium.console.session import Session


@command("help", who=Rank.VIEWER)
def show(session: Session, words: Annotated[Words, "[command]"]) -> Result:
    """List the commands, or say what one does, or those which begin with a word."""
    name = " ".join(words).lower()
    found = [COMMANDS[each] for each in sorted(COMMANDS) if f"{each} ".startswith(f"{name} ")]
    found = found if name else [COMMANDS[each] for each in sorted(COMMANDS)]
    if not found:
        raise CommandError(f"there is no command {name}; help alone lists them")
    if name in COMMANDS and len(found) == 1:
        [one] = found
        return Said(f"{one.syntax}\n\n{one.doc}", _plain(one))
    width = max(len(each.syntax) for each in found)
    lines = [f"{each.syntax:{width}}  {_first(each)}" for each in found]
    return Said("\n".join(lines), [_plain(each) for each in found])


def _first(each: Command) -> str:
    return each.doc.partition("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".")


def _plain(each: Command) -> dict[str, str]:
    return {"command": each.name, "syntax": each.syntax, "help": each.doc, "who": each.who.name}
