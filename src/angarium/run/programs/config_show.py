"""`angarium config show`: a configuration, or a stanza of it, in its own syntax, XML or JSON."""

import json

import click

from angarium.config.path import find, parse
from angarium.config.section import Section
from angarium.config.show import Show, document
from angarium.core.errors import Error
from angarium.run.programs import config_names
from angarium.run.programs.config_files import (
    ending,
    file_argument,
    json_option,
    loaded,
    say,
    secrets_option,
)


@click.command("show", short_help="print a configuration, or a stanza of it")
@click.option("--effective", is_flag=True, help="Also what outer stanzas set, as comments.")
@click.option("--defaults", is_flag=True, help="Also what nobody sets, as comments.")
@click.option("--closed", is_flag=True, help="Do not open the stanzas in it.")
@click.option("--xml", is_flag=True, help="Print XML.")
@json_option
@secrets_option
@file_argument
@click.argument("place", nargs=-1, shell_complete=config_names.place)
def command(
    file: str,
    place: tuple[str, ...],
    *,
    effective: bool,
    defaults: bool,
    closed: bool,
    xml: bool,
    as_json: bool,
    secrets: bool,
) -> None:
    """Print a configuration with all that it includes, as one file.

    PLACE names a stanza as the console does: `domain example.com`, `esmtp_listener listen :25`.
    The text can be read again as a configuration, and means the same. JSON and XML with --effective
    or --defaults have these values as if they were set.
    """
    with ending():
        _, conf = loaded(file)
        section = _section(conf.root, place)
        show = Show(conf, effective=effective, defaults=defaults, secrets=secrets)
        if as_json:
            say([json.dumps(show.plain(section), indent=2), "\n"])
        elif xml:
            say(document(show, section))
        else:
            say(show.lines(section, recurse=not closed))


def _section(root: Section, place: tuple[str, ...]) -> Section:
    found = parse(place, root)
    if found.rest:
        raise Error(f"{found.rest[0]} is an option: ask `angarium config eval` for its value")
    section = find(root, found.steps)
    if section is None:
        raise Error(f"there is no such stanza in the configuration: {' '.join(place)}")
    return section
