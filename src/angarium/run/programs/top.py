"""`angarium top`: a running server on a terminal, as it is at this moment."""

import contextlib
import json
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import click
import setproctitle
from rich.console import Console
from rich.live import Live

import angarium.run.declared  # noqa: F401 - what others have counted has its declaration
from angarium.run.screen import SORTS, screen
from angarium.run.watching import Watching
from angarium.web.overview import overview

NOT_READY, CANNOT_START = 1, 3
FEWEST_SECONDS: Final = 0.2
_LONG: Final = 1000  # lines: on no terminal there is as much room as is needed


@click.command("top", short_help="watch a running server: rates, queues, limits, errors")
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The state directory of the server; its spoolbase where it has none.",
)
@click.option(
    "--interval",
    default=1.0,
    show_default=True,
    type=click.FloatRange(FEWEST_SECONDS, 3600.0),
    help="Seconds between two looks.",
)
@click.option(
    "--sort",
    default="waiting",
    show_default=True,
    type=click.Choice([name for name, _ in SORTS.values()]),
    help="What queues are ordered by.",
)
@click.option("--once", is_flag=True, help="Look twice, print, and end.")
@click.option("--json", "as_json", is_flag=True, help="As --once, as JSON for scripts.")
def command(state: Path, interval: float, sort: str, *, once: bool, as_json: bool) -> None:
    """Show rates, queues, what is in the way, where time goes, processes.

    It reads what the processes write down once a second and asks nothing of them, so it works
    while a worker is stuck. Who may read the state directory may look. With --once and --json the
    exit code is 0 if the server is ready, 1 if it is not, 3 if there is nothing to look at.
    """
    setproctitle.setproctitle("angarium: top")
    try:
        watching = Watching(state, time.time, look_only=True)
    except OSError as error:
        click.echo(f"top: no server has run here, or it is not for you: {error}", err=True)
        sys.exit(CANNOT_START)
    key = next(each for each, (name, _) in SORTS.items() if name == sort)
    with contextlib.closing(watching):
        if once or as_json or not sys.stdout.isatty():
            sys.exit(_once(watching, interval, key, as_json=as_json))
        with contextlib.suppress(KeyboardInterrupt):
            _live(watching, interval, key)


def _seen(watching: Watching) -> dict[str, Any]:
    about = {"node": os.uname().nodename, "version": version("angarium")}
    return overview(watching.history, watching.queues(), about)


def _once(watching: Watching, interval: float, key: str, *, as_json: bool) -> int:
    _nobody(interval)
    watching.history.whole = True
    watching.look()
    seen = _seen(watching)
    if as_json:
        click.echo(json.dumps(seen))
    else:
        console = Console(highlight=False)
        height = console.height if console.is_terminal else _LONG
        console.print(screen(seen, height, key))
    return 0 if seen["ready"] else NOT_READY


def _live(watching: Watching, interval: float, key: str) -> None:
    """Draw again and again, until somebody presses q."""
    console = Console(highlight=False)
    paused, seen = False, _seen(watching)
    with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            if not paused:
                watching.look()
                seen = _seen(watching)
            live.update(screen(seen, console.height, key, paused=paused), refresh=True)
            for each in pressed(interval):
                if each == "q":
                    return
                if each == "p":
                    paused = not paused
                elif each in SORTS:
                    key = each


@contextlib.contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """Give a function which waits for keys, so long at most, and returns those pressed.

    What we are started with is put back at the end, also after Ctrl-C.
    """
    descriptor = sys.stdin.fileno()
    if not os.isatty(descriptor):
        yield _nobody
        return
    before = termios.tcgetattr(descriptor)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([descriptor], [], [], seconds)
        return os.read(descriptor, 64).decode(errors="replace") if ready else ""

    try:
        tty.setcbreak(descriptor)
        yield pressed
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _nobody(seconds: float) -> str:
    select.select([], [], [], seconds)
    return ""
