"""`angarium config import`: the configuration of another server as ecelerity.conf."""

import json
import os
import sys
from pathlib import Path
from typing import Final

import click

from angarium.config.foreign import kumomta, postfix, powermta
from angarium.config.foreign.draft import Draft, comment

UNUSABLE: Final = 2
MAX_SIZE: Final = 64 * 1024 * 1024

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A new file to write."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the text and what was left out as JSON."
)


@click.group("import", short_help="write what another server's configuration becomes here")
def command() -> None:
    """Write what another server's configuration becomes here.

    The text goes to standard output, or to a new file; what has no place in it, or no effect yet,
    is named there at its end and on standard error, with where it stands and why. Look at both,
    then `angarium config check`. Nothing is changed, no file but the new one is written.
    """


@command.command("postfix")
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@output_option
@json_option
def of_postfix(directory: str, output: Path | None, *, as_json: bool) -> None:
    """DIR is the one with main.cf and master.cf; tables they name are read too."""
    if text_of(os.path.join(directory, "main.cf")) is None:
        _fail(f"{directory}/main.cf cannot be read")
    _finish(postfix.read(directory.rstrip("/"), text_of), output, as_json=as_json)


@command.command("powermta")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@output_option
@json_option
def of_powermta(file: str, output: Path | None, *, as_json: bool) -> None:
    """FILE is PowerMTA's configuration, often /etc/pmta/config; files it includes are read too."""
    if text_of(file) is None:
        _fail(f"{file} cannot be read")
    _finish(powermta.read(file, text_of), output, as_json=as_json)


@command.command("kumomta-shaping")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@output_option
@json_option
def of_kumomta(file: str, output: Path | None, *, as_json: bool) -> None:
    """FILE is one of KumoMTA's shaping helper, TOML or JSON."""
    text = text_of(file)
    if text is None:
        _fail(f"{file} cannot be read")
    _finish(kumomta.read(text or "", file), output, as_json=as_json)


def text_of(path: str) -> str | None:
    """Return what a file has, None if it cannot be read, is too large or is no file.

    What a configuration names may be a pipe, which never ends, or a device.
    """
    try:
        found = Path(path)
        if not found.is_file() or found.stat().st_size > MAX_SIZE:
            return None
        return found.read_text("utf-8", "replace")
    except (OSError, ValueError):
        return None


def _finish(draft: Draft, output: Path | None, *, as_json: bool) -> None:
    if output is not None:
        try:
            with output.open("x", encoding="utf-8") as file:
                file.write(draft.text())
        except OSError as error:
            _fail(f"{output} cannot be written: {error.strerror}")
    if as_json:
        left = [{"where": each.where, "what": each.what, "why": each.why} for each in draft.left]
        click.echo(json.dumps({"configuration": draft.text(), "left_out": left}, indent=2))
        return
    if output is None:
        click.echo(draft.text(), nl=False)
    for each in draft.left:
        click.echo(comment(str(each)), err=True)
    count = len(draft.left)
    said = "1 line has" if count == 1 else f"{count} lines have"
    click.echo(f"{said} no place here, or no effect yet", err=True)


def _fail(message: str) -> None:
    click.echo(comment(message), err=True)
    sys.exit(UNUSABLE)
