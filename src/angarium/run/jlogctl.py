"""`jlogctl`, as Momentum has it: look at jlogs, and look after them.

It prints what the jlog project's own program of that name prints, in its layout.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from angarium.core.errors import Error
from angarium.events.jlog import Jlog, Place, whole
from angarium.events.jlog_repair import faults, repair


@click.command("jlogctl", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-a", "add", metavar="SUBSCRIBER", help="Add a subscriber, at the oldest record.")
@click.option("-e", "erase", metavar="SUBSCRIBER", help="Remove a subscriber.")
@click.option("-p", "whose", metavar="SUBSCRIBER", help="Show what a subscriber reads next.")
@click.option("-l", "sizes", is_flag=True, help="List the segments: sizes, readers.")
@click.option("-i", "indices", is_flag=True, help="List the segments with their records.")
@click.option("-s", "subscribers", is_flag=True, help="List the subscribers.")
@click.option("-c", "clean", is_flag=True, help="Remove segments which nobody needs.")
@click.option("-d", "analyse", is_flag=True, help="Say what is damaged.")
@click.option("-r", "mend", is_flag=True, help="Say what is damaged, and repair it; not in use.")
@click.option("-v", "verbose", is_flag=True, help="Say more.")
@click.argument(
    "paths", nargs=-1, required=True, metavar="JLOG...", type=click.Path(path_type=Path)
)
def command(paths: tuple[Path, ...], **asked: Any) -> None:
    """Look at jlogs, and look after them.

    Ends with 0; with 1 if something is damaged, or could not be done.
    """
    good = True
    for path in paths:
        click.echo(str(path))
        try:
            good &= _looked_after(Jlog(path), asked)
        except (OSError, Error) as error:
            click.echo(f"{path}: {error}", err=True)
            good = False
    sys.exit(0 if good else 1)


def _looked_after(jlog: Jlog, asked: Mapping[str, Any]) -> bool:
    """Do what is asked for with one jlog; return whether all went well."""
    good = True
    if asked["mend"] or asked["analyse"]:
        good &= _damage(jlog, mend=asked["mend"], verbose=asked["verbose"])
    jlog.meta()  # It is one, or this fails.
    if asked["add"] is not None:
        good &= _add(jlog, asked["add"])
    if asked["erase"] is not None:
        good &= _erase(jlog, asked["erase"])
    if asked["whose"] is not None:
        _perspective(jlog, asked["whose"])
    if asked["subscribers"]:
        for name, place in jlog.subscribers().items():
            click.echo(f"\t{name:>32} @ {place}")
    if asked["clean"]:
        _clean(jlog, verbose=asked["verbose"])
    if asked["sizes"] or asked["indices"]:
        _segments(jlog, indices=asked["indices"])
    return good


def _damage(jlog: Jlog, *, mend: bool, verbose: bool) -> bool:
    found = repair(jlog) if mend else faults(jlog)
    for each in found:
        click.echo(f"\t{each}")
    if verbose or (found and mend):
        click.echo("\trepaired" if found and mend else f"\t{len(found)} faults")
    return mend or not found


def _add(jlog: Jlog, name: str) -> bool:
    if not jlog.subscribe(name):
        click.echo(f"Could not add subscriber '{name}': it is there", err=True)
        return False
    click.echo(f"Added subscriber '{name}' -> {jlog.subscribers()[name]}")
    return True


def _erase(jlog: Jlog, name: str) -> bool:
    if not jlog.unsubscribe(name):
        click.echo(f"Could not erase subscriber '{name}': there is none", err=True)
        return False
    click.echo(f"Erased subscriber '{name}'")
    return True


def _perspective(jlog: Jlog, name: str) -> None:
    """Show where a subscriber is, and what it reads next."""
    place = jlog.subscribers().get(name)
    if place is None:
        raise Error("no such subscriber", subscriber=name)
    first, last = _interval(jlog, place)
    click.echo("-" * 20)
    click.echo(f"  Perspective of the '{name}' subscriber")
    click.echo(f"    current checkpoint: {place}")
    click.echo(f"Last write: {jlog.last()}")
    click.echo(f"\t     next interval: [{first}, {last}]")
    click.echo("-" * 20 + "\n")


def _interval(jlog: Jlog, place: Place) -> tuple[Place, Place]:
    """Return the first record after a place, and the last of its segment."""
    first = next((each for each, _ in jlog.read(place)), None)
    if first is None:
        return place, place
    octets = jlog.segment(first.segment).read_bytes()
    return first, Place(first.segment, sum(1 for _ in whole(octets)))


def _clean(jlog: Jlog, *, verbose: bool) -> None:
    removed = jlog.clean()
    if verbose:
        click.echo(f"\t{len(removed)} segments removed")


def _segments(jlog: Jlog, *, indices: bool) -> None:
    writing = jlog.meta().segment
    for number in jlog.segments():
        octets = jlog.segment(number).read_bytes()
        click.echo(f"\t{number:08x} [{len(octets):9} bytes] {jlog.pending(number)} pending readers")
        if indices:
            count = sum(1 for _ in whole(octets))
            state = "open" if number == writing else "closed"
            click.echo(f"\t\t idx: {count} messages ({count:08x}), {state}")


def main() -> None:
    command()


if __name__ == "__main__":
    main()
