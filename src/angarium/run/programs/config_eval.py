"""`angarium config eval`: which value holds at a place."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from angarium.config.check import Checked
from angarium.config.describe import options_of
from angarium.config.explain import named, sections_of
from angarium.config.option import Option
from angarium.config.path import words
from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.config.show import said
from angarium.config.spelling import HIDDEN, plain_value, secret, spelled
from angarium.config.where import Chain, where
from angarium.run.programs import config_names
from angarium.run.programs.config_files import (
    ending,
    file_argument,
    json_option,
    loaded,
    place_options,
    say,
    secrets_option,
)


@dataclass(frozen=True, slots=True)
class Value:
    """What holds. `source`: the stanza which sets it; `inside`: the one it is an option of."""

    declared: Option[Any]
    value: object
    source: Section | None
    inside: Section | None = None

    @property
    def key(self) -> str:
        """Return the name; with the stanza before it, which may stand several times."""
        return f"{words(self.inside)} {self.declared.name}" if self.inside else self.declared.key


@click.command("eval", short_help="say which value holds at a place")
@place_options
@json_option
@secrets_option
@file_argument
@click.argument("options", metavar="[OPTION]...", nargs=-1, shell_complete=config_names.options)
def command(
    file: str, options: tuple[str, ...], *, as_json: bool, secrets: bool, **place: str
) -> None:
    """Say which value an option has at a place, and who sets it.

    A place is a destination (--binding-group, --binding, --domain, --host) or a client (--listener,
    --listen, --peer, --pathway); without, it is the file itself. Options of modules have the name
    of their stanza before them: ec_logger.mainlog. Without OPTION all that is set for the place is
    told.
    """
    with ending():
        checked, conf = loaded(file)
        chain = where(conf, **place).chain(conf)
        if options:
            values = [each for name in options for each in _values(conf, chain, named(name))]
        else:
            values = _all(chain)
        if as_json:
            found = {each.key: _plain(checked, each, secrets=secrets) for each in values}
            say([json.dumps(found, indent=2), "\n"])
        else:
            say(_lines(checked, values, secrets=secrets))


def _values(conf: Configuration, chain: Chain, declared: Option[Any]) -> Iterator[Value]:
    if not declared.stanza:
        winner = chain.winner(declared)
        yield Value(declared, chain.value(declared), winner)
        return
    sections = sections_of(conf.root, declared)
    for each in sections:
        own = Chain((each,))
        yield Value(declared, own.value(declared), own.winner(declared), each)
    if not sections:
        yield Value(declared, declared.default, None)


def _all(chain: Chain) -> list[Value]:
    """Return what is set for a place, by name."""
    kinds = {each.kind.key: each.kind for each in (*chain.hosts, *chain.sections)}
    known = {each.name: each for kind in kinds.values() for each in options_of(kind)}
    found = []
    for name in sorted(known):
        winner = chain.winner(known[name])
        if winner is not None:
            found.append(Value(known[name], winner.values[name], winner))
    return found


def _lines(checked: Checked, values: Sequence[Value], *, secrets: bool) -> Iterator[str]:
    for each in values:
        text = spelled(each.declared, each.value, secrets=secrets)
        if each.value is None and each.source is None and text == '""':
            text = "( nothing )"
        where_set = _place(checked, each)
        at = f", {where_set[0]}:{where_set[1]}" if where_set else ""
        yield f"{each.key} = {text}  # {said(each.source)}{at}\n"


def _plain(checked: Checked, value: Value, *, secrets: bool) -> dict[str, Any]:
    hidden = secret(value.declared) and not secrets
    unset = value.value is None and value.source is None
    file, line = _place(checked, value) or (None, None)
    return {
        "value": HIDDEN if hidden else None if unset else plain_value(value.declared, value.value),
        "from": None if value.source is None else words(value.source) or "global",
        "file": file,
        "line": line,
    }


def _place(checked: Checked, value: Value) -> tuple[str, int] | None:
    found = value.source and checked.place(value.source, value.declared.name)
    return (found[0].path, found[0].place(found[1])[0]) if found else None
