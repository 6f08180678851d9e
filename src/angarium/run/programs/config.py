"""`angarium config`: check, show, explain and compare configurations, without a server.

Each subcommand is `command` in `config_<name>`, imported when it is run.
"""

from typing import Final

import click
import setproctitle

from angarium.run.programs.cli import Named

SUBCOMMANDS: Final = {
    "check": "say all that is wrong with a configuration, and what of it has no effect",
    "eval": "say which value holds at a place",
    "show": "print a configuration, or a stanza of it",
    "explain": "say what an option is, where it is set, who wins and who reads it",
    "diff": "say what differs between two configurations in meaning",
    "history": "say which configurations were in force, and who brought them",
    "schema": "print the JSON Schema of a configuration",
    "import": "write what another server's configuration becomes here",
}


@click.group(
    "config",
    cls=Named,
    names=SUBCOMMANDS,
    modules="angarium.run.programs.config_",
    short_help="check, show, explain and compare configurations",
)
def command() -> None:
    """Check, show, explain and compare configurations.

    Files are read as `angarium serve` reads them; no server is needed, and nothing is changed.
    Secrets are shown as `***`. Exit codes: 0 done; 1 the configuration is faulty, or what was
    compared differs; 2 wrong usage, or a file cannot be read.
    """
    setproctitle.setproctitle("angarium: config")
