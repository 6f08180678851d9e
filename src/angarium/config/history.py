"""The configurations which were in force: each with who brought it, when, how, and what differed.

One file for each, `STATE/config/000017.rev`. It begins with what a list shows, so that nothing else
is read for one. Files are written beside, synced and renamed: there is a whole one or none. One
process writes, any number may read. The files have the secrets of the configuration.
"""

import contextlib
import os
import re
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from angarium.config import durable
from angarium.config.load import text_hash
from angarium.config.options import Changes
from angarium.core.errors import Error

FOLDER: Final = "config"  # in the state directory
MAGIC: Final = b"ANGACONF"
FIXED: Final = len(MAGIC) + 4 + 4 + 4  # format, length and CRC of the head
FORMAT: Final = 1
MAX_HEAD: Final = 1 << 22
MAX_SNAPSHOT: Final = 1 << 30  # octets; more is no configuration, but a file that was tampered with
MAX_CHANGES: Final = 1000  # of one revision which are kept in words
MAX_WORDS: Final = 500  # characters of one of them
LEVEL: Final = 1  # of zlib: a configuration of 10 MB takes 0.1 s and an eighth of its size
_NAME: Final = re.compile(r"([0-9]{6,18})\.rev")
_BESIDE: Final = ".new"


class HistoryError(Error):
    """A revision which is not there or cannot be read, or one that cannot be written."""


class Entry(msgspec.Struct, frozen=True):
    """One configuration which was in force. `when` is Unix time.

    `changes` are in words, at most MAX_CHANGES of `total`; secrets are masked in them. `size` is
    that of the snapshot, `hash` its SHA-256 as in `Configuration.text_hash`.
    """

    revision: int
    when: float
    who: str
    how: str  # "start", "reload", "console", "rollback"
    changes: tuple[str, ...]
    total: int
    size: int
    crc: int  # of the compressed snapshot
    hash: str


class History:
    """The revisions in a directory.

    Args:
        folder: made with the first record.
        limits: how many are kept, and how many octets.
        now: Unix time.
    """

    __slots__ = ("_folder", "_limits", "_now", "notes")

    def __init__(
        self,
        folder: str,
        limits: Changes | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._limits = limits if limits is not None else Changes.make()
        self._now = now
        self.notes: tuple[str, ...] = ()  # what was wrong with files, as of the last listing

    def record(self, snapshot: bytes, who: str, how: str, changes: Iterable[object] = ()) -> int:
        """Keep a configuration which is in force now; return its revision.

        If it is that of the newest revision nothing is written: who starts a server again brings
        nothing new.

        Raises:
            HistoryError: it could not be written.
        """
        newest = self._newest()
        digest = text_hash(snapshot)
        if newest is not None and newest.hash == digest:
            return newest.revision
        numbers = self._numbers()
        packed = zlib.compress(snapshot, LEVEL)
        words = [str(each)[:MAX_WORDS] for each in changes]
        entry = Entry(
            revision=(numbers[-1] if numbers else 0) + 1,
            when=self._now(),
            who=who[:MAX_WORDS],
            how=how[:MAX_WORDS],
            changes=tuple(words[:MAX_CHANGES]),
            total=len(words),
            size=len(snapshot),
            crc=zlib.crc32(packed),
            hash=digest,
        )
        try:
            self._write(entry, packed)
        except OSError as error:
            raise HistoryError(
                f"{self._folder}: the configuration is not kept: {error.strerror}"
            ) from None
        try:
            self._prune([*numbers, entry.revision])
        except OSError as error:
            raise HistoryError(
                f"{self._folder}: old configurations cannot be removed: {error.strerror}"
            ) from None
        return entry.revision

    def revisions(self) -> list[Entry]:
        """Return all, oldest first. What cannot be read is left out, and `notes` has why."""
        found: list[Entry] = []
        notes: list[str] = []
        for number in self._numbers():
            try:
                found.append(self.entry(number))
            except HistoryError as wrong:
                if os.path.exists(self._path(number)):  # else it was removed meanwhile
                    notes.append(str(wrong))
        self.notes = tuple(notes)
        return found

    def entry(self, revision: int) -> Entry:
        """Return one without its text. Raises HistoryError."""
        return self._read(revision, whole=False)[0]

    def snapshot(self, revision: int) -> bytes:
        """Return the text of a revision, for `load_snapshot`. Raises HistoryError."""
        entry, packed = self._read(revision, whole=True)
        if zlib.crc32(packed) != entry.crc:
            raise HistoryError(f"{self._path(revision)} is damaged: its text is not what was kept")
        try:
            snapshot = zlib.decompressobj().decompress(packed, MAX_SNAPSHOT)
        except zlib.error:
            snapshot = b""
        if len(snapshot) != entry.size:
            raise HistoryError(f"{self._path(revision)} is damaged: its text has another length")
        return snapshot

    # Files.

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, f"{number:06d}.rev")

    def _numbers(self) -> list[int]:
        """Return the revisions there are files of, damaged ones too."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise HistoryError(f"{self._folder} cannot be read: {error.strerror}") from None
        return sorted(int(found[1]) for found in map(_NAME.fullmatch, names) if found)

    def _newest(self) -> Entry | None:
        for number in reversed(self._numbers()):
            with contextlib.suppress(HistoryError):
                return self.entry(number)
        return None

    def _read(self, revision: int, *, whole: bool) -> tuple[Entry, bytes]:
        path = self._path(revision)
        try:
            with open(path, "rb") as file:
                fixed = file.read(FIXED)
                length = int.from_bytes(fixed[12:16], "little")
                head = file.read(min(length, MAX_HEAD))
                packed = file.read() if whole else b""
        except FileNotFoundError:
            raise HistoryError(f"there is no revision {revision}") from None
        except OSError as error:
            raise HistoryError(f"{path} cannot be read: {error.strerror}") from None
        if len(fixed) < FIXED or fixed[: len(MAGIC)] != MAGIC:
            raise HistoryError(f"{path} is damaged: it is none of these files")
        if int.from_bytes(fixed[8:12], "little") != FORMAT:
            raise HistoryError(f"{path} is of another version of Angarium")
        if zlib.crc32(head) != int.from_bytes(fixed[16:20], "little") or len(head) != length:
            raise HistoryError(f"{path} is damaged: its beginning is not what was written")
        try:
            entry = msgspec.msgpack.decode(head, type=Entry)
        except msgspec.MsgspecError:
            raise HistoryError(f"{path} is damaged: its beginning cannot be understood") from None
        return entry, packed

    def _write(self, entry: Entry, packed: bytes) -> None:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        head = msgspec.msgpack.encode(entry)
        sizes = (FORMAT, len(head), zlib.crc32(head))
        fixed = MAGIC + b"".join(each.to_bytes(4, "little") for each in sizes)
        path = self._path(entry.revision)
        beside = path + _BESIDE
        durable.write(beside, fixed + head + packed, 0o600)
        os.rename(beside, path)
        durable.sync_folder(self._folder)

    def _prune(self, numbers: list[int]) -> None:
        """Remove the oldest ones beyond the limits, and what a crash left; never the newest."""
        room = self._limits.config_history_size
        kept = 0
        for number in reversed(numbers):
            path = self._path(number)
            size = os.stat(path).st_size
            room -= size
            if kept and (room < 0 or kept >= self._limits.config_history):
                os.unlink(path)
            else:
                kept += 1
        for name in os.listdir(self._folder):
            if name.endswith(_BESIDE):
                os.unlink(os.path.join(self._folder, name))
