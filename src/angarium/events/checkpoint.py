"""How far a reader of the event streams is, kept so that a crash neither loses nor repeats.

A reader owns a folder and two files in it, of one form. `now` is written after every piece of
work and never synced: it survives the death of the process, not that of the machine. `synced` is
written about once a second, after what it speaks of was synced. Which of the two holds is told
by the boot they were written in: after a restart of the machine, only what was synced counts.

The one that was synced before is kept too: should the last one be damaged, about a second is done
again, and nothing twice, for it says how long the files were.
"""

import fcntl
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec
from msgspec import Struct

from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.events.reader import Cursor

LOCK: Final = "lock"
NOW: Final = "now.json"
SYNCED: Final = "synced.json"
BEFORE: Final = "before.json"  # the one that was synced before
DAMAGED: Final = ".damaged"  # added to the name of one that was put aside
VERSION: Final = 1
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

SAVING: Final = point("checkpoint.saving", "a checkpoint is written and does not have its name yet")
SAVED: Final = point("checkpoint.saved", "a checkpoint has its name")


class Place(Struct, frozen=True):
    """A Cursor as it is kept."""

    number: int
    safe: int
    sources: dict[int, int] = {}
    keys: dict[int, list[str]] = {}  # decimal, for they have more than 64 bits
    mark: tuple[int, int] | None = None


class File(Struct, frozen=True):
    """A file as it was when the cursors were where they are.

    `tail` is made of its last octets: on another machine, or in a copy, inodes say nothing.
    """

    inode: int
    size: int
    tail: str = ""


class Checkpoint(Struct, frozen=True):
    """What a reader needs to go on."""

    version: int
    boot: str
    streams: dict[str, Place]
    files: dict[str, File] = {}

    def cursors(self, boot: str) -> dict[str, Cursor]:
        """Return where to go on, in this run of the machine.

        After a power cut a record that was read before it was synced may be gone and its number
        given to another: so reading goes on where that cannot be, and what was told is known by
        its source. Where there is no source, numbers are not given twice.
        """
        same = bool(boot) and boot == self.boot
        return {
            name: Cursor(
                place.number if same or not place.sources else place.safe,
                place.safe,
                place.sources,
                {log: map(int, seen) for log, seen in place.keys.items()},
                place.mark,
            )
            for name, place in self.streams.items()
        }


class CheckpointError(Error):
    """A checkpoint is there and cannot be read; to go on without it would repeat everything."""


class RottenError(CheckpointError):
    """Its octets are not what was written."""


_CRC_NAME: Final = b'{"crc":"'
_CRC: Final = _CRC_NAME + b'%08x",'  # of all that follows, with its brace again
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Checkpoint)


def boot_id() -> str:
    """Return what names this run of the machine; "" where nothing does."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def passed(folder: Path) -> dict[str, int]:
    """Return up to which record of each stream all readers have got, and will never go back.

    So an owner knows what is still wanted: of a stream that is missing here, everything.

    Args:
        folder: that of the readers' folders.
    """
    reached: dict[str, list[int]] = {}
    readers = sorted(folder.glob(f"*/{SYNCED}"))
    for path in readers:
        try:
            found = _read(path)
        except CheckpointError:
            return {}
        for name, place in (found.streams if found else {}).items():
            reached.setdefault(name, []).append(place.safe if place.sources else place.number)
    return {name: min(each) for name, each in reached.items() if len(each) == len(readers)}


def written(folder: Path) -> set[int]:
    """Return the inodes of files which readers write, or would go back to after a crash.

    Args:
        folder: that of the readers' folders.

    Raises:
        CheckpointError: a checkpoint cannot be read, so it may be any file.
    """
    found: set[int] = set()
    for name in (NOW, SYNCED):
        for path in folder.glob(f"*/{name}"):
            if (kept := _read(path)) is not None:
                found |= {each.inode for each in kept.files.values()}
    return found


class Keeper:
    """The checkpoints of one reader.

    Args:
        folder: of the reader; made when it is missing.
        boot: names this run of the machine; "" if unknown: then only what was synced counts.

    Attributes:
        damage: what the last `load` found damaged, and what comes of it; "" for nothing.
    """

    __slots__ = ("_boot", "_folder", "_lock", "damage")

    def __init__(self, folder: Path, boot: str) -> None:
        self._folder = folder
        self._boot = boot
        self._lock = -1
        self.damage = ""

    def lock(self) -> bool:
        """Become the only one who writes here; False while a former process still does.

        Raises:
            OSError: the folder cannot be used.
        """
        if self._lock < 0:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return False
            self._lock = file
        return True

    def unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def load(self) -> Checkpoint | None:
        """Return the checkpoint that holds, or None if there was none.

        Raises:
            CheckpointError: the one that would hold is of a later version, or the disk failed.
        """
        self.damage = ""
        try:
            now = _read(self._folder / NOW)
        except CheckpointError:
            now = None  # It is never synced: a power cut may have left anything.
        if now is not None and self._boot and now.boot == self._boot:
            return now
        for name in (SYNCED, BEFORE):
            path = self._folder / name
            try:
                found = _read(path)
            except RottenError as error:
                self.damage = f"{error}; it was put aside"
                path.replace(path.with_name(name + DAMAGED))
                continue
            if found is not None:
                return found
        if self.damage:
            self.damage += ", and there is no other: lines may come twice"
        return now

    def fall_back(self) -> None:
        """Let the checkpoint that is synced hold: what was written since is not to be relied on.

        Raises:
            OSError: the disk failed; nothing has changed.
        """
        (self._folder / NOW).unlink(missing_ok=True)

    def save(self, cursors: Mapping[str, Cursor], files: Mapping[str, File], *, sync: bool) -> None:
        """Keep this state; `sync` says that the files are on the disk up to these sizes.

        Raises:
            OSError: it could not be written; the former checkpoint stays.
        """
        streams = {
            name: Place(
                cursor.number,
                cursor.safe,
                cursor.sources,
                {log: list(map(str, seen)) for log, seen in cursor.keys.items()},
                cursor.mark,
            )
            for name, cursor in cursors.items()
        }
        octets = _ENCODER.encode(Checkpoint(VERSION, self._boot, streams, dict(files)))
        octets = _CRC % crc32(octets) + octets[1:]
        if sync:
            self._keep_former()
            _replace(self._folder / SYNCED, octets, sync=True)
        _replace(self._folder / NOW, octets, sync=False)

    def _keep_former(self) -> None:
        """Give the synced checkpoint a second name, which it keeps when the next one comes."""
        former = self._folder / f"{BEFORE}.new"
        with suppress(FileNotFoundError):
            former.unlink()
        with suppress(FileNotFoundError):
            os.link(self._folder / SYNCED, former)
            former.replace(self._folder / BEFORE)


def _read(path: Path) -> Checkpoint | None:
    try:
        octets = path.read_bytes()
        if octets.startswith(_CRC_NAME):
            begun, rest = octets[: len(_CRC % 0)], b"{" + octets[len(_CRC % 0) :]
            if begun != _CRC % crc32(rest):
                raise RottenError("checkpoint damaged", path=str(path))
        found = _DECODER.decode(octets)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise RottenError("checkpoint damaged", path=str(path), reason=str(error)) from error
    except OSError as error:
        raise CheckpointError("checkpoint unreadable", path=path, reason=str(error)) from error
    if found.version > VERSION:
        raise CheckpointError("checkpoint of a later version", path=path, version=found.version)
    return found


def _replace(path: Path, octets: bytes, *, sync: bool) -> None:
    """Put octets under a name in one step."""
    draft = path.with_suffix(".new")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        while octets:
            octets = octets[os.write(file, octets) :]
        if sync:
            os.fsync(file)
    finally:
        os.close(file)
    FAULTS.hit(SAVING)
    draft.replace(path)
    if sync:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    FAULTS.hit(SAVED)
