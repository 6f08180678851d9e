"""A shard: a directory with a lock, whose owner takes mail in and records what becomes of it.

The data log holds contents and recipients, the state log what happened to them, two streams the
events that derive from both. One thread writes and syncs all of them, in that order
(`journal/commit`). What is here is called from the loop and returns at once; what must be durable
is told by a callback.

An entry is in the table from the moment its record is durable to the moment its end is appended
to the state log. A checkpoint may rely on both.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from zlib import crc32

from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.core.ident import SHARDS, Idents
from angarium.core.message import Message, Recipient, context_of
from angarium.events.schema import Event, Reception
from angarium.events.schema import encode as encode_event
from angarium.events.stream import DATA as FROM_DATA
from angarium.events.stream import MESSAGES, NOWHERE, REJECTIONS, frame
from angarium.events.stream import STATE as FROM_STATE
from angarium.journal.commit import Commit, Executor, Lane
from angarium.journal.errors import DamageError, SpoolError, refused
from angarium.journal.log import Landed, Log, Manner
from angarium.queue.spool import changes
from angarium.queue.spool.contents import Contents
from angarium.queue.spool.envelope import NO_FILE, PUT, encode
from angarium.queue.spool.inventory import DATA, STATE, Inventory
from angarium.queue.spool.large import DIRECTORY as LARGE_DIRECTORY
from angarium.queue.spool.large import LargeFile, LargeWriter, PendingBody
from angarium.queue.spool.means import MB, Means, Settings
from angarium.queue.spool.slices import Slices
from angarium.queue.spool.slot import LARGE, SHARED, SLOT, lane_tail
from angarium.queue.spool.table import Table

STREAM: Final = 64  # kind of the records of a stream
STREAM_SYNC: Final = 1.0  # seconds; what is lost of a stream is written again from the state log
SPARES: Final = 3
REJECTIONS_HELD: Final = 16384  # some megabytes, while the disk does not take them
EVENTS_HELD: Final = 32 * MB  # until recovery is over; then no mail is taken in

APPENDED: Final = point("spool.appended", "mail is in memory, nothing of it is written")
DURABLE: Final = point("spool.durable", "mail is on the disk, the peer was not told yet")
SETTLED: Final = point("spool.settled", "the end of an entry is in memory, not written yet")

Done = Callable[[SpoolError | None], None]

CLOSED: Final = SpoolError("the spool is closed")
BUSY: Final = SpoolError("too much waits for the disk")


class Waiting:
    """A record of the data log on its way to the disk, and what depends on it."""

    __slots__ = ("body", "done", "message", "number", "recipients", "slots")

    def __init__(
        self,
        number: int,
        done: Done,
        slots: list[bytes],
        message: Message | None = None,
        recipients: Sequence[Recipient] = (),
        body: PendingBody | None = None,
    ) -> None:
        self.number = number
        self.done = done
        self.slots = slots
        self.message = message
        self.recipients = recipients
        self.body = body


class Shard:
    """One shard, opened: `inventory` is what `inventory.take` found in its directory.

    Attributes:
        counts: how many entries were created, delivered, ... since the shard exists.
        refusal: why nothing can be put now; None: it can.
        delivery: whether the end of an entry can be recorded, so that one may be delivered.
        closing: it is about to end; long work gives up.
        rejections_lost: events of rejections which were not kept.
    """

    __slots__ = (
        "_emit_held", "_group", "_held_octets", "_hold", "_idents", "_messages", "_now", "_ready",
        "_rejections", "_sync", "closing", "commit", "contents", "counts", "data", "delivery",
        "directory", "executor", "high", "inventory", "judge", "lanes", "large", "logs", "means",
        "messages", "number", "recovered", "refusal", "rejections", "rejections_lost", "removals",
        "slices", "state", "table",
    )  # fmt: skip

    def __init__(
        self,
        means: Means,
        number: int,
        directory: str,
        inventory: Inventory,
        executor: Executor,
    ) -> None:
        settings = means.settings
        self.means = means
        self.number = number
        self.directory = directory
        self.inventory = inventory
        self.executor = executor
        self.slices = Slices(means.loop, means.clock, self.executor, means.cpu)
        self.table = Table(means.routes)
        self.counts = [0] * len(changes.NAMES)
        self.high = inventory.high
        self.large = f"{directory}/{LARGE_DIRECTORY}"
        self.refusal: SpoolError | None = None
        self.delivery = True
        self.recovered = self.closing = False
        self.rejections_lost = self._held_octets = 0
        self.removals: list[tuple[int, str]] = []  # state record, file that may go when it is safe
        self.judge: Callable[[], None] = _ignore  # set by `health`: something landed
        self._now = means.clock.time
        self._hold = means.routes.hold
        self._idents = Idents(number, inventory.high)
        self._group: deque[Waiting] = deque()
        self._ready: list[tuple[Done, SpoolError | None]] = []
        self._emit_held: list[bytes] | None = []
        half = (settings.reserve or 16 * MB) // 2
        kept = half if settings.reserve else 0
        self.data = self._log(DATA, Manner("data", settings.segment, spares=SPARES))
        self.state = self._log(STATE, Manner("state", half, keep=True, spares=SPARES, reserve=kept))
        self.messages = self._log(MESSAGES, Manner("events", half, keep=True, reserve=kept))
        self.rejections = self._log(REJECTIONS, Manner("rejects", half, allocate=False))
        self.logs = (self.data, self.state, self.messages, self.rejections)
        self._resume(inventory)
        self.contents = Contents(means.disk, self.data, number, self.large)
        self._sync = settings.force_fsync
        self._messages = Lane(self.messages, self._landed, kind=STREAM, sync_within=STREAM_SYNC)
        self._rejections = Lane(
            self.rejections, self._rejections_landed, kind=STREAM, sync_within=STREAM_SYNC
        )
        sync = settings.sync_seconds
        self.lanes = (
            Lane(self.data, self._data_landed, eager=True, sync=self._sync, sync_within=sync),
            Lane(self.state, self._landed, sync_within=sync),
            self._messages,
            self._rejections,
        )
        self.commit = Commit(
            self.executor, means.loop, self.lanes, self._after, linger=settings.linger,
            chains=means.chains,
        )  # fmt: skip

    def _resume(self, inventory: Inventory) -> None:
        surveys = (inventory.data, inventory.state, inventory.messages, inventory.rejections)
        meta = inventory.reader.meta if inventory.reader is not None else None
        numbers = meta.numbers if meta is not None else (1,) * len(surveys)
        sequences = meta.sequences if meta is not None else (0,) * len(surveys)
        for log, found, number, sequence in zip(
            self.logs, surveys, numbers, sequences, strict=True
        ):
            log.resume(found, number=number, sequence=sequence)

    def _log(self, name: str, manner: Manner) -> Log:
        nonces = self.inventory.nonces
        return Log(
            self.means.disk, f"{self.directory}/{name}", manner, random=self.means.random,
            clock=self.means.clock.time, mark=self._mark,
            nonce=None if nonces is None else partial(nonces.of, manner.kind),
        )  # fmt: skip

    def _mark(self) -> int:
        return self.high

    def configure(self, settings: Settings) -> None:
        """Go over to other settings, from the next trip to the disk on."""
        data, state, *_ = self.lanes
        data.sync = settings.force_fsync
        data.sync_within = state.sync_within = settings.sync_seconds

    # -- mail comes in --------------------------------------------------------------------

    def next_id(self, now: float) -> int:
        """Return an id for the `batch` of a message to come."""
        self.high = ident = self._idents.next(now)
        return ident

    def put(self, message: Message, recipients: Sequence[Recipient], durable: Done) -> None:
        """Append a message; `durable` is called when it is on the disk, or why it is not."""
        data = self.data
        full = data.waiting > self.means.settings.waiting_octets or self._held_octets > EVENTS_HELD
        if self.refusal is not None or full:
            self._refuse(message, durable, self.refusal or BUSY)
            return
        now = self._now()
        following = self._idents.next
        if not message.batch:
            message.batch = following(now)
        if not message.received_at:
            message.received_at = now
        for recipient in recipients:
            recipient.id = self.high = following(now)
        body = message.body
        try:
            if isinstance(body, PendingBody) and body.shard == self.number and not body.taken:
                self._put_large(message, recipients, durable, body)
                return
            header = message.header
            run = [header, *body.pieces()]
            size, crc = 0, 0
            for piece in run:
                size += len(piece)
                crc = crc32(piece, crc)
            meta, offsets = encode(message, recipients, NO_FILE, size)
        except (UnicodeEncodeError, DamageError, OSError) as error:
            refusal = SpoolError("a message can't be written", reason=str(error))
            self._refuse(message, durable, refusal)
            return
        offset = data.append(PUT, meta, run, size, crc)
        waiting = Waiting(data.number - 1, durable, [], message, recipients)
        self._wait(waiting, message, offsets, 0, offset, size)

    def _put_large(
        self,
        message: Message,
        recipients: Sequence[Recipient],
        durable: Done,
        body: PendingBody,
    ) -> None:
        large = (body.name, body.size, body.crc)
        meta, offsets = encode(message, recipients, large)
        body.taken = True
        put = partial(self._put_synced, message, recipients, durable, body, meta, offsets)
        self.executor.submit(body.file.sync, put)

    def _put_synced(
        self,
        message: Message,
        recipients: Sequence[Recipient],
        durable: Done,
        body: PendingBody,
        meta: bytes,
        offsets: Sequence[int],
        _result: object,
        failure: object,
    ) -> None:
        """The body is on the disk: only now may a record say so, for a record is never taken back.

        One trip more than for others, which a message of this size does not notice.
        """
        broken = body.file.failure
        if broken is not None or failure is not None or self.refusal is not None:
            self.executor.submit(body.file.remove, _ignore)
            error = refused(broken, "writing a large body") if broken is not None else None
            if error is not None:
                self.means.alarm(error)
            durable(error or self.refusal or SpoolError("writing a large body failed"))
            return
        header = message.header
        offset = self.data.append(PUT, meta, (header,), len(header), crc32(header))
        waiting = Waiting(self.data.number - 1, durable, [], message, recipients, body)
        self._wait(waiting, message, offsets, LARGE, offset, message.size)

    def _wait(
        self,
        waiting: Waiting,
        message: Message,
        offsets: Sequence[int],
        flags: int,
        offset: int,
        size: int,
    ) -> None:
        """Let the record that was appended, and who put it, wait for the disk."""
        hold, pack, slots = self._hold, SLOT.pack, waiting.slots
        segment = self.data.segment.sequence
        message.place = segment << 32 | offset
        tail = lane_tail(message.lane) if message.fairness_key or message.priority else b""
        if len(offsets) > 1:
            flags |= SHARED
        for each, at in zip(waiting.recipients, offsets, strict=True):
            route = hold((each.binding_group, each.binding, each.domain))
            slots.append(pack(route, 0, 0, flags, segment, offset, at, size) + tail)
        self._group.append(waiting)
        FAULTS.hit(APPENDED)
        self.commit.soon()

    def _refuse(self, message: Message, durable: Done, why: SpoolError) -> None:
        self.forget(message)
        self.means.loop.call_soon(durable, why)

    def forget(self, message: Message) -> None:
        """Free what a message occupies that is not to be put after all."""
        body = message.body
        if isinstance(body, PendingBody) and body.shard == self.number and not body.taken:
            body.taken = True
            self.executor.submit(body.file.remove, _ignore)

    def writer(self) -> LargeWriter:
        """Return what takes a large body."""
        means = self.means
        self.high = name = self._idents.next(means.clock.time())
        return LargeWriter(
            means.disk, self.large, self.executor, self.number, name, means.streaming
        )

    def append(self, kind: int, meta: bytes, run: Sequence[bytes], size: int, crc: int) -> int:
        """Append a record of compaction; return its offset."""
        return self.data.append(kind, meta, run, size, crc)

    def when_durable(self, done: Done) -> None:
        """Call `done` when the data record appended last is durable."""
        self._group.append(Waiting(self.data.number - 1, done, []))
        self.commit.soon()

    # -- what becomes of it ---------------------------------------------------------------

    def settle(self, ident: int, event: Event) -> None:
        """An entry ends, as the event says. Raises NoEntryError."""
        outcome = changes.outcome(event)
        file = self.table.remove(ident)
        octets = encode_event(event)
        self.state.append(changes.SETTLE, changes.settled(ident, outcome, octets))
        self.counts[outcome] += 1
        FAULTS.hit(SETTLED)
        number = self.state.number - 1
        self._emit(frame(FROM_STATE, number, octets))
        if file:
            self.removals.append((number, f"{self.large}/{file:016x}"))
        self.commit.later()

    def defer(self, ident: int, attempts: int, due: int, event: Event | None) -> None:
        """An entry waits until `due`. Raises NoEntryError."""
        self.table.time(ident, due, attempts)
        octets = b"" if event is None else encode_event(event)
        slot = self.table.live[ident]
        due, attempts = SLOT.unpack_from(slot)[1:3]
        self._change(changes.DEFER, changes.deferred(ident, due, attempts, octets), octets)

    def rebind(
        self, ident: int, group: str, binding: str, domain: str, event: Event | None
    ) -> None:
        """An entry goes another way. Raises NoEntryError."""
        key = (group, binding, domain)
        self.table.slot(ident)
        self.table.reroute(ident, self.means.routes.hold(key))
        octets = b"" if event is None else encode_event(event)
        self._change(changes.REBIND, changes.rebound(ident, key, octets), octets)

    def isolate(self, ident: int) -> None:
        """Put an entry aside: it is kept, counted as quarantined, and not worked on."""
        self.table.isolate(ident)
        self._change(changes.ISOLATE, changes.only(ident), b"")

    def restore(self, ident: int) -> bytes:
        """Take an entry back from where it was put aside; return its slot."""
        slot = self.table.restore(ident)
        self._change(changes.RELEASE, changes.only(ident), b"")
        return slot

    def _change(self, kind: int, meta: bytes, event: bytes) -> None:
        self.state.append(kind, meta)
        if event:
            self._emit(frame(FROM_STATE, self.state.number - 1, event))
        self.commit.later()

    # -- events ---------------------------------------------------------------------------

    def _emit(self, frames: bytes) -> None:
        if self._emit_held is None:
            self._messages.gather.append(frames)
        else:
            self._emit_held.append(frames)  # What the last run left untold comes first.
            self._held_octets += len(frames)

    def emit_recovered(self, frames: bytes) -> None:
        """Write events which the last run did not write any more."""
        self._messages.gather.append(frames)
        self.commit.later()

    def release_events(self) -> None:
        """All events of the last run are told; go on with ours."""
        held, self._emit_held, self._held_octets = self._emit_held, None, 0
        if held:
            self._messages.gather.extend(held)
            self.commit.later()

    def note(self, event: Event) -> None:
        """Write an event which derives from no record, such as a ServerEvent."""
        self._emit(frame(NOWHERE, 0, encode_event(event)))
        self.commit.later()

    def reject(self, event: Event) -> None:
        """Write an event to the stream of rejections.

        Peers make as many as they like: what the disk does not take in time is counted, not kept.
        """
        if len(self._rejections.gather) >= REJECTIONS_HELD:
            self.rejections_lost += 1
            return
        self._rejections.gather.append(frame(NOWHERE, 0, encode_event(event)))
        self.commit.later()

    # -- what the disk did ----------------------------------------------------------------

    def _data_landed(self, landed: Landed) -> None:
        group, last = self._group, landed.last
        while group and group[0].number <= last:
            self._durable(group.popleft())
        if landed.error is not None:
            error = refused(landed.error, "writing mail")
            self.means.alarm(error)
            while group:
                self._failed(group.popleft(), error)

    def _durable(self, waiting: Waiting) -> None:
        FAULTS.hit(DURABLE)
        message = waiting.message
        if message is not None:
            self._enter(waiting, message)
        self._ready.append((waiting.done, None))

    def _enter(self, waiting: Waiting, message: Message) -> None:
        recipients, body, add = waiting.recipients, waiting.body, self.table.add
        if body is not None and isinstance(message.place, int):
            self.table.files[message.place] = body.name
        frames = []
        for recipient, slot in zip(recipients, waiting.slots, strict=True):
            add(recipient.id, slot)
            event = Reception(
                message.received_at, recipient.id, message.batch, message.connection,
                recipient.address, message.sender, recipient.domain, message.source, message.size,
                message.protocol, message.pathway, recipient.binding_group, recipient.binding,
                context_of(message, recipient),
            )  # fmt: skip
            frames.append(frame(FROM_DATA, waiting.number, encode_event(event)))
        self._emit(frames[0] if len(frames) == 1 else b"".join(frames))
        self.counts[changes.CREATED] += len(recipients)

    def _failed(self, waiting: Waiting, error: SpoolError) -> None:
        release = self.means.routes.release
        for slot in waiting.slots:
            release(int.from_bytes(slot[:4], "little"))
        if waiting.body is not None:
            file: LargeFile = waiting.body.file
            self.executor.submit(file.remove, _ignore)
        self._ready.append((waiting.done, error))

    def _landed(self, landed: Landed) -> None:
        if landed.error is not None:
            self.means.alarm(refused(landed.error, "recording what became of mail"))

    def _rejections_landed(self, landed: Landed) -> None:
        """What could not be written of them is lost: mail does not depend on it."""
        if landed.error is not None:
            self.means.alarm(refused(landed.error, "writing the stream of rejections"))

    def _after(self) -> None:
        """Tell who waits. One who fails must not keep the others from hearing it."""
        self.judge()
        ready, self._ready = self._ready, []
        told = 0
        try:
            for done, error in ready:
                told += 1
                done(error)
        finally:
            if told < len(ready):
                self._ready = ready[told:] + self._ready
                self.means.loop.call_soon(self._after)

    def make_reserves(self) -> None:
        """Set aside what lets ends be recorded on a full disk; on the disk's thread."""
        self.state.make_reserve()
        self.messages.make_reserve()

    def close_files(self) -> None:
        """Close everything and free the lock, on the disk's thread; nothing is under way."""
        for log in self.logs:
            log.close()
        if self.inventory.lock >= 0:
            self.means.disk.close(self.inventory.lock)
            self.inventory.lock = -1


def name_of(number: int) -> str:
    """Return the name of a shard's directory."""
    return f"{number:03d}"


def number_of(directory: str) -> int:
    """Return the number of a shard's directory. Raises Error if it is none's."""
    name = directory.rpartition("/")[2]
    if len(name) != 3 or not name.isdecimal() or int(name) >= SHARDS:
        raise Error("no directory of a shard: three digits up to 127", directory=directory)
    return int(name)


def _ignore(*_: object) -> None:
    pass
