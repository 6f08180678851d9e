"""`ec_dump_config`, as Momentum has it: the configuration as XML.

    ec_dump_config [-c CONFIGFILE] [-e EXTDIR] [-f OUTPUTFILE]

If it has errors they go to standard error, then the two lines by which Momentum's ends. It ends
with 0, 1 if there are errors, 2 if a file cannot be read or written.
"""

import os

import click

from angarium.config.errors import ConfigError
from angarium.config.show import Show, document
from angarium.core.errors import Error
from angarium.run.programs.config_files import (
    FAULTY,
    UNUSABLE,
    default_file,
    fail,
    found,
    loaded,
    say,
)

LAST = "Reconfigure failed.\nGlobal configuration error."


@click.command("ec_dump_config", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "conffile", help="The configuration; that of this machine without.")
@click.option("-e", "_extdir", help="Taken for Momentum's sake, without effect.")
@click.option("-f", "output", help="Write to this file, not to standard output.")
def command(conffile: str | None, _extdir: str | None, output: str | None) -> None:
    """Print the configuration with all that it includes as XML; secrets are masked.

    Without -c it is the file CONFFILE names, else ecelerity.conf. A name without a directory is
    looked for here, then in the search path.
    """
    path = found(conffile, os.environ) if conffile else default_file(os.environ)
    if path is None:
        fail(f"No configuration found\n{LAST}", UNUSABLE)
    try:
        _, conf = loaded(path)
    except ConfigError as error:
        fail(f"{error}\n{LAST}", FAULTY)
    except Error as error:
        fail(f"{error}\n{LAST}", UNUSABLE)
    lines = document(Show(conf), conf.root)
    if output is None:
        say(lines)
        return
    try:
        with open(output, "w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", UNUSABLE)


def main() -> None:
    command()


if __name__ == "__main__":
    main()
