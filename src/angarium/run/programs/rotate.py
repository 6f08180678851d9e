"""`angarium rotate`, and `ec_rotate`: text logs renamed, reopened, and the old ones compressed.

ec_rotate [-d] [-conf FILE] [-l LOG]... [-logdir DIR]... [-r N] [-c UTILITY | -n] [-s SOCKET]
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click

from angarium.core.errors import Error
from angarium.events.checkpoint import CheckpointError, written
from angarium.queue.spool.options import Spooling
from angarium.run import keyed, rotation
from angarium.run.keyed import SettingsError
from angarium.run.programs.upgrade import NoServerError, server
from angarium.run.rotation import COMPRESSORS, Compressor

FAILED, USAGE = 1, 2
SETTINGS: Final = Path("/etc/angarium/ec_rotate.conf")
KEYS: Final = (
    "enabled", "logfiles", "logdirs", "retention", "compressor", "control_socket", "path_to_bzip",
    "state",
)  # fmt: skip
FOLDERS: Final = (Path("/var/log/angarium"), Path("/var/log/ecelerity"))
LOGS: Final = (
    "mainlog", "paniclog", "rejectlog", "bouncelog", "acctlog", "importlog", "fbllog", "httplog",
    "smpplog",
)  # fmt: skip
RETENTION: Final = 7
PATIENCE_SECONDS: Final = 10.0  # the hose looks for new files within a second
LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to rotate and how; `compressor` is None for not at all."""

    logs: tuple[Path, ...]
    retention: int
    compressor: Compressor | None
    state: Path


_PATHS: Final = click.Path(path_type=Path)


@click.command(
    "rotate",
    short_help="rename the text logs, compress the old ones",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("-conf", "--settings", "conf", type=_PATHS, help="An ec_rotate.conf.")
@click.option(
    "-d", "-default", "--default", "default", is_flag=True,
    help="/etc/angarium/ec_rotate.conf if it is there; so it is without -conf, -l and -logdir too.",
)  # fmt: skip
@click.option("-l", "-logfile", "--logfile", "logs", multiple=True, type=_PATHS, help="A log.")
@click.option(
    "-logdir", "--logdir", "folders", multiple=True, type=_PATHS, help="All *.log of a directory."
)
@click.option(
    "-r", "-retention", "--retention", type=click.IntRange(min=1),
    help="Old logs to keep of each; 7 without.",
)  # fmt: skip
@click.option(
    "-c", "-compress", "--compress", "utility", metavar="UTILITY",
    help="bzip2 (as without), gzip or xz; a path is taken for its last part. None of them is run.",
)  # fmt: skip
@click.option("-n", "-nocompress", "--no-compress", "plain", is_flag=True, help="Compress nothing.")
@click.option(
    "-s", "-socket", "--socket", type=_PATHS,
    help="The console's socket, run/control in the state directory.",
)  # fmt: skip
@click.option("--state", type=_PATHS, help="The state directory, in place of -s.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is done.")
def command(**said: Any) -> None:
    """Rename each log to LOG.1, the old ones one further, and tell the server to reopen them.

    No line is lost: what is written between the two goes to LOG.1. It is compressed when nobody
    writes to it any more; should that take more than ten seconds, at the next rotation. A log that
    is empty, or not there, is left alone. As root it works as the owner of each directory.

    Exit code 0 if all was done, 1 if something failed, 2 for wrong usage.
    """
    verbose = said.pop("verbose")
    try:
        wanted = _wanted(**said)
    except (SettingsError, click.BadParameter) as error:
        click.echo(f"rotate: {error}", err=True)
        sys.exit(USAGE)
    if wanted is None:
        sys.exit(0)
    run = _Run(wanted, verbose=verbose)
    run.rename()
    run.compress()
    sys.exit(FAILED if run.failed else 0)


def _wanted(
    conf: Path | None, logs: tuple[Path, ...], folders: tuple[Path, ...], *, default: bool,
    retention: int | None, utility: str | None, plain: bool, socket: Path | None,
    state: Path | None,
) -> Wanted | None:  # fmt: skip
    """Return what is wanted; None where a file says that nothing is."""
    file = conf or (SETTINGS if default or not (logs or folders) else None)
    there = file is not None and (conf is not None or file.exists())
    said = keyed.read(file, KEYS) if there and file is not None else {}
    if said.get("enabled", "yes").lower() not in ("yes", "true", "1", "on"):
        return None
    if not logs and not folders:
        logs = tuple(Path(each) for each in said.get("logfiles", "").split())
        folders = tuple(Path(each) for each in said.get("logdirs", "").split())
        if "logfiles" not in said:
            logs = tuple(each / f"{name}.ec" for each in FOLDERS for name in LOGS)
    kept = said.get("retention", str(RETENTION))
    if not kept.isdigit() or int(kept) < 1:
        raise SettingsError("retention is a number from 1", file=str(file))
    name = Path(utility or said.get("compressor") or said.get("path_to_bzip") or "bzip2").name
    if name not in COMPRESSORS:
        raise SettingsError(f"there is no compressor {name}; bzip2, gzip or xz")
    control = socket or (Path(path) if (path := said.get("control_socket")) else None)
    folder = state or (control.parent.parent if control is not None else None)
    every = [*logs, *(log for each in folders for log in sorted(each.glob("*.log")))]
    return Wanted(
        tuple(dict.fromkeys(each.absolute() for each in every)),
        retention or int(kept),
        None if plain else COMPRESSORS[name],
        folder or Path(said.get("state") or Spooling.spoolbase.default),
    )


class _Run:
    """One rotation; what fails is told, and holds up nothing else."""

    def __init__(self, wanted: Wanted, *, verbose: bool) -> None:
        self._wanted = wanted
        self._verbose = verbose
        self.failed = False

    def rename(self) -> None:
        """Rename the logs, and have new ones opened."""
        self._each(self._rename)
        self._reopen()

    def _each(self, work: Callable[[Path], None]) -> None:
        for folder, logs in groupby(self._wanted.logs, key=lambda each: each.parent):
            self._in(folder, work, list(logs))

    def _in(self, folder: Path, work: Callable[[Path], None], logs: Iterable[Path]) -> None:
        if not folder.is_dir():
            return
        try:
            with rotation.only(folder):
                for log in logs:
                    self._try(partial(work, log))
        except (Error, OSError) as error:
            self._fail(error)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (Error, OSError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.failed = True
        click.echo(f"rotate: {error}", err=True)

    def _tell(self, text: str) -> None:
        if self._verbose:
            click.echo(text)

    def _rename(self, log: Path) -> None:
        if rotation.rotate(log, self._wanted.retention):
            self._tell(f"{log} is {log.name}.1 now")

    def _reopen(self) -> None:
        """Tell the server; one that does not run has nothing open."""
        try:
            os.kill(server(self._wanted.state), signal.SIGUSR1)
        except NoServerError as error:
            self._tell(f"nothing to reopen: {error}")
        except OSError as error:
            self._fail(error)

    def compress(self) -> None:
        """Compress what nobody writes to any more."""
        by = self._wanted.compressor
        if by is not None:
            self._until = time.monotonic() + PATIENCE_SECONDS
            self._each(partial(self._compress, by))

    def _compress(self, by: Compressor, log: Path) -> None:
        for path in rotation.waiting(log):
            if self._at_rest(path):
                self._tell(f"{rotation.compress(path, by)} is compressed")
            else:
                self._tell(f"{path} is still written; it is compressed at the next rotation")

    def _at_rest(self, path: Path) -> bool:
        """Wait until nobody writes to a file, all in all for PATIENCE_SECONDS."""
        pause = threading.Event()
        while True:
            if rotation.at_rest(path, self._written):
                return True
            if time.monotonic() >= self._until:
                return False
            pause.wait(LOOK_SECONDS)

    def _written(self) -> set[int]:
        try:
            return written(self._wanted.state / "hose")
        except (CheckpointError, OSError) as error:
            raise rotation.RotationError("stays uncompressed", reason=str(error)) from error


def main() -> None:
    command()


if __name__ == "__main__":
    main()
