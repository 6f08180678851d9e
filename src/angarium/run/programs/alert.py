"""`angarium alert`: try the receivers of alerts of a running server."""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from angarium.config.errors import ConfigError
from angarium.modules.monitor.alerts import KEPT, RESULT, TEST
from angarium.modules.monitor.incidents import Incidents, Limits
from angarium.modules.monitor.notices import line
from angarium.queue.spool.options import Spooling
from angarium.run.plan import Plan
from angarium.run.privileges import PrivilegeError

FAILED, NO_SERVER = 1, 3
PATIENCE: Final = 90.0  # seconds: the longest time of a receiver, and some
HEARD: Final = 5.0  # seconds for the monitor to begin
LOOK: Final = 0.1


@click.group("alert", short_help="try who is told when something is wrong")
def command() -> None:
    """Look after the alerts of a running server (module `alerting`)."""


def located(
    function: Callable[[Path], None],
) -> Callable[[Path | None, Path | None], None]:
    """Give a command the options which say which server is meant."""

    def run(state: Path | None, config_path: Path | None) -> None:
        try:
            folder = state or (Plan.make(config_path, None).state if config_path is not None else
                               Path(Spooling.spoolbase.default))  # fmt: skip
        except (ConfigError, PrivilegeError) as error:
            click.echo(str(error), err=True)
            sys.exit(FAILED)
        function(folder)

    named = click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        help="The state directory of the server, as `serve --state`.",
    )
    configured = click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        help="Its ecelerity.conf, which names the state directory where there is no --state.",
    )
    run.__doc__ = function.__doc__
    return named(configured(run))


@command.command("test")
@located
def test(folder: Path) -> None:
    """Tell every receiver of alerts a test, at once, and print what came of each.

    For mail "told" means that the queue, or the relay, has taken the message. The exit code is 0
    when all were told, 1 when one was not or there is none, 3 if there is no such server.
    """
    results = _ask(folder / "run")
    if results is None:
        click.echo("alert: no server with the module alerting answers there", err=True)
        sys.exit(NO_SERVER)
    for name, reason in results.items():
        click.echo(f"{name}: {reason or 'told'}")
    if not results:
        click.echo("nobody is told: there is no mail, webhook or command in alerting")
    sys.exit(FAILED if not results or any(results.values()) else 0)


@command.command("list")
@located
def list_(folder: Path) -> None:
    """Print what is wrong, and what was not long ago, oldest first, and who has been told.

    The exit code is 0 when nothing is wrong, 1 when something is, 3 if nothing is known there.
    """
    incidents = Incidents(Limits())
    try:
        incidents.load((folder / "monitor" / KEPT).read_bytes())
    except (OSError, ValueError) as error:
        click.echo(f"alert: nothing is known: {error}", err=True)
        sys.exit(NO_SERVER)
    for each in sorted(incidents, key=lambda each: each.since):
        click.echo(line(each))
        know = [name for name, state in each.told.items() if state >= each.state]
        click.echo(f"    told: {', '.join(know) or 'nobody yet'}")
    sys.exit(FAILED if any(not each.over for each in incidents) else 0)


def _ask(run_folder: Path) -> dict[str, str] | None:
    """Ask the monitor for a test; return what came of it, None if it does not answer."""
    asked, result = run_folder / TEST, run_folder / RESULT
    try:
        result.unlink(missing_ok=True)
        asked.touch(mode=0o600)
    except OSError:
        return None
    until = time.monotonic() + PATIENCE
    heard, waiting = time.monotonic() + HEARD, threading.Event()  # which nobody sets
    while time.monotonic() < until:
        if result.exists():
            found: dict[str, str] = json.loads(result.read_bytes())
            result.unlink(missing_ok=True)
            return found
        if asked.exists() and time.monotonic() > heard:
            asked.unlink(missing_ok=True)
            return None
        waiting.wait(LOOK)
    return None
