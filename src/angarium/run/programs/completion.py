"""`angarium completion`: what a shell needs to complete our commands, options and files."""

import click
from click.shell_completion import get_completion_class

from angarium.run.programs import cli

PROGRAM = "angarium"
VARIABLE = "_ANGARIUM_COMPLETE"


@click.command("completion", short_help="print what a shell needs to complete our commands")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a script for a shell, which then completes commands, options, stanzas and files.

    \b
    bash  angarium completion bash > /etc/bash_completion.d/angarium
    zsh   angarium completion zsh > "${fpath[1]}/_angarium"
    fish  angarium completion fish > ~/.config/fish/completions/angarium.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli.main, {}, PROGRAM, VARIABLE).source())
