"""What a shard's directory holds, found out before anything in it is changed.

Runs on the disk's thread, for a directory may have thousands of segments. Nothing is written but
the directories that are missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random, SystemRandom

from angarium.core.errors import context
from angarium.events.stream import MESSAGES, REJECTIONS
from angarium.journal import nonces as secret
from angarium.journal.disk import Disk
from angarium.journal.errors import DamageError, LockedError
from angarium.journal.scan import Found, Scan, complete
from angarium.journal.segment import Survey, after, name_of, survey
from angarium.queue.spool import checkpoint, envelope, large

DATA, STATE, QUARANTINE = "data", "state", "quarantine"
LOCK = "lock"
DIRECTORIES = (DATA, STATE, MESSAGES, REJECTIONS, checkpoint.DIRECTORY, large.DIRECTORY)


@dataclass(slots=True)
class Inventory:
    """A directory as it was found."""

    data: Survey
    state: Survey
    messages: Survey
    rejections: Survey
    newest: int = 0  # sequence of the newest checkpoint, 0 for none
    reader: checkpoint.Reader | None = None
    large: list[str] = field(default_factory=list)  # names of the files of bodies
    high: int = 0  # no id above it was ever given
    lock: int = -1
    faults: list[DamageError] = field(default_factory=list)
    nonces: secret.Nonces | None = None  # None only where nothing may be made

    @property
    def latest(self) -> float:
        """Return the latest time (Unix) of which anything here bears witness."""
        logs = (self.data, self.state, self.messages, self.rejections)
        times = [segment.created for log in logs for segment in log.segments]
        if self.reader is not None:
            times.append(self.reader.meta.at)
        return max([*times, float(self.high >> 32)])


def take(
    disk: Disk,
    directory: str,
    random: Random | None = None,
    *,
    high_water: bool,
    readonly: bool = False,
) -> Inventory:
    """Lock a shard's directory and look at what is in it.

    Args:
        random: gives the secret of a shard that has none.
        high_water: find the highest id; needed only where new ones will be given.
        readonly: lock nothing and make nothing, for the audit.

    Raises:
        LockedError: another process works on it.
        FormatError: it is of a newer version; nothing was touched.
        OSError: the disk failed.
    """
    lock: int | None = -1
    if not readonly:
        disk.make_dir(directory)
        lock = disk.lock(f"{directory}/{LOCK}")
        if lock is None:
            raise LockedError("another process works on this shard", directory=directory)
    try:
        with context(directory=directory):
            found = _look(disk, directory, high_water=high_water)
        if not readonly:
            for name in DIRECTORIES:
                disk.make_dir(f"{directory}/{name}")
            _settle_tails(disk, directory, found)
            if found.nonces is None:
                found.nonces = secret.make(disk, directory, random or SystemRandom())
    except BaseException:
        if lock is not None and lock >= 0:
            disk.close(lock)
        raise
    found.lock = lock if lock is not None else -1
    return found


def _look(disk: Disk, directory: str, *, high_water: bool) -> Inventory:
    faults: list[DamageError] = []
    known: secret.Nonces | None = None
    try:
        known = secret.load(disk, directory)
    except DamageError as error:
        faults.append(error)
    data, state, messages, rejections = (
        survey(
            disk, f"{directory}/{name}", kind, None if known is None else partial(known.of, kind)
        )
        for name, kind in LOGS
    )
    found = Inventory(data, state, messages, rejections, faults=faults, nonces=known)
    names = disk.names(f"{directory}/{checkpoint.DIRECTORY}")
    found.newest = checkpoint.newest(names)
    found.large = disk.names(f"{directory}/{large.DIRECTORY}")
    if found.newest:
        path = f"{directory}/{checkpoint.DIRECTORY}/{checkpoint.name_of(found.newest)}"
        try:
            found.reader = checkpoint.Reader(disk, path)
        except DamageError as error:
            found.faults.append(error)
    if high_water:
        found.high = _high_water(disk, f"{directory}/{DATA}", found)
    return found


LOGS = ((DATA, "data"), (STATE, "state"), (MESSAGES, "events"), (REJECTIONS, "rejects"))


def _settle_tails(disk: Disk, directory: str, found: Inventory) -> None:
    """Sync what the last run wrote and did not sync.

    What is about to be believed must not be gone after the next power cut.
    """
    for (name, _), log in zip(
        LOGS, (found.data, found.state, found.messages, found.rejections), strict=True
    ):
        for segment in log.segments[-1:]:
            handle = disk.open(f"{directory}/{name}/{name_of(segment.sequence)}")
            try:
                disk.sync(handle)
            finally:
                disk.close(handle)
        disk.sync_dir(f"{directory}/{name}")


def _high_water(disk: Disk, directory: str, found: Inventory) -> int:
    """Return the highest id that was ever given, so that none is given twice if clocks go back."""
    segments = found.data.segments
    meta = found.reader.meta if found.reader is not None else None
    highest = [meta.high if meta is not None else 0, *(each.mark for each in segments)]
    for segment in reversed(after(segments, meta.position if meta is not None else 0)):
        seen: list[int] = []
        start = meta.start_in(segment) if meta is not None else None
        handle = disk.open(f"{directory}/{name_of(segment.sequence)}", readonly=True)
        try:
            complete(Scan(disk, handle, segment, partial(_note, seen), start=start).run())
        finally:
            disk.close(handle)
        if seen:
            highest.append(max(seen))
            break  # ids rise with the records
    return max(highest)


def _note(seen: list[int], found: Found) -> None:
    if found.kind == envelope.PUT:
        seen.extend(_idents(found.meta))


def _idents(meta: bytes) -> Iterator[int]:
    try:
        prefix = envelope.prefix_of(meta)
        yield prefix.batch
        yield from (ident for ident, _, _ in envelope.items(meta, prefix))
    except DamageError:
        return  # recovery will tell
