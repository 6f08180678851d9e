"""What a spool is given: its settings, and everything of the world outside."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.events.metrics import Metrics
from angarium.journal.commit import LINGER, Chains, Executor, Scheduler
from angarium.journal.disk import Disk
from angarium.queue.spool.large import Streaming
from angarium.queue.spool.routes import Routes

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Plain values, from the options of Spooling. `segment` and `reserve` hold from the start on.

    Args:
        force_fsync: sync before a message is called durable. False loses mail at a power cut.
        segment: octets of a data segment.
        reserve: octets set aside per shard; half for the state log, half for the event stream,
            whose segments are of that size.
        sync_seconds: how long a change of state may be written and not synced.
        checkpoint_octets: of state, after which a checkpoint is due.
        checkpoint_seconds: ... or after this, if there is anything worth it.
        waiting_octets: what may wait for the disk; more is refused.
        retention_seconds, retention_octets: how long and how much an event stream is kept.
        rejection_octets: how much the stream of rejections is kept.
        space_low, inodes_low: below it no mail is taken in.
        log_folders, log_space_low, log_inodes_low: the same for the disks of text logs.
    """

    force_fsync: bool = True
    segment: int = 64 * MB
    reserve: int = 16 * MB
    sync_seconds: float = 0.1
    linger: float = LINGER
    checkpoint_octets: int = 16 * MB
    checkpoint_seconds: float = 60.0
    waiting_octets: int = 64 * MB
    retention_seconds: float = 604800.0
    retention_octets: int = 1024 * MB
    rejection_octets: int = 256 * MB
    space_low: int = 256 * MB
    inodes_low: int = 1000
    log_folders: tuple[str, ...] = ()
    log_space_low: int = 64 * MB
    log_inodes_low: int = 100
    compact_rate: int = 8 * MB  # octets a second which compaction may write on an idle disk


def _no_alarm(_: Error) -> None:
    pass


def _not_known() -> None:
    return None


@dataclass(slots=True)
class Means:
    """The world outside.

    Args:
        executor: makes the thread of a shard.
        chains: writes and syncs without it, where the system can.
        alarm: is told of damage, failures and what comes near a limit.
        passed: gives up to which number each stream (by the names of shard and stream, with a
            slash) is read by all its readers; None if that is not known. Called in a thread.
        cpu: processor seconds of the loop's thread, by which long work finds it idle.
    """

    disk: Disk
    clock: Clock
    random: Random
    loop: Scheduler
    executor: Callable[[str], Executor]
    settings: Settings = field(default_factory=Settings)
    routes: Routes = field(default_factory=Routes)
    alarm: Callable[[Error], None] = _no_alarm
    passed: Callable[[], Mapping[str, int] | None] = _not_known
    cpu: Callable[[], float] = time.thread_time
    chains: Chains | None = None
    metrics: Metrics = field(default_factory=Metrics)
    streaming: Streaming = field(default_factory=Streaming)
