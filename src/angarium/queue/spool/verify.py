"""Every octet of a shard, looked at: what is damaged, where, and whose mail that is.

What a start would find (`offline.read`); then all records of all logs with their contents, whether
anybody needs them or not; and each entry as its delivery would read it. Nothing is changed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from zlib import crc32

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.journal.disk import Disk
from angarium.journal.errors import DamageError
from angarium.journal.scan import Found, Gap, Scan, complete
from angarium.journal.segment import CUT, SEARCH, Segment, name_of
from angarium.queue.spool import offline
from angarium.queue.spool.body import LargeBody
from angarium.queue.spool.inventory import DATA, LOGS, QUARANTINE
from angarium.queue.spool.offline import Opened
from angarium.queue.spool.slot import Slot


@dataclass(slots=True)
class Finding:
    """A damaged place.

    Args:
        path: of the file; "" where only the entry is known.
        start, end: octets of it; none: the file.
        entries: ids of the entries which cannot be read for it.
    """

    path: str
    what: str
    start: int = 0
    end: int = 0
    entries: list[int] = field(default_factory=list)
    kept: bool = False  # an earlier start, or a repair, has put a copy of it aside
    log: str = ""  # whose records are missing there, and of which segment; "": it is another place
    sequence: int = 0


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found."""

    segments: int = 0
    records: int = 0
    octets: int = 0  # of records
    queued: int = 0
    quarantined: int = 0
    unreadable: int = 0  # entries that cannot be read, put aside or not
    oldest: tuple[float, int] | None = None  # time of reception and id
    newest: tuple[float, int] | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return all(each.kept for each in self.findings) and not self.unreadable


async def verify(disk: Disk, directory: str, clock: Clock, *, contents: bool = True) -> Report:
    """Look at a shard, whether a server works on it or not.

    Args:
        contents: read them; False: only what is said about them.

    Raises:
        MovedError, FormatError, SpoolError: as `offline.read`.
    """
    async with offline.read(disk, directory, clock) as shard:
        return _Look(disk, shard, contents).report()


class _Look:
    """One look at one shard."""

    def __init__(self, below: Disk, shard: Opened, contents: bool) -> None:
        self._shard = shard
        self._contents = contents
        self._report = Report()
        self._quarantine = frozenset(below.names(f"{shard.directory}/{QUARANTINE}"))

    def report(self) -> Report:
        shard, report = self._shard, self._report
        places: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for ident, slot, aside in shard.entries():
            places[slot.segment, slot.offset].append(ident)
            report.quarantined += aside
            report.queued += not aside
        inventory = shard.shard.inventory
        surveys = (inventory.data, inventory.state, inventory.messages, inventory.rejections)
        for (name, _), found in zip(LOGS, surveys, strict=True):
            for segment, later in zip(found.segments, [*found.segments[1:], None], strict=False):
                self._segment(name, segment, later, places)
                if segment in found.headless:
                    path = f"{shard.directory}/{name}/{name_of(segment.sequence)}"
                    self._gap(name, path, segment, Gap(0, segment.begin), places)
            for each in found.unknown:
                self._find(f"{shard.directory}/{name}/{each}", "nothing is known in this file")
        recovery = shard.spool.keepers[shard.directory].recovery
        for kind, segment, gap in recovery.damage.gaps if recovery is not None else ():
            name = next(name for name, each in LOGS if each == kind)
            path = f"{shard.directory}/{name}/{name_of(segment.sequence)}"
            if not any((each.path, each.start) == (path, gap.start) for each in report.findings):
                self._gap(name, path, segment, gap, places)
        for ident, slot, _ in shard.entries():
            self._entry(ident, slot)
        for alarm in shard.alarms:
            self._alarm(alarm)
        return report

    def _find(self, path: str, what: str, start: int = 0, end: int = 0) -> Finding:
        finding = Finding(path, what, start, end)
        self._report.findings.append(finding)
        return finding

    def _alarm(self, alarm: Error) -> None:
        """Take what a start would tell, if it is not among what was found."""
        if "put aside" in alarm.message:
            return  # It is a place, and was found as such.
        path = alarm.fields.get("path") or alarm.fields.get("file") or self._shard.directory
        self._find(str(path), str(alarm))

    def _segment(
        self,
        name: str,
        segment: Segment,
        later: Segment | None,
        places: dict[tuple[int, int], list[int]],
    ) -> None:
        disk = self._shard.disk
        path = f"{self._shard.directory}/{name}/{name_of(segment.sequence)}"
        try:
            handle = disk.open(path, readonly=True)
        except FileNotFoundError:
            return  # A running server has given it up meanwhile; nothing in it counts.
        try:
            take = partial(self._record, handle, path, places if name == DATA else {}, segment)
            scan = Scan(
                disk, handle, segment, take,
                ceiling=1 << 64 if later is None else later.floor,
                follows=later is not None and not later.flags & CUT,
            )  # fmt: skip
            gaps: Sequence[Gap] = complete(scan.run()).gaps
        finally:
            disk.close(handle)
        self._report.segments += 1
        for gap in gaps:
            self._gap(name, path, segment, gap, places)

    def _gap(
        self,
        name: str,
        path: str,
        segment: Segment,
        gap: Gap,
        places: dict[tuple[int, int], list[int]],
    ) -> None:
        finding = self._find(path, "no records where there were some", gap.start, gap.end)
        kind = dict(LOGS)[name]
        copy = f"{kind}-{segment.sequence:010d}-{gap.start}.bin"
        finding.kept = copy in self._quarantine
        finding.log, finding.sequence = name, segment.sequence
        if name == DATA:
            finding.entries += _within(places, segment.sequence, gap)

    def _record(
        self,
        handle: int,
        path: str,
        places: dict[tuple[int, int], list[int]],
        segment: Segment,
        found: Found,
    ) -> None:
        report = self._report
        report.records += 1
        report.octets += found.run_offset + found.run - found.offset
        if not self._contents or not found.run:
            return
        crc, at, end = 0, found.run_offset, found.run_offset + found.run
        while at < end and (piece := self._shard.disk.read(handle, min(SEARCH, end - at), at)):
            crc, at = crc32(piece, crc), at + len(piece)
        if at < end or crc != found.run_crc:
            finding = self._find(path, "a content is damaged", found.run_offset, end)
            finding.entries += places.get((segment.sequence, found.offset), ())
            finding.kept = not finding.entries  # Nobody needs it any more.

    def _entry(self, ident: int, slot: Slot) -> None:
        report, shard = self._report, self._shard
        path, at = f"{shard.directory}/data/{name_of(slot.segment)}", slot.offset
        try:
            message, _ = shard.load(ident)
            if isinstance(message.body, LargeBody):
                path, at = message.body.path, 0
            if self._contents:
                for _ in message.body.pieces():
                    pass
        except (DamageError, OSError) as error:
            report.unreadable += 1
            if not any(ident in each.entries for each in report.findings):
                self._find(path, str(error), at, at).entries.append(ident)
            return
        when = (message.received_at, ident)
        report.oldest = min(report.oldest or when, when)
        report.newest = max(report.newest or when, when)


def _within(places: dict[tuple[int, int], list[int]], sequence: int, gap: Gap) -> Iterator[int]:
    for (segment, offset), idents in places.items():
        if segment == sequence and gap.start <= offset < gap.end:
            yield from idents
