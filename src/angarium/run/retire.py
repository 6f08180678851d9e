"""Empty shards: their directories go when all who read their events have read them.

A shard is empty when the last of its entries has ended; its worker closes it then. Its event
stream outlives it until the readers' cursors have passed its last record, for good: until then
it stays where it is, and its number is not given to another.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from angarium.core.fault import FAULTS, point
from angarium.events.stream import KINDS
from angarium.journal.disk import Disk
from angarium.journal.scan import Scan, complete
from angarium.journal.segment import name_of, survey
from angarium.queue.spool.inventory import QUARANTINE

ASIDE: Final = "retired-"

RETIRED: Final = point("shard.retired", "an empty shard is out of the spool, and still there")


class Retiring:
    """The empty shards of a node; its supervisor's.

    Args:
        spool: the directory the shards are in.
        aside: a directory of the same file system, where what is removed goes first: a shard is
            there whole or not at all.
        passed: returns how far all readers are, by name of the stream (`events/checkpoint`).
    """

    def __init__(
        self,
        spool: Path,
        aside: Path,
        passed: Callable[[], Mapping[str, int]],
        disk: Disk,
        log: Any,
    ) -> None:
        self._spool = spool
        self._aside = aside
        self._passed = passed
        self._disk = disk
        self._log = log
        self._last: dict[str, dict[str, int]] = {}  # by shard: last record of each stream
        self._kept: set[str] = set()
        for left in aside.glob(f"{ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)

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
                f"{name}/{stream}": self._end(str(folder / stream), kind)
                for stream, kind in KINDS.items()
            }
        except OSError as error:
            self._log.error("empty shard stays", shard=name, reason=str(error))
            self._kept.add(name)

    def _end(self, directory: str, kind: str) -> int:
        """Return the number of the last record of a closed stream."""
        segments = survey(self._disk, directory, kind).segments
        if not segments:
            return 0
        handle = self._disk.open(f"{directory}/{name_of(segments[-1].sequence)}", readonly=True)
        try:
            return complete(Scan(self._disk, handle, segments[-1], _nothing).run()).last
        finally:
            self._disk.close(handle)

    def sweep(self) -> None:
        """Remove the shards whose events are all read; once a second."""
        if not self._last:
            return
        reached = self._passed()
        for name, ends in list(self._last.items()):
            if all(reached.get(stream, 0) >= last for stream, last in ends.items()):
                del self._last[name]
                self._remove(name)

    def _remove(self, name: str) -> None:
        aside = self._aside / f"{ASIDE}{name}"
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
        with suppress(OSError):  # At the next start, then.
            shutil.rmtree(aside)


def _nothing(_: object) -> None:
    pass
