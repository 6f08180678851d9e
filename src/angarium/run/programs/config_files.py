"""What all programs on configuration files have in common: reading them, and printing much."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar

import click

from angarium.config.check import Checked
from angarium.config.errors import ConfigError, Severity
from angarium.config.load import check_snapshot, snapshot
from angarium.config.resolve import Configuration
from angarium.config.tree import search_path
from angarium.core.errors import Error

Command = TypeVar("Command", bound=Callable[..., Any])

FAULTY, UNUSABLE = 1, 2
MAIN: Final = "ecelerity.conf"
CONFFILE: Final = "CONFFILE"  # of Momentum's environment file
_PIECE: Final = 1 << 16

file_argument = click.argument("file", metavar="FILE", type=click.Path())
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
secrets_option = click.option("--secrets", is_flag=True, help="Show secrets as they are.")


def place_options(function: Command) -> Command:
    """Give a command the options which name a place, as `where` takes them."""
    for name, key, metavar, about in (
        ("--pathway", "pathway", "NAME", "A pathway, in place of the one of the listener."),
        ("--peer", "peer", "ADDRESS", "A client."),
        ("--listen", "listen", "ADDRESS", 'A listen stanza, such as ":25".'),
        ("--listener", "listener", "NAME", "A listener, such as esmtp_listener."),
        ("--host", "host", "NAME", "A mail server by its name in DNS."),
        ("--domain", "domain", "NAME", "A destination."),
        ("--binding", "binding", "NAME", "A binding."),
        ("--binding-group", "group", "NAME", "A group; that of the binding without."),
    ):
        function = click.option(name, key, metavar=metavar, default="", help=about)(function)
    return function


def read(path: str, *, files: bool) -> Checked:
    """Read a configuration and all it includes; what is wrong in it is in the result.

    Args:
        files: look at what stands in files which options name, too.

    Raises:
        Error: the file itself cannot be read.
    """
    try:
        return check_snapshot(snapshot(path), files=files)
    except ConfigError as error:
        raise Error(str(error)) from error


def loaded(path: str) -> tuple[Checked, Configuration]:
    """Read a configuration which has no errors, those in files aside which options name.

    Raises:
        Error: the file itself cannot be read.
        ConfigError: with all its errors.
    """
    checked = read(path, files=False)
    errors = [each for each in checked.faults if each.severity is Severity.ERROR]
    if errors:
        raise ConfigError(errors)
    return checked, Configuration(checked.root, notes=checked.faults)


@contextmanager
def ending(faulty: int = FAULTY) -> Iterator[None]:
    """End with the exit code of a failure, and say what it is."""
    try:
        yield
    except ConfigError as error:
        fail(str(error), faulty)
    except Error as error:
        fail(str(error), UNUSABLE)


def default_file(environ: Mapping[str, str]) -> str | None:
    """Return the configuration that is meant where none is named, None if there is none.

    It is what CONFFILE says, else ecelerity.conf; a name without a directory is looked for here,
    then in the search path.
    """
    return found(environ.get(CONFFILE) or MAIN, environ)


def found(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the path of a file, looked for in the search path if it has no directory."""
    places = [""] if os.path.dirname(name) else ["", *search_path(environ)]
    paths = (os.path.join(each, name) for each in places)
    return next((each for each in paths if os.path.isfile(each)), None)


def say(lines: Iterable[str]) -> None:
    """Print lines which have their ends; octets which are no UTF-8 as they are in the files."""
    piece: list[str] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= _PIECE:
            _write(piece)
            piece, size = [], 0
    _write(piece)


def _write(piece: list[str]) -> None:
    try:
        click.echo("".join(piece).encode("utf-8", "surrogateescape"), nl=False)
    except BrokenPipeError:
        raise  # who reads has seen enough; click ends quietly
    except OSError as error:
        # What is left in the buffer would fail again at the end, with words of Python's.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(f"the output cannot be written: {error.strerror}", UNUSABLE)


def printable(text: str, *, also: str = "") -> str:
    """Return a message without what a terminal would act upon, as names of files can have it."""
    return "".join(each if each.isprintable() or each in also else f"\\x{ord(each):02x}"
                   for each in text)  # fmt: skip


def fail(message: str, code: int) -> NoReturn:
    """End with a message on standard error."""
    click.echo(printable(message, also="\n"), err=True)
    sys.exit(code)
