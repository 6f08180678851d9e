"""`angarium config schema`: the JSON Schema of a configuration."""

import json

import click

from angarium.config.load import declarations
from angarium.config.schema import document
from angarium.run.programs.config_files import say


@click.command("schema", short_help="print the JSON Schema of a configuration")
def command() -> None:
    """Print the JSON Schema (draft 2020-12) of what `angarium config show --json` prints.

    Options and stanzas without effect here say so in `x-state`, options which need a restart in
    `x-restart`.
    """
    declarations()
    say([json.dumps(document(), indent=2), "\n"])
