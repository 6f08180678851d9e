"""`angarium sink`: a receiving server for tests, as good or bad as its script wants."""

import asyncio
import resource
import signal
import ssl
import sys
from pathlib import Path

import click
import setproctitle

from angarium.lab.received import Received
from angarium.lab.script import Script
from angarium.lab.script_grammar import ScriptError, parse
from angarium.lab.sink import Sink
from angarium.net import loop
from angarium.run.programs.endpoint import Endpoint

FAULTY, CANNOT_START = 1, 3


@click.command("sink", short_help="a scripted receiving server")
@click.option(
    "--listen",
    "addresses",
    type=Endpoint(bound=True),
    multiple=True,
    required=True,
    metavar="ADDR:PORT",
    help="Where to listen; may be given more than once. Port 0 is any free one.",
)
@click.option(
    "--script",
    "script_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What to do to whom; a good server without.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for each message as it came (.eml) and its envelope (.json).",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM, perhaps with the key in it: STARTTLS is offered.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Key of the certificate, in PEM.",
)
@click.option("--seed", type=int, default=0, help="For probabilities and garbage.")
@click.option("--show", is_flag=True, help="Print a line for each message.")
def command(
    addresses: tuple[tuple[str, int], ...],
    script_path: Path | None,
    record: Path | None,
    certificate: Path | None,
    key: Path | None,
    seed: int,
    show: bool,
) -> None:
    """Take mail, and answer as a script says.

    Prints a line with the word "ready" when it listens, its counts as one line of JSON to standard
    output on SIGUSR1 and at the end, which is SIGTERM or Ctrl-C. The language of scripts stands in
    docs/reference/sink-script.md; an example:

    \b
        without CHUNKING
        at rcpt to *@full.test reply 452 4.2.2 mailbox full
        at dot probability 0.1 delay 2s answer
        at data first 3 drop
    """
    setproctitle.setproctitle("angarium: sink")
    script = Script() if script_path is None else _read(script_path)
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    loop.install()
    sink = Sink(
        script,
        addresses,
        keep=False,
        record=record,
        witnesses=[_show] if show else [],
        seed=seed,
        tls=None if certificate is None else _context(certificate, key),
    )
    try:
        asyncio.run(_serve(sink, addresses))
    except OSError as error:
        click.echo(f"cannot start: {error}", err=True)
        sys.exit(CANNOT_START)


def _read(path: Path) -> Script:
    try:
        return parse(path.read_text(errors="replace"))
    except ScriptError as error:
        click.echo(f"{path}:{error}", err=True)
        sys.exit(FAULTY)


def _context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        click.echo(f"{key or certificate}: {error}", err=True)
        sys.exit(FAULTY)
    return context


async def _serve(sink: Sink, addresses: tuple[tuple[str, int], ...]) -> None:
    running, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        running.add_signal_handler(number, stop.set)
    running.add_signal_handler(signal.SIGUSR1, lambda: click.echo(sink.summary()))
    async with sink:
        places = (f"{host}:{port}" for (host, _), port in zip(addresses, sink.ports, strict=True))
        click.echo(f"sink ready on {', '.join(places)}", err=True)
        await stop.wait()
    click.echo(sink.summary())


def _show(message: Received) -> None:
    recipients = ", ".join(f"<{each}>" for each in message.recipients)
    said = message.reply or "nothing"
    click.echo(f"<{message.sender}> to {recipients}: {message.octets} octets, said {said}")
