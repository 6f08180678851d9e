"""`angarium policy test`: play transcripts, and say which do not hold."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from angarium.policy.guard import Tally
from angarium.run.stage.play import Outcome, play
from angarium.run.stage.transcript import TranscriptError, read

SUFFIX: Final = ".test"


@click.command("test")
@click.argument(
    "places",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR...",
)
@click.option("--coverage", is_flag=True, help="Say which handlers were called, and which never.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def command(places: tuple[Path, ...], coverage: bool, as_json: bool) -> None:
    """Play the transcripts in DIR, files whose name ends in .test, and those that are named.

    A transcript says what a client says, what DNS and databases answer, and what must become of
    the session, the message and the queues. Waiting costs no time: the clock is virtual.
    """
    files = _files(places)
    if not files:
        raise click.UsageError(f"there is no file whose name ends in {SUFFIX}")
    outcomes = [_played(path) for path in files]
    failed = [each for each in outcomes if not each.held]
    if as_json:
        click.echo(json.dumps([_plain(each) for each in outcomes], indent=2))
    else:
        for each in outcomes:
            _show(each)
        if coverage:
            _covered(outcomes)
        click.echo(f"{len(outcomes) - len(failed)} held, {len(failed)} failed")
    raise SystemExit(1 if failed else 0)


def _files(places: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        found += sorted(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
    return list(dict.fromkeys(found))


def _played(path: Path) -> Outcome:
    try:
        return play(read(path))
    except TranscriptError as error:
        line = error.fields["line"]
        return Outcome(path, line if isinstance(line, int) else 0, error.message)


def _show(outcome: Outcome) -> None:
    if outcome.held:
        click.echo(f"held    {outcome.path}")
        return
    where = f"{outcome.path}:{outcome.line}" if outcome.line else str(outcome.path)
    click.echo(f"FAILED  {where}: {outcome.why}")
    for line in outcome.panics:
        click.echo(f"        paniclog: {line}")


def _sums(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], Tally]:
    sums: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for outcome in outcomes:
        for hook, name, tally in outcome.tallies:
            total = sums[hook, name]
            total.calls += tally.calls
            total.errors += tally.errors
            total.seconds += tally.seconds
            total.slowest = max(total.slowest, tally.slowest)
    return sums


def _covered(outcomes: Sequence[Outcome]) -> None:
    sums = _sums(outcomes)
    click.echo()
    click.echo(f"{'calls':>7} {'errors':>6} {'mean us':>8} {'most us':>8}  handler")
    for (hook, name), tally in sums.items():
        mean = 1e6 * tally.seconds / tally.calls if tally.calls else 0.0
        most = 1e6 * tally.slowest
        click.echo(f"{tally.calls:7} {tally.errors:6} {mean:8.1f} {most:8.1f}  {hook} {name}")
    never = [f"{hook} {name}" for (hook, name), tally in sums.items() if not tally.calls]
    if never:
        click.echo(f"never called: {', '.join(never)}")


def _plain(outcome: Outcome) -> dict[str, object]:
    return {
        "file": str(outcome.path),
        "held": outcome.held,
        "line": outcome.line,
        "why": outcome.why,
        "panics": outcome.panics,
        "handlers": [
            {
                "hook": hook,
                "name": name,
                "calls": tally.calls,
                "errors": tally.errors,
                "seconds": tally.seconds,
            }
            for hook, name, tally in outcome.tallies
        ],
    }
