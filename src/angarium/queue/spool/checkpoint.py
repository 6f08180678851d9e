"""A checkpoint: all that lives in a shard, in one file, so that older state is not needed.

    META, then (ROUTES, LANES, ENTRIES)..., (ROUTES, LANES, ISOLATED)..., then COMPLETE

LANES has those of the entries behind it which have one; a program that does not know it reads the
others as ever.

It is written in slices while the shard works on, so each entry stands in it as it was at some
moment after the beginning; what happened since the beginning is in the state log behind, and
applying that again changes nothing (`replay`). A file with the name of a checkpoint is complete:
it gets that name when it is synced.
"""

import re
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from typing import Final

import msgspec

from angarium.core.fault import FAULTS, point
from angarium.journal.disk import Disk, write_all
from angarium.journal.errors import DamageError
from angarium.journal.record import encode
from angarium.journal.scan import Found, Scan
from angarium.journal.segment import CUT, HEADER_SIZE, Segment, encode_header, read_header
from angarium.queue.spool.routes import Key, Routes
from angarium.queue.spool.slices import Work
from angarium.queue.spool.slot import KEYED, LANED, SIZE, lane_in, lane_tail, route_of
from angarium.queue.spool.table import Table

META, ROUTES, ENTRIES, ISOLATED, COMPLETE, LANES = range(80, 86)
DIRECTORY: Final = "checkpoints"
KIND: Final = "check"
ROWS: Final = 512  # entries to a record: a millisecond to read
FLUSH: Final = 1 << 18  # octets to a trip
_NAME: Final = re.compile(r"(\d{10})\.chk")
_COMPLETE: Final = struct.Struct("<QQ")

WRITING: Final = point("spool.checkpoint.writing", "a checkpoint is written, not synced")
NAMED: Final = point("spool.checkpoint.named", "a checkpoint has its name, and it is synced")


class Meta(msgspec.Struct, array_like=True, gc=False):
    """Where a checkpoint stands in the logs; fields are only ever appended, with a default.

    Data records up to `position` are in it, state records from `state_number` on come after it,
    `stream` is the number of the next record of the event stream at its beginning. `numbers` and
    `sequences` are what each log (data, state, both streams) may not go below: after a checkpoint
    its segments may all be put aside, and a number given twice would be taken for an old one.
    """

    position: int
    state_segment: int
    state_number: int
    stream: int
    counts: list[int]
    high: int  # the highest id given
    at: float
    numbers: tuple[int, int, int, int]
    sequences: tuple[int, int, int, int]
    place: tuple[int, int] = (0, 0)  # data segment and offset behind record `position`

    def start_in(self, segment: Segment) -> tuple[int, int] | None:
        """Return where to begin reading a data segment, for what is not in the checkpoint."""
        sequence, offset = self.place
        return (offset, self.position) if segment.sequence == sequence else None


_meta: Final = msgspec.msgpack.Decoder(Meta).decode
_routes: Final = msgspec.msgpack.Decoder(list[tuple[int, str, str, str]]).decode
_encode: Final = msgspec.msgpack.Encoder().encode


def name_of(sequence: int) -> str:
    return f"{sequence:010d}.chk"


def newest(names: Iterable[str]) -> int:
    """Return the sequence of the newest checkpoint among file names, 0 for none."""
    return max((int(found[1]) for name in names if (found := _NAME.fullmatch(name))), default=0)


class Writer:
    """Writes one checkpoint.

    What the table holds is listed part by part as it is written, so nothing is done for a million
    entries at once. What was put since the beginning is left out: it is in the data log behind.
    What changed between live and isolated since may stand here twice; then both are the same entry.

    Args:
        directory: of checkpoints, `sequence`: its name there.
        meta: as the shard was at the beginning.
        table: of which the entries are written that are there now.
    """

    __slots__ = (
        "_directory", "_disk", "_handle", "_known", "_meta", "_number", "_offset", "_pieces",
        "_routes", "_segment", "_sequence", "_size", "_table", "octets",
    )  # fmt: skip

    def __init__(
        self,
        disk: Disk,
        directory: str,
        sequence: int,
        meta: Meta,
        table: Table,
        routes: Routes,
        random: Random,
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._sequence = sequence
        self._meta = meta
        self._table = table
        self._routes = routes
        self._segment = Segment(sequence, random.getrandbits(64), 1, 0, CUT, meta.high, meta.at)
        self._pieces = [encode_header(self._segment, KIND)]
        self._size = HEADER_SIZE
        self._offset = 0
        self._number = 0
        self._handle = -1
        self._known: dict[int, Key] = {}
        self.octets = 0

    @property
    def _path(self) -> str:
        return f"{self._directory}/{name_of(self._sequence)}"

    def write(self) -> Work:
        """Write everything and sync it; it is no checkpoint before `name`."""
        self._table.added = set()
        try:
            yield from self._whole(self._table)
        finally:
            self._table.added = None

    def _whole(self, table: Table) -> Work:
        aside = set(table.isolated)  # what is let free meanwhile may be in a part listed before
        entries = 0
        self._handle = yield partial(self._disk.open, f"{self._path}.new", create=True)
        try:
            yield partial(self._disk.truncate, self._handle, 0)
            self._append(META, _encode(self._meta))
            for part in table.live.parts:
                idents = list(part)
                entries += len(idents)
                yield from self._write_all(idents, ENTRIES, part, table.isolated)
            isolated = list(aside.union(table.isolated))
            yield from self._write_all(isolated, ISOLATED, table.isolated, table.live)
            self._append(COMPLETE, _COMPLETE.pack(entries, len(isolated)))
            yield self._flush()
            FAULTS.hit(WRITING)
            yield partial(self._disk.sync, self._handle)
        finally:
            self._disk.close(self._handle)
        self.octets = self._offset

    def name(self) -> Work:
        """Make it the checkpoint. What it leaves out must be durable in the state log by now."""
        yield partial(self._disk.rename, f"{self._path}.new", self._path)
        yield partial(self._disk.sync_dir, self._directory)
        FAULTS.hit(NAMED)

    def _write_all(
        self,
        idents: Sequence[int],
        kind: int,
        first: Mapping[int, bytes],
        second: Mapping[int, bytes],
    ) -> Work:
        """Write those of the entries which are still there, wherever they are by now."""
        since = self._table.added or ()
        for at in range(0, len(idents), ROWS):
            rows = [
                (ident, slot)
                for ident in idents[at : at + ROWS]
                if ident not in since
                and (slot := first.get(ident) or second.get(ident)) is not None
            ]
            self._append_routes({route_of(slot) for _, slot in rows})
            lanes = [LANED.pack(ident, lane_in(slot)) for ident, slot in rows if len(slot) > SIZE]
            if lanes:
                self._append(LANES, b"".join(lanes))
            self._append(kind, b"".join([KEYED.pack(*row) for row in rows]))
            if self._size >= FLUSH:
                yield self._flush()
            else:
                yield None

    def _append_routes(self, numbers: Iterable[int]) -> None:
        """Write what the numbers mean; one may have been given to another route meanwhile."""
        rows = []
        for number in numbers:
            key = self._routes.key(number)
            if self._known.get(number) != key:
                self._known[number] = key
                rows.append((number, *key))
        if rows:
            self._append(ROUTES, _encode(rows))

    def _append(self, kind: int, meta: bytes) -> None:
        self._number += 1
        piece = encode(self._segment.nonce, self._number, 1, kind, meta)
        self._pieces.append(piece)
        self._size += len(piece)

    def _flush(self) -> Callable[[], int]:
        pieces, offset = self._pieces, self._offset
        self._offset += self._size
        self._pieces, self._size = [], 0
        return partial(write_all, self._disk, self._handle, pieces, offset)


class Reader:
    """Reads one checkpoint: first `meta`, and when the logs are read, `entries`."""

    __slots__ = ("_complete", "_disk", "_handle", "_keys", "_last", "_segment", "damaged", "meta")

    def __init__(self, disk: Disk, path: str) -> None:
        """Open it and read its META.

        Raises:
            DamageError: there is no telling what it says.
            FormatError: it is of a newer version.
            OSError: the disk failed.
        """
        self._disk = disk
        self._keys: dict[int, Key] = {}
        self._last = 0  # number of the record read last
        self._complete = -1
        self.damaged = False
        self._handle = disk.open(path, readonly=True)
        try:
            self._segment, self.meta = self._begin(path)
        except BaseException:
            self.close()
            raise

    def _begin(self, path: str) -> tuple[Segment, Meta]:
        segment = read_header(self._disk.read(self._handle, HEADER_SIZE, 0), KIND)
        if segment is None:
            raise DamageError("a checkpoint without a header", path=path)
        first: list[Found] = []
        scanning = Scan(self._disk, self._handle, segment, first.append).run()
        for _ in scanning:
            if first:
                break
        scanning.close()
        if not first or first[0].kind != META:
            raise DamageError("a checkpoint without a beginning", path=path)
        try:
            return segment, _meta(first[0].meta)
        except msgspec.MsgspecError as error:
            raise DamageError("a checkpoint's beginning makes no sense", path=path) from error

    def entries(
        self, take: Callable[[list[tuple[int, bytes]], dict[int, Key], bool], None]
    ) -> Generator[None, None, None]:
        """Call `take(rows, names of their routes, isolated)` for all entries, in pieces.

        Afterwards `damaged` says whether some may be missing.
        """
        lanes: dict[int, int] = {}

        def one(found: Found) -> None:
            self._step(found)
            if found.kind == ROUTES:
                self._name_routes(found.meta)
            elif found.kind == LANES:
                lanes.update(LANED.iter_unpack(found.meta))
            elif found.kind in (ENTRIES, ISOLATED):
                rows = self._known(_rows(found.meta, lanes))
                take(rows, self._keys, found.kind == ISOLATED)
                lanes.clear()
            elif found.kind == COMPLETE:
                self._complete = 1
            self._last = found.number

        outcome = yield from Scan(self._disk, self._handle, self._segment, one).run()
        self.damaged = self.damaged or bool(outcome.gaps) or self._complete < 0

    def _step(self, found: Found) -> None:
        """A record that is missing may have said what the numbers of routes mean from there on."""
        missing = found.number - self._last - 1
        if missing and not (missing == 1 and found.kind == ROUTES):
            self._keys.clear()

    def _name_routes(self, meta: bytes) -> None:
        try:
            for number, group, binding, domain in _routes(meta):
                self._keys[number] = (group, binding, domain)
        except msgspec.MsgspecError:
            self.damaged = True

    def _known(self, rows: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Return the rows of which is known where they go; the contents tell of the others."""
        keys = self._keys
        if all(route_of(slot) in keys for _, slot in rows):
            return rows
        self.damaged = True
        return [row for row in rows if route_of(row[1]) in keys]

    def close(self) -> None:
        if self._handle >= 0:
            self._disk.close(self._handle)
            self._handle = -1


def _rows(meta: bytes, lanes: dict[int, int]) -> list[tuple[int, bytes]]:
    rows: list[tuple[int, bytes]] = list(KEYED.iter_unpack(meta))
    if not lanes:
        return rows
    return [(ident, slot + lane_tail(lanes.get(ident, 0))) for ident, slot in rows]


def drafts(names: Iterable[str]) -> Iterator[str]:
    """Yield the names of checkpoints which did not become one."""
    return (name for name in names if name.endswith(".new"))
