"""`angarium jlog`: read a log which is a queue, and look after it.

angarium jlog read /var/log/queue --subscriber mine       what is new, and that it was read
angarium jlog read /var/log/queue --subscriber mine --follow
angarium jlog control -l -s /var/log/queue                as jlogctl
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Final

import click

from angarium.core.errors import Error
from angarium.events.jlog import Jlog, Place
from angarium.run.jlogctl import command as control

CHECKPOINT: Final = 1000  # records after which it is noted how far we are
LOOK_SECONDS: Final = 0.5


@click.group("jlog")
def command() -> None:
    """Read logs which are queues (jlog://), and look after them."""


command.add_command(control, "control")


@command.command("read")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--subscriber", "-s", metavar="NAME", help="Who reads; made if there is none.")
@click.option("--count", "-n", type=click.IntRange(min=1), help="At most so many records.")
@click.option("--follow", "-f", is_flag=True, help="Wait for more.")
@click.option("--keep", is_flag=True, help="Do not note that they were read.")
def read(
    path: Path, subscriber: str | None, count: int | None, *, follow: bool, keep: bool
) -> None:
    """Print records; note that the subscriber has read them once they are printed.

    Without a subscriber: all that are there, and nothing is noted.
    """
    jlog = Jlog(path)
    try:
        _print(jlog, subscriber, count, follow=follow, keep=keep)
    except BrokenPipeError:
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, Error) as error:
        click.echo(f"{path}: {error}", err=True)
        sys.exit(1)


def _print(
    jlog: Jlog, subscriber: str | None, count: int | None, *, follow: bool, keep: bool
) -> None:
    place = Place(0, 0)
    if subscriber is not None:
        jlog.subscribe(subscriber)
        place = jlog.subscribers()[subscriber]
    noted = None if keep else subscriber
    left, waiting = count, Event()
    while True:
        unnoted = 0
        for here, message in _records(jlog, place, left):
            sys.stdout.buffer.write(message if message.endswith(b"\n") else message + b"\n")
            place, unnoted = here, unnoted + 1
            left = None if left is None else left - 1
            if noted is not None and unnoted % CHECKPOINT == 0:
                sys.stdout.buffer.flush()
                jlog.move(noted, place)
        sys.stdout.buffer.flush()
        if unnoted and noted is not None:
            jlog.checkpoint(noted, place)
        if not follow or left == 0:
            return
        waiting.wait(LOOK_SECONDS)


def _records(jlog: Jlog, place: Place, left: int | None) -> Iterator[tuple[Place, bytes]]:
    for number, found in enumerate(jlog.read(place)):
        if number == left:
            return
        yield found
