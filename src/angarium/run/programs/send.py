"""`angarium send`: one message, or a load."""

import asyncio
import email.utils
import json
import resource
import secrets
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO

import click
import setproctitle

from angarium.core import units
from angarium.lab import letters
from angarium.lab.injector import Outcome
from angarium.lab.letters import Letters
from angarium.lab.load import Load, Plan, Report
from angarium.lab.post import TEXT, compose, post
from angarium.net import loop
from angarium.net.loop import RealClock
from angarium.run.programs.endpoint import Endpoint

REFUSED, CANNOT_START = 1, 3


class Reads(click.ParamType[object]):
    """A value read by a function which raises ValueError."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._read = read

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _rate(text: str) -> float:
    found = units.rate(text)
    return found.count / found.seconds


DURATION = Reads("duration", units.duration)
ONE = (
    click.option("--to", multiple=True, metavar="ADDRESS", help="Recipient; more than once."),
    click.option("--from", "sender", default="sender@localhost", help="Sender; '' for none."),
    click.option("--subject", default="Test", help="Of a message without a header of its own."),
    click.option(
        "--file",
        "text",
        type=click.File("rb"),
        help="The body, or a whole message if it begins with a header field; - reads it from"
        " standard input.",
    ),
)
LOAD = (
    click.option("--count", type=click.IntRange(0), default=0, help="Messages."),
    click.option("--duration", type=DURATION, default=0.0, help="How long, such as 30s or 2m."),
    click.option(
        "--rate",
        type=Reads("rate", _rate),
        default=0.0,
        help="Messages a second, or N/SECONDS, sent whether the server keeps up or not;"
        " without, each connection waits for its answer.",
    ),
    click.option(
        "--connections",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Connections at once which send.",
    ),
    click.option(
        "--per-connection",
        type=click.IntRange(0),
        default=0,
        help="Messages before a connection is closed and another opened.",
    ),
    click.option(
        "--sizes",
        type=Reads("sizes", letters.sizes),
        default="10k",
        show_default=True,
        help="Octets and weights, such as 1k:50,10k:50.",
    ),
    click.option(
        "--domains",
        type=Reads("domains", letters.domains),
        default="sink.test",
        show_default=True,
        help="How many (of sink.test), or which: m{1..50}.test, a.test,b.test.",
    ),
    click.option("--recipients", type=click.IntRange(1), default=1, help="Of each message."),
    click.option("--prefix", default="u", help="Begins the recipients; tells runs apart."),
    click.option("--idle", type=click.IntRange(0), default=0, help="Idle connections beside."),
    click.option(
        "--pipelining/--no-pipelining",
        default=True,
        show_default=True,
        help="Send commands without waiting for each answer, where the server offers it.",
    ),
    click.option(
        "--acknowledged",
        type=click.File("a"),
        help="Append each recipient the server has taken on, for comparing with what arrives.",
    ),
)


def _options(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for option in reversed([each for group in groups for each in group]):
            function = option(function)
        return function

    return add


@click.command("send", short_help="inject one message, or a load")
@click.option(
    "--server",
    type=Endpoint(),
    default="127.0.0.1:2525",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to send to.",
)
@_options(ONE, LOAD)
@click.option(
    "--patience",
    type=DURATION,
    default=60.0,
    help="Seconds to wait for a server which says nothing, and for what is due at the end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(**given: Any) -> None:
    """Send one message with --to, or a load with --count, --duration or --rate.

    One message: the exit code is 0 if all recipients were taken, 1 if not, 3 if there was no
    connection. A load: prints what was acknowledged and the time to the 250, counted from when a
    message was due; the exit code is 0 if all that was begun was acknowledged.

    \b
        angarium send --to bob@sink.test --subject Hello
        angarium send --rate 500 --duration 30s --connections 20 --idle 2000 --json
    """
    setproctitle.setproctitle("angarium: send")
    loop.install()
    if given["count"] or given["duration"] or given["rate"]:
        _send_load(given)
    elif given["to"]:
        _send_one(given)
    else:
        raise click.UsageError("give --to for one message, or --count, --duration or --rate")


def _send_one(given: dict[str, Any]) -> None:
    text: BinaryIO | None = given["text"]
    letter = compose(
        given["sender"],
        list(given["to"]),
        given["subject"],
        TEXT if text is None else text.read(),
        email.utils.formatdate(localtime=True),
        secrets.token_hex(8),
    )
    host, port = given["server"]
    try:
        outcome = asyncio.run(post(host, port, letter, given["patience"]))
    except TimeoutError:
        click.echo(f"{host} port {port}: no answer in time", err=True)
        sys.exit(CANNOT_START)
    except OSError as error:
        click.echo(f"{host} port {port}: {error}", err=True)
        sys.exit(CANNOT_START)
    if given["as_json"]:
        shown = {"accepted": outcome.accepted, "step": outcome.step.value, "reply": outcome.reply}
        click.echo(json.dumps(shown | {"refused": dict(outcome.refused)}))
    else:
        for recipient, reply in outcome.refused:
            click.echo(f"<{recipient}> refused: {reply}")
        what = "accepted" if outcome.accepted else f"refused at {outcome.step.value}"
        click.echo(f"{what}: {outcome.reply}")
    sys.exit(0 if outcome.accepted and not outcome.refused else REFUSED)


def _send_load(given: dict[str, Any]) -> None:
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    host, port = given["server"]
    settings = {name: given[name] for name in Plan.__slots__ if name in given}
    supply = Letters(
        given["sizes"],
        given["domains"],
        sender=given["sender"],
        recipients=given["recipients"],
        prefix=given["prefix"],
    )
    load = Load(
        Plan(host=host, port=port, **settings),
        supply,
        RealClock(),
        _recorder(given["acknowledged"]) if given["acknowledged"] else None,
    )
    report = asyncio.run(_run(load))
    click.echo(json.dumps(report.to_json()) if given["as_json"] else _shown(report))
    sys.exit(0 if report.acknowledged == report.begun + report.unsent else REFUSED)


async def _run(load: Load) -> Report:
    running = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        running.add_signal_handler(number, load.stop)
    return await load.run()


def _recorder(file: TextIO) -> Callable[[Outcome], None]:
    def record(outcome: Outcome) -> None:
        file.writelines(f"{each}\n" for each in outcome.recipients)
        file.flush()

    return record


def _shown(report: Report) -> str:
    shown = report.to_json()
    lines = [
        f"{report.acknowledged} of {report.begun} messages acknowledged in {report.seconds:.1f} s:"
        f" {shown['rate']} a second, {report.octets / max(report.seconds, 1e-9) / 1e6:.1f} MB/s"
    ]
    lines += [f"refused at {what}: {count}" for what, count in report.refused.items()]
    for name in ("refused_recipients", "lost", "unknown", "unsent", "not_connected", "cut"):
        if getattr(report, name):
            lines.append(f"{name.replace('_', ' ')}: {getattr(report, name)}")
    if report.idle or report.idle_cut:
        lines.append(f"idle connections: {report.idle} open, {report.idle_cut} cut")
    for title, histogram in (("from due", report.latency), ("from begun", report.service)):
        quantiles = histogram.summary()
        del quantiles["count"]
        figures = "  ".join(f"{name} {value:.1f}" for name, value in quantiles.items())
        lines.append(f"ms to 250, {title}: {figures}")
    return "\n".join(lines)
