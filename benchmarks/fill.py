"""A state directory with mail in it, made without a server: a million entries in half a minute.

What is queued this way is what a server leaves at its end: contents, changes and a checkpoint.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import uvloop

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.journal.commit import ThreadExecutor
from angarium.journal.disk import FileDisk
from angarium.journal.errors import SpoolError
from angarium.net.loop import RealClock
from angarium.queue.spool.means import Means, Settings
from angarium.queue.spool.store import Spool

SESSIONS: Final = 500  # puts under way at once
LINE: Final = b"The quick brown fox jumps over the lazy dog, and it does so once more.\r\n"
HEADER: Final = (
    b"Received: from a.sender.test (a.sender.test [192.0.2.1])\r\n\tby bench.test with ESMTP;\r\n"
)

Place = Callable[[int], tuple[str, str, str]]  # group, binding and domain of message number n


def anywhere(number: int) -> tuple[str, str, str]:
    return ("default", "default", "sink.test")


def over(bindings: int, domains: int) -> Place:
    """Return places which use bindings b0... of the group `bench` and domains in turn."""

    def place(number: int) -> tuple[str, str, str]:
        domain = f"d{number % domains}.sink.test"
        return (
            ("bench", f"b{number % bindings}", domain) if bindings else ("default",) * 2 + (domain,)
        )

    return place


def spool() -> Spool:
    loop = asyncio.get_running_loop()
    means = Means(
        FileDisk(),
        RealClock(),
        Random(1),
        loop,
        lambda name: ThreadExecutor(loop, name, lambda: sys.exit("the disk thread died")),
        Settings(force_fsync=False),
        alarm=print,
    )
    return Spool(means)


async def _fill(
    directory: str, first: int, count: int, octets: int, due: int, place: Place
) -> None:
    store = spool()
    await store.open(directory)
    await store.recovered()
    body = MemoryBody((LINE * (octets // len(LINE) + 1))[: octets - 2] + b"\r\n")
    numbers = iter(range(first, first + count))
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    left = count

    def put() -> None:
        number = next(numbers, None)
        if number is None:
            return
        group, binding, domain = place(number)
        recipient = Recipient(f"u{number:012d}@{domain}", domain, group, binding)
        message = Message("load@sender.test", body, HEADER, source="192.0.2.1:33333")
        message.received_at = time.time()

        def durable(error: SpoolError | None) -> None:
            nonlocal left
            if error is not None:
                raise error
            if due:
                store.defer(recipient.id, 1, due + number % 3600, None)
            left -= 1
            if not left:
                end.set_result(None)
            put()

        store.put(message, [recipient], durable)

    for _ in range(min(SESSIONS, count)):
        put()
    await end
    await store.close()


def fill(
    state: Path,
    count: int,
    *,
    shards: int = 2,
    octets: int = 1024,
    delay: int = 0,
    place: Place = anywhere,
) -> None:
    """Queue `count` messages; with `delay`, put off once, for an hour from then on."""
    due = int(time.time()) + delay if delay else 0
    each = count // shards
    for shard in range(shards):
        directory = state / "spool" / f"{shard:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        some = each if shard else count - each * (shards - 1)
        uvloop.run(_fill(str(directory), shard * count, some, octets, due, place))
        for stream in (directory / "events").iterdir():
            stream.unlink()  # Else the hose would begin with a million lines of a log.
