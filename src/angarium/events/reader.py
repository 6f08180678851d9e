"""Reading all event streams of a node as one, each event once.

    streams.rescan()                    shards came and went
    events = streams.read(4096)         what is new, in order of time
    streams.cursors()                   how far that was: keep it, when the events are dealt with

One order for the whole node: the streams are merged by time. A stream that lags, for its owner was
slow or there is more than one read takes, holds the others back to the last time it has shown, as
far as that is known; so a backlog of several shards comes out in order too.
"""

import contextlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from angarium.events.schema import EVENTS, Event, EventError, Reception, decode, number_of
from angarium.events.stream import KINDS, NOWHERE, Frame, frames
from angarium.journal.disk import Disk
from angarium.journal.reader import Tail
from angarium.journal.segment import survey

Mark = tuple[int, int]  # sequence and nonce of a segment

WINDOW: Final = 32768  # keys of one generation; two are kept
REMARK: Final = 10_000  # records after which the mark of a stream is taken anew

RECORDS: Final = 64  # taken from the journal at a time

_RECEPTION: Final = number_of(Reception)
_KINDS: Final = {
    declared: number_of(declared)
    for declared in EVENTS.values()
    if "id" in declared.__struct_fields__
}


def key_of(event: Event) -> int | None:
    """Return what tells an event from every other: entry, attempt and kind, in one number.

    None for an event that is about no entry.
    """
    kind = _KINDS.get(type(event))
    if kind is None:
        return None
    entry: Any = event
    key: int = entry.id << 8 | kind
    return key if kind == _RECEPTION or not entry.attempt else key | entry.attempt << 72


class Window:
    """Which keys came lately; bounded, and a look costs two look-ups."""

    __slots__ = ("_fresh", "_old", "_size")

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._fresh: set[int] = set()
        self._old: set[int] = set()

    def add(self, key: int) -> bool:
        """Remember the key; return whether it is new."""
        fresh, old = self._fresh, self._old
        if key in fresh:
            return False
        fresh.add(key)
        if len(fresh) >= self._size:
            self._fresh, self._old = set(), fresh
        return key not in old


class Cursor:
    """How far one stream was read: what must be kept, so that no event is lost or told twice.

    `number` is of the last record read, `safe` of the last one that no power cut can change.
    `sources` has, for each log, the highest source number seen, and `keys` what was seen with just
    that number: a record of a shard can have many events, and only some of them may have been
    written when the power went. `mark` tells this stream from one that was put in its place later.
    """

    __slots__ = ("keys", "mark", "number", "safe", "sources")

    def __init__(
        self,
        number: int = 0,
        safe: int = 0,
        sources: Mapping[int, int] | None = None,
        keys: Mapping[int, Iterable[int]] | None = None,
        mark: Mark | None = None,
    ) -> None:
        self.number = number
        self.safe = safe
        self.sources = dict(sources or {})
        self.keys = {log: set(seen) for log, seen in (keys or {}).items()}
        self.mark = mark

    def fresh(self, log: int, number: int, key: int) -> bool:
        """Say whether this event is told for the first time, and remember that it was."""
        highest = self.sources.get(log, -1)
        if number > highest:
            self.sources[log] = number
            self.keys[log] = {key}
            return True
        seen = self.keys.setdefault(log, set())
        if number < highest or key in seen:
            return False
        seen.add(key)
        return True


def mark_of(disk: Disk, directory: Path) -> Mark | None:
    """Return what tells this stream from others: its newest segment; None if it has none."""
    segments = survey(disk, str(directory), KINDS[directory.name]).segments
    return (segments[-1].sequence, segments[-1].nonce) if segments else None


def bears(disk: Disk, directory: Path, mark: Mark) -> bool:
    """Say whether this is the stream of which the mark was taken.

    Its segment may be gone by now; then there are newer ones.
    """
    segments = survey(disk, str(directory), KINDS[directory.name]).segments
    nonces = {each.sequence: each.nonce for each in segments}
    sequence, nonce = mark
    return nonces.get(sequence, nonce) == nonce and max(nonces, default=-1) >= sequence


# Number of the record, log and number of the source, the event.
Item = tuple[int, int, int, Event]


class Stream:
    """One stream: what is read of it and not yet taken, and the cursor behind what is taken."""

    __slots__ = (
        "_ahead", "_disk", "_latest", "_marked", "_tail", "cursor", "directory", "inode", "items",
        "more", "times", "undecodable",
    )  # fmt: skip

    def __init__(self, disk: Disk, directory: Path, inode: int, cursor: Cursor) -> None:
        kind = KINDS[directory.name]
        self._tail = Tail(disk, str(directory), kind)
        self._ahead = cursor.number  # of the last record that was read, taken or not
        self._disk = disk
        self._latest = 0.0
        self._marked = cursor.number
        self.directory = directory
        self.inode = inode  # of the directory
        self.cursor = cursor
        self.items: list[Item] = []
        self.times: list[float] = []  # of the items; never falls, even if the clock was set back
        self.more = False  # the last read may not have been all there is
        self.undecodable = 0

    def fill(self, limit: int) -> None:
        """Read on, `limit` events or a little more, if nothing is left of what was read before.

        Raises:
            FormatError: the stream is of a newer version.
            OSError: the disk failed.
        """
        if self.items:
            return
        self.more = True
        items, times, latest = self.items, self.times, self._latest
        while len(items) < limit:
            records = self._tail.read(self._ahead, RECORDS)
            for number, payload in records:
                for log, source, octets in self._frames(payload):
                    try:
                        event = decode(octets)
                    except EventError:
                        self.undecodable += 1
                        continue
                    latest = max(latest, event.at)
                    items.append((number, log, source, event))
                    times.append(latest)
            if records:
                self._ahead = records[-1][0]
            if len(records) < RECORDS:
                self.more = False
                break
        self._latest = latest

    def _frames(self, payload: bytes) -> list[Frame]:
        try:
            return frames(payload)
        except EventError:
            self.undecodable += 1
            return []

    @property
    def horizon(self) -> float | None:
        """Return the time up to which everything is known; None if it can't be told now."""
        return self.times[-1] if self.more and self.times else None

    def take(self, horizon: float | None, window: Window) -> list[tuple[float, Event]]:
        """Take what happened up to a time, without what was told before; whole records only."""
        items = self.items
        end = len(items) if horizon is None else bisect_right(self.times, horizon)
        while 0 < end < len(items) and items[end][0] == items[end - 1][0]:
            end += 1
        taken = []
        cursor, new = self.cursor, window.add
        for (_, log, source, event), at in zip(items[:end], self.times, strict=False):
            key = key_of(event) if log != NOWHERE else None
            if key is None or (cursor.fresh(log, source, key) and new(key)):
                taken.append((at, event))
        if end == len(items):
            cursor.number = self._ahead  # also over records which held nothing for us
        elif end:
            cursor.number = items[end - 1][0]
        cursor.safe = max(cursor.safe, min(self._tail.safe, cursor.number))
        del items[:end], self.times[:end]
        return taken

    def mark(self) -> None:
        """Note which stream this is, now and then: its old segments go, and their marks too."""
        cursor = self.cursor
        if cursor.mark is None or cursor.number - self._marked >= REMARK:
            cursor.mark = mark_of(self._disk, self.directory)
            self._marked = cursor.number

    @property
    def missed(self) -> int:
        """Return how often records were gone, or damaged, before they were read."""
        return self._tail.missed + self._tail.damaged

    def close(self) -> None:
        self._tail.close()


class Streams:
    """All streams below some directories: those of shards, those of processes without one.

    Args:
        roots: directories whose entries own streams.
        cursors: by name of the stream, from the last run.
    """

    __slots__ = ("_cursors", "_disk", "_roots", "_streams", "_window", "caught_up")

    def __init__(
        self,
        roots: Sequence[Path],
        disk: Disk,
        cursors: Mapping[str, Cursor],
    ) -> None:
        self._roots = roots
        self._disk = disk
        self._cursors = dict(cursors)
        self._streams: dict[str, Stream] = {}
        self._window = Window()
        self.caught_up = False  # the last read returned all there was

    def rescan(self) -> None:
        """Find the streams which appeared, and forget those whose directory is gone.

        Raises:
            FormatError: a stream is of a newer version.
            OSError: the disk failed.
        """
        found = {}
        for root in self._roots:
            for owner in sorted(root.iterdir()) if root.is_dir() else ():
                for name in KINDS:
                    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                        directory = owner / name
                        found[f"{owner.name}/{name}"] = directory, directory.stat().st_ino
        for name, stream in list(self._streams.items()):
            # Its owner removes a directory only when its readers have passed it.
            if found.get(name, ())[1:] != (stream.inode,):
                self._streams.pop(name).close()
        for name in found.keys() - self._streams.keys():
            directory, inode = found[name]
            cursor = self._cursors.pop(name, None)
            if cursor is None or cursor.mark and not bears(self._disk, directory, cursor.mark):
                cursor = Cursor()
            self._streams[name] = Stream(self._disk, directory, inode, cursor)

    def mark(self) -> None:
        """Bring the marks of the cursors up to date. Raises as `rescan`."""
        for stream in self._streams.values():
            stream.mark()

    def read(self, limit: int) -> list[Event]:
        """Return new events in order of time, about `limit` of each stream at most."""
        streams = list(self._streams.values())
        for stream in streams:
            stream.fill(limit)
        horizons = [each.horizon for each in streams if each.horizon is not None]
        horizon = min(horizons, default=None)
        taken = [part for each in streams if (part := each.take(horizon, self._window))]
        self.caught_up = not horizons
        if len(taken) == 1:
            return [event for _, event in taken[0]]
        return [event for _, event in sorted(chain(*taken), key=itemgetter(0))]

    def cursors(self) -> dict[str, Cursor]:
        """Return how far each stream was taken, by its name; the objects go on changing."""
        return {name: stream.cursor for name, stream in self._streams.items()}

    def progress(self) -> tuple[tuple[int, int], ...]:
        """Return something which differs whenever a cursor has moved."""
        return tuple((each.cursor.number, each.cursor.safe) for each in self._streams.values())

    @property
    def undecodable(self) -> int:
        """Return how many events could not be read: of a newer version, most likely."""
        return sum(stream.undecodable for stream in self._streams.values())

    @property
    def missed(self) -> int:
        """Return how often records were gone, or damaged, before they were read."""
        return sum(stream.missed for stream in self._streams.values())

    def close(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
