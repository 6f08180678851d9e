"""A shard's life: opened, recovered, kept small, closed.

Holds what runs by itself beside the mail: checkpoints, compaction, retention of streams, a look
at the disk each second. One piece of long work at a time, so that they need not know each other.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import Any, Final

from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.events.stream import MESSAGES, REJECTIONS
from angarium.journal.commit import Executor, Failure
from angarium.journal.errors import SpoolError, refused
from angarium.journal.log import Log
from angarium.journal.segment import Segment
from angarium.queue.spool import changes, checkpoint, inventory, large
from angarium.queue.spool.compact import Budget, Compaction, on_disk, sparse
from angarium.queue.spool.health import Health
from angarium.queue.spool.inventory import QUARANTINE, Inventory
from angarium.queue.spool.means import Means, Settings
from angarium.queue.spool.recover import Recovery
from angarium.queue.spool.shard import Shard, name_of, number_of
from angarium.queue.spool.slices import Until, Work
from angarium.queue.spool.slot import KEYED

RETENTION_SECONDS: Final = 10.0  # between two looks at what streams may lose
AGAIN_SECONDS: Final = 5.0  # until a checkpoint that failed is tried again

OPENED: Final = point("spool.opened", "a shard is locked, and what is in it is not known")

Done = Callable[[Error | None], None]


class Keeper:
    """One shard, from its lock to its end.

    Args:
        directory: of the shard; its name is its number.
        home: new mail may go here.
        changed: called when intake or delivery changes.

    Attributes:
        shard: None until it is open.
        busy: recovery, a checkpoint or compaction is under way.
    """

    __slots__ = (
        "_base", "_budget", "_changed", "_directory", "_executor", "_failure", "_health", "_home",
        "_last", "_means", "_number", "_put", "_retained_at", "_sequence", "_since", "_size",
        "_waiting", "busy", "checkpoints", "recovery", "shard",
    )  # fmt: skip

    def __init__(
        self, means: Means, directory: str, changed: Callable[[], None], *, home: bool
    ) -> None:
        self._means = means
        self._directory = directory
        self._changed = changed
        self._home = home
        self._number = number_of(directory)
        self._executor: Executor = means.executor(f"spool-{name_of(self._number)}")
        self._health: Health | None = None
        self.busy = False
        self._budget = Budget(means.settings.compact_rate)
        self._sequence = 0  # of the last checkpoint
        self._since = 0  # state octets at the last checkpoint,
        self._put = 0  # and how many contents there were
        self._size = 0  # of the last checkpoint
        self._last = means.clock.monotonic()  # time of the last checkpoint, or of a failed one
        self._retained_at = 0.0
        self._base = means.clock.time() - means.clock.monotonic()
        self._waiting: list[Done] = []  # for recovery
        self._failure: Error | None = None  # of recovery
        self.checkpoints = 0
        self.shard: Shard | None = None
        self.recovery: Recovery | None = None

    # -- opening --------------------------------------------------------------------------

    def open(self, done: Done) -> None:
        """Lock the directory and make the shard ready for mail; what is in it comes later."""
        means = self._means
        take = partial(
            inventory.take, means.disk, self._directory, means.random, high_water=self._home
        )
        self._executor.submit(take, partial(self._looked, done))

    def _looked(self, done: Done, found: Inventory | None, failure: Failure | None) -> None:
        if found is None:
            self._executor.stop()
            done(_as_error(failure, "opening a shard"))
            return
        FAULTS.hit(OPENED)
        self._sequence = found.newest
        shard = Shard(self._means, self._number, self._directory, found, self._executor)
        self.shard = shard
        self._put = shard.data.written
        self._executor.submit(shard.make_reserves, partial(self._reserved, done))

    def _reserved(self, done: Done, _result: Any, failure: Failure | None) -> None:
        shard = self._opened
        if failure is not None:
            self._means.alarm(_as_error(failure, "setting the reserve aside"))
        self._health = Health(shard, shard.lanes, self._changed)
        self._health.judge()
        done(None)

    @property
    def _opened(self) -> Shard:
        if self.shard is None:
            raise SpoolError("the shard is not open", directory=self._directory)
        return self.shard

    def recover(self, found: Callable[[int, bytes], None]) -> None:
        """Find what is in the shard; `found` is told of each entry."""
        shard = self._opened
        self.recovery = Recovery(shard, found)
        self.busy = True
        shard.slices.run(self.recovery.run(), self._recovered)

    def when_recovered(self, done: Done) -> None:
        """Call `done` when all entries are found, or with what prevents it."""
        if self.busy and not self._opened.recovered:
            self._waiting.append(done)
        else:
            done(self._failure)

    def _recovered(self, failure: Failure | None) -> None:
        self.busy = False
        if self.recovery is not None:
            self._put -= self.recovery.replay.counts[changes.CREATED]
        if failure is not None:
            self._failure = _as_error(failure, "recovering a shard")
            self._means.alarm(self._failure)
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(self._failure)

    def configure(self, settings: Settings) -> None:
        """Go over to other settings; what segments are made of stays until a restart."""
        if self.shard is not None:
            self.shard.configure(settings)
        if self._health is not None:
            self._health.configure(settings)

    # -- each second ----------------------------------------------------------------------

    def tick(self) -> None:
        """Look after the shard; once a second."""
        shard = self.shard
        if shard is None or self._health is None or self._health.stopped:
            return
        self._health.look()
        self._budget.second(shard.data.octets)
        self._remove_bodies(shard)
        if self.busy or not shard.recovered or not shard.delivery:
            return
        now = self._means.clock.monotonic()
        if self._checkpoint_due(shard, now):
            self.checkpoint(self._checked)
        elif (found := sparse(shard)) and shard.refusal is None:
            self.busy = True
            shard.slices.run(Compaction(shard, found[0], self._budget).run(), self._compacted)
        elif now - self._retained_at >= RETENTION_SECONDS:
            self._retained_at = now
            self._executor.submit(self._means.passed, partial(self._retain, shard))

    def _remove_bodies(self, shard: Shard) -> None:
        """Remove large bodies whose last entry's end is durable."""
        synced = shard.state.synced
        paths = [path for number, path in shard.removals if number <= synced]
        if paths:
            shard.removals = [each for each in shard.removals if each[0] > synced]
            remove = partial(large.remove, self._means.disk, paths)
            self._executor.submit(remove, partial(self._removed, shard, paths))

    def _removed(
        self, shard: Shard, paths: list[str], result: Any, failure: Failure | None
    ) -> None:
        if failure is not None:
            shard.removals.extend((0, path) for path in paths)  # again in a second
        self._ended(result, failure)

    def _ended(self, _result: Any, failure: Failure | None) -> None:
        if failure is not None:
            self._means.alarm(_as_error(failure, "removing files"))

    def _compacted(self, failure: Failure | None) -> None:
        self.busy = False
        if failure is not None and not self._opened.closing:
            self._means.alarm(_as_error(failure, "compaction"))

    # -- checkpoints ----------------------------------------------------------------------

    def _checkpoint_due(self, shard: Shard, now: float) -> bool:
        settings = self._means.settings
        waited = now - self._last
        since = shard.state.octets - self._since + KEYED.size * (shard.data.written - self._put)
        if waited < AGAIN_SECONDS and since < settings.checkpoint_octets:
            return self._worth_freeing(shard) and waited >= 1.0
        if since >= max(settings.checkpoint_octets, self._size):
            return True
        # A restart reads what came after, contents too: each counts as what it takes in here.
        # A little of that is not worth writing all again.
        little = max(self._size // 8, settings.checkpoint_octets // 256)
        if since > little and waited >= settings.checkpoint_seconds:
            return True
        return self._worth_freeing(shard)

    def _worth_freeing(self, shard: Shard) -> bool:
        """Say whether more than four times what lives, and two segments, could be freed."""
        free = _free(shard)
        if not free:
            return False
        lives = sum(usage.octets for usage in shard.table.usage.values())
        taken = on_disk(list(shard.data.segments.values()))
        return taken > 4 * lives + 2 * self._means.settings.segment

    def checkpoint(self, done: Callable[[Failure | None], None]) -> None:
        """Write a checkpoint now, and free what it makes superfluous."""
        shard = self._opened
        self.busy = True
        shard.slices.run(self._checkpoint(shard), partial(self._checkpointed, done))

    def _checkpoint(self, shard: Shard) -> Work:
        means = self._means
        begun = shard.state.octets
        segment = shard.state.roll()
        free = _free(shard)
        meta = checkpoint.Meta(
            shard.data.written, segment.sequence, shard.state.number, shard.messages.number,
            list(shard.counts), shard.high, means.clock.time(),
            (shard.data.number, shard.state.number, shard.messages.number, shard.rejections.number),
            (
                shard.data.sequence, shard.state.sequence, shard.messages.sequence,
                shard.rejections.sequence,
            ),
            shard.data.place,
        )  # fmt: skip
        directory = f"{self._directory}/{checkpoint.DIRECTORY}"
        writer = checkpoint.Writer(
            means.disk, directory, self._sequence + 1, meta, shard.table, means.routes,
            means.random,
        )  # fmt: skip
        yield from writer.write()
        durable = yield Until(shard.commit.flush)
        if not durable:
            raise SpoolError("a checkpoint is not worth more than what it rests on")
        yield from writer.name()
        self._sequence += 1
        self._since, self._put, self._size = begun, meta.position, writer.octets
        self.checkpoints += 1
        yield from self._free(shard, segment, free)

    def _free(self, shard: Shard, segment: Segment, data: list[Segment]) -> Work:
        """Free what the checkpoint covers: state before it, data in which nothing lives."""
        state = [each for each in shard.state.segments.values() if each.sequence < segment.sequence]
        data = [each for each in data if not each.pins]
        for each in state:
            del shard.state.segments[each.sequence]
        for each in data:
            del shard.data.segments[each.sequence]
            shard.table.usage.pop(each.sequence, None)
            shard.contents.forget(each)
        yield partial(self._put_away, shard, state, data)

    def _put_away(self, shard: Shard, state: list[Segment], data: list[Segment]) -> None:
        """Free the files, whichever of them can be; on the disk's thread."""
        with ExitStack() as stack:  # each is done, whatever becomes of the others
            stack.callback(self._remove_older, self._sequence)
            stack.callback(shard.data.recycle, data)
            stack.callback(shard.state.recycle, state)

    def _remove_older(self, sequence: int) -> None:
        directory = f"{self._directory}/{checkpoint.DIRECTORY}"
        newest = checkpoint.name_of(sequence)
        disk = self._means.disk
        damaged = self._damaged()
        for name in disk.names(directory):
            if name == damaged:
                # What could not be read is put aside for people, never deleted.
                aside = f"{self._directory}/{QUARANTINE}"
                disk.make_dir(aside)
                disk.rename(f"{directory}/{name}", f"{aside}/{name}")
                disk.sync_dir(aside)
            elif name != newest:
                large.remove(disk, [f"{directory}/{name}"])

    def _damaged(self) -> str:
        """Return the name of the checkpoint this life began with, if it could not be read whole."""
        if self.shard is None:
            return ""
        inventory = self.shard.inventory
        whole = inventory.reader is not None and not inventory.reader.damaged
        return "" if whole or not inventory.newest else checkpoint.name_of(inventory.newest)

    def _checkpointed(
        self, done: Callable[[Failure | None], None], failure: Failure | None
    ) -> None:
        self.busy = False
        self._last = self._means.clock.monotonic()
        done(failure)

    def _checked(self, failure: Failure | None) -> None:
        if failure is not None:
            self._means.alarm(_as_error(failure, "writing a checkpoint"))

    # -- retention ------------------------------------------------------------------------

    def _retain(
        self, shard: Shard, passed: Mapping[str, int] | None, failure: Failure | None
    ) -> None:
        if failure is not None:
            self._means.alarm(_as_error(failure, "reading how far the readers are"))
            return
        settings = self._means.settings
        name = name_of(self._number)
        for log, stream, most in (
            (shard.messages, MESSAGES, settings.retention_octets),
            (shard.rejections, REJECTIONS, settings.rejection_octets),
        ):
            reached = (passed or {}).get(f"{name}/{stream}", 0)
            self._drop(log, most, reached)

    def _drop(self, log: Log, most: int, reached: int) -> None:
        """Drop what is old and read, and what is too much, read or not."""
        segments = sorted(log.segments.values(), key=lambda each: each.sequence)
        taken = on_disk(segments)
        clock = self._means.clock
        # The slower of two clocks: one that is set forward makes nothing old at once.
        now = min(clock.time(), self._base + clock.monotonic())
        oldest = now - self._means.settings.retention_seconds
        dropped = []
        for segment, following in pairwise(segments):
            unread = following.first - 1 > reached
            if taken > most:
                if unread:
                    self._means.alarm(
                        Error("events are lost to a reader", log=log.directory, most=most)
                    )
            elif unread or following.created > oldest:
                break
            taken -= segment.limit
            dropped.append(segment)
            del log.segments[segment.sequence]
        if dropped:
            self._executor.submit(partial(log.recycle, dropped), self._ended)

    def status(self) -> Mapping[str, Any]:
        """Return what `status` shows of this shard."""
        shard = self.shard
        if shard is None:
            return {"open": False}
        return {
            "open": True,
            "recovered": shard.recovered,
            "found": self.recovery.entries if self.recovery is not None else 0,
            "queued": len(shard.table.live),
            "quarantined": len(shard.table.isolated),
            "octets": on_disk(list(shard.data.segments.values())),
            "needed": sum(usage.octets for usage in shard.table.usage.values()),
            "checkpoints": self.checkpoints,
            "rejections_lost": shard.rejections_lost,
            "trips": shard.commit.trips,
        }

    # -- the end --------------------------------------------------------------------------

    def close(self, done: Done) -> None:
        """Write everything down, and a checkpoint, so that the next start is quick."""
        if self.shard is None or self._health is None:
            self._executor.stop()
            done(None)
            return
        self._health.stopped = self.shard.closing = True
        self._health.judge()
        self._close(self.shard, done)

    def _close(self, shard: Shard, done: Done) -> None:
        if self.busy and shard.recovered:
            self._means.loop.call_later(0.01, self._close, shard, done)  # soon, and then we can
        elif shard.recovered:
            self.checkpoint(partial(self._checked_last, shard, done))
        else:
            self._checked_last(shard, done, None)

    def _checked_last(self, shard: Shard, done: Done, failure: Failure | None) -> None:
        if failure is not None:
            self._means.alarm(_as_error(failure, "the last checkpoint"))
        shard.slices.stop()
        for log in shard.logs:
            log.close_segment()
        shard.commit.flush(partial(self._flushed, shard, done))

    def _flushed(self, shard: Shard, done: Done, durable: bool) -> None:
        error = None if durable else SpoolError("the spool was closed with records not durable")
        self._executor.submit(shard.close_files, partial(self._closed, done, error))

    def _closed(
        self, done: Done, error: Error | None, _result: Any, failure: Failure | None
    ) -> None:
        self._executor.stop()
        done(error or (None if failure is None else _as_error(failure, "closing a shard")))


def _free(shard: Shard) -> list[Segment]:
    """Return the data segments in which nothing lives, and whose records are all landed."""
    usage = shard.table.usage
    segments = sorted(shard.data.segments.values(), key=lambda each: each.sequence)
    return [
        segment
        for segment, following in pairwise(segments)
        if following.first - 1 <= shard.data.written
        and not ((used := usage.get(segment.sequence)) and used.entries)
    ]


def _as_error(failure: Failure | None, doing: str) -> Error:
    if isinstance(failure, Error):
        return failure
    return refused(failure, doing) if failure is not None else Error(doing)
