"""What lives in a shard, in memory: a slot for each entry, and what of the disk it keeps busy.

The one place where entries are added, changed and removed, so that routes, usage of segments and
shares of contents always agree with the slots.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Final

from angarium.core.errors import Error
from angarium.core.ident import printed
from angarium.queue.spool.parts import PLACES, Parts
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.slot import (
    LARGE,
    SHARED,
    SLOT,
    place_of,
    route_of,
    with_place,
    with_route,
    with_timing,
)

OVERHEAD: Final = 320  # octets of a record without its content, about


class NoEntryError(Error):
    """There is no such entry."""


def key_of(segment: int, offset: int) -> int:
    """Return the name of a record in a shard's data log."""
    return segment << 32 | offset


class Usage:
    """How much in a data segment is still needed."""

    __slots__ = ("entries", "octets")

    def __init__(self) -> None:
        self.entries = 0
        self.octets = 0


class Table:
    """The entries of a shard.

    Attributes:
        live: slots by id; what the queues see.
        isolated: those put aside, for they can't be worked on.
        files: name of the large body, by record.
        added: ids added since a checkpoint was begun; None while there is none.
    """

    __slots__ = ("_routes", "_shares", "added", "files", "isolated", "live", "usage")

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._shares: dict[int, int] = {}  # by record: entries, where there can be several
        self.live = Parts()
        self.added: set[int] | None = None
        self.isolated: dict[int, bytes] = {}
        self.files: dict[int, int] = {}
        self.usage: dict[int, Usage] = {}

    def add(self, ident: int, slot: bytes) -> None:
        """Add an entry whose route is held already."""
        self.live[ident] = slot
        if self.added is not None:
            self.added.add(ident)
        self._count(slot)

    def slot(self, ident: int) -> bytes:
        slot = self.live.get(ident)
        if slot is None:
            raise NoEntryError("no such entry", id=printed(ident))
        return slot

    def remove(self, ident: int) -> int:
        """Remove an entry; return the name of a large body nobody needs any more, or 0."""
        slot = self.live.pop(ident, None)
        if slot is None:
            slot = self.isolated.pop(ident, None)
            if slot is None:
                raise NoEntryError("no such entry", id=printed(ident))
        self._routes.release(route_of(slot))
        return self._uncount(slot)

    def time(self, ident: int, due: int, attempts: int) -> None:
        self.live[ident] = with_timing(self.slot(ident), due, attempts)

    def reroute(self, ident: int, route: int) -> None:
        """Give an entry another route, which is held already."""
        slot = self.slot(ident)
        self.live[ident] = with_route(slot, route)
        self._routes.release(route_of(slot))

    def isolate(self, ident: int) -> None:
        self.isolated[ident] = self.slot(ident)
        del self.live[ident]

    def restore(self, ident: int) -> bytes:
        """Take an entry back from where it was isolated."""
        slot = self.isolated.pop(ident, None)
        if slot is None:
            raise NoEntryError("no such entry", id=printed(ident))
        self.live[ident] = slot
        return slot

    def at(self, ident: int, segment: int, offset: int) -> bool:
        """Say whether an entry is there and its record is this one."""
        slot = self.live.get(ident) or self.isolated.get(ident)
        return slot is not None and place_of(slot) == (segment, offset)

    def move(self, ident: int, segment: int, offset: int, recipient: int) -> None:
        """The record of an entry now lies elsewhere."""
        where: MutableMapping[int, bytes] = self.live if ident in self.live else self.isolated
        slot = where[ident]
        file = self.files.get(key_of(*place_of(slot)), 0)
        self._uncount(slot)
        where[ident] = slot = with_place(slot, segment, offset, recipient)
        self._count(slot)
        if file:
            self.files[key_of(segment, offset)] = file

    def _count(self, slot: bytes) -> None:
        _, _, _, flags, segment, offset, _, size = SLOT.unpack_from(slot)
        usage = self.usage.get(segment)
        if usage is None:
            usage = self.usage[segment] = Usage()
        usage.entries += 1
        if flags & (LARGE | SHARED):
            key = segment << 32 | offset
            others = self._shares.get(key, 0)
            self._shares[key] = others + 1
            if others:
                return
            if flags & LARGE:
                size = 0
        usage.octets += size + OVERHEAD

    def _uncount(self, slot: bytes) -> int:
        _, _, _, flags, segment, offset, _, size = SLOT.unpack_from(slot)
        usage = self.usage[segment]
        usage.entries -= 1
        file = 0
        if flags & (LARGE | SHARED):
            key = segment << 32 | offset
            others = self._shares[key] - 1
            if others:
                self._shares[key] = others
                return 0
            del self._shares[key]
            if flags & LARGE:
                size = 0
                file = self.files.pop(key, 0)
        usage.octets -= size + OVERHEAD
        return file

    def __len__(self) -> int:
        return len(self.live)


class Live(Mapping[int, bytes]):
    """The slots of all shards of a worker, by id: the table the queues look into."""

    __slots__ = ("_places", "_shards")

    def __init__(self) -> None:
        self._places = [_NOWHERE] * 256  # of each shard, as in `Parts`
        self._shards: dict[int, Parts] = {}

    def attach(self, shard: int, live: Parts) -> None:
        self._places[shard] = live.places
        self._shards[shard] = live

    def detach(self, shard: int) -> None:
        self._places[shard] = _NOWHERE
        self._shards.pop(shard, None)  # It may never have come to be attached.

    def __getitem__(self, ident: int) -> bytes:
        return self._places[ident >> 24 & 0xFF][ident % PLACES][ident]

    def get(self, ident: int, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        return self._places[ident >> 24 & 0xFF][ident % PLACES].get(ident, default)

    def __contains__(self, ident: object) -> bool:
        return isinstance(ident, int) and self.get(ident) is not None

    def parts(self) -> list[dict[int, bytes]]:
        """Return the dictionaries which together hold all; each is to be read at once."""
        return [part for live in self._shards.values() for part in live.parts]

    def __iter__(self) -> Iterator[int]:
        for live in self._shards.values():
            yield from live

    def __len__(self) -> int:
        return sum(map(len, self._shards.values()))


_NOWHERE: Final = Parts().places
