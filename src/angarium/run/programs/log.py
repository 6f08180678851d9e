"""`angarium log`: programs which read the text logs."""

from typing import Final

import click
import setproctitle

from angarium.run.programs.cli import Named

SUBCOMMANDS: Final = {"trace": "find, count and group lines of mainlog and rejectlog"}


@click.group(
    "log",
    cls=Named,
    names=SUBCOMMANDS,
    modules="angarium.run.programs.log_",
    short_help="search text logs",
)
def command() -> None:
    """Search text logs, compressed or not; no server is needed."""
    setproctitle.setproctitle("angarium: log")
