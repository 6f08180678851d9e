"""What may come next on a line of the console: a command, a word of one, a scope, an option.

It answers from the declarations of this program, so nobody is asked while somebody types.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from angarium.config.describe import options_of
from angarium.config.path import PathError, parse
from angarium.config.scope import TOP, stanzas_in

OURS: Final = ("quit", "exit", "watch", "\\pager", "xml")
# Commands whose arguments are a place in the configuration.
PLACES: Final = ("config get", "config eval", "config show", "config showrecurse", "config set",
                 "config unset", "config add", "config remove")  # fmt: skip


def candidates(line: str, commands: Iterable[str]) -> tuple[str, list[str]]:
    """Return the word which is being typed, and what it may become.

    Args:
        commands: names of all commands of the server.
    """
    words = line.split()
    begun = words.pop() if words and not line[-1:].isspace() else ""
    if words[:1] == ["xml"]:
        words = words[1:]
    elif words[:1] == ["watch"]:
        words = words[2:] if len(words) > 1 else ["watch"]
    said = " ".join(words).lower()
    known = list(commands)
    found = {_next(each, said) for each in known} - {""}
    if not words:
        found |= set(OURS)
    if words[:1] == ["help"]:
        found |= {_next(each, " ".join(words[1:]).lower()) for each in known} - {""}
    place = next((each for each in PLACES if f"{said} ".startswith(f"{each} ")), None)
    if place is not None:
        found |= set(_inside(words[len(place.split()) :]))
    return begun, sorted(each for each in found if each.startswith(begun.lower()))


def _next(command: str, said: str) -> str:
    """Return the word of a command after those which are said; "" if it goes on otherwise."""
    if not said:
        return command.partition(" ")[0]
    if not command.startswith(f"{said} "):
        return ""
    return command[len(said) + 1 :].partition(" ")[0]


def _inside(words: Sequence[str]) -> list[str]:
    """Return stanzas and options at a place; none where a name has to come."""
    try:
        place = parse(words)
    except PathError:
        return []
    if place.rest:
        return []
    kind = place.kind if place.steps else TOP
    return [*stanzas_in(kind), *(each.name for each in options_of(kind))]
