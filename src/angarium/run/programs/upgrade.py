"""`angarium upgrade`: replace everything that runs by the program on the disk."""

import asyncio
import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

import click
import setproctitle

from angarium.config.errors import ConfigError
from angarium.core.errors import Error
from angarium.run.plan import Plan
from angarium.run.privileges import PrivilegeError
from angarium.run.progress import DONE, ENDS, Step, read

NOT_DONE, NO_SERVER = 1, 3
LOOK_SECONDS: Final = 0.05


class NoServerError(Error):
    """Nobody works on this state directory."""


@click.command("upgrade", short_help="replace what runs by the program on the disk")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The state directory of the server, as `serve --state`.",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Its ecelerity.conf, which names the state directory where there is no --state.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.0),
    default=300.0,
    metavar="SECONDS",
    help="How long to wait for the end; the upgrade goes on without us.",
)
def command(state: Path | None, config_path: Path | None, timeout: float) -> None:
    """Replace supervisor, hose and workers of a running server, and its configuration.

    Nothing is refused and nothing is delayed meanwhile: the new program is tried before it gets its
    place, new workers take the mail before the old ones leave, and those finish what is under way
    (upgrade_timeout). If the new program or the configuration cannot start, all stays as it is.

    Each step is printed. The exit code is 0 when the new workers hold everything, 1 if the upgrade
    was refused or given up, or is not over in time, 3 if there is no such server. Sending SIGUSR2
    to the server does the same.
    """
    setproctitle.setproctitle("angarium: upgrade")
    if state is None and config_path is None:
        raise click.UsageError("name the server by --state or by --config")
    try:
        folder = state or Plan.make(config_path or Path(), None).state
    except (ConfigError, PrivilegeError) as error:
        click.echo(str(error), err=True)
        sys.exit(NOT_DONE)
    run_folder = folder / "run"
    before = max((step.upgrade for step in read(run_folder)), default=0)
    try:
        os.kill(server(folder), signal.SIGUSR2)
    except (NoServerError, OSError) as error:
        click.echo(f"cannot upgrade: {error}", err=True)
        sys.exit(NO_SERVER)
    end = asyncio.run(_follow(folder, before, time.monotonic() + timeout))
    if end is None:
        click.echo(f"it is not over after {timeout:g} s, and goes on", err=True)
    sys.exit(0 if end is not None and end.stage == DONE else NOT_DONE)


def server(state: Path) -> int:
    """Return the number of the process which works on a state directory.

    Raises:
        NoServerError: none does.
        OSError: the directory cannot be read.
    """
    try:
        lock = os.open(state / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NoServerError("this is no state directory", state=str(state)) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            number = os.pread(lock, 32, 0)
            if number.strip().isdigit():
                return int(number)
        raise NoServerError("no server works on this state directory", state=str(state))
    finally:
        os.close(lock)


async def _follow(state: Path, before: int, until: float) -> Step | None:
    """Print the steps of the first upgrade after `before`; return its end, None if it has none."""
    shown = number = 0
    while time.monotonic() < until:
        steps = [step for step in read(state / "run") if step.upgrade > before]
        number = number or min((step.upgrade for step in steps), default=0)
        ours = [step for step in steps if step.upgrade == number]
        for step in ours[shown:]:
            click.echo(step.text)
        shown = len(ours)
        if ours and ours[-1].stage in ENDS:
            return ours[-1]
        try:
            server(state)
        except NoServerError:
            click.echo("the server has ended", err=True)
            return None
        await asyncio.sleep(LOOK_SECONDS)
    return None
