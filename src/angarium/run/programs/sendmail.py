"""`angarium sendmail`, and `ec_sendmail`: mail of this machine's programs, as sendmail(8) takes it.

    sendmail [OPTIONS OF SENDMAIL] [--] [RECIPIENT...] < MESSAGE

It runs as whoever calls it and has no rights of its own. A message goes to the server by SMTP;
where that is down or wants it later, into the maildrop. Exit codes are those of sysexits(3): 0
taken, or left in the maildrop; 64 wrong usage; 65 no message; 67 refused for good; 75 try again.
"""

import os
import pwd
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import click

from angarium.core.errors import Error
from angarium.run.keyed import SettingsError
from angarium.run.submission import letter, speak
from angarium.run.submission.addresses import AddressError, listed, mailbox
from angarium.run.submission.arguments import Mode, Request, UsageError, parse
from angarium.run.submission.collect import Collector
from angarium.run.submission.envelope import MOST_RECIPIENTS, Envelope
from angarium.run.submission.letter import LetterError
from angarium.run.submission.maildrop import HostileError, Maildrop, MaildropError
from angarium.run.submission.post import AwayError, Outcome, Server
from angarium.run.submission.settings import Settings

# sysexits(3), which callers of sendmail know.
OK, USAGE, NO_MESSAGE, REFUSED, UNAVAILABLE, AGAIN, NOT_ALLOWED = 0, 64, 65, 67, 69, 75, 77
_PIECE: Final = 1 << 16
LISTED: Final = 1000
HELP: Final = """\
usage: ec_sendmail [-t] [-i] [-f SENDER] [-F NAME] [-N WHEN] [-R full|hdrs] [-V ENVID] [--] [TO...]
       ec_sendmail -bs | -bp | -q

  -t          recipients stand in To, Cc and Bcc, too
  -i, -oi     a line of a dot alone is no end
  -f SENDER   envelope sender; <> for none
  -F NAME     full name of the sender, where the message has no From
  -N WHEN     never, or success,failure,delay: of what to report
  -R, -V      what a report returns, and how it names the message
  -bs         SMTP on standard input and output
  -bp         what waits in the maildrop
  -q          send what waits in the maildrop, once

Other options of sendmail are taken and have no effect."""


class _Leading(click.Command):
    """Our own options stand first; everything from the first other word on is sendmail's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = 0
        while at < len(args) and args[at].startswith("--") and args[at] != "--":
            at += 1 if "=" in args[at] or args[at] != "--settings" else 2
        super().parse_args(ctx, args[:at])
        ctx.params["words"] = tuple(args[at:])
        return []


@click.command(
    "sendmail",
    cls=_Leading,
    short_help="take a message from a program of this machine",
    options_metavar="[OPTIONS] [OPTIONS OF SENDMAIL] [RECIPIENTS]...",
)
@click.option(
    "--settings",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the server and the maildrop are; /etc/angarium/sendmail.conf without.",
)
@click.option("--flush", is_flag=True, help="Send what waits in the maildrop, as -q.")
@click.option("--list", "listing", is_flag=True, help="Print what waits in the maildrop, as -bp.")
def command(settings: Path | None, words: tuple[str, ...], *, flush: bool, listing: bool) -> None:
    """Take a message on standard input and give it to the server, as sendmail does.

    Our own options stand before those of sendmail: -t, -i, -oi, -f, -F, -N, -R, -V, -bm, -bs, -bp,
    -q; all others are taken and have no effect. Where the server is down, or wants the message
    later, it is left in the maildrop, from which --flush sends it. Exit codes are those of
    sendmail: 0 taken or left, 64 wrong usage, 65 no message, 67 refused for good, 75 to be tried
    again.
    """
    extra = ["-q"] * flush + ["-bp"] * listing
    sys.exit(run([*extra, *words], settings))


def run(words: Sequence[str], path: Path | None = None) -> int:
    """Do what a command line asks; return the exit code."""
    mode, quiet = Mode.TAKE, False
    try:
        request = parse(words)
        mode, quiet = request.mode, request.quiet
        if mode is Mode.HELP:
            # With a message to take this is no success: nobody has taken it.
            alone = len(words) == 1
            click.echo(HELP, err=not alone)
            return OK if alone else USAGE
        return _MODES[mode](request, Settings.read(path))
    except UsageError as error:
        return _failed(error, USAGE)
    except SettingsError as error:
        return _failed(error, AGAIN)
    except (AddressError, LetterError) as error:
        return _failed(error, NO_MESSAGE)
    except AwayError as error:
        return AGAIN if quiet else _failed(error, AGAIN)
    except MaildropError as error:
        return _failed(error, AGAIN if mode is Mode.TAKE else NOT_ALLOWED)


def _failed(error: Error, code: int) -> int:
    click.echo(f"sendmail: {error}", err=True)
    return code


def _nothing(request: Request, settings: Settings) -> int:
    return OK


def _speak(request: Request, settings: Settings) -> int:
    return OK if speak.speak(settings.server, 0, 1) else AGAIN


def _verify(request: Request, settings: Settings) -> int:
    for each in request.recipients:
        click.echo(f"{mailbox(each, settings.hostname)}... is an address")
    return OK


def _take(request: Request, settings: Settings) -> int:
    """Take a message: to the server, else into the maildrop."""
    if not request.recipients and not request.scan:
        raise UsageError("no recipients; name them, or use -t")
    read = letter.read(sys.stdin.buffer, dots=request.dots, most=settings.max_size)
    envelope = _envelope(request, settings, read)
    with read.body as body:
        header = _header(request, settings, envelope, read.header)
        lead = header + b"\r\n"
        try:
            with Server(*settings.server, settings.hostname) as server:
                at = datetime.fromtimestamp(envelope.at, UTC)
                by = letter.received(settings.hostname, envelope.uid, envelope.token, at)
                outcome = server.give(envelope, by + lead, body)
        except AwayError as error:
            outcome = Outcome(deferred=dict.fromkeys(envelope.recipients, str(error)))
        if outcome.deferred:
            body.seek(0)
            with Maildrop(settings.maildrop) as drop:
                rest = envelope.to(tuple(outcome.deferred))
                drop.put(rest, _pieces(lead, body))
    return _told(request, outcome)


def _pieces(lead: bytes, body: IO[bytes]) -> Iterator[bytes]:
    yield lead
    yield from iter(lambda: body.read(_PIECE), b"")


def _told(request: Request, outcome: Outcome) -> int:
    if request.verbose:
        for address, said in (*outcome.taken.items(), *outcome.deferred.items()):
            click.echo(f"{address}... {said}")
    for address, said in outcome.refused.items():
        if not request.quiet:
            click.echo(f"sendmail: {address}: {said}", err=True)
    return REFUSED if outcome.refused else OK


def _envelope(request: Request, settings: Settings, read: letter.Letter) -> Envelope:
    host = settings.hostname
    written = list(request.recipients)
    if request.scan:
        written += letter.recipients(read.header)
    # A word of the command line may be a list, as `mail` gives it.
    every = (mailbox(each, host) for text in written for each in _split(text))
    recipients = tuple(dict.fromkeys(every))
    if not recipients:
        raise LetterError("the message has no recipients")
    if len(recipients) > MOST_RECIPIENTS:
        raise LetterError(f"more than {MOST_RECIPIENTS} recipients")
    sender = _user() if request.sender is None else request.sender
    null = sender.strip() in ("", "<>")
    return Envelope(
        "" if null else mailbox(sender, host),
        recipients,
        os.getuid(),
        secrets.token_hex(8),
        time.time(),
        request.notify,
        request.returned,
        request.envid,
        read.eight_bit,
    )


def _split(text: str) -> list[str]:
    return listed(text) if "," in text else [text]


def _header(request: Request, settings: Settings, envelope: Envelope, header: bytes) -> bytes:
    host, user = settings.hostname, _user()
    warnings = []
    if envelope.uid != 0 and request.sender is not None and envelope.sender != f"{user}@{host}":
        shown = envelope.sender or "<>"
        warnings.append(f"{host}: {user} set sender to {shown} using -f")
    return letter.completed(
        header,
        sender=envelope.sender,
        name=_full_name() if request.name is None else request.name,
        host=host,
        token=f"{int(envelope.at)}.{envelope.token}",
        at=datetime.fromtimestamp(envelope.at).astimezone(),
        warnings=warnings,
    )


def _user() -> str:
    """Return the name of who calls; of one without a name the number."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _full_name() -> str:
    try:
        name = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
    except KeyError:
        return ""
    return name if name.isprintable() else ""


def _flush(request: Request, settings: Settings) -> int:
    def tell(text: str) -> None:
        click.echo(f"sendmail: {text}", err=True)

    with Maildrop(settings.maildrop) as drop, drop.collecting() as ours:
        if not ours:
            return OK  # Somebody else is at it.
        collector = Collector(drop, settings, tell)
        collected = collector.collect(lambda: Server(*settings.server, settings.hostname))
    if request.verbose:
        click.echo(f"{collected.sent} sent, {collected.waiting} wait, {collected.aside} put aside")
    return UNAVAILABLE if collected.aside else OK


def _list(request: Request, settings: Settings) -> int:
    with Maildrop(settings.maildrop) as drop:
        names = drop.names()
        for name in names[:LISTED]:
            try:
                waiting = drop.open(name, settings.max_size)
            except (HostileError, OSError) as error:
                click.echo(f"{name}  {error}")
                continue
            waiting.content.close()
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(waiting.envelope.at))
            sender = waiting.envelope.sender or "<>"
            to = ", ".join(waiting.envelope.recipients[:10])
            click.echo(f"{name}  {at}  {waiting.size}  {sender}  {to}")
        if names[LISTED:]:
            click.echo(f"and {len(names) - LISTED} more")
    click.echo(f"{len(names)} in the maildrop" if names else "the maildrop is empty")
    return OK


_MODES: Final[dict[Mode, Callable[[Request, Settings], int]]] = {
    Mode.TAKE: _take,
    Mode.SPEAK: _speak,
    Mode.LIST: _list,
    Mode.FLUSH: _flush,
    Mode.VERIFY: _verify,
    Mode.NOTHING: _nothing,
}


def main() -> None:
    """`ec_sendmail`: nothing but the options of sendmail, for its words may come from anywhere."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
