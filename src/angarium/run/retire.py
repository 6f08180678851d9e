"""Empty shards: their directories go when all who read their events have read them.

A shard is empty when the last of its entries has ended; its worker closes it then. Its event
streams outlive it. Until the readers' cursors have passed the last record, for good, it stays where
it is, and its number is not given to another. Then what the streams hold goes to the history, where
it is kept as long as the events of a shard at work are, under a name that is not given twice:

    DIR/spool/003/                 -> DIR/run/retired-003-1700000000/   whole, or not at all
    .../events/*.seg               -> DIR/history/003-1700000000/events/
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from angarium.core.clock import Clock
from angarium.core.fault import FAULTS, point
from angarium.events.stream import KINDS
from angarium.journal.disk import Disk
from angarium.journal.scan import Outcome, Scan, complete
from angarium.journal.segment import Segment, name_of, survey
from angarium.queue.spool.inventory import QUARANTINE

ASIDE: Final = "retired-"

RETIRED: Final = point("shard.retired", "an empty shard is out of the spool, and still there")
HISTORY: Final = "history"
FORGET_SECONDS: Final = 60.0  # between two looks at what the history may lose


class Keep(NamedTuple):
    """How long history is kept, and how much of it: event_retention, event_retention_size."""

    seconds: float
    octets: int


class Retiring:
    """The empty shards of a node; its supervisor's.

    Args:
        state: the state directory.
        passed: returns how far all readers are, by name of the stream (`events/checkpoint`).
    """

    def __init__(
        self,
        state: Path,
        passed: Callable[[], Mapping[str, int]],
        disk: Disk,
        clock: Clock,
        log: Any,
    ) -> None:
        self._spool = state / "spool"
        self._aside = state / "run"
        self._history = state / HISTORY
        self._passed = passed
        self._disk = disk
        self._clock = clock
        self._log = log
        self._last: dict[str, dict[str, int]] = {}  # by shard: last record of each stream
        self._kept: set[str] = set()
        self._forgot = float("-inf")
        for left in self._aside.glob(f"{ASIDE}*"):  # by a crash
            self._put_away(left)

    @property
    def names(self) -> set[str]:
        """The shards which nobody owns and which are still there."""
        return self._kept.union(self._last)

    def add(self, name: str) -> None:
        """A worker has closed this shard, in which nothing is left."""
        folder = self._spool / name
        if self._disk.names(str(folder / QUARANTINE)):
            self._log.warning("empty shard stays, for damage was put aside there", shard=name)
            self._kept.add(name)
            return
        try:
            self._last[name] = {
                f"{name}/{stream}": self._ended(folder / stream, kind)[1].last
                for stream, kind in KINDS.items()
            }
        except OSError as error:
            self._log.error("empty shard stays", shard=name, reason=str(error))
            self._kept.add(name)

    def _ended(self, directory: Path, kind: str) -> tuple[list[Segment], Outcome]:
        """Return the segments of a closed stream, and how the last one ends."""
        segments = survey(self._disk, str(directory), kind).segments
        if not segments:
            return [], Outcome()
        path = f"{directory}/{name_of(segments[-1].sequence)}"
        handle = self._disk.open(path, readonly=True)
        try:
            return segments, complete(Scan(self._disk, handle, segments[-1], _nothing).run())
        finally:
            self._disk.close(handle)

    def sweep(self, keep: Keep) -> None:
        """Remove the shards whose events are all read, and history that is old; once a second."""
        if self._last:
            reached = self._passed()
            for name, ends in list(self._last.items()):
                if all(reached.get(stream, 0) >= last for stream, last in ends.items()):
                    del self._last[name]
                    self._remove(name)
        now = self._clock.monotonic()
        if now - self._forgot >= FORGET_SECONDS:
            self._forgot = now
            self._forget(keep)

    def _remove(self, name: str) -> None:
        aside = self._aside / f"{ASIDE}{name}-{self._clock.time():.0f}"
        try:
            os.rename(self._spool / name, aside)
            # Else a power cut could find half of it where it was: what is deleted first, and the
            # rename not.
            self._disk.sync_dir(str(self._aside))
            self._disk.sync_dir(str(self._spool))
            FAULTS.hit(RETIRED)
        except OSError as error:
            # Somebody has mounted a disk there, or given it to another user.
            self._log.error("empty shard stays", shard=name, reason=str(error))
            self._kept.add(name)
            return
        self._log.info("empty shard removed", shard=name)
        self._put_away(aside)

    # -- history --------------------------------------------------------------------------

    def _put_away(self, aside: Path) -> None:
        """Move what the streams hold to the history; remove the rest."""
        there = self._history / aside.name.removeprefix(ASIDE)
        try:
            for stream, kind in KINDS.items():
                if (aside / stream).is_dir():
                    self._move(aside / stream, there / stream, kind)
        except OSError as error:
            # It is tried again at the next start; the number may be had again all the same.
            self._log.error("events of an empty shard stay", where=str(aside), reason=str(error))
            return
        with suppress(OSError):  # At the next start, then.
            shutil.rmtree(aside)

    def _move(self, stream: Path, there: Path, kind: str) -> None:
        segments, outcome = self._ended(stream, kind)
        if not outcome.last:
            return
        there.mkdir(parents=True, exist_ok=True)
        names = [name_of(segment.sequence) for segment in segments]
        # The room a segment was given and did not use: a hole reads as the noughts that were there.
        size = (stream / names[-1]).stat().st_size
        os.truncate(stream / names[-1], outcome.end)
        os.truncate(stream / names[-1], size)
        for name in names:
            os.rename(stream / name, there / name)

    def _forget(self, keep: Keep) -> None:
        """Drop history that is too old, and the oldest where there is too much."""
        oldest = self._clock.time() - keep.seconds
        left = keep.octets
        for since, folder in sorted(self._kept_history(), reverse=True):
            left -= sum(path.stat().st_blocks * 512 for path in folder.glob("*/*.seg"))
            if since < oldest or left < 0:
                with suppress(OSError):
                    shutil.rmtree(folder)

    def _kept_history(self) -> Iterator[tuple[int, Path]]:
        """Yield what is in the history, and since when."""
        if self._history.is_dir():
            for folder in self._history.iterdir():
                _, _, since = folder.name.partition("-")
                if since.isdecimal():
                    yield int(since), folder


def _nothing(_: object) -> None:
    pass
