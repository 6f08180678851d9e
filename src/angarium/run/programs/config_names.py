"""What a shell completes: the names of options, and the words of a place in a file."""

import click
from click.shell_completion import CompletionItem

from angarium.config.describe import describe
from angarium.config.errors import ConfigError
from angarium.config.load import check_snapshot, declarations, snapshot
from angarium.config.option import OPTIONS
from angarium.config.path import PathError, find, parse
from angarium.config.scope import stanzas_in
from angarium.config.section import Section
from angarium.config.show import written_name

MOST = 200  # a shell shows no more, and a file may have 100,000 stanzas


def options(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the options whose names begin so, with what they are."""
    declarations()
    names = [key for key in OPTIONS if key.startswith(typed.lower())]
    return [CompletionItem(name, help=describe(OPTIONS[name]).doc) for name in sorted(names)]


def place(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the stanzas that can follow the words before, and the instances of the file."""
    declarations()
    said = [str(each) for each in ctx.params.get(parameter.name or "") or ()]
    root = _root(ctx.params.get("file"))
    words = _instances(root, said) or _stanzas(root, said)
    return [CompletionItem(each) for each in words if each.startswith(typed)][:MOST]


def _root(file: object) -> Section | None:
    try:
        return check_snapshot(snapshot(str(file))).root if file else None
    except ConfigError:
        return None


def _stanzas(root: Section | None, said: list[str]) -> list[str]:
    try:
        return stanzas_in(parse(said, root).kind)
    except PathError:
        return []


def _instances(root: Section | None, said: list[str]) -> list[str]:
    """Return the instances there are of the stanza that was said last."""
    if root is None or not said:
        return []
    try:
        outer = find(root, parse(said[:-1], root).steps)
    except PathError:
        return []
    names = outer.all(said[-1].lower()) if outer is not None else ()
    plain = [each if each.isprintable() and " " not in each else written_name(each)
             for each in names]  # fmt: skip
    return [each for each in plain if each]
