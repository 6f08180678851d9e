"""Where mail waits while the server is down: a directory in which every user may leave a letter.

    mail.TIME.RANDOM    one letter: a line which says what it is, its envelope, its octets
    tmp.TIME.RANDOM     one that is being written
    refused/            what the server would not have, and whose sender would not either

The directory belongs to the user of the server, mode 3733: others make files in it and see none,
and none but those they made can they remove. Names are random, so nobody guesses one; the group of
the directory may read. Whoever collects believes nothing: a letter is a plain file with one name,
whose owner is its user, and its envelope is checked as a command line would be.
"""

import fcntl
import heapq
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final, Self

from angarium.core.errors import Error
from angarium.run.submission.envelope import Envelope

MAGIC: Final = b"angarium-maildrop 1\n"
READY: Final = "mail."
DRAFT: Final = "tmp."
REFUSED: Final = "refused"
MODE: Final = 0o3733
AT_ONCE: Final = 10_000  # letters of one collection; the next one takes the others
DRAFT_SECONDS: Final = 86_400  # a letter is written in less, or its writer is dead
_IN_MEMORY: Final = 1 << 20
MOST_ENVELOPE: Final = 4 << 20  # octets: 10,000 recipients of 254, and more


class MaildropError(Error):
    """Nothing can be left or collected here."""


class HostileError(Error):
    """What lies here is no letter."""


@dataclass(slots=True)
class Waiting:
    """A letter that waits, open at its content.

    Attributes:
        size: octets of the content, which is a copy: its owner may still write to the file.
    """

    name: str
    envelope: Envelope
    content: IO[bytes]
    size: int


class Maildrop:
    """An open maildrop.

    Raises:
        MaildropError: there is none, or we may not use it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._folder = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise MaildropError("there is no maildrop", path=str(path),
                                reason=error.strerror) from error  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._folder)

    def put(self, envelope: Envelope, pieces: Iterable[bytes]) -> str:
        """Leave a letter; it is on the disk when this returns.

        Raises:
            MaildropError: it is not there.
        """
        name = f"{time.time_ns():016x}.{secrets.token_hex(16)}"
        draft, ready = DRAFT + name, READY + name
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            handle = os.open(draft, flags, 0o640, dir_fd=self._folder)
            try:
                with open(handle, "wb") as file:
                    os.fchmod(handle, 0o640)  # whatever the umask: the collector reads by its group
                    file.write(MAGIC + envelope.encode())
                    file.writelines(pieces)
                    file.flush()
                    os.fsync(handle)
                    os.rename(draft, ready, src_dir_fd=self._folder, dst_dir_fd=self._folder)
                    # We may not read the directory, so we cannot sync it; syncing a file whose name
                    # has changed brings that to the disk on ext4, xfs and btrfs.
                    os.fsync(handle)
            except OSError:
                self._forget(draft)
                raise
        except OSError as error:
            raise MaildropError("nothing can be left in the maildrop", path=str(self.path),
                                reason=error.strerror) from error  # fmt: skip
        return ready

    @contextmanager
    def collecting(self) -> Iterator[bool]:
        """Be the only one who collects; False if somebody else does.

        Raises:
            MaildropError: we may not.
        """
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise MaildropError("only the owner of the maildrop may look into it",
                                path=str(self.path), reason=error.strerror) from error  # fmt: skip
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(handle)

    def names(self) -> list[str]:
        """Return the letters that wait, the oldest first; leftovers are removed.

        Raises:
            MaildropError: we may not look.
        """
        try:
            with os.scandir(self.path) as entries:
                found = [each.name for each in entries]
        except OSError as error:
            raise MaildropError("only the owner of the maildrop may look into it",
                                path=str(self.path), reason=error.strerror) from error  # fmt: skip
        for name in found:
            if name.startswith(DRAFT) and self._left_behind(name):
                self._forget(name)
        return heapq.nsmallest(AT_ONCE, (each for each in found if each.startswith(READY)))

    def _left_behind(self, name: str) -> bool:
        # By ctime, which nobody sets: users date their files as they like.
        with suppress(OSError):
            found = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
            return found.st_ctime < time.time() - DRAFT_SECONDS
        return False

    def open(self, name: str, most: int) -> Waiting:
        """Open a letter, which may be anything.

        Raises:
            HostileError: it is no letter.
            OSError: it cannot be read, or is gone.
        """
        # NONBLOCK: a pipe would let us wait for ever. NOFOLLOW: a link would show us any file.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        found = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise HostileError("it is no plain file", name=name)
        handle = os.open(name, flags, dir_fd=self._folder)
        file = open(handle, "rb")  # noqa: SIM115 - closed below
        try:
            envelope = self._checked(name, file, most)
            content, size = _copied(file, most)
        finally:
            file.close()
        return Waiting(name, envelope, content, size)

    def _checked(self, name: str, file: IO[bytes], most: int) -> Envelope:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise HostileError("it is no plain file with one name", name=name)
        if found.st_size > most + MOST_ENVELOPE:
            raise HostileError("it is too large", name=name, octets=found.st_size)
        if file.readline(len(MAGIC)) != MAGIC:
            raise HostileError("it is not in the form of a letter", name=name)
        try:
            envelope = Envelope.decode(file.readline(MOST_ENVELOPE))
        except (ValueError, RecursionError) as error:
            raise HostileError("it has no envelope", name=name, reason=str(error)[:200]) from error
        # Only what the collector has written anew speaks for another user.
        if found.st_uid not in (0, os.geteuid()):
            envelope = replace(envelope, uid=found.st_uid)
        return envelope

    def remove(self, name: str) -> None:
        """Forget a letter. Raises OSError."""
        os.unlink(name, dir_fd=self._folder)

    def put_aside(self, name: str) -> None:
        """Keep a letter, for somebody to look at. Raises OSError."""
        with suppress(FileExistsError):
            os.mkdir(REFUSED, 0o700, dir_fd=self._folder)
        aside = os.open(
            REFUSED, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder
        )
        try:
            if os.fstat(aside).st_uid != os.geteuid():
                raise PermissionError(f"{REFUSED} belongs to somebody else")
            os.rename(name, name, src_dir_fd=self._folder, dst_dir_fd=aside)
        finally:
            os.close(aside)

    def _forget(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(name, dir_fd=self._folder)


def _copied(file: IO[bytes], most: int) -> tuple[IO[bytes], int]:
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - lives as the letter
    left = most
    while left > 0 and (piece := file.read(min(left, _IN_MEMORY))):
        copy.write(piece)
        left -= len(piece)
    copy.seek(0)
    return copy, most - left
