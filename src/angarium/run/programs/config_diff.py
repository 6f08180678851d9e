"""`angarium config diff`: what differs between two configurations in meaning."""

import json
import sys

import click

from angarium.config.difference import differences
from angarium.run.programs.config_files import UNUSABLE, ending, json_option, loaded, say

DIFFERENT = 1


@click.command("diff", short_help="say what differs between two configurations in meaning")
@json_option
@click.argument("old", metavar="A", type=click.Path())
@click.argument("new", metavar="B", type=click.Path())
def command(old: str, new: str, *, as_json: bool) -> None:
    """Say what is different in B: options set, unset and changed, stanzas that came and went.

    Comments, layout, order and spelling make no difference. Exit code 0 if both mean the same, 1 if
    they do not, 2 if one cannot be used.
    """
    with ending(UNUSABLE):
        found = differences(loaded(old)[1].root, loaded(new)[1].root)
        if as_json:
            say([json.dumps([each.plain() for each in found], indent=2), "\n"])
        else:
            say(f"{each}\n" for each in found)
    sys.exit(DIFFERENT if found else 0)
