"""Which files are about to become which messages: written down before the first of them is put.

    imports/TOKEN.claims      a file for a batch, locked by who works on it

A file that was read gets the id of its message first. The claim of a batch is on the disk before
the batch is; when all of it is durable the files are removed, and then the claim. So after a crash
at any moment a claim names those of which nobody knows whether they came in; the event streams know
it, for each message has its Reception there. Who finds a claim without a lock settles it: what came
in is removed, the rest is brought in anew.
"""

import fcntl
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from angarium.queue.spool import sources
from angarium.queue.spool.bring import FOLDER

END: Final = ".claims"


class Claim(msgspec.Struct, frozen=True):
    """A file, and the id of the message it becomes."""

    batch: int
    path: str
    inode: int


class Held:
    """A claim of ours. What is here blocks: it is for a thread."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, state: Path, claims: Sequence[Claim]) -> None:
        """Write it; when this returns it is durable. Raises OSError."""
        folder = state / FOLDER
        folder.mkdir(mode=0o750, exist_ok=True)
        self._path = folder / f"{secrets.token_hex(8)}{END}"
        # By another name until it is whole and locked: nobody else is to settle it.
        draft = self._path.with_suffix(".draft")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(draft, flags, 0o640)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            octets = msgspec.msgpack.encode(list(claims))
            while octets:
                octets = octets[os.write(self._descriptor, octets) :]
            os.fsync(self._descriptor)
            draft.rename(self._path)
            sources.sync(str(folder))
        except OSError:
            self.let_go()
            draft.unlink(missing_ok=True)
            raise

    def done(self) -> None:
        """All of it is brought in, and the files are gone. Raises OSError."""
        self._path.unlink(missing_ok=True)
        self.let_go()

    def let_go(self) -> None:
        """Leave it to whoever settles it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Left(msgspec.Struct, frozen=True):
    """Messages of claims which nobody works on, and how many claims are worked on."""

    batches: list[int] = []
    busy: int = 0

    def __add__(self, other: "Left") -> "Left":
        return Left([*self.batches, *other.batches], self.busy + other.busy)


def left(state: Path, below: str) -> Left:
    """Return the claims there are; of those which are worked on, on files of one directory."""
    batches, busy = list[int](), 0
    for path in _files(state):
        descriptor = _locked(path)
        claims = _read(path)
        if descriptor is None:
            busy += any(Path(each.path).is_relative_to(below) for each in claims)
            continue
        batches += [each.batch for each in claims]
        os.close(descriptor)
    return Left(batches, busy)


def settle(state: Path, asked: Collection[int], came_in: Collection[int]) -> int:
    """Remove the files of messages which came in, and the claims; return how many files.

    Args:
        asked: ids of the messages of which it is known whether they came in, as these did. Claims
            of others have been let go since, and stay.

    Raises:
        OSError: a file cannot be removed; its claim stays.
    """
    settled = 0
    for path in _files(state):
        descriptor = _locked(path)
        if descriptor is None:
            continue
        try:
            claims = _read(path)
            if any(each.batch not in asked for each in claims):
                continue
            files = [(each.path, each.inode) for each in claims if each.batch in came_in]
            if stuck := sources.remove(files):
                raise PermissionError(f"{stuck[0]} came in before, and cannot be removed")
            settled += len(files)
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
    return settled


def _files(state: Path) -> Iterator[Path]:
    yield from sorted((state / FOLDER).glob(f"*{END}"))


def _locked(path: Path) -> int | None:
    """Return a descriptor which has the lock; None if another has it, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _read(path: Path) -> list[Claim]:
    """Return what a claim says. One that is not whole was not worked on: nothing was put."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=list[Claim])
    except (msgspec.MsgspecError, FileNotFoundError):
        return []
