"""Commands which policy has added, such as those of msys.registerControl.

Each worker does them with its own part of the mail. Where all print the same it is printed once.
"""

from angarium.config.path import split
from angarium.config.resolve import Configuration
from angarium.console.errors import CommandError, UnknownError
from angarium.console.node import Node
from angarium.console.questions.scripts import script_command
from angarium.console.result import Result, Said

# Which may add commands: scripts, and modules which have some of their own.
STANZAS = ("scriptlet", "opendkim", "dkim_sign", "dkim_validate", "dk_sign", "openarc")


def has_scripts(configuration: Configuration) -> bool:
    """Say whether there is anybody who may have added commands."""
    return any(configuration.has(stanza) for stanza in STANZAS)


async def scripted(node: Node, line: str, unknown: UnknownError) -> Result:
    """Do it in all workers.

    Raises:
        UnknownError: nobody knows it.
        CommandError: nobody could do it, and why.
    """
    answers = await node.ask(script_command(split(line)))
    printed = {name: answer.text for name, answer in answers.each.items() if answer.known}
    if not printed:
        raise CommandError("; ".join(answers.missing)) if answers.failed else unknown
    fields = {"printed": printed, "missing": answers.missing}
    if len(set(printed.values())) == 1:
        lines = [next(iter(printed.values()))]
    else:
        lines = [f"{name}:\n{text}" for name, text in sorted(printed.items())]
    return Said("\n".join([*(each for each in lines if each), *answers.missing]), fields)
