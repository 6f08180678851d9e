"""`angarium config explain`: what an option is, where it is set, who wins, and who reads it."""

import json
import textwrap
from collections.abc import Iterator

import click

from angarium.config.describe import Description
from angarium.config.explain import Explanation, explain, named, sections_of
from angarium.config.load import declarations
from angarium.config.option import State
from angarium.config.path import words
from angarium.config.where import Chain, where
from angarium.core.errors import Error
from angarium.run.programs import config_names
from angarium.run.programs.config_files import ending, json_option, loaded, place_options, say

WIDTH = 100
PLACES = 20  # of thousands, which would hide who wins


@click.command("explain", short_help="say what an option is, where it is set, and who wins")
@place_options
@json_option
@click.argument("option", shell_complete=config_names.options)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path())
def command(option: str, file: str | None, *, as_json: bool, **place: str) -> None:
    """Say what an option is; with a FILE, where it is set and whose value holds at a place.

    The stanzas which are asked are told in their order: the one which wins, those it hides, and
    those which do not set it. What reads the option is found in the program itself.
    """
    with ending():
        declarations()
        declared = named(option)
        if file is None:
            if any(place.values()):
                raise Error("a place is one of a FILE: name the file too")
            found = [explain(declared)]
        else:
            checked, conf = loaded(file)
            chosen = where(conf, **place)
            asked = [(str(chosen), chosen.chain(conf))]
            if declared.stanza:
                asked = [(words(each), Chain((each,))) for each in sections_of(conf.root, declared)]
            found = [explain(declared, checked, path, chain) for path, chain in asked]
            found = found or [explain(declared, checked)]
        if as_json:
            say([json.dumps([each.plain() for each in found], indent=2), "\n"])
        else:
            say(f"{line}\n" for line in _lines(found, with_file=file is not None))


def _lines(found: list[Explanation], *, with_file: bool) -> Iterator[str]:
    first = found[0]
    yield from _about(first.about)
    if with_file:
        yield ""
        yield "set at:" if first.set else "set nowhere"
        yield from (f"  {each}" for each in first.set[:PLACES])
        if len(first.set) > PLACES:
            yield f"  and {len(first.set) - PLACES} more places; --json has all"
    for each in found:
        if each.asked:
            yield ""
            yield f"asked for {each.place}:"
            yield from (f"  {line}" for line in each.asked)
        if each.counter:
            yield f"  counted together for all which fall back to {each.counter}"
    yield ""
    yield "read by:" if first.readers else "read by nothing"
    yield from (f"  {each}" for each in first.readers)


def _about(about: Description) -> Iterator[str]:
    yield f"{about.key}: {about.kind}"
    yield from textwrap.wrap(about.doc, WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield ""
    yield f"  default    {about.default or 'nothing'}"
    for scope, value in about.unset:
        yield f"  unset      {value or 'nothing'} in {scope}"
    yield from textwrap.wrap(
        f"{', '.join(about.scopes)}", WIDTH, initial_indent="  stands in  ",
        subsequent_indent=" " * 13,
    )  # fmt: skip
    yield f"  direction  {about.direction}"
    yield f"  changes    {'while running' if about.dynamic else 'with a restart'}"
    yield f"  since      {about.since}"
    reason = "" if about.state == State.WORKS.value or not about.reason else f". {about.reason}"
    yield from textwrap.wrap(
        f"{about.state}{reason}", WIDTH, initial_indent="  state      ", subsequent_indent=" " * 13
    )
