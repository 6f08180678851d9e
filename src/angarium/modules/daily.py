"""Reports of a day: made by one worker for the node, when the day is over.

What was seen lies on disk (`days`) until every domain has its report in our queue, or wherever it
goes; which ones have is written down, so whoever goes on after a crash sends none twice. What goes
wrong for one domain is told, and the others go on.
"""

import asyncio
import calendar
import fcntl
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Notify, Recipient, Trait
from angarium.journal.errors import SpoolError
from angarium.modules.days import Days
from angarium.modules.means import Means
from angarium.outbound.bounce import INTERNAL

R = TypeVar("R")

FIRST_SECONDS: Final = 5.0  # after the start: what a stop left over need not wait
LOOK_SECONDS: Final = 300.0
DAY: Final = 86400
KEPT_DAYS: Final = 7  # after which what could not be reported is given up

# Reports about a domain: day, domain, what it published, rows. Says whether that is done with.
About = Callable[[str, str, str, Counter[R]], Awaitable[bool]]


class Daily(Generic[R]):
    """Who sees to it that reports are made.

    Args:
        folder: that of the days.
        delay: seconds after the end of a day, in UTC.
        about: makes and sends the reports about a domain.
    """

    def __init__(
        self, means: Means, seen: Days[R], folder: Path, delay: float, about: About[R]
    ) -> None:
        self._means = means
        self._seen = seen
        self._folder = folder
        self._delay = delay
        self._about = about
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._timer = self._means.loop.call_later(FIRST_SECONDS, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _look(self) -> None:
        self._timer = self._means.loop.call_later(LOOK_SECONDS, self._look)
        if self._means.shared.first and (self._task is None or self._task.done()):
            self._task = self._means.loop.create_task(self.run())

    async def run(self) -> None:
        """Report all days which are over."""
        now = self._means.clock.time()
        for day in self._seen.days():
            end = begin_of(day) + DAY
            if now < end + self._delay:
                continue
            if now > end + KEPT_DAYS * DAY:
                self._means.tell("WARNING", f"what was seen on {day} is too old to be reported")
                self._forget(day)
                continue
            # Two generations of the configuration may both be there for a while.
            with _lock(self._folder / "lock") as free:
                if free and await self._report(day):
                    self._forget(day)

    def _forget(self, day: str) -> None:
        self._seen.forget(day)
        self._list(day).unlink(missing_ok=True)

    def _list(self, day: str) -> Path:
        """Return the file which names the domains whose report is in the queue."""
        return self._folder / f"{day}.sent"

    async def _report(self, day: str) -> bool:
        """Report a day; say whether all is done."""
        seen = await self._means.loop.run_in_executor(None, self._seen.of, day)
        try:
            done = set(self._list(day).read_text("utf-8").splitlines())
        except FileNotFoundError:
            done = set()
        complete = True
        with self._list(day).open("a", encoding="utf-8") as noted:
            for domain in sorted(seen.keys() - done):
                if await self._about(day, domain, *seen[domain]):
                    noted.write(f"{domain}\n")
                    noted.flush()
                else:
                    complete = False
        return complete


def begin_of(day: str) -> int:
    """Return when a day begins, in UTC."""
    return calendar.timegm(time.strptime(day, "%Y-%m-%d"))


async def inject(means: Means, octets: bytes, address: str) -> bool:
    """Put a report into the queue; say whether it is there, on disk.

    It has the null sender, so nothing is ever reported about it.
    """
    stored: asyncio.Future[SpoolError | None] = means.loop.create_future()
    message = Message(
        "",
        MemoryBody(octets),
        traits=(Trait.DOTS if b"\r\n." in octets else Trait.NONE)
        | (Trait.NONE if octets.isascii() else Trait.EIGHT_BIT),
        protocol=INTERNAL,
        received_at=means.clock.time(),
    )
    recipients = [Recipient(address, "", notify=Notify.NEVER)]
    means.admit.inject(message, recipients, partial(_settle, stored))
    refused = await stored
    if refused is not None:
        means.tell("ERROR", f"a report to {address} was not taken: {refused}")
    return refused is None


def _settle(stored: "asyncio.Future[SpoolError | None]", refused: SpoolError | None) -> None:
    if not stored.done():
        stored.set_result(refused)


class _lock:  # noqa: N801 - read as a verb, in a with
    """Holds a lock of the node, or does not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def __enter__(self) -> bool:
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def __exit__(self, *_what: object) -> None:
        os.close(self._handle)
