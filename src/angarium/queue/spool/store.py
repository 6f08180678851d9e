"""`Spool`: everything a worker keeps on disk, whatever shards that is in.

    put(message, recipients, durable)    make mail ours
    settle, defer, rebind                what became of an entry
    load(id)                             the message and the recipient again
    open, adopt, release, close          shards come and go while mail goes on

The first shard that is opened takes new mail; those adopted are only drained. An id names its
shard, so nobody else needs to know there are several.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from angarium.core.errors import Error
from angarium.core.message import Message, Recipient
from angarium.events.schema import Event
from angarium.journal.commit import Executor, Failure
from angarium.journal.errors import SpoolError
from angarium.queue.spool import changes
from angarium.queue.spool.keeper import Keeper
from angarium.queue.spool.large import LargeWriter, PendingBody
from angarium.queue.spool.means import Means, Settings
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.shard import Done, Shard, number_of
from angarium.queue.spool.slot import LARGE, Slot, unpack
from angarium.queue.spool.table import Live, NoEntryError

TICK: Final = 1.0
NOT_OPEN: Final = SpoolError("the spool is not open")

Found = Callable[[int, bytes], None]


class Spool:
    """The spool of one worker.

    Args:
        found: is told of each entry that recovery or adoption brings.

    Attributes:
        live: slots of all entries by id.
        intake: mail can be put; else `refusal` says why not.
        keepers: the shards, by directory.
        delivery: what becomes of mail can be recorded; while it is False nothing may be sent.
    """

    __slots__ = (
        "_by_number", "_home", "_means", "_observers", "_reader", "_ticking",
        "delivery", "found", "intake", "keepers", "live", "routes",
    )  # fmt: skip

    def __init__(self, means: Means, found: Found | None = None) -> None:
        self._means = means
        self.found: Found = found or _nobody
        self.routes: Routes = means.routes
        self.live = Live()
        self.intake = False
        self.delivery = True
        self._home: Shard | None = None
        self.keepers: dict[str, Keeper] = {}
        self._by_number: dict[int, Shard] = {}
        self._observers: list[Callable[[], None]] = []
        self._reader: Executor | None = None
        self._ticking = False

    # -- mail -----------------------------------------------------------------------------

    def next_id(self, now: float) -> int:
        """Return an id for the `batch` of a message to come; 0 while none can be put.

        Its Received names it, so it must be known before the message is whole.
        """
        return self._home.next_id(now) if self._home is not None else 0

    def put(self, message: Message, recipients: Sequence[Recipient], durable: Done) -> None:
        """Give place and ids (and batch, if it has none), and write the message.

        `durable(None)` is called from the loop when it is on the disk and in the table,
        `durable(error)` if that is not to be.
        """
        if self._home is None:
            self._means.loop.call_soon(durable, NOT_OPEN)
        else:
            self._home.put(message, recipients, durable)

    def forget(self, message: Message) -> None:
        """Free what a message occupies that is not to be put after all."""
        body = message.body
        if isinstance(body, PendingBody) and not body.taken:
            shard = self._by_number.get(body.shard)
            if shard is not None:
                shard.executor.submit(body.file.remove, _forgotten)

    def written(self, message: Message, done: Callable[[], None]) -> None:
        """Call `done` when what was given of the body can be read; at once if it can."""
        body = message.body
        shard = self._by_number.get(body.shard) if isinstance(body, PendingBody) else None
        if shard is None:
            done()
        else:
            shard.executor.submit(_nothing, lambda _result, _failure: done())

    def settle(self, ident: int, event: Event) -> None:
        """The entry ends as the event says: Delivery, PermanentFailure, Discard or Transfer.

        Raises:
            NoEntryError: it is not there, or ended before.
        """
        self._shard(ident).settle(ident, event)

    def defer(self, ident: int, attempts: int, due: int, event: Event | None) -> None:
        """The entry has had so many attempts and waits until `due` (Unix time)."""
        self._shard(ident).defer(ident, attempts, due, event)

    def rebind(
        self, ident: int, group: str, binding: str, domain: str, event: Event | None
    ) -> None:
        """The entry goes another way from now on."""
        self._shard(ident).rebind(ident, group, binding, domain, event)

    def isolate(self, ident: int) -> None:
        """Put an entry aside that can't be worked on: kept, and counted as quarantined."""
        self._shard(ident).isolate(ident)

    def restore(self, ident: int) -> None:
        """Take an entry back from where it was put aside; `found` is told of it."""
        self.found(ident, self._shard(ident).restore(ident))

    def isolated(self) -> list[int]:
        """Return the ids of the entries that are put aside."""
        return [ident for shard in self._by_number.values() for ident in shard.table.isolated]

    def large(self) -> LargeWriter:
        """Return what takes a body that is too large for memory.

        Raises:
            SpoolError: no mail is taken in now.
        """
        if self._home is None or self._home.refusal is not None:
            raise self.refusal or NOT_OPEN
        return self._home.writer()

    def note(self, event: Event) -> None:
        """Write an event that derives from no entry, such as a ServerEvent."""
        if self._home is not None:
            self._home.note(event)

    def reject(self, event: Event) -> None:
        """Write an event to the stream of rejections."""
        if self._home is not None:
            self._home.reject(event)

    # -- reading --------------------------------------------------------------------------

    def slot(self, ident: int) -> Slot:
        """Return what is known of an entry without the disk. Raises NoEntryError."""
        shard = self._shard(ident)
        found = shard.table.live.get(ident) or shard.table.isolated.get(ident)
        return unpack(found if found is not None else shard.table.slot(ident))

    def load(self, ident: int, *, cached: bool = False) -> tuple[Message, Recipient]:
        """Read an entry; its body stays on the disk and is read by pieces.

        Args:
            cached: only if that needs no waiting for the device.

        Raises:
            NoEntryError: it is not there.
            DamageError: it can't be read.
            ColdError: not without waiting; use load_cold.
            SpoolError: the disk failed.
        """
        shard = self._shard(ident)
        slot = shard.table.live.get(ident) or shard.table.isolated.get(ident)
        if slot is None:
            slot = shard.table.slot(ident)
        try:
            return shard.contents.load(ident, slot, cached=cached)
        except OSError as error:
            raise SpoolError("reading a message failed", errno=error.errno) from error

    async def load_cold(self, ident: int) -> tuple[Message, Recipient]:
        """As load, but let a thread wait for the device, for all octets of the message."""
        shard = self._shard(ident)
        where = unpack(shard.table.live.get(ident) or shard.table.slot(ident))
        segment = shard.data.segments.get(where.segment)
        if segment is not None:
            handle = shard.contents.opened(segment)
            size = 0 if where.flags & LARGE else where.size  # A large body lies elsewhere.
            segment.pins += 1
            try:
                await self._read(partial(_touch, self._means, handle, where.offset, size))
            finally:
                segment.pins -= 1
        return self.load(ident)

    async def _read(self, job: Callable[[], None]) -> None:
        if self._reader is None:
            self._reader = self._means.executor("spool-read")
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader.submit(job, partial(_resolve, waiting))
        await waiting

    def _shard(self, ident: int) -> Shard:
        shard = self._by_number.get(ident >> 24 & 0xFF)
        if shard is None:
            raise NoEntryError("no shard of that number is here", id=ident)
        return shard

    def __len__(self) -> int:
        return len(self.live)

    # -- shards ---------------------------------------------------------------------------

    async def open(self, directory: str) -> None:
        """Open the shard that takes new mail. Its entries come to `found` from now on.

        Raises:
            LockedError: another process works on it.
            FormatError: it is of a newer version; nothing was touched.
            SpoolError: the disk failed.
        """
        await self._add(directory, home=True)

    async def adopt(self, directory: str) -> None:
        """Take over a shard of another worker, while mail goes on; returns when all is found.

        Raises: as `open`.
        """
        keeper = await self._add(directory, home=False)
        await _called(partial(self._wait_recovered, keeper))

    async def recovered(self) -> None:
        """Return when the entries of all shards are found."""
        for keeper in list(self.keepers.values()):
            await _called(partial(self._wait_recovered, keeper))

    def _wait_recovered(self, keeper: Keeper, done: Callable[[Error | None], None]) -> None:
        keeper.when_recovered(done)

    async def _add(self, directory: str, *, home: bool) -> Keeper:
        directory = directory.rstrip("/")
        number = number_of(directory)
        if number in self._by_number or directory in self.keepers:
            raise Error("this shard is open already", directory=directory)
        keeper = Keeper(self._means, directory, self._judge, home=home)
        self.keepers[directory] = keeper
        try:
            await _called(keeper.open)
        except Error:
            del self.keepers[directory]
            raise
        shard = keeper.shard
        if shard is None:
            raise NOT_OPEN
        self._by_number[number] = shard
        self.live.attach(number, shard.table.live)
        if home:
            self._home = shard
        self._judge()
        keeper.recover(self.found)
        if not self._ticking:
            self._ticking = True
            self._means.loop.call_later(TICK, self._tick)
        return keeper

    @property
    def recovering(self) -> int:
        """How many shards there are whose entries are not all found."""
        return sum(not shard.recovered for shard in self._by_number.values())

    def drained(self) -> list[str]:
        """Return the directories of adopted shards in which nothing is left.

        What ended last is on the disk: closed before, a shard which cannot be written would give
        it to its next owner once more.
        """
        return [
            directory
            for directory, keeper in self.keepers.items()
            if keeper.shard is not None
            and keeper.shard is not self._home
            and keeper.shard.recovered
            and not keeper.shard.table.live
            and not keeper.shard.table.isolated
            and keeper.shard.state.synced == keeper.shard.state.number - 1
        ]

    async def release(self, directory: str) -> None:
        """Close a shard and free its lock, so that another worker can adopt it.

        None of its entries may be in work.
        """
        keeper = self.keepers.pop(directory.rstrip("/"))
        if keeper.shard is not None and keeper.shard is self._home:
            self._home = None
        try:
            await _called(keeper.close)
        finally:
            if keeper.shard is not None:
                self._by_number.pop(keeper.shard.number, None)
                self.live.detach(keeper.shard.number)
            self._judge()

    async def close(self) -> None:
        """Close everything; what was accepted is durable when this returns.

        Raises:
            SpoolError: it may not be; the other shards are closed all the same.
        """
        self._ticking = False
        failure: Error | None = None
        while self.keepers:  # One that is empty may be released meanwhile by who looks for such.
            try:
                await self.release(next(iter(self.keepers)))
            except Error as error:
                failure = error
        if self._reader is not None:
            self._reader.stop()
            self._reader = None
        if failure is not None:
            raise failure

    def configure(self, settings: Settings) -> None:
        """Go over to other settings; those of segments hold for shards opened from now on."""
        self._means.settings = settings
        for keeper in self.keepers.values():
            keeper.configure(settings)

    # -- health ---------------------------------------------------------------------------

    @property
    def refusal(self) -> SpoolError | None:
        """Return why no mail is taken in now."""
        return NOT_OPEN if self._home is None else self._home.refusal

    @property
    def crowded(self) -> bool:
        """Say whether so much waits that what is put now may be refused."""
        home = self._home
        if home is None or not home.recovered:
            return True
        return home.data.waiting > self._means.settings.waiting_octets // 2

    def on_health(self, observer: Callable[[], None]) -> None:
        """Call `observer` whenever `intake` or `delivery` has changed."""
        self._observers.append(observer)

    def _judge(self) -> None:
        intake = self.refusal is None
        delivery = all(shard.delivery for shard in self._by_number.values())
        if (intake, delivery) != (self.intake, self.delivery):
            self.intake, self.delivery = intake, delivery
            for observer in self._observers:
                observer()

    def tick(self) -> None:
        """Look after the shards; runs by itself once a second."""
        for keeper in list(self.keepers.values()):
            keeper.tick()

    def _tick(self) -> None:
        if self._ticking:
            self._means.loop.call_later(TICK, self._tick)
            self.tick()

    def counts(self) -> dict[str, int]:
        """Return the numbers of the accounting identity, of the shards that are here."""
        shards = self._by_number.values()
        counted = {
            name: sum(shard.counts[index] for shard in shards)
            for index, name in enumerate(changes.NAMES)
        }
        counted["queued"] = sum(len(shard.table.live) for shard in shards)
        counted["quarantined"] = sum(len(shard.table.isolated) for shard in shards)
        return counted

    def status(self) -> Mapping[str, Any]:
        """Return what `status` shows of the spool."""
        refusal = self.refusal
        return {
            "intake": self.intake,
            "refusal": str(refusal) if refusal is not None else "",
            "delivery": self.delivery,
            "durable": self._means.settings.force_fsync,
            "routes": len(self.routes),
            "shards": {directory: keeper.status() for directory, keeper in self.keepers.items()},
            **self.counts(),
        }


async def _called(start: Callable[[Callable[[Error | None], None]], object]) -> None:
    """Wait for a function that tells by a callback; raise what it tells."""
    waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(error: Error | None) -> None:
        if waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)

    start(done)
    await waiting


def _resolve(waiting: "asyncio.Future[None]", _result: Any, failure: Failure | None) -> None:
    if waiting.done():
        return
    if failure is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(SpoolError("reading a message failed", reason=str(failure)))


def _touch(means: Means, handle: int, offset: int, size: int) -> None:
    """Bring a message into the page cache."""
    for at in range(offset, offset + size + 4096, 1 << 20):
        means.disk.read(handle, min(1 << 20, offset + size + 4096 - at), at)


def _nobody(_ident: int, _slot: bytes) -> None:
    pass


def _forgotten(_result: object, _failure: object) -> None:
    """A file that could not be removed is an orphan, removed at the next start."""


def _nothing() -> None:
    pass
