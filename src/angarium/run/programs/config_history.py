"""`angarium config history`: which configurations were in force, also while no server runs."""

import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from angarium.config.difference import differences
from angarium.config.flatten import flattened
from angarium.config.history import FOLDER, Entry, History
from angarium.config.load import check_snapshot
from angarium.run.programs.config_files import UNUSABLE, ending, json_option, say

DIFFERENT: Final = 1


@click.command("history", short_help="say which configurations were in force, and who brought them")
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The state directory of the server; its spoolbase where it has none.",
)
@json_option
@click.option("--text", is_flag=True, help="Print REVISION as one file, with its secrets.")
@click.argument("revision", required=False, type=click.IntRange(min=1))
@click.argument("other", required=False, type=click.IntRange(min=1))
def command(
    state: Path, revision: int | None, other: int | None, *, as_json: bool, text: bool
) -> None:
    """List the configurations which were in force, newest first; or say what REVISION changed.

    With OTHER, say what differs in it from REVISION. A revision becomes a file again by --text; a
    running server returns to one by the console's `config rollback`. Exit codes: 0 done; 1 the two
    differ; 2 it cannot be read.
    """
    kept = History(str(state / FOLDER))
    if revision is None and text:
        raise click.UsageError("name the revision to print")
    code = 0
    with ending(UNUSABLE):
        if revision is None:
            _list(kept, as_json=as_json)
        elif text:
            say([flattened(kept.snapshot(revision)).decode("utf-8", "surrogateescape")])
        elif other is None:
            _one(kept.entry(revision), as_json=as_json)
        else:
            code = _compare(kept, revision, other, as_json=as_json)
    sys.exit(code)


def _list(kept: History, *, as_json: bool) -> None:
    entries = kept.revisions()
    for note in kept.notes:
        click.echo(note, err=True)
    if as_json:
        say([json.dumps([_plain(each) for each in entries], indent=2), "\n"])
    else:
        say(f"{_line(each)}\n" for each in reversed(entries))


def _one(entry: Entry, *, as_json: bool) -> None:
    say([json.dumps(_plain(entry), indent=2), "\n"] if as_json else _lines(entry))


def _compare(kept: History, revision: int, other: int, *, as_json: bool) -> int:
    old, new = (check_snapshot(kept.snapshot(each), files=False) for each in (revision, other))
    found = differences(old.root, new.root)
    if as_json:
        say([json.dumps([each.plain() for each in found], indent=2), "\n"])
    else:
        say(f"{each}\n" for each in found)
    return DIFFERENT if found else 0


def _plain(entry: Entry) -> object:
    return msgspec.to_builtins(entry) | {"when": _time(entry)}


def _time(entry: Entry) -> str:
    when = datetime.datetime.fromtimestamp(int(entry.when), datetime.UTC)
    return when.isoformat().replace("+00:00", "Z")


def _line(entry: Entry) -> str:
    """Return one line: the revision, and the beginning of what changed."""
    head = f"{entry.revision:6} {_time(entry)} {_shown(entry.how):8} {_shown(entry.who)}"
    if not entry.total:
        return head
    more = f", and {entry.total - 1} more" if entry.total > 1 else ""
    return f"{head}: {_shown(entry.changes[0])}{more}"


def _lines(entry: Entry) -> Iterator[str]:
    yield f"revision {entry.revision}, {_shown(entry.how)} by {_shown(entry.who)}, {_time(entry)}\n"
    for each in entry.changes:
        yield f"  {_shown(each)}\n"
    if entry.total > len(entry.changes):
        yield f"  and {entry.total - len(entry.changes)} more\n"


def _shown(text: str) -> str:
    """Return a text without what could disturb a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)
