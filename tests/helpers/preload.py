"""A spool with mail in it, made before a server starts: for what only policy could put there."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.journal.commit import ThreadExecutor
from angarium.journal.disk import FileDisk
from angarium.journal.errors import SpoolError
from angarium.net.loop import RealClock
from angarium.queue.spool.means import Means, Settings
from angarium.queue.spool.store import Spool

Mail = tuple[str, str, str]  # binding group, binding, address of the recipient


async def preload(state: Path, mails: Sequence[Mail]) -> None:
    """Put a message for each into a shard of the state directory, as a worker would."""
    folder = state / "spool" / "000"
    folder.mkdir(parents=True)
    loop = asyncio.get_running_loop()
    settings = Settings(segment=1 << 20, reserve=2 << 20, space_low=0, inodes_low=0)
    executor = [ThreadExecutor(loop, "preload", lambda: None)]
    spool = Spool(
        Means(FileDisk(), RealClock(), Random(1), loop, lambda name: executor[0], settings)
    )
    await spool.open(str(folder))
    for group, binding, address in mails:
        outcome: asyncio.Future[SpoolError | None] = loop.create_future()
        message = Message(
            "a@sender.test", MemoryBody(b"Subject: x\r\n\r\nhi\r\n"), received_at=time.time()
        )
        domain = address.rpartition("@")[2]
        recipient = Recipient(address, domain, binding_group=group, binding=binding)
        spool.put(message, [recipient], outcome.set_result)
        assert await outcome is None
    await spool.close()
