"""Whether a shard can take mail in and record deliveries; what it does once a second.

Three things stop intake: a log that can't be written, a disk that is nearly full (the spool's, or
that of a text log), and the end.
Only what can't be recorded stops delivery too: a state log or event stream that failed twice.
Nothing has to be restarted: a log that rests is tried again each second, and space is looked at.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from angarium.journal.commit import Failure, Lane
from angarium.journal.disk import Disk, Space
from angarium.journal.errors import SpoolError
from angarium.queue.spool.means import Settings
from angarium.queue.spool.shard import Shard

RESUME: Final = 1.5  # times the low mark: what must be free before mail is taken in again


@dataclass(slots=True)
class Watermark:
    """When free space is too little, and when it is enough again."""

    octets: int
    inodes: int
    low: bool = False

    def look(self, space: Space) -> bool:
        """Learn what is free; return whether it is too little."""
        self.low = self.lacks(space)
        return self.low

    def lacks(self, space: Space) -> bool:
        """Say whether what is free is too little; more is wanted if it was too little before."""
        factor = RESUME if self.low else 1.0
        counted = space.all_inodes > 0  # btrfs has no count
        return space.octets < self.octets * factor or (
            counted and space.inodes < self.inodes * factor
        )


FULL: Final = SpoolError("the disk of the spool is full", full=True)
LOGS_FULL: Final = SpoolError("the disk of a log is full", full=True)
BROKEN: Final = SpoolError("the spool can't be written")
STOPPED: Final = SpoolError("the spool is closed")


class Health:
    """The health of one shard.

    Args:
        lanes: of data, of state, of messages.
        changed: called when intake or delivery changes.
    """

    __slots__ = ("_changed", "_data", "_log_space", "_records", "_shard", "_space", "stopped")

    def __init__(self, shard: Shard, lanes: Sequence[Lane], changed: Callable[[], None]) -> None:
        self._shard = shard
        self._data, *self._records = lanes[:3]
        self._changed = changed
        self._space, self._log_space = Watermark(0, 0), Watermark(0, 0)
        self.configure(shard.means.settings)
        self.stopped = False
        shard.judge = self.judge

    def configure(self, settings: Settings) -> None:
        """Go over to other watermarks; they are looked at within a second."""
        space, logs = self._space, self._log_space
        space.octets, space.inodes = settings.space_low, settings.inodes_low
        logs.octets, logs.inodes = settings.log_space_low, settings.log_inodes_low

    def judge(self) -> None:
        """Decide from what the logs have met."""
        shard = self._shard
        refusal = None
        recording = not any(lane.resting for lane in self._records)
        if self.stopped:
            refusal = STOPPED
        elif self._space.low:
            refusal = FULL
        elif self._log_space.low:
            refusal = LOGS_FULL
        elif self._data.resting or not recording:
            lanes = (self._data, *self._records)
            full = any(lane.full for lane in lanes if lane.resting)
            refusal = FULL if full else BROKEN
        elif any(_reserve_used(lane) for lane in self._records):
            refusal = FULL
        if refusal is not shard.refusal or recording is not shard.delivery:
            shard.refusal, shard.delivery = refusal, recording
            self._changed()

    def look(self) -> None:
        """Once a second: look at the free space, and try what rests."""
        shard = self._shard
        folders = (shard.directory, *shard.means.settings.log_folders)
        shard.executor.submit(partial(_spaces, shard.means.disk, folders), self._looked)
        shard.commit.probe()

    def _looked(self, spaces: Any, failure: Failure | None) -> None:
        roomy = failure is None and not self._space.look(spaces[0])
        if failure is None:
            # The scarcest disk decides; the watermark remembers whether it was too little.
            scarce = [self._log_space.lacks(each) for each in spaces[1:]]
            self._log_space.low = any(scarce)
        if roomy and any(_reserve_used(lane) for lane in self._records):
            self._shard.executor.submit(self._shard.make_reserves, self._reserved)
        self.judge()

    def _reserved(self, _result: Any, failure: Failure | None) -> None:
        if failure is not None:
            self._shard.means.alarm(SpoolError("no room for the reserve", full=True))
        self.judge()


def _spaces(disk: Disk, folders: Sequence[str]) -> list[Space]:
    return [_space(disk, folder) for folder in folders]


def _space(disk: Disk, folder: str) -> Space:
    """Return what is free where a folder is, or will be: the hose makes those of logs."""
    while True:
        try:
            return disk.space(folder)
        except FileNotFoundError:
            above = os.path.dirname(folder)
            if above in ("", folder):
                raise
            folder = above


def _reserve_used(lane: Lane) -> bool:
    return lane.log.manner.reserve > 0 and not lane.log.has_reserve
