"""`angarium console`: ask a running server, and change what it does."""

import sys
from pathlib import Path

import click
import setproctitle

from angarium.config.errors import ConfigError
from angarium.console.client import Client, ConsoleError, banner, command_of, converse, prompted
from angarium.queue.spool.options import Spooling
from angarium.run.plan import Plan
from angarium.run.privileges import PrivilegeError
from angarium.wire.control import Form

FAILED, NO_SERVER = 1, 3
INTERRUPTED = 130  # as a shell has it: 128 and SIGINT


@click.command(
    "console",
    short_help="ask a running server, and change what it does",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The state directory of the server, as `serve --state`.",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Its ecelerity.conf, which names the state directory where there is no --state.",
)
@click.option("--json", "as_json", is_flag=True, help="Print answers as JSON.")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
def command(
    state: Path | None, config_path: Path | None, words: tuple[str, ...], *, as_json: bool
) -> None:
    """Give one command to a running server, or one a line from standard input.

    `help` lists the commands, `help COMMAND` says what one does; `quit` or the end of the input
    ends. Without --state and --config it is the server with the usual spoolbase.

    The exit code is 0 when all commands were done, 1 when one failed, and then those after it were
    not begun unless somebody types them; 3 if there is no such server.
    """
    setproctitle.setproctitle("angarium: console")
    try:
        folder = state or (Plan.make(config_path, None).state if config_path is not None else
                           Path(Spooling.spoolbase.default))  # fmt: skip
    except (ConfigError, PrivilegeError) as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    try:
        failed = _ask(folder / "run", words, as_json=as_json)
    except ConsoleError as error:
        click.echo(f"console: {error}", err=True)
        sys.exit(NO_SERVER)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(FAILED if failed else 0)


def _ask(run_folder: Path, words: tuple[str, ...], *, as_json: bool) -> bool:
    client = Client(run_folder)
    try:
        typed = not words and sys.stdin.isatty()
        if typed:
            sys.stdout.write(banner(client.greeting))
            lines = prompted(client, str(run_folder / "control"))
        else:
            lines = iter([command_of(words)]) if words else iter(sys.stdin)
        form: Form = "json" if as_json else "text"
        return converse(client, lines, sys.stdout, sys.stderr, form, batch=not typed)
    finally:
        client.close()
