"""jlog: a log which is a queue, in the public format of the jlog project: many readers, each with
its place, and what all have read is removed. A directory has

    metastore         number of the segment which is written, limit of its size, safety, magic
    0000002a          a segment: records of a header (magic, seconds, microseconds, length), message
    0000002a.idx      where its records begin; readers of the project make it, we need none
    cp.6d6173746572   the place of the subscriber "master": a segment, and records read of it

all numbers of 32 bits, in the order of the machine. The rule: **the file of the segment is locked
while it is written, and only what is after its last whole record is ever cut**: readers map it.
"""

import fcntl
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from angarium.core.errors import Error

MAGIC: Final = 0x663A7318
COMPRESSED: Final = 0x15106A00  # with the method in the last octet: lz4 is not read by us
LIMIT: Final = 4 * 1024 * 1024  # octets of a segment, more or less a record: as the project's own
ALMOST_SAFE: Final = 1  # checkpoints are not synced
METASTORE: Final = "metastore"
BEGUN: Final = "begun"  # the draft of a segment
SUBSCRIBER: Final = "master"  # who is meant when nobody is named

_META: Final = struct.Struct("=IIII")
_HEAD: Final = struct.Struct("=IIII")
_PLACE: Final = struct.Struct("=II")
HEAD: Final = _HEAD.size
_HEX: Final = frozenset("0123456789abcdef")


class JlogError(Error):
    """This is no jlog, or one we cannot use."""


class Meta(NamedTuple):
    """What the metastore says."""

    segment: int
    limit: int = LIMIT
    safety: int = ALMOST_SAFE
    magic: int = MAGIC

    def encode(self) -> bytes:
        return _META.pack(*self)


class Place(NamedTuple):
    """How far somebody has read: so many records of a segment, and all of those before it."""

    segment: int
    marker: int

    def __str__(self) -> str:
        return f"{self.segment:08x}:{self.marker:08x}"


def whole(octets: bytes, magic: int = MAGIC) -> Iterator[tuple[int, int]]:
    """Yield where each message begins and ends, up to the first thing that is no whole record."""
    at, size, unpack = 0, len(octets), _HEAD.unpack_from
    while at + HEAD <= size:
        found, _, _, length = unpack(octets, at)
        at += HEAD + length
        if found != magic or at > size:
            return
        yield at - length, at


def record(message: bytes, at: float, magic: int = MAGIC) -> bytes:
    """Return the record of a message written at a time, in Unix seconds."""
    seconds, micros = divmod(int(at * 1_000_000), 1_000_000)
    return _HEAD.pack(magic, seconds & 0xFFFFFFFF, micros, len(message)) + message


def segment_name(number: int) -> str:
    return f"{number:08x}"


def segment_number(name: str) -> int | None:
    """Return the number of a segment by its name; None if that is no segment's."""
    return int(name, 16) if len(name) == 8 and _HEX.issuperset(name) else None


class Jlog:
    """A jlog directory, to whoever reads or looks after it."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, mode: int = 0o640, limit: int = LIMIT) -> None:
        """Make the directory, unless it is there. Raises OSError."""
        if (self.path / METASTORE).exists():
            return
        # Who may read the files may enter the folder.
        folder = mode | (mode & 0o444) >> 2
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(folder)
        draft = self.path / f"{METASTORE}.{os.getpid()}"
        draft.write_bytes(Meta(0, limit).encode())
        draft.chmod(mode)
        try:
            # Not a rename: of two processes which come at once, one makes it.
            with suppress(FileExistsError):
                os.link(draft, self.path / METASTORE)
        finally:
            draft.unlink()

    def meta(self) -> Meta:
        """Return what the metastore says.

        Raises:
            JlogError: it is damaged, or of a form we do not read.
            OSError: there is none.
        """
        return self.understood((self.path / METASTORE).read_bytes())

    def understood(self, octets: bytes) -> Meta:
        """Return what these octets of a metastore say. Raises JlogError."""
        if len(octets) != _META.size:
            raise JlogError("metastore of the jlog damaged", path=str(self.path))
        meta = Meta(*_META.unpack(octets))
        if meta.magic & ~0xFF == COMPRESSED:
            raise JlogError("a jlog with compressed records", path=str(self.path))
        if meta.magic != MAGIC or not meta.limit:
            raise JlogError("no jlog of this machine", path=str(self.path))
        return meta

    def segments(self) -> list[int]:
        """Return the numbers of the segments which are there."""
        names = os.listdir(self.path)
        return sorted(found for name in names if (found := segment_number(name)) is not None)

    def segment(self, number: int) -> Path:
        return self.path / segment_name(number)

    def index(self, number: int) -> Path:
        """Return the path of the index which the project's readers keep of a segment."""
        return self.path / f"{segment_name(number)}.idx"

    # -- subscribers ----------------------------------------------------------------------

    def _checkpoint(self, name: str) -> Path:
        return self.path / f"cp.{name.encode().hex()}"

    def subscribers(self) -> Mapping[str, Place]:
        """Return the places of all subscribers, by name."""
        found = {}
        for path in sorted(self.path.glob("cp.*")):
            with suppress(ValueError, FileNotFoundError, struct.error):
                name = bytes.fromhex(path.name.removeprefix("cp.")).decode()
                found[name] = Place(*_PLACE.unpack(path.read_bytes()))
        return found

    def subscribe(self, name: str, mode: int = 0o640) -> bool:
        """Let somebody read from the oldest record on; False if he does already. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            file = os.open(self._checkpoint(name), flags, mode)
        except FileExistsError:
            return False
        try:
            oldest = min(self.segments(), default=0)
            os.write(file, _PLACE.pack(oldest, 0))
        finally:
            os.close(file)
        return True

    def unsubscribe(self, name: str) -> bool:
        """Forget a subscriber; False if there is none. Raises OSError."""
        try:
            self._checkpoint(name).unlink()
        except FileNotFoundError:
            return False
        return True

    def checkpoint(self, name: str, place: Place) -> None:
        """Say how far a subscriber has got; remove what nobody needs now. Raises OSError."""
        self.move(name, place)
        self.clean()

    def move(self, name: str, place: Place) -> None:
        """Say where a subscriber is. Raises OSError."""
        file = os.open(self._checkpoint(name), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX)
            os.pwrite(file, _PLACE.pack(*place), 0)
        finally:
            os.close(file)

    def pending(self, number: int) -> int:
        """Return how many subscribers still need a segment."""
        return sum(place.segment <= number for place in self.subscribers().values())

    def clean(self) -> list[int]:
        """Remove the segments which nobody needs, but never the one which is written.

        Returns:
            What was removed.
        """
        writing, removed = self.meta().segment, []
        for number in self.segments():
            if number < writing and not self.pending(number):
                self.segment(number).unlink(missing_ok=True)
                self.index(number).unlink(missing_ok=True)
                removed.append(number)
        return removed

    # -- records --------------------------------------------------------------------------

    def read(self, place: Place) -> Iterator[tuple[Place, bytes]]:
        """Yield the messages after a place, each with the place behind it.

        Raises:
            JlogError: a segment is damaged inside; `repair` helps.
        """
        meta = self.meta()
        for number in self.segments():
            if number < place.segment or number > meta.segment:
                continue
            try:
                octets = self.segment(number).read_bytes()
            except FileNotFoundError:
                continue
            skipped = place.marker if number == place.segment else 0
            end = 0
            for marker, (start, end) in enumerate(whole(octets, meta.magic), 1):
                if marker > skipped:
                    yield Place(number, marker), octets[start:end]
            if end < len(octets) and number < meta.segment:
                raise JlogError("segment damaged", path=str(self.segment(number)), at=end)

    def last(self) -> Place:
        """Return the place behind the last record."""
        number = self.meta().segment
        try:
            return Place(number, sum(1 for _ in whole(self.segment(number).read_bytes())))
        except FileNotFoundError:
            return Place(number, 0)


class Writer:
    """Appends to a jlog, beside other processes which do too.

    Args:
        mode: of files that are made.
        subscriber: made with the jlog, so that nothing is removed before somebody reads it.
    """

    __slots__ = ("_end", "_file", "_mode", "_opened", "_segment", "_subscriber", "jlog", "limit")

    def __init__(self, path: Path, subscriber: str = SUBSCRIBER, mode: int = 0o640) -> None:
        self.jlog = Jlog(path)
        self.limit = LIMIT
        self._subscriber = subscriber
        self._mode = mode
        self._opened = False
        self._file = -1  # of the segment; it may not be there yet
        self._segment = 0
        self._end = 0  # up to here there are whole records

    @property
    def place(self) -> tuple[int, int, int] | None:
        """Return segment, its inode, and the octets that are whole; None if it is not open."""
        if not self._opened:
            return None
        inode = os.fstat(self._file).st_ino if self._file >= 0 else 0
        return self._segment, inode, self._end

    @property
    def file(self) -> int:
        """Return the descriptor of the segment; -1: there is none yet."""
        return self._file

    def open(self) -> None:
        """Open the segment which is written; the jlog is made when it is missing.

        Raises:
            JlogError: what is there is no jlog of ours.
            OSError: it could not be opened.
        """
        if self._opened:
            return
        fresh = not (self.jlog.path / METASTORE).exists()
        self.jlog.create(self._mode, self.limit)
        if fresh or not self.jlog.subscribers():
            self.jlog.subscribe(self._subscriber, self._mode)
        self._enter(self.jlog.meta().segment)
        self._opened = True

    def _enter(self, number: int) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._segment, self._end = number, 0
        try:
            self._file = os.open(self.jlog.segment(number), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self._file = -1

    def append(self, messages: Sequence[bytes], at: float) -> int:
        """Append messages; return how many: fewer than all, or none, when a segment gets full.

        Raises:
            BlockingIOError: somebody else writes just now.
            OSError: nothing was written; a part of a record is cut off again.
            JlogError: somebody has damaged it.
        """
        self.open()
        if self._file < 0:
            return self._begin(messages, at)
        fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file = self._file
        try:
            meta = self.jlog.meta()
            if meta.segment != self._segment:
                self._enter(meta.segment)  # This closes the file, which unlocks it.
                return 0
            self._mend()
            if self._end >= meta.limit:
                self._advance()
                return 0
            records, taken = _fitting(messages, at, meta.limit - self._end)
            self._write(records)
            return taken
        finally:
            if self._file == file:
                fcntl.lockf(file, fcntl.LOCK_UN)

    def _begin(self, messages: Sequence[bytes], at: float) -> int:
        """Make the segment, with its first records in it.

        It must never be seen empty: readers of the project remove a segment which they see empty
        and then find that the next one is written.
        """
        with self._metastore() as file:
            # Read by this descriptor: to close another one of the file would give up the lock.
            meta = self.jlog.understood(os.pread(file, _META.size + 1, 0))
            path = self.jlog.segment(self._segment)
            if meta.segment == self._segment and not path.exists():
                records, taken = _fitting(messages, at, meta.limit)
                draft = self.jlog.path / BEGUN
                draft.write_bytes(records)
                draft.chmod(self._mode)
                draft.replace(path)
                self._enter(self._segment)
                self._end = len(records)
                return taken
        self._enter(meta.segment)
        return 0

    @contextmanager
    def _metastore(self) -> Iterator[int]:
        """Hold the metastore: no segment begins or ends meanwhile but by us."""
        file = os.open(self.jlog.path / METASTORE, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
        finally:
            os.close(file)

    def _mend(self) -> None:
        """Look at what others wrote; cut the record in which one of them was killed."""
        size = os.fstat(self._file).st_size
        if size == self._end:
            return
        start = self._end if size > self._end else 0
        octets = os.pread(self._file, size - start, start)
        self._end = start + max((end for _, end in whole(octets)), default=0)
        if self._end < size:
            os.ftruncate(self._file, self._end)

    def _write(self, octets: bytes) -> None:
        written = 0
        try:
            while written < len(octets):
                written += os.pwrite(self._file, octets[written:], self._end + written)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += written

    def _advance(self) -> None:
        """Go on to the next segment, some time after this one was begun.

        Else a reader of the project which did not find this one yet would take it for lost.
        """
        os.fdatasync(self._file)
        with self._metastore() as file:
            meta = self.jlog.understood(os.pread(file, _META.size + 1, 0))
            if meta.segment == self._segment:
                os.pwrite(file, meta._replace(segment=meta.segment + 1).encode(), 0)
        self._enter(self._segment + 1)

    def close(self) -> None:
        self._opened = False
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _fitting(messages: Iterable[bytes], at: float, room: int) -> tuple[bytes, int]:
    """Return the records of the first messages, up to the one which fills the room."""
    records, size = [], 0
    for message in messages:
        records.append(record(message, at))
        size += len(records[-1])
        if size >= room:
            break
    return b"".join(records), len(records)
