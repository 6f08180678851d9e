"""What the logs say, put together: a checkpoint, the contents put after it, the changes after it.

Pure: records in, entries out; recovery and audit drive it. Everything may be applied twice with
the same result, because a checkpoint is written while the shard goes on working: it shows each
entry as it was at some moment after its beginning, and the records from its beginning on are
applied over it.

The order is: all of `content` (data after the checkpoint's position), then all of `change`, then
each entry of the checkpoint through `resolve`. So an entry needs no second look and the loop
hears of it once.
"""

from collections.abc import Callable, Iterator
from typing import Final

from angarium.events.schema import Reception, encode
from angarium.events.stream import DATA, STATE, frame
from angarium.journal.errors import DamageError, FormatError
from angarium.journal.record import HEAD_SIZE
from angarium.journal.scan import Found
from angarium.queue.spool import changes, envelope
from angarium.queue.spool.envelope import CODEC, MOVE, PUT, Envelope, Prefix, Target
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.slot import (
    LARGE,
    SHARED,
    SLOT,
    lane_tail,
    route_of,
    with_place,
    with_route,
    with_timing,
)

STAYS: Final = -1


class Patch:
    """What happened to an entry which the checkpoint knows."""

    __slots__ = ("attempts", "due", "isolated", "place", "route")

    def __init__(self) -> None:
        self.route = STAYS
        self.due = STAYS
        self.attempts = 0
        self.place: tuple[int, int, int] | None = None
        self.isolated: bool | None = None


def reception(ident: int, envelope: Envelope, prefix: Prefix, target: Target) -> bytes:
    """Return the event that an entry was accepted, from its record."""
    return encode(
        Reception(
            envelope.received_at, ident, prefix.batch, envelope.connection, target.address,
            envelope.sender, target.domain, envelope.source, prefix.size, envelope.protocol,
            envelope.pathway, target.group, target.binding,
            {**envelope.variables, **target.variables},
        )
    )  # fmt: skip


class Replay:
    """The entries of a shard as the logs tell them.

    Args:
        emit: gets the frames of events which the stream lacks; None: nobody asks.
        told_data, told_state: numbers of the last records whose events the stream has.
        salvaging: there is no checkpoint to go by, or it has lost entries. Then a content that was
            moved counts as put: the record it was moved from may be gone.

    Attributes:
        puts: slots of entries put after the checkpoint.
        isolated: those of `puts` which were put aside.
        counts: by `changes.NAMES`, to be added to those of the checkpoint.
        high: the highest id seen.
        unread: records that made no sense, with the segment of each.
    """

    __slots__ = (
        "_emit", "_routes", "_told_data", "_told_state", "counts", "files", "gone", "high",
        "isolated", "patches", "puts", "salvaging", "unread",
    )  # fmt: skip

    def __init__(
        self,
        routes: Routes,
        emit: Callable[[bytes], None] | None = None,
        told_data: int = 0,
        told_state: int = 0,
        *,
        salvaging: bool = False,
    ) -> None:
        self._routes = routes
        self._emit = emit
        self._told_data = told_data
        self._told_state = told_state
        self.salvaging = salvaging
        self.puts: dict[int, bytes] = {}
        self.isolated: set[int] = set()
        self.patches: dict[int, Patch] = {}
        self.gone: set[int] = set()
        self.files: dict[int, int] = {}
        self.counts = [0] * len(changes.NAMES)
        self.high = 0
        self.unread: list[tuple[int, Found, DamageError]] = []

    # -- contents -------------------------------------------------------------------------

    def content(self, found: Found, segment: int) -> None:
        """Apply a record of the data log.

        Raises:
            FormatError: it is sound and of a newer version. Nothing may be cleaned up then: the
                entries in it are not known.
        """
        if found.kind not in (PUT, MOVE):
            return
        if found.meta and found.meta[0] > CODEC:
            raise FormatError("a content of a newer version", version=found.meta[0], known=CODEC)
        try:
            prefix = envelope.prefix_of(found.meta)
            if found.kind == PUT:
                self._put(found, segment, prefix)
            else:
                self._move(found, segment, prefix)
        except DamageError as error:
            self.unread.append((segment, found, error))

    def _put(self, found: Found, segment: int, prefix: Prefix) -> None:
        meta = found.meta
        if prefix.large:
            self.files[segment << 32 | found.offset] = prefix.large
        telling = self._emit is not None and found.number > self._told_data
        head = envelope.envelope_of(meta, prefix) if telling else None
        frames = []
        tail = lane_tail(envelope.lane_in(meta, prefix))
        for ident, at, _ in envelope.items(meta, prefix):
            _, target = envelope.target_at(meta, at)
            self._enter(ident, target, found, segment, at, prefix, tail)
            self.high = max(self.high, ident)
            if head is not None:
                frames.append(frame(DATA, found.number, reception(ident, head, prefix, target)))
        self.high = max(self.high, prefix.batch)
        self.counts[changes.CREATED] += prefix.recipients
        if frames and self._emit is not None:
            self._emit(b"".join(frames))

    def _enter(
        self,
        ident: int,
        target: Target,
        found: Found,
        segment: int,
        at: int,
        prefix: Prefix,
        tail: bytes,
    ) -> None:
        """Take an entry in as it was put: active, without attempts."""
        flags = (LARGE if prefix.large else 0) | (SHARED if prefix.recipients > 1 else 0)
        route = self._routes.hold((target.group, target.binding, target.domain))
        slot = SLOT.pack(route, 0, 0, flags, segment, found.offset, HEAD_SIZE + at, prefix.size)
        self.puts[ident] = slot + tail

    def _move(self, found: Found, segment: int, prefix: Prefix) -> None:
        if prefix.large:
            self.files[segment << 32 | found.offset] = prefix.large
        for ident, at, _ in envelope.items(found.meta, prefix):
            slot = self.puts.get(ident)
            place = (segment, found.offset, HEAD_SIZE + at)
            if slot is not None:
                self.puts[ident] = with_place(slot, *place)
            elif self.salvaging:
                _, target = envelope.target_at(found.meta, at)
                tail = lane_tail(envelope.lane_in(found.meta, prefix))
                self._enter(ident, target, found, segment, at, prefix, tail)
                self.counts[changes.CREATED] += 1
            else:
                self._patch(ident).place = place

    # -- changes --------------------------------------------------------------------------

    def change(self, found: Found, segment: int = 0) -> None:
        """Apply a record of the state log."""
        kind, meta = found.kind, found.meta
        try:
            if kind == changes.SETTLE:
                self._settle(*changes.read_settled(meta))
            elif kind == changes.DEFER:
                self._defer(*changes.read_deferred(meta))
            elif kind == changes.REBIND:
                self._rebind(*changes.read_rebound(meta))
            elif kind in (changes.ISOLATE, changes.RELEASE):
                self._isolate(changes.read_only(meta), kind == changes.ISOLATE)
            if self._emit is not None and found.number > self._told_state:
                event = changes.event_in(kind, meta)
                if event:
                    self._emit(frame(STATE, found.number, event))
        except DamageError as error:
            self.unread.append((segment, found, error))

    def _patch(self, ident: int) -> Patch:
        patch = self.patches.get(ident)
        if patch is None:
            patch = self.patches[ident] = Patch()
        return patch

    def _settle(self, ident: int, outcome: int) -> None:
        self.counts[outcome] += 1
        slot = self.puts.pop(ident, None)
        if slot is not None:
            self._routes.release(route_of(slot))
            self.isolated.discard(ident)
            return
        self.gone.add(ident)
        patch = self.patches.pop(ident, None)
        if patch is not None and patch.route != STAYS:
            self._routes.release(patch.route)

    def _defer(self, ident: int, due: int, attempts: int) -> None:
        slot = self.puts.get(ident)
        if slot is not None:
            self.puts[ident] = with_timing(slot, due, attempts)
        elif ident not in self.gone:
            patch = self._patch(ident)
            patch.due, patch.attempts = due, attempts

    def _rebind(self, ident: int, key: tuple[str, str, str]) -> None:
        slot = self.puts.get(ident)
        if slot is not None:
            old = route_of(slot)
            self.puts[ident] = with_route(slot, self._routes.hold(key))
            self._routes.release(old)
        elif ident not in self.gone:
            patch = self._patch(ident)
            if patch.route != STAYS:
                self._routes.release(patch.route)
            patch.route = self._routes.hold(key)

    def _isolate(self, ident: int, isolated: bool) -> None:
        if ident not in self.puts:
            if ident not in self.gone:
                self._patch(ident).isolated = isolated
        elif isolated:
            self.isolated.add(ident)
        else:
            self.isolated.discard(ident)

    # -- entries --------------------------------------------------------------------------

    def resolve(self, ident: int, slot: bytes, isolated: bool) -> tuple[bytes, bool] | None:
        """Return what an entry of the checkpoint is now, and whether it is isolated.

        None if it ended. The route of `slot` must be held for it by the caller, and is given
        back here where it does not apply any more.
        """
        if ident in self.gone or ident in self.puts:
            self._routes.release(route_of(slot))
            return None
        patch = self.patches.pop(ident, None)
        if patch is None:
            return slot, isolated
        if patch.place is not None:
            slot = with_place(slot, *patch.place)
        if patch.due != STAYS:
            slot = with_timing(slot, patch.due, patch.attempts)
        if patch.route != STAYS:
            self._routes.release(route_of(slot))
            slot = with_route(slot, patch.route)
        return slot, isolated if patch.isolated is None else patch.isolated

    def rest(self) -> Iterator[tuple[int, bytes, bool]]:
        """Yield (id, slot, isolated) of what was put after the checkpoint, and forget it."""
        puts = self.puts
        for ident in list(puts):
            yield ident, puts.pop(ident), ident in self.isolated
        self.drop_patches()

    def drop_patches(self) -> None:
        """Give back the routes of changes to entries which are nowhere."""
        for patch in self.patches.values():
            if patch.route != STAYS:
                self._routes.release(patch.route)
        self.patches.clear()
