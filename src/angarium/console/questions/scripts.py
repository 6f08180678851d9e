"""Commands of the console which policy has added: each worker does them with its own part."""

from typing import TYPE_CHECKING

import msgspec

from angarium.console.question import question

if TYPE_CHECKING:
    from angarium.console.parts import Parts

MOST: int = 1_000_000  # characters of what a command prints


class Printed(msgspec.Struct, frozen=True):
    """What a command has printed; `known`: there is one of that name."""

    known: bool
    text: str = ""


@question("script command")
async def script_command(worker: "Parts", words: list[str]) -> Printed:
    """Do a command which policy has added; the longest name that fits is meant."""
    commands = worker.services.policing.commands
    for count in range(len(words), 0, -1):
        name = " ".join(words[:count])
        if (found := commands.get(name)) is not None:
            return Printed(True, (await found([name, *words[count:]]))[:MOST])
    return Printed(False)
