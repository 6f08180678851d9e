"""`ec_console`, as Momentum has it: the endpoint first, then the command, if it is only one."""

import os
import sys
from typing import Final

import click

from angarium.console.converse import command_of
from angarium.console.endpoint import DEFAULT, Endpoint, EndpointError, endpoint
from angarium.run.programs.console import FAILED, Wanted, own, run
from angarium.wire.control import Form

NAME: Final = "ec_console"


@click.command(
    NAME,
    short_help="the console, with Momentum's arguments",
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": ["-h", "--help", "--man"],
    },
)
@click.option("-c", "commands", multiple=True, metavar="COMMAND", help="Give this one; as often.")
@click.option("--json", "as_json", is_flag=True, help="Print answers as JSON.")
@click.option("--xml", "as_xml", is_flag=True, help="Print answers as XML.")
@click.option("--tls", is_flag=True, help="Say nothing to a server without TLS.")
@click.option("--ca", "authorities", default="", metavar="FILE", help="Whose certificates count.")
@click.argument("words", nargs=-1, metavar="[[USER@]ENDPOINT [COMMAND]...]")
def command(
    commands: tuple[str, ...],
    words: tuple[str, ...],
    authorities: str,
    *,
    as_json: bool,
    as_xml: bool,
    tls: bool,
) -> None:
    """Connect to a server, and ask it.

    The endpoint is a Unix socket (a name without a slash is one in /tmp), HOST:PORT or
    [ADDRESS]:PORT; USER@ before it says who you are. Without one it is /tmp/2025 or, where that is
    not, the server's own socket in the usual spoolbase.

    With a command, or when standard input is no terminal, there is no banner and no prompt. A
    password is asked for, or taken from EC_CONSOLE_PASSWORD. The exit code is 0 when all was done,
    1 when a command failed, 3 if there is no such server or it does not let you in.
    """
    try:
        where = endpoint(words[0]) if words else default()
    except EndpointError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    lines = (*commands, *((command_of(words[1:]),) if words[1:] else ()))
    form: Form = "json" if as_json else "xml" if as_xml else "text"
    run(Wanted(where, lines, form, tls, authorities))


def default() -> Endpoint:
    """Return where a server of this machine is."""
    if os.path.exists(DEFAULT):
        return endpoint(DEFAULT)
    return own(None, None)


def main() -> None:
    command()


if __name__ == "__main__":
    main()
