"""`angarium console`: ask a running server, and change what it does."""

import getpass
import importlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click
import setproctitle

from angarium.config.errors import ConfigError
from angarium.console.client import SOCKET, Access, Client, ConsoleError, no_password
from angarium.console.converse import Conversation, banner, command_of, prompt
from angarium.console.endpoint import Endpoint, EndpointError, endpoint
from angarium.queue.spool.options import Spooling
from angarium.run.plan import Plan
from angarium.run.privileges import PrivilegeError
from angarium.wire.control import Form

FAILED, NO_SERVER = 1, 3
INTERRUPTED = 130  # as a shell has it: 128 and SIGINT
PASSWORD: Final = "EC_CONSOLE_PASSWORD"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked, where, and how it is to be printed."""

    where: Endpoint
    lines: tuple[str, ...]
    form: Form = "text"
    tls: bool = False
    authorities: str = ""

    def access(self) -> Access:
        password = no_password
        if (known := os.environ.get(PASSWORD)) is not None:
            return Access(lambda: known, self.tls, self.authorities)
        if sys.stdin.isatty():
            password = asked_password
        return Access(password, self.tls, self.authorities)


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
@click.option("--to", metavar="ENDPOINT", help="Its Control_Listener: [USER@]HOST:PORT or a path.")
@click.option("-c", "commands", multiple=True, metavar="COMMAND", help="Give this one; as often.")
@click.option("--json", "as_json", is_flag=True, help="Print answers as JSON.")
@click.option("--xml", "as_xml", is_flag=True, help="Print answers as XML.")
@click.option("--tls", is_flag=True, help="Say nothing to a server without TLS.")
@click.option("--ca", "authorities", default="", metavar="FILE", help="Whose certificates count.")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
def command(
    state: Path | None,
    config_path: Path | None,
    to: str | None,
    commands: tuple[str, ...],
    words: tuple[str, ...],
    authorities: str,
    *,
    as_json: bool,
    as_xml: bool,
    tls: bool,
) -> None:
    """Give one command to a running server, or one a line from standard input.

    `help` lists the commands, `help COMMAND` says what one does; `quit` or the end of the input
    ends, `watch N COMMAND` gives one every N seconds. Without --state, --config and --to it is the
    server with the usual spoolbase. A password is asked for, or taken from EC_CONSOLE_PASSWORD.

    The exit code is 0 when all commands were done, 1 when one failed, and then those after it were
    not begun unless somebody types them; 3 if there is no such server, or it does not let you in.
    """
    try:
        where = endpoint(to) if to else own(state, config_path)
    except (ConfigError, PrivilegeError, EndpointError) as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    lines = (*commands, *((command_of(words),) if words else ()))
    form: Form = "json" if as_json else "xml" if as_xml else "text"
    run(Wanted(where, lines, form, tls, authorities))


def own(state: Path | None, config_path: Path | None) -> Endpoint:
    """Return the socket in the state directory. Raises ConfigError, PrivilegeError."""
    folder = state or (Plan.make(config_path, None).state if config_path is not None else
                       Path(Spooling.spoolbase.default))  # fmt: skip
    return Endpoint(path=str(folder / "run" / SOCKET))


def run(wanted: Wanted) -> None:
    """Connect, ask, print, and end the program with its exit code."""
    setproctitle.setproctitle("angarium: console")
    try:
        failed = _ask(wanted)
    except ConsoleError as error:
        click.echo(f"console: {error}", err=True)
        sys.exit(NO_SERVER)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(FAILED if failed else 0)


def asked_password() -> str:
    """Ask the operator; what he types is not shown."""
    click.echo("Authorization required for console session", err=True)
    return getpass.getpass("Password:")


def _ask(wanted: Wanted) -> bool:
    access = wanted.access()
    client = Client(wanted.where, access)
    typing = not wanted.lines and sys.stdin.isatty()
    talk = Conversation(client, sys.stdout, sys.stderr, wanted.form, batch=not typing)
    try:
        if typing:
            talk.renew = partial(Client, wanted.where, access)
            sys.stdout.write(banner(client.greeting))
            return talk.run(_typed(talk, wanted.where))
        return talk.run(iter(wanted.lines) if wanted.lines else iter(sys.stdin))
    finally:
        talk.client.close()


def _typed(talk: Conversation, where: Endpoint) -> Iterator[str]:
    # Nobody else needs prompt_toolkit, and it takes a moment to load.
    sitting = importlib.import_module("angarium.console.interactive")
    lines: Iterator[str] = sitting.typed(
        lambda: prompt(talk.client, str(where)), _names(talk.client), sitting.history_file()
    )
    return lines


def _names(client: Client) -> list[str]:
    """Return the commands of the server; those which somebody may not list are not completed."""
    listed = "".join(client.ask("help", "json"))
    return [] if client.failed else [each["command"] for each in json.loads(listed)]
