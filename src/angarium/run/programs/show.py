"""`angarium show`, and `ec_show`: the messages of a spool, with what is known of them.

It reads the files as a start would and changes nothing, beside a running server too. Attempts and
the next one are as they were when they were last written down.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import click
import setproctitle

from angarium.config.errors import ConfigError
from angarium.config.load import load
from angarium.config.pcre import regex
from angarium.core.errors import Error
from angarium.core.ident import parse, printed
from angarium.core.message import Message, Recipient
from angarium.journal.disk import FileDisk
from angarium.journal.errors import DamageError
from angarium.net.loop import RealClock
from angarium.queue.spool import offline
from angarium.queue.spool.offline import Opened
from angarium.queue.spool.options import Spooling
from angarium.queue.spool.slot import Slot
from angarium.run import shards
from angarium.run.programs.config_files import default_file

FAILED, USAGE, CANNOT_READ = 1, 2, 3
FORM: Final = "%Y-%m-%d %H:%M:%S"
_FORMS: Final = (FORM, "%Y-%m-%d %H:%M", "%Y-%m-%d")
# Of a message on a terminal only what moves no cursor: all of it was written by strangers.
_UNSHOWN: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")

Test = Callable[[str], object]


@dataclass(slots=True)
class Wanted:
    """Which messages are meant; all tests must hold."""

    ident: int | None = None
    sender: Test | None = None
    recipient: Test | None = None
    start: float = float("-inf")
    end: float = float("inf")

    def takes(self, message: Message, recipient: Recipient) -> bool:
        return (
            self.start <= message.received_at <= self.end
            and (self.sender is None or bool(self.sender(message.sender)))
            and (self.recipient is None or bool(self.recipient(recipient.address)))
        )

    @property
    def everything(self) -> bool:
        return self == Wanted(self.ident)


@dataclass(slots=True)
class Shown:
    """What was found."""

    count: int = 0
    unreadable: list[str] = field(default_factory=list)


@click.command(
    "show",
    short_help="print the messages of a spool",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "-c", "--config", type=click.Path(path_type=Path),
    help="The ecelerity.conf which names the spool; without, that of this machine.",
)  # fmt: skip
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The state directory, in place of the spoolbase of the configuration.",
)  # fmt: skip
@click.option("-m", "--message", metavar="ID", help="This message only.")
@click.option("-n", "--count", "counting", is_flag=True, help="Print only how many there are.")
@click.option(
    "-s", "--spool", is_flag=True, expose_value=False, help="All messages; so it is without -m."
)
@click.option("--sender", metavar="PCRE", help="Whose sender matches.")
@click.option("--recipient", metavar="PCRE", help="Whose recipient matches.")
@click.option("--start_date", "--start-date", "start", metavar="DATE", help="Made from then on.")
@click.option("--end_date", "--end-date", "end", metavar="DATE", help="Made until then.")
@click.option("--no-content", is_flag=True, help="Print what is known of them, not what they say.")
def command(
    config: Path | None, state: Path | None, message: str | None, sender: str | None,
    recipient: str | None, start: str | None, end: str | None, *, counting: bool,
    no_content: bool,
) -> None:  # fmt: skip
    """Print messages of a spool: from whom, to whom, when, how far, and what they say.

    Each recipient is an entry of its own. Nothing is changed, and a running server is not
    disturbed. A DATE is seconds, or 2026-11-25, with 13:05:00 or without; local time.

    Exit code 0 if it was done, 1 if there is no such message or one cannot be read, 2 for wrong
    usage or a faulty configuration, 3 if the spool cannot be read.
    """
    setproctitle.setproctitle("angarium: show")
    wanted = Wanted(
        _ident(message), _test(sender), _test(recipient),
        _time(start, float("-inf")), _time(end, float("inf")),
    )  # fmt: skip
    shown = Shown()
    try:
        folder = state or _spoolbase(config)
        show = None if counting else partial(_show, content=not no_content)
        for name in shards.existing(folder / "spool"):
            asyncio.run(_read(str(folder / "spool" / name), wanted, shown, show))
    except ConfigError as error:
        click.echo(f"show: {error}", err=True)
        sys.exit(USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    except (Error, OSError) as error:
        click.echo(f"show: {error}", err=True)
        sys.exit(CANNOT_READ)
    if counting:
        click.echo(f"{shown.count}")
    for each in shown.unreadable:
        click.echo(f"show: {each}", err=True)
    if wanted.ident is not None and not shown.count:
        click.echo(f"show: there is no message {message}", err=True)
        sys.exit(FAILED)
    sys.exit(FAILED if shown.unreadable else 0)


def _spoolbase(config: Path | None) -> Path:
    found = str(config) if config is not None else default_file(os.environ)
    if found is None:
        raise Error("no configuration; name it by -c, or the spool by --state")
    return Path(load(found).top(Spooling).spoolbase)


def _ident(text: str | None) -> int | None:
    found = parse(text) if text is not None else None
    if text is not None and found is None:
        raise click.UsageError(f"{text!r} is no id such as 91/6D-07914-E67BC044")
    return found


def _test(text: str | None) -> Test | None:
    try:
        return regex(text).search if text is not None else None
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _time(text: str | None, default: float) -> float:
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return float(text)
    for form in _FORMS:
        try:
            return time.mktime(time.strptime(text, form))
        except (ValueError, OverflowError):
            continue
    raise click.UsageError(f"{text!r} is no date such as 2026-11-25 13:05:00")


Show = Callable[[int, Slot, Message, Recipient], None]


async def _read(directory: str, wanted: Wanted, shown: Shown, show: Show | None) -> None:
    async with offline.read(FileDisk(), directory, RealClock()) as shard:
        if show is None and wanted.ident is None and wanted.everything:
            shown.count += sum(1 for _ in shard.entries())
            return
        before = shown.count
        _each(shard, wanted, shown, show, by_batch=False)
        if wanted.ident is not None and shown.count == before:
            _each(shard, wanted, shown, show, by_batch=True)


def _each(
    shard: Opened, wanted: Wanted, shown: Shown, show: Show | None, *, by_batch: bool
) -> None:
    for ident, slot, _ in shard.entries():
        if wanted.ident is not None and not by_batch and ident != wanted.ident:
            continue
        try:
            message, recipient = shard.load(ident)
            if (by_batch and message.batch != wanted.ident) or not wanted.takes(message, recipient):
                continue
            shown.count += 1
            if show is not None:
                show(ident, slot, message, recipient)
        except DamageError as error:
            if not by_batch:
                shown.unreadable.append(f"{printed(ident)}: {error}")


def _show(ident: int, slot: Slot, message: Message, recipient: Recipient, *, content: bool) -> None:
    click.echo("\n".join(_known(ident, slot, message, recipient)))
    click.echo()
    if content:
        out = sys.stdout.buffer
        sys.stdout.flush()
        for piece in (message.header, *message.body.pieces()):
            plain = piece.replace(b"\r\n", b"\n")
            out.write(_UNSHOWN.sub(b"?", plain) if sys.stdout.isatty() else plain)
        out.write(b"\n.\n\n")
        out.flush()


def _known(ident: int, slot: Slot, message: Message, recipient: Recipient) -> Iterator[str]:
    due = slot.due or message.received_at
    yield f"Message: {printed(ident)}"
    for name, number in (
        ("ID", ident), ("BatchID", message.batch), ("ConnID", message.connection)
    ):  # fmt: skip
        parts = f"slot: {number >> 32}, pid: {number >> 16 & 0xFFFF}, counter: {number & 0xFFFF}"
        yield f"  {name}: ({parts})"
    yield "  Swapped: Yes"
    yield f"  Created: {_date(message.received_at)}"
    yield f"  Next Attempt: {_date(due)}"
    yield f"  Retries: {slot.attempts}"
    yield f"  Received From: {message.protocol.upper()} {message.source}".rstrip()
    yield f"  Received Via: {message.pathway}".rstrip()
    yield f"  Sender: {_plain(message.sender)}".rstrip()
    yield f"  Recipient: {_plain(recipient.address)}"
    yield "  Code:"
    yield f"  Size: {message.size}"
    for title, variables in (("Connection", message.variables), ("Message", recipient.variables)):
        yield f"  {title} Context: ["
        for name, value in variables.items():
            yield f'    {_plain(name)} = "{_plain(value)}"'
        yield "  ]"


def _date(at: float) -> str:
    return time.strftime(FORM, time.localtime(at))


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def main() -> None:
    command()


if __name__ == "__main__":
    main()
