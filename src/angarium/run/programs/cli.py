"""The command `angarium`: a name for each program, imported only when it is run.

Exit codes, of every subcommand: 0 done; 1 the configuration is faulty, or a check failed; 2 wrong
usage; 3 it could not start, or not connect (address or state directory in use, no such server).
"""

import importlib
from typing import Final

import click

PROGRAMS: Final = {
    "serve": "start the platform in the foreground",
    "sink": "a scripted receiving server",
    "send": "inject one message, or a load",
    "upgrade": "replace what runs by the program on the disk",
    "audit": "prove that nothing was lost",
    "spool": "verify, repair, export and import the mail on the disk",
    "doctor": "find what keeps this machine from sending mail well",
}


class Programs(click.Group):
    """Subcommands by name, from `angarium.run.programs.<name>`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PROGRAMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PROGRAMS:
            return None
        module = importlib.import_module(f"angarium.run.programs.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(PROGRAMS.items()))


@click.group(cls=Programs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="angarium")
def main() -> None:
    """Angarium, an open email infrastructure platform."""


if __name__ == "__main__":
    main()
