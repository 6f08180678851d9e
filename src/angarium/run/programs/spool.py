"""`angarium spool`: look at the mail on the disk, mend it, take it out, bring it in."""

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import click
import setproctitle

from angarium.core.errors import Error
from angarium.core.ident import printed
from angarium.core.message import Message, Recipient
from angarium.journal.disk import Disk, FileDisk
from angarium.net.loop import RealClock
from angarium.queue.spool import archive, foreign, offline
from angarium.queue.spool.bring import Bringing, Brought
from angarium.queue.spool.letter import Letter
from angarium.queue.spool.overlay import Overlay
from angarium.queue.spool.repair import Repaired, repair
from angarium.queue.spool.verify import Report, verify
from angarium.run import shards

DAMAGED, CANNOT_START = 1, 3
CLOCK: Final = RealClock()

state_option = click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The state directory of the server; its spoolbase where it has none.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class BusyError(Error):
    """A server works on this state directory."""


@click.group("spool", short_help="verify, repair, export and import the mail on the disk")
def command() -> None:
    """Look at the mail on the disk, mend it, take it out, bring it in.

    verify and export only read, beside a running server too. repair and import need it stopped.
    """
    setproctitle.setproctitle("angarium: spool")


def ended(work: Callable[[], int]) -> None:
    """Do what a subcommand does, and end with its exit code."""
    try:
        code = work()
    except (Error, OSError) as error:
        click.echo(str(error), err=True)
        code = CANNOT_START
    sys.exit(code)


@contextmanager
def stopped(state: Path) -> Iterator[None]:
    """Keep every server from this state directory. Raises BusyError where one works on it."""
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError("a server works on this state directory: stop it") from error
        yield
    finally:
        os.close(lock)


def directories(state: Path) -> list[str]:
    """Return the directories of the shards."""
    return [str(state / "spool" / name) for name in shards.existing(state / "spool")]


# -- verify


@command.command("verify", short_help="say what is damaged, where, and whose mail it is")
@state_option
@json_option
@click.option("--quick", is_flag=True, help="Do not read the contents of messages.")
def verify_command(state: Path, *, as_json: bool, quick: bool) -> None:
    """Read every octet of the spool and say what is damaged: file, octets, messages.

    Nothing is changed. Beside a running server the result is that of the moment at which each shard
    was read. Places of which a copy was put aside before (quarantine/), and contents nobody needs
    any more, are listed and are no failure. The exit code is 0 if nothing else is damaged and every
    entry can be read, 1 if not, 3 if the spool cannot be looked at.
    """
    ended(partial(_verify, state, as_json=as_json, quick=quick))


def _verify(state: Path, *, as_json: bool, quick: bool) -> int:
    disk = FileDisk()
    reports = {
        each: asyncio.run(verify(disk, each, CLOCK, contents=not quick))
        for each in directories(state)
    }
    sound = all(each.sound for each in reports.values())
    if as_json:
        click.echo(
            json.dumps(
                {
                    "sound": sound,
                    "shards": {Path(name).name: _report(each) for name, each in reports.items()},
                }
            )
        )
    else:
        for name, report in reports.items():
            click.echo(
                f"shard {Path(name).name}: {report.queued} queued, {report.quarantined} "
                f"quarantined, {report.unreadable} unreadable; {report.records} records in "
                f"{report.segments} files, {report.octets} octets"
            )
            for line in _findings(report):
                click.echo(line)
        click.echo("nothing is damaged" if sound else "damage was found")
    return 0 if sound else DAMAGED


def _findings(report: Report) -> Iterator[str]:
    for each in report.findings:
        where = f"{each.path}:{each.start}" if each.start or each.end else each.path
        where += f"-{each.end}" if each.end > each.start else ""
        yield f"{where}: {each.what}{' (no loss)' if each.kept and not each.entries else ''}"
        for ident in each.entries:
            yield f"    {printed(ident)}"


def _report(report: Report) -> dict[str, Any]:
    return {
        "sound": report.sound, "queued": report.queued, "quarantined": report.quarantined,
        "unreadable": report.unreadable, "segments": report.segments, "records": report.records,
        "octets": report.octets,
        "findings": [
            {
                "path": each.path, "start": each.start, "end": each.end, "what": each.what,
                "kept": each.kept, "entries": [printed(ident) for ident in each.entries],
            }
            for each in report.findings
        ],
    }  # fmt: skip


# -- repair


@command.command("repair", short_help="write anew what can be kept, put the rest aside")
@state_option
@json_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def repair_command(state: Path, *, as_json: bool, dry_run: bool) -> None:
    """Write anew what can be kept, and put the rest aside; nothing is deleted.

    A start does the same but for two things: here entries that cannot be read are put aside at
    once, and what lives in a damaged file moves out of it. The server must be stopped, but for a
    dry run. Copy the state directory first if you can. The exit code is 0 if the spool is in order
    now (with --dry-run: was), 1 if entries are lost or something could not be mended, 3 if it
    cannot be worked on.
    """
    ended(partial(_repair, state, as_json=as_json, dry_run=dry_run))


def _repair(state: Path, *, as_json: bool, dry_run: bool) -> int:
    disk: Disk = FileDisk()
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(stopped(state))
        done: dict[str, Repaired] = {}
        for each in directories(state):
            used = Overlay(disk) if dry_run else disk
            done[Path(each).name] = asyncio.run(repair(used, each, CLOCK))
    if as_json:
        click.echo(json.dumps({name: _repaired(each) for name, each in done.items()}))
    else:
        for name, shard in done.items():
            for fault in shard.found:
                click.echo(f"shard {name}: {fault}")
            for ident, flaw in shard.isolated.items():
                click.echo(f"shard {name}: {printed(ident)} put aside: {flaw}")
            click.echo(
                f"shard {name}: {shard.kept} entries, {len(shard.isolated)} put aside, "
                f"{shard.moved} written anew"
            )
    hurt = any(not each.nothing if dry_run else each.isolated for each in done.values())
    return DAMAGED if hurt else 0


def _repaired(done: Repaired) -> dict[str, Any]:
    return {
        "entries": done.kept,
        "moved": done.moved,
        "found": [str(each) for each in done.found],
        "isolated": {printed(ident): flaw for ident, flaw in done.isolated.items()},
    }


# -- export


@command.command("export", short_help="write messages and all that is known of them to a file")
@state_option
@json_option
@click.option("--to", "target", required=True, help="The file, .tar or .tar.gz; - is the output.")
@click.option("--id", "idents", multiple=True, help="Only this message or entry.")
@click.option("--recipient", "recipients", multiple=True, help="Only to this address.")
@click.option("--domain", "domains", multiple=True, help="Only what goes to this domain.")
@click.option("--binding", "bindings", multiple=True, help="Only by this binding, or GROUP/NAME.")
@click.option("--sender", "senders", multiple=True, help="Only from this sender.")
@click.option("--quarantined", is_flag=True, help="Only what was put aside.")
@click.option("--damaged", is_flag=True, help="Also what is left of contents that are damaged.")
def export_command(
    state: Path, *, as_json: bool, target: str, damaged: bool, **filters: Any
) -> None:
    """Write messages to a tar file: each as .eml, with a .json of all that is known of it.

    Nothing is changed, and what is exported stays queued. Beside a running server it is the queue
    of the moment at which each shard was read. `spool import` reads such a file. Entries that
    cannot be read are named on standard error. The exit code is 0 if there were none, 1 if there
    were, 3 if nothing could be written.
    """
    ended(partial(_export, state, as_json=as_json, target=target, damaged=damaged, filters=filters))


def _export(
    state: Path, *, as_json: bool, target: str, damaged: bool, filters: dict[str, Any]
) -> int:
    skipped: dict[int, str] = {}
    with ExitStack() as stack:
        file: IO[bytes] = sys.stdout.buffer
        if target != "-":
            file = stack.enter_context(Path(target).open("xb"))
        writer = archive.Writer(file, compress=target.endswith("gz"))
        for each in directories(state):
            asyncio.run(_export_shard(each, writer, filters, skipped, damaged=damaged))
        writer.close()
        file.flush()
        if target != "-":
            os.fsync(file.fileno())
    for ident, reason in skipped.items():
        click.echo(f"{printed(ident)} left out: {reason}", err=True)
    if as_json:
        said = {
            "messages": writer.letters,
            "recipients": writer.receivers,
            "left_out": {printed(ident): reason for ident, reason in skipped.items()},
        }
        click.echo(json.dumps(said), err=target == "-")
    else:
        click.echo(f"{writer.letters} messages, {writer.receivers} recipients", err=True)
    return DAMAGED if skipped else 0


async def _export_shard(
    directory: str,
    writer: archive.Writer,
    filters: dict[str, Any],
    skipped: dict[int, str],
    *,
    damaged: bool,
) -> None:
    async with offline.read(FileDisk(), directory, CLOCK) as shard:
        aside = shard.shard.table.isolated if filters["quarantined"] else None
        wanted = partial(_wanted, filters, aside)
        for letter in archive.letters(shard, wanted, skipped.__setitem__, damaged=damaged):
            writer.add(letter)


def _wanted(
    filters: dict[str, Any],
    aside: dict[int, bytes] | None,
    ident: int,
    message: Message,
    recipient: Recipient,
) -> bool:
    binding = recipient.binding, f"{recipient.binding_group}/{recipient.binding}"
    each = (
        ("idents", (printed(ident), printed(message.batch))),
        ("recipients", (recipient.address,)),
        ("domains", (recipient.domain,)),
        ("bindings", binding),
        ("senders", (message.sender,)),
    )
    if aside is not None and ident not in aside:
        return False
    return all(not filters[name] or set(filters[name]).intersection(has) for name, has in each)


# -- import


@command.command("import", short_help="bring in messages from such a file, or from elsewhere")
@state_option
@json_option
@click.option(
    "--from",
    "kind",
    type=click.Choice(["archive", "eml", "maildir", "postcat"]),
    default="archive",
    help="What the files are: of `spool export`, a message each, maildirs, output of postcat -q.",
)
@click.option("--to", "recipients", multiple=True, help="Recipient, where the file says none.")
@click.option("--sender", help="Sender of eml and maildir; Return-Path of the message without it.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def import_command(
    state: Path,
    *,
    as_json: bool,
    kind: str,
    recipients: Sequence[str],
    sender: str | None,
    files: Sequence[Path],
) -> None:
    """Bring messages into the spool of a stopped server, in a shard of their own: all or none.

    What was brought in before, or is in the spool with its id and address, is left out; so to do it
    twice is safe. Times of reception, attempts and what was put aside stay as they were; ids are
    new, and no Received field is added. The next start delivers, and writes importlog where there
    is one. The exit code is 0 if all is there, 3 if nothing was brought in.
    """
    said = partial(_letters, kind, files, sender, recipients)
    ended(partial(_import, state, said, as_json=as_json))


def _import(state: Path, letters: Callable[[], Iterator[Letter]], *, as_json: bool) -> int:
    disk = FileDisk()
    with stopped(state):
        (state / "spool").mkdir(mode=0o750, exist_ok=True)
        present = asyncio.run(_present(disk, state))
        name = shards.unused(shards.existing(state / "spool"))
        bringing = Bringing(disk, state, name, CLOCK, present.get)
        done = asyncio.run(bringing.run(letters()))
        if done.shard:
            _own(state, state / "spool" / done.shard)
    if as_json:
        click.echo(json.dumps(_brought(done)))
    else:
        click.echo(
            f"{done.letters} messages, {done.receivers} recipients brought in"
            f"{f' as shard {done.shard}' if done.shard else ''}; {done.known} known already"
        )
    return 0


def _brought(done: Brought) -> dict[str, Any]:
    return {
        "messages": done.letters,
        "recipients": done.receivers,
        "known": done.known,
        "shard": done.shard,
    }


async def _present(disk: Disk, state: Path) -> dict[int, str]:
    """Return the addresses of all entries which are in the spool and can be read."""
    found: dict[int, str] = {}
    for each in directories(state):
        async with offline.read(disk, each, CLOCK) as shard:
            for letter in archive.letters(shard, lambda *_: True, lambda *_: None, damaged=True):
                found |= {each.ident: each.target.address for each in letter.receivers}
    return found


def _own(state: Path, shard: Path) -> None:
    """Give a shard, or a file, to whom the state directory belongs: root may have made it."""
    owner = state.stat()
    if os.geteuid() == 0:
        if shard.is_file():
            os.chown(shard, owner.st_uid, owner.st_gid)
        for folder, folders, files in os.walk(shard):
            for name in (".", *folders, *files):
                os.chown(os.path.join(folder, name), owner.st_uid, owner.st_gid)


def _letters(
    kind: str, files: Sequence[Path], sender: str | None, recipients: Sequence[str]
) -> Iterator[Letter]:
    for path in files:
        if kind == "archive":
            with path.open("rb") as file:
                for each in archive.read(file):
                    each.source = str(path)
                    yield each
            continue
        for name in foreign.maildir(path) if kind == "maildir" else [path]:
            octets, at = name.read_bytes(), name.stat().st_mtime
            try:
                if kind == "postcat":
                    letter = foreign.postcat(octets, at)
                else:
                    letter = foreign.letter(octets, sender, recipients, at)
            except foreign.ForeignError as error:
                error.fields.setdefault("file", str(name))
                raise
            letter.source = str(path)
            yield letter
