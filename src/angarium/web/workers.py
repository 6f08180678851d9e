"""The workers, as the process of the web asks them (`wire/channel`).

Which are there is read from the run directory; which endpoints they have they say themselves, with
each generation. Of those which have an endpoint the one with the fewest questions is asked.

The rule: **a request is put to a second worker only where that does no harm**: where the first has
refused it, which it says before it does anything; or has died over one whose method says that it
may be repeated (RFC 9110, 9.2.2). And then once: a request may be what workers die of.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

from angarium.console.endpoint import Name
from angarium.core.errors import Error
from angarium.policy.endpoints import found, methods
from angarium.wire.channel import (
    VERSION,
    Asker,
    ChannelError,
    HttpRequest,
    HttpResponse,
    Offer,
    Offered,
    Refused,
    Replied,
)

PATTERN: Final = "worker.*.channel"
MOST_PER_WORKER: Final = 32
REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
WAIT_SECONDS: Final = 5.0  # for a worker, where there is none: one which died is back by then
LOOKS: Final = 50  # for it, in that time

Answer = tuple[HttpResponse, bytes]


class NobodyError(Error):
    """No endpoint has this path."""


class OtherMethodError(Error):
    """Endpoints have this path, and other methods: `allowed`."""

    def __init__(self, allowed: list[str]) -> None:
        super().__init__("no endpoint has this method")
        self.allowed = allowed


class BusyError(Error):
    """No worker can take more, or none is there; a moment later one may."""


class LostError(Error):
    """The worker has ended over it, and whether it has done what was asked nobody knows."""


class Worker(asyncio.Protocol):
    """A connection to a worker.

    Attributes:
        turn: when it was asked last; of equal ones the one which rested longest is asked.
        offer: what it can be asked; None until it has said so.
    """

    def __init__(
        self, name: str, told: Callable[["Worker"], None], amiss: Callable[[str], None]
    ) -> None:
        self.name = name
        self.turn = 0
        self.offer: Offer | None = None
        self._told = told
        self._amiss = amiss
        self._asker = Asker()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[Answer | Refused]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._asker.feed(data):
                self._happened(event)
        except ChannelError as error:
            self._amiss(f"{self.name}: {error}")
            self.close()

    def _happened(self, event: Offered | Replied | Refused) -> None:
        if isinstance(event, Offered):
            if event.offer.version != VERSION:
                self._amiss(f"{self.name}: version {event.offer.version}, and ours is {VERSION}")
                self.close()
                return
            self.offer = event.offer
            self._told(self)
            return
        waiting = self._waiting.pop(event.number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(event if isinstance(event, Refused) else (event.head, event.content))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._told(self)
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            if not each.done():
                each.set_exception(LostError("the worker has ended"))

    @property
    def gone(self) -> bool:
        return self._transport is None

    @property
    def open(self) -> int:
        """Return how many questions it has."""
        return self._asker.open

    @property
    def takes(self) -> bool:
        """Say whether it can be asked anything."""
        return self.offer is not None and not self.offer.leaving and not self.gone

    async def ask(self, head: HttpRequest, content: bytes) -> Answer | Refused:
        """Ask; to cancel this is to withdraw the question.

        Raises:
            LostError: the worker has ended.
            ChannelError: it is too long to be asked.
        """
        transport = self._transport
        if transport is None:
            raise LostError("the worker has ended")
        number, frames = self._asker.ask(head, content)
        waiting: asyncio.Future[Answer | Refused] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        transport.writelines(list(frames))
        try:
            return await waiting
        except asyncio.CancelledError:
            self._waiting.pop(number, None)
            withdrawal = self._asker.withdraw(number)
            if self._transport is not None:
                self._transport.write(withdrawal)
            raise

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Workers:
    """All of them.

    Args:
        folder: the run directory.
        tell: is told of a worker which cannot be understood.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._amiss = ""  # what was told last
        self._known: dict[str, Worker] = {}
        self._coming: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._turn = 0

    def look(self) -> None:
        """Connect to those which are new. Called once a second, and when somebody waits."""
        coming = {each.get_name() for each in self._coming}
        for path in self._folder.glob(PATTERN):
            if path.name not in self._known and path.name not in coming:
                task = asyncio.get_running_loop().create_task(
                    self._connect(path.name), name=path.name
                )
                self._coming.add(task)
                task.add_done_callback(self._coming.discard)

    async def _connect(self, name: str) -> None:
        worker = Worker(name, self._told, self._heard_amiss)
        loop = asyncio.get_running_loop()
        try:
            with Name(self._folder, name) as path:
                await loop.create_unix_connection(lambda: worker, path)
        except OSError:
            return  # It is gone, or just coming: another look finds it.
        self._known[name] = worker

    def _told(self, worker: Worker) -> None:
        """A worker has said what it can be asked, or is gone."""
        if worker.gone and self._known.get(worker.name) is worker:
            del self._known[worker.name]
        self._changed.set()

    def _heard_amiss(self, what: str) -> None:
        """Tell it once, though it may be found again and again."""
        if what != self._amiss:
            self._amiss = what
            self._tell(f"a worker cannot be asked: {what}")

    def _takers(self) -> list[Worker]:
        return [each for each in self._known.values() if each.takes]

    async def known(self, method: str, path: str) -> None:
        """Return if somebody can be asked.

        Raises:
            NobodyError, OtherMethodError: nobody has such an endpoint.
            BusyError: no worker is there.
        """
        for _ in range(LOOKS):
            if self._takers():
                break
            self.look()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), WAIT_SECONDS / LOOKS)
            except TimeoutError:
                continue
        takers = self._takers()
        if not takers:
            raise BusyError("no worker is there")
        if any(self._asked(takers, method, path)):
            return
        allowed = {one for each in takers if each.offer for one in methods(each.offer.places, path)}
        if allowed:
            raise OtherMethodError(sorted(allowed))
        raise NobodyError("nothing is registered there")

    def _asked(self, takers: list[Worker], method: str, path: str) -> Iterator[Worker]:
        for each in takers:
            if each.offer is not None and found(each.offer.places, method, path) is not None:
                yield each

    async def ask(self, head: HttpRequest, content: bytes) -> Answer:
        """Return the answer of a worker.

        Raises:
            NobodyError, OtherMethodError: nobody has such an endpoint.
            BusyError: no worker takes it now.
            LostError: the worker has ended over it.
            ChannelError: it is too long to be asked.
        """
        tried: set[Worker] = set()
        lost = False
        while True:
            await self.known(head.method, head.path)
            takers = self._asked(self._takers(), head.method, head.path)
            able = [each for each in takers if each not in tried]
            able = [each for each in able if each.open < MOST_PER_WORKER]
            if not able:
                raise BusyError("no worker takes it now")
            self._turn += 1
            worker = min(able, key=lambda each: (each.open, each.turn))
            worker.turn = self._turn
            tried.add(worker)
            try:
                answer = await worker.ask(head, content)
            except LostError:
                if lost or head.method not in REPEATABLE:
                    raise
                lost = True
                continue
            if not isinstance(answer, Refused):
                return answer

    def close(self) -> None:
        for task in self._coming:
            task.cancel()
        for each in list(self._known.values()):
            each.close()
