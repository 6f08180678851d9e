"""`angarium policy`: check, test and try scripts, without a server.

Each subcommand is `command` in `policy_<name>`, imported when it is run.
"""

from typing import Final

import click
import setproctitle

from angarium.run.programs.cli import Named

SUBCOMMANDS: Final = {
    "check": "load scripts, and say what is wrong with them",
    "test": "play the transcripts of a directory",
    "run": "let one message through scripts, and say what becomes of it",
}


@click.group(
    "policy",
    cls=Named,
    names=SUBCOMMANDS,
    modules="angarium.run.programs.policy_",
    short_help="check, test and try scripts of policy",
)
def command() -> None:
    """Check, test and try scripts of policy, in Python and in Lua.

    No server is needed and nothing is sent: sessions, queues and the clock are played. Exit codes:
    0 all is well; 1 a script is faulty, or a test failed; 2 wrong usage.
    """
    setproctitle.setproctitle("angarium: policy")
