"""`angarium policy run`: let one message through scripts, and say what becomes of it."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from angarium.core.errors import Error
from angarium.core.message import Message, Recipient
from angarium.mail.format.draft import Draft
from angarium.run.stage.play import Failed, Player, configuration
from angarium.run.stage.stage import Stage
from angarium.run.stage.transcript import Step, Transcript
from angarium.run.stage.tryout import told
from angarium.run.stage.virtual import StuckError, VirtualLoop

PLAIN = "Subject: a message to try policy with\r\n\r\nHello.\r\n"


@click.command("run")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="SCRIPT...",
)
@click.option("--from", "sender", default="sender@client.example", help="Envelope sender.")
@click.option("--to", "recipients", multiple=True, help="Recipient; may be given again.")
@click.option("--address", default="192.0.2.1", help="IP address of the client.")
@click.option("--hello", default="client.example", help="What the client calls itself.")
@click.option(
    "--message",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The message, as a file.",
)
@click.option("--dns", "names", multiple=True, help='A record: "example.com MX 10 mx.example.com".')
def command(
    files: tuple[Path, ...],
    sender: str,
    recipients: tuple[str, ...],
    address: str,
    hello: str,
    message: Path | None,
    names: tuple[str, ...],
) -> None:
    """Let one message through each SCRIPT, in this order, and say what becomes of it.

    Said are the session, each message that is queued with where it leaves and what was changed in
    its header, and the lines of paniclog.
    """
    octets = message.read_bytes() if message is not None else PLAIN.encode()
    text = octets.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    steps = [Step("policy", str(path.absolute()), 0) for path in files]
    steps += [Step("dns", each, 0) for each in names]
    said = [
        Step(">", f"EHLO {hello}", 0),
        Step(">", f"MAIL FROM:<{sender}>", 0),
        *[Step(">", f"RCPT TO:<{each}>", 0) for each in recipients or ("recipient@example.com",)],
        Step(">", "DATA", 0),
    ]
    loop = VirtualLoop()
    try:
        done = loop.run_until_complete(_run(steps, said, address, text, loop))
    except Error as error:
        click.echo(told(error), err=True)
        done = False
    finally:
        loop.close()
    sys.exit(0 if done else 1)


async def _run(
    steps: list[Step], said: Sequence[Step], address: str, text: str, loop: VirtualLoop
) -> bool:
    transcript = Transcript(Path("run.test"), steps)
    stage = Stage(configuration(transcript), loop)
    player = Player(stage)
    try:
        for step in transcript.setup:
            player.prepare(step)
        await player.act(Step("connect", address, 0))
        await _heard(player)
        for step in said:
            click.echo(f"> {step.rest}")
            await player.act(step)
            heard = await _heard(player)
            if step.rest == "DATA" and heard.startswith("354"):
                lines = text.split("\n")
                click.echo(f"> ({len(lines)} lines)")
                player.send(lines)
                await _heard(player)
    except (Failed, StuckError) as error:
        click.echo(str(error), err=True)
        return False
    finally:
        stage.close()
        await stage.quiet()
    for each in stage.spool.put_down:
        _tell(*each)
    for refused in stage.rejections:
        click.echo(f"refused: {refused.code} {refused.text}")
    for line in stage.panics:
        click.echo(f"paniclog: {line}")
    return not any(" error: " in line for line in stage.panics)


async def _heard(player: Player) -> str:
    """Say what a client hears, and return the last line of it."""
    lines = await player.answer()
    for line in lines:
        click.echo(f"< {line}")
    return lines[-1] if lines else ""


def _tell(message: Message, recipient: Recipient) -> None:
    click.echo(f"queued for {recipient.address}")
    click.echo(f"  sender   <{message.sender}>")
    click.echo(f"  leaves   by {recipient.binding_group}/{recipient.binding} to {recipient.domain}")
    if message.priority or message.fairness_key:
        click.echo(f"  priority {message.priority}, key {message.fairness_key!r}")
    for name, value in {**message.variables, **recipient.variables}.items():
        click.echo(f"  variable {name} = {value}")
    for field, octets in Draft(message.body, message.header).items():
        click.echo(f"  {field.decode('latin-1')}: {octets.decode('utf-8', 'replace')}")
