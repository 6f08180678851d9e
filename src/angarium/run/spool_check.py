"""`ec_spool_check`, as Momentum 5.3 has it: an integrity scan which only reads.

    ec_spool_check [-c CONFFILE] [-e EXTDIR] [-x] SPOOL-DIRECTORY

Summary on standard output, `FAIL <id>: <reason>` on standard error. It ends with 0 if nothing is
damaged, 1 if something is, 2 if it cannot look, as while a server works on the directory.
"""

import asyncio
import fcntl
import os
import sys
import time
from pathlib import Path
from typing import Final

import click

from angarium.config.errors import ConfigError
from angarium.config.load import load_snapshot, snapshot
from angarium.core.errors import Error
from angarium.core.ident import printed
from angarium.journal.disk import FileDisk
from angarium.net.loop import RealClock
from angarium.queue.spool.verify import Report, verify
from angarium.run import shards

FATAL: Final = 2
ORPHANS: Final = 0  # Momentum marks large bodies with a file "L"; here a record names them


@click.command("ec_spool_check", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "conffile", help="A configuration file; it is checked, and not needed.")
@click.option("-e", "_extdir", help="Taken for Momentum's sake, without effect.")
@click.option("-x", "times", is_flag=True, help="Print the oldest and the newest message.")
@click.argument("spool", metavar="SPOOL-DIRECTORY", type=click.Path(path_type=Path))
def command(conffile: str | None, _extdir: str | None, times: bool, spool: Path) -> None:
    """Check the integrity of a spool and change nothing; the server must be stopped.

    SPOOL-DIRECTORY is the state directory (spoolbase, or serve --state).
    """
    try:
        if conffile is not None:
            load_snapshot(snapshot(conffile), files=False)
        reports = _reports(spool)
    except (ConfigError, Error, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(FATAL)
    sys.exit(_print(reports, times=times))


def _reports(spool: Path) -> list[Report]:
    if not (spool / "spool").is_dir():
        raise Error("this is no state directory", path=str(spool))
    lock = os.open(spool / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Error("the spool is locked: a server works on it") from error
        return [
            asyncio.run(verify(FileDisk(), str(spool / "spool" / name), RealClock()))
            for name in shards.existing(spool / "spool")
        ]
    finally:
        os.close(lock)


def _print(reports: list[Report], *, times: bool) -> int:
    meta = body = 0
    for report in reports:
        failed: dict[int, str] = {}
        for finding in report.findings:
            for ident in finding.entries:
                failed.setdefault(ident, finding.what)
            if not finding.entries and not finding.kept:
                meta += 1
                click.echo(f"FAIL {finding.path}: {finding.what}", err=True)
        for ident, reason in failed.items():
            click.echo(f"FAIL {printed(ident)}: {reason}", err=True)
            of_body = "body" in reason or "content" in reason
            body, meta = body + of_body, meta + (not of_body)
    scanned = sum(each.queued + each.quarantined for each in reports)
    unreadable = sum(each.unreadable for each in reports)
    for name, count in (
        ("Total scanned:", scanned),
        ("Total ok:", scanned - unreadable),
        ("Meta failures:", meta),
        ("Body failures:", body),
        ("Orphan L-markers:", ORPHANS),
    ):
        click.echo(f"{name:<17} {count}")
    if times:
        _print_times(reports)
    return 1 if meta or body else 0


def _print_times(reports: list[Report]) -> None:
    oldest = min((each.oldest for each in reports if each.oldest), default=None)
    newest = max((each.newest for each in reports if each.newest), default=None)
    for name, found in (("Oldest:", oldest), ("Newest:", newest)):
        text = "(none)"
        if found is not None:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found[0]))
            text = f"{printed(found[1])} {when}"
        click.echo(f"{name:<17} {text}")


def main() -> None:
    command()


if __name__ == "__main__":
    main()
