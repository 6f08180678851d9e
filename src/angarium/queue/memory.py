"""What stays in memory, and what we do when it gets short.

The memory of this worker is measured (`footprint`) against its part of what there is. Each stage
contains the ones before it:

    SHRINK      above memory_goal: contents of waiting mail are let go, caches made small
    NO_SESSIONS halfway to memory_hwm: new sessions are answered 421 at the banner
    NO_MAIL     above memory_hwm: MAIL is answered 452 in all sessions
    NO_CONTENT  halfway from there to all: who sends a content is answered 421

Rules: a stage is entered at once, and left when the memory has been well below where it begins
for some seconds, so that none flickers. What is hollow, free inside of the process but not given
back, keeps caches small and refuses no mail.
"""

import enum
from collections.abc import Callable, Sequence
from typing import Final

from angarium.core.clock import Clock
from angarium.events import metrics
from angarium.events.metrics import Metrics
from angarium.queue.admit import Admit
from angarium.queue.beat import Steps
from angarium.queue.board import Board
from angarium.queue.bulk import destage
from angarium.queue.footprint import Reading, trim
from angarium.queue.options import Residence
from angarium.queue.schedule import CallLater

SLACK: Final = 0.02  # of its threshold, below which a stage is left
CALM_SECONDS: Final = 3.0  # for so long it must be below
LOOK_SECONDS: Final = 1.0
# Near memory_goal: at 1 GB/s, more than can come in, 100 MB pass between two looks.
BRISK_SECONDS: Final = 0.1
NEAR: Final = 20.0  # percent
SHRINK_SECONDS: Final = 10.0  # until caches are made small again, and freed memory given back

STAGE: Final = metrics.gauge(
    "memory_stage",
    "What is done for want of memory: 0 nothing, 1 caches shrink, 2 no new sessions, 3 no mail, "
    "4 contents under way are refused.",
    highest=True,
)
USED: Final = metrics.gauge("memory_used", "Memory in use, of all workers.", unit="bytes")
LIMIT: Final = metrics.gauge("memory_limit", "Memory there is for all workers.", unit="bytes")
HOLLOW: Final = metrics.gauge(
    "memory_hollow", "Memory in use which is free inside of workers.", unit="bytes"
)
RESIDENT: Final = metrics.gauge("messages_resident", "Recipients whose message is in memory.")
CHANGES: Final = metrics.counter("memory_stage_changes", "Changes of memory_stage.")
SHRUNK: Final = metrics.counter("memory_shrunk", "Times caches and contents were let go.")


class Stage(enum.IntEnum):
    NORMAL = 0
    SHRINK = 1
    NO_SESSIONS = 2
    NO_MAIL = 3
    NO_CONTENT = 4


_WORDS: Final = {
    Stage.NORMAL: "there is enough again",
    Stage.SHRINK: "caches and contents of waiting mail are let go",
    Stage.NO_SESSIONS: "new sessions are refused",
    Stage.NO_MAIL: "no mail is taken in",
    Stage.NO_CONTENT: "no mail is taken in, contents under way are refused",
}


Changed = Callable[[Stage, str], None]


class Memory:
    """Watches the memory and acts on the queues.

    Args:
        read: measures; see `footprint`.
        changed: told of each change of the stage, with a line for people.
        caches: jobs which make a cache small, in pieces of less than a millisecond.
        shed: ends the sessions which send a content.

    Attributes:
        stage: the present one.
    """

    __slots__ = (
        "_admit", "_board", "_caches", "_call_later", "_calm_since", "_cells", "_changed", "_clock",
        "_read", "_shed", "_shrinking", "_shrunk_at", "reading", "stage",
    )  # fmt: skip

    def __init__(
        self,
        board: Board,
        admit: Admit,
        read: Callable[[], Reading],
        changed: Changed,
        clock: Clock,
        counted: Metrics,
        *,
        caches: Sequence[Callable[[], Steps]] = (),
        shed: Callable[[], object] = lambda: None,
    ) -> None:
        self._board = board
        self._admit = admit
        self._read = read
        self._changed = changed
        self._clock = clock
        self._caches = caches
        self._shed = shed
        self._cells = {each: counted.cell(each) for each in _METRICS}
        self._call_later: CallLater | None = None
        self._calm_since = clock.monotonic()  # since then the stage could be a lower one
        self._shrinking = False
        self._shrunk_at = -SHRINK_SECONDS
        self.stage = Stage.NORMAL
        self.reading = read()

    def may_greet(self) -> bool:
        """Say whether a new session is taken; else it is answered 421 at the banner."""
        return self.stage < Stage.NO_SESSIONS

    def start(self, call_later: CallLater) -> None:
        """Look by timers of a loop from now on."""
        self._call_later = call_later
        self._look()

    def stop(self) -> None:
        self._call_later = None

    def _look(self) -> None:
        if self._call_later is not None:
            near = self.sample() or self.reading.percent >= self._thresholds()[0] - NEAR
            self._call_later(BRISK_SECONDS if near else LOOK_SECONDS, self._look)

    def sample(self) -> Stage:
        """Measure and act."""
        self.reading = self._read()
        now = self._clock.monotonic()
        stage = self._judge()
        if stage >= self.stage:
            self._calm_since = now
        elif now - self._calm_since < CALM_SECONDS:
            stage = self.stage
        if stage is not self.stage:
            self._change(stage, now)
        if stage is not Stage.NORMAL and now - self._shrunk_at >= SHRINK_SECONDS:
            self._shrunk_at = now
            self._shrink()
        if stage is Stage.NO_CONTENT:
            self._shed()
        self._count()
        return stage

    def _thresholds(self) -> tuple[float, float, float, float]:
        options = self._board.configuration.top(Residence)
        goal, most = options.memory_goal, max(options.memory_hwm, options.memory_goal)
        return goal, (goal + most) / 2.0, most, (most + max(100.0, most)) / 2.0

    def _judge(self) -> Stage:
        reading, stage = self.reading, Stage.NORMAL
        for each, threshold in zip(_STAGES, self._thresholds(), strict=True):
            percent = reading.percent if each is Stage.SHRINK else reading.packed
            if percent >= threshold * (1.0 - SLACK if each <= self.stage else 1.0):
                stage = each
        return stage

    def _change(self, stage: Stage, now: float) -> None:
        if self.stage is Stage.NORMAL:
            self._shrunk_at = now - SHRINK_SECONDS  # at once
        self.stage = stage
        self._board.rooms.keep_nothing(stage is not Stage.NORMAL)
        self._admit.roomy = stage < Stage.NO_MAIL
        self._cells[CHANGES].value += 1
        reading = self.reading
        self._changed(
            stage,
            f"memory: {_WORDS[stage]} (this worker uses {reading.used >> 20} of its "
            f"{reading.limit >> 20} MB)",
        )

    def _shrink(self) -> None:
        if not self._shrinking:
            self._shrinking = True
            self._cells[SHRUNK].value += 1
            self._board.begin(self._letting_go())

    def _letting_go(self) -> Steps:
        """Let contents and caches go, and give the memory back; a job."""
        yield from destage(self._board)
        yield from self._board.configuration.shrink()
        for cache in self._caches:
            yield from cache()
        trim()
        self._shrinking = False

    def _count(self) -> None:
        cells, reading = self._cells, self.reading
        cells[STAGE].value = self.stage
        cells[USED].value = reading.used
        cells[LIMIT].value = reading.limit
        cells[HOLLOW].value = reading.hollow
        cells[RESIDENT].value = self._board.resident


_STAGES: Final = (Stage.SHRINK, Stage.NO_SESSIONS, Stage.NO_MAIL, Stage.NO_CONTENT)
_METRICS: Final = (STAGE, USED, LIMIT, HOLLOW, RESIDENT, CHANGES, SHRUNK)
