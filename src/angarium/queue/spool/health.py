"""Whether a shard can take mail in and record deliveries; what it does once a second.

Three things stop intake: a log that can't be written, a disk that is nearly full, and the end.
Only what can't be recorded stops delivery too: a state log or event stream that failed twice.
Nothing has to be restarted: a log that rests is tried again each second, and space is looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from angarium.journal.commit import Failure, Lane
from angarium.journal.disk import Space
from angarium.journal.errors import SpoolError
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
        factor = RESUME if self.low else 1.0
        counted = space.all_inodes > 0  # btrfs has no count
        self.low = space.octets < self.octets * factor or (
            counted and space.inodes < self.inodes * factor
        )
        return self.low


FULL: Final = SpoolError("the disk of the spool is full", full=True)
BROKEN: Final = SpoolError("the spool can't be written")
STOPPED: Final = SpoolError("the spool is closed")


class Health:
    """The health of one shard.

    Args:
        lanes: of data, of state, of messages.
        changed: called when intake or delivery changes.
    """

    __slots__ = ("_changed", "_data", "_records", "_shard", "_space", "stopped")

    def __init__(self, shard: Shard, lanes: Sequence[Lane], changed: Callable[[], None]) -> None:
        settings = shard.means.settings
        self._shard = shard
        self._data, *self._records = lanes[:3]
        self._changed = changed
        self._space = Watermark(settings.space_low, settings.inodes_low)
        self.stopped = False
        shard.judge = self.judge

    def judge(self) -> None:
        """Decide from what the logs have met."""
        shard = self._shard
        refusal = None
        recording = not any(lane.resting for lane in self._records)
        if self.stopped:
            refusal = STOPPED
        elif self._space.low:
            refusal = FULL
        elif self._data.resting or not recording:
            full = any(lane.full for lane in (self._data, *self._records))
            refusal = FULL if full else BROKEN
        elif any(_reserve_used(lane) for lane in self._records):
            refusal = FULL
        if refusal is not shard.refusal or recording is not shard.delivery:
            shard.refusal, shard.delivery = refusal, recording
            self._changed()

    def look(self) -> None:
        """Once a second: look at the free space, and try what rests."""
        shard = self._shard
        shard.executor.submit(partial(shard.means.disk.space, shard.directory), self._looked)
        shard.commit.probe()

    def _looked(self, space: Any, failure: Failure | None) -> None:
        roomy = failure is None and not self._space.look(space)
        if roomy and any(_reserve_used(lane) for lane in self._records):
            self._shard.executor.submit(self._shard.make_reserves, self._reserved)
        self.judge()

    def _reserved(self, _result: Any, failure: Failure | None) -> None:
        if failure is not None:
            self._shard.means.alarm(SpoolError("no room for the reserve", full=True))
        self.judge()


def _reserve_used(lane: Lane) -> bool:
    return lane.log.manner.reserve > 0 and not lane.log.has_reserve
