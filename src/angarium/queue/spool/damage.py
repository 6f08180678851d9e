"""What recovery finds broken: kept for people, counted and told. Nothing of it is deleted.

Octets that are no records are copied to `quarantine/`; a file in which nothing can be recognised
goes there itself, and so do bodies that nothing refers to any more, for what referred to them may
be what is broken.
"""

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any, Final

from angarium.events import metrics
from angarium.journal.commit import Job
from angarium.journal.disk import Disk
from angarium.journal.errors import DamageError
from angarium.journal.log import Log
from angarium.journal.scan import Found, Gap, quarantine
from angarium.journal.segment import Segment, Survey, name_of
from angarium.queue.spool import large
from angarium.queue.spool.inventory import QUARANTINE, Inventory
from angarium.queue.spool.means import Means

DAMAGED: Final = metrics.counter("spool_damage", "Damaged places found on the spool's disk.")


class Damage:
    """What is broken in one shard, as it is found.

    Args:
        directory: of the shard.
        logs: of the shard, in the order of the inventory's.
    """

    __slots__ = ("_directory", "_logs", "_means", "faults", "found", "gaps", "records")

    def __init__(self, means: Means, directory: str, logs: Sequence[Log]) -> None:
        self._means = means
        self._directory = directory
        self._logs = {log.manner.kind: log for log in logs}
        self.gaps: list[tuple[str, Segment, Gap]] = []
        self.records: list[tuple[str, int, Found, DamageError]] = []  # kind and segment of each
        self.faults: list[DamageError] = []
        self.found = 0

    def survey(self, inventory: Inventory) -> None:
        """Take note of what an inventory shows."""
        self.faults += inventory.faults
        surveys = (inventory.data, inventory.state, inventory.messages, inventory.rejections)
        for kind, found in zip(self._logs, surveys, strict=True):
            self.gaps += [(kind, each, Gap(0, each.begin)) for each in found.headless]
        if not inventory.newest and any(map(_begins_late, surveys[:2])):
            self.faults.append(DamageError("the checkpoint is missing", path=self._directory))

    def ends_early(self, log: Log, segment: Segment, last: int, following: Segment) -> None:
        """A segment was followed by another when it was full, and its last record is known."""
        if last < following.first - 1:
            self.faults.append(
                DamageError(
                    "records are missing", log=log.directory, after=last, before=following.first,
                    segment=segment.sequence,
                )
            )  # fmt: skip

    def put_aside(self, inventory: Inventory, orphans: Sequence[str]) -> Generator[Job, Any, None]:
        """Keep and tell all of it; `orphans` are names of bodies that nothing refers to."""
        means = self._means
        for fault in self.faults:
            self._tell(fault)
        for kind, segment, gap in self.gaps:
            yield from self._copy(kind, segment.sequence, gap)
        for kind, sequence, found, error in self.records:
            gap = Gap(found.offset, found.run_offset + found.run)
            yield from self._copy(kind, sequence, gap, error)
        surveys = (inventory.data, inventory.state, inventory.messages, inventory.rejections)
        for log, survey in zip(self._logs.values(), surveys, strict=True):
            for name in survey.unknown:
                yield from self._move(f"{log.directory}/{name}", f"{log.manner.kind}-{name}")
        bodies = f"{self._directory}/{large.DIRECTORY}"
        if self.found:
            for name in orphans:
                yield from self._move(f"{bodies}/{name}", f"large-{name}")
        elif orphans:
            yield partial(large.remove, means.disk, [f"{bodies}/{name}" for name in orphans])

    def _copy(
        self, kind: str, sequence: int, gap: Gap, error: DamageError | None = None
    ) -> Generator[Job, Any, None]:
        disk, log = self._means.disk, self._logs[kind]
        place = f"{self._directory}/{QUARANTINE}/{kind}-{sequence:010d}-{gap.start}.bin"
        handle = disk.open(f"{log.directory}/{name_of(sequence)}", readonly=True)
        try:
            fresh = yield partial(quarantine, disk, handle, gap, place)
        finally:
            disk.close(handle)
        octets, reason = gap.end - gap.start, "" if error is None else str(error)
        fields = {"path": place, "octets": octets} | ({"reason": reason} if reason else {})
        self._tell(DamageError("damage was put aside", **fields), again=not fresh)

    def _move(self, path: str, name: str) -> Generator[Job, Any, None]:
        place = f"{self._directory}/{QUARANTINE}/{name}"
        yield partial(_rename, self._means.disk, path, place)
        self._tell(DamageError("a file was put aside", path=place))

    def _tell(self, fault: DamageError, *, again: bool = False) -> None:
        """Count it and alarm; what is known from an earlier start is only counted."""
        self.found += 1
        if not again:
            self._means.metrics.cell(DAMAGED).value += 1
            self._means.alarm(fault)


def _begins_late(survey: Survey) -> bool:
    """Say whether segments before the first were given up: only a checkpoint allows that."""
    first = survey.segments[0] if survey.segments else None
    return first is not None and not first.flags and first.first > 1


def _rename(disk: Disk, path: str, place: str) -> None:
    directory, _, name = place.rpartition("/")
    disk.make_dir(directory)
    taken, number = disk.names(directory), 0
    while name in taken:
        number += 1
        name = f"{place.rpartition('/')[2]}.{number}"
    disk.rename(path, f"{directory}/{name}")
    disk.sync_dir(directory)
