"""`angarium completion`: what a shell needs to complete our commands, options and files."""

from typing import Final

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from angarium.run.programs import cli

PROGRAM = "angarium"
VARIABLE = "_ANGARIUM_COMPLETE"


class Fish(FishComplete):
    """What fish needs. That of click ends the description of a word at its first comma."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


SHELLS: Final[dict[str, type[ShellComplete]]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": Fish,
}


@click.command("completion", short_help="print what a shell needs to complete our commands")
@click.argument("shell", type=click.Choice(list(SHELLS)))
def command(shell: str) -> None:
    """Print a script for a shell, which then completes commands, options, stanzas and files.

    \b
    bash  angarium completion bash > /etc/bash_completion.d/angarium
    zsh   angarium completion zsh > "${fpath[1]}/_angarium"
    fish  angarium completion fish > ~/.config/fish/completions/angarium.fish
    """
    click.echo(SHELLS[shell](cli.main, {}, PROGRAM, VARIABLE).source())
