"""Bodies too large for a data segment: written into a file of their own while they arrive.

The pieces go to the disk's thread as they come, so that a message of 100 MB costs neither the
loop nor the memory its size. The file is synced in the trip that writes its record.
"""

import errno
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final
from zlib import crc32

from angarium.core.fault import FAULTS, point
from angarium.journal.commit import Executor
from angarium.journal.disk import Disk, write_all
from angarium.queue.spool.body import LargeBody

GROUP: Final = 256 * 1024  # octets for which a trip to the thread is worth it
ALL: Final = 64 * 1024 * 1024  # octets which may wait of all large bodies together
DIRECTORY: Final = "large"

SYNCING: Final = point("spool.large", "a large body is written and not yet synced")


class Streaming:
    """Octets of all large bodies of a worker which wait for the disk."""

    __slots__ = ("octets",)

    def __init__(self) -> None:
        self.octets = 0


class LargeFile:
    """The file, on the disk's thread. It keeps its failure until somebody wants to rely on it."""

    __slots__ = ("_directory", "_disk", "_handle", "_offset", "failure", "path")

    def __init__(self, disk: Disk, directory: str, name: int) -> None:
        self._disk = disk
        self._directory = directory
        self.path = f"{directory}/{name:016x}"
        self._handle = -1
        self._offset = 0
        self.failure: OSError | None = None

    def write(self, pieces: list[bytes]) -> None:
        if self.failure is not None:
            return
        try:
            if self._handle < 0:
                self._handle = self._disk.open(self.path, create=True)
            self._offset = write_all(self._disk, self._handle, pieces, self._offset)
        except OSError as error:
            self.failure = error

    def sync(self) -> None:
        """Make the file durable, with its name."""
        try:
            if self.failure is None and self._handle >= 0:
                FAULTS.hit(SYNCING)
                self._disk.sync(self._handle)
                self._disk.sync_dir(self._directory)
        except OSError as error:
            self.failure = error
        self.close()

    def close(self) -> None:
        if self._handle >= 0:
            self._disk.close(self._handle)
            self._handle = -1

    def remove(self) -> None:
        self.close()
        remove(self._disk, [self.path])


def remove(disk: Disk, paths: Iterable[str]) -> None:
    """Unlink files; those which are gone already are no failure.

    Raises:
        OSError: the first failure, when all have been tried.
    """
    failure: OSError | None = None
    for path in paths:
        try:
            disk.unlink(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise failure


class LargeWriter:
    """Takes a body piece by piece; `finish` returns it for `Message.body`.

    Args:
        all_of_them: what waits of all bodies.
    """

    __slots__ = (
        "_all", "_crc", "_disk", "_executor", "_file", "_group", "_grouped", "_shard", "_size",
        "_waiting", "name", "on_room",
    )  # fmt: skip

    def __init__(
        self,
        disk: Disk,
        directory: str,
        executor: Executor,
        shard: int,
        name: int,
        all_of_them: Streaming,
    ) -> None:
        self._disk = disk
        self._all = all_of_them
        self._executor = executor
        self._shard = shard
        self.name = name
        self._file = LargeFile(disk, directory, name)
        self._group: list[bytes] = []
        self._grouped = 0
        self._size = 0
        self._crc = 0
        self._waiting = 0
        self.on_room: Callable[[], None] | None = None

    @property
    def size(self) -> int:
        return self._size

    @property
    def backlog(self) -> int:
        """Octets given and not yet written; above a megabyte or so, stop reading from the peer
        until `on_room` is called. Where too much waits in all, none may be given any more.
        """
        return self._waiting if self._all.octets <= ALL else ALL

    @property
    def full(self) -> bool:
        """Say whether the disk had no room: the body can only be refused (452)."""
        failure = self._file.failure
        return failure is not None and failure.errno in (errno.ENOSPC, errno.EDQUOT)

    def write(self, piece: bytes) -> None:
        self._group.append(piece)
        self._size += len(piece)
        self._grouped += len(piece)
        self._waiting += len(piece)
        self._all.octets += len(piece)
        self._crc = crc32(piece, self._crc)
        # Who has to wait must have something under way, by whose end it is woken.
        if self._grouped >= GROUP or self._all.octets > ALL:
            self._pass_on()

    def finish(self) -> "PendingBody":
        """Return the body. It is durable when the message is that has it."""
        self._pass_on()
        return PendingBody(self._disk, self._file, self._shard, self.name, self._size, self._crc)

    def abort(self) -> None:
        """The message does not come after all."""
        self._all.octets -= self._grouped
        self._group, self._grouped = [], 0
        self._executor.submit(self._file.remove, _ignore)

    def _pass_on(self) -> None:
        pieces, size = self._group, self._grouped
        self._group, self._grouped = [], 0
        self._executor.submit(partial(self._file.write, pieces), partial(self._written, size))

    def _written(self, size: int, _result: object, _failure: object) -> None:
        self._waiting -= size
        self._all.octets -= size
        if self.on_room is not None:
            self.on_room()


class PendingBody(LargeBody):
    """A large body whose file is not synced yet; the first message that has it takes it."""

    __slots__ = ("file",)

    def __init__(
        self, disk: Disk, file: LargeFile, shard: int, name: int, size: int, crc: int
    ) -> None:
        super().__init__(disk, file.path, shard, name, size, crc, False)
        self.file = file


def _ignore(_result: object, _failure: object) -> None:
    """A file that could not be removed is an orphan, removed at the next start."""
