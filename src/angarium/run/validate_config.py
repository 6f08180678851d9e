"""`validate_config`, as Momentum has it: whether the configuration can be used, in two words.

It says "Configuration valid" and ends with 0; nothing, and 1, if there are errors; "No
configuration found", and 2, if there is none. `angarium config check` says what is wrong.
"""

import os
import sys

import click

from angarium.config.errors import ConfigError
from angarium.config.load import load
from angarium.run.programs.config_files import default_file

INVALID, NONE = 1, 2


@click.command("validate_config", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Check the configuration of this machine.

    It is the file CONFFILE names, else ecelerity.conf; looked for here, then in the search path.
    """
    path = default_file(os.environ)
    if path is None:
        click.echo("No configuration found")
        sys.exit(NONE)
    try:
        load(path)
    except ConfigError:
        sys.exit(INVALID)
    click.echo("Configuration valid")


def main() -> None:
    command()


if __name__ == "__main__":
    main()
