"""The workers: which one owns which shard, what happens when one dies, how they are replaced.

A worker is a slot with a number (its column in the ledger, its row of the scoreboard) and a child
that fills it. When the child dies its shards stay with the slot and a new child adopts them; if
children of a slot keep dying young, its shards go to another worker, so that no mail waits for a
fault which belongs to one process.

An upgrade starts new workers beside the old ones. When all of them are ready the old ones are told
to leave, and each that is gone leaves its shards to the new ones, dealt so that all have as many;
when those have found everything in them the upgrade is over. If a new one dies before all are
ready, or takes too long, the new ones leave again and nothing has changed.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.core.ident import printed
from angarium.run import link, shards
from angarium.run.child import Backoff, Child, Kept, resumed, spawn
from angarium.run.scoreboard import Scoreboard

WORKER: Final = "angarium.run.worker"
YOUNG_SECONDS: Final = 10.0
BEGUN: Final = point("upgrade.begun", "new workers are started, and not ready")
JOINED: Final = point("upgrade.joined", "new workers are ready, and the old ones not told to leave")
HANDED: Final = point("upgrade.handed", "a worker has gone, and its shards have no other owner yet")

DIED_YOUNG: Final = 3  # so many times in a row, and the shards go to another worker
READY_SECONDS: Final = 60.0  # for new workers to be ready; a ready one needs a second or two
GRACE_SECONDS: Final = 5.0  # beyond the time to leave, at a stop: then a worker is killed
# ... and at an upgrade, where nobody is in a hurry: the checkpoint of a deep queue takes seconds.
CLOSE_SECONDS: Final = 60.0


class KeptSlot(msgspec.Struct, frozen=True):
    """A place for a worker, for the program which takes the supervisor's place."""

    number: int
    shards: list[str]
    young_deaths: int
    failures: int
    started: float
    child: Kept | None


@dataclass(slots=True, eq=False)
class Slot:
    """A place for a worker."""

    number: int
    shards: list[str]
    child: Child | None = None
    backoff: Backoff = field(default_factory=Backoff)
    started: float = 0.0
    young_deaths: int = 0
    joining: bool = False  # new in an upgrade, which is not decided yet
    leaving: bool = False  # told to leave: not started again when it ends


class Columns(Protocol):
    """What the fleet needs of the ledger."""

    @property
    def workers(self) -> int: ...

    def clear_worker(self, worker: int) -> None: ...


class Owner(Protocol):
    """Whom the workers work for."""

    def launch(self, slot: Slot, poison: list[int]) -> tuple[link.Start, dict[str, int]]:
        """Return what a worker is started with: its first message and its descriptors."""
        ...

    def joined(self, child: Child) -> None:
        """A worker has been started."""
        ...

    def received(self, child: Child, message: link.Message) -> None:
        """Take what a worker says."""
        ...

    def died(self, child: Child) -> None:
        """A worker has ended, whatever the reason."""
        ...

    def left(self) -> None:
        """A worker which was told to leave has gone."""
        ...

    def upgraded(self, leaving: Sequence[int]) -> None:
        """New workers are ready and hold what is new; these are told to leave."""
        ...

    def upgrade_failed(self, reason: str) -> None:
        """The old workers stay."""
        ...

    def handed_on(self, shards: Sequence[str], heir: int) -> None:
        """A worker gets shards of one which has gone, or keeps dying."""
        ...

    def settled(self, refused: Mapping[str, str]) -> None:
        """The upgrade is over: all old workers have gone, and what they had is found.

        Args:
            refused: reasons, of shards which could not be adopted.
        """
        ...

    def ownerless(self) -> Collection[str]:
        """Return the shards which nobody owns, and which are still there."""
        ...


class Fleet:
    """All workers of this node.

    Args:
        spawn: starts a child; another one in the tests.

    Attributes:
        crash_limit: crashes of a worker over one message which put it aside.
    """

    def __init__(
        self,
        owner: Owner,
        clock: Clock,
        scoreboard: Scoreboard,
        ledger: Columns,
        crash_limit: int,
        log: Any,
        spawn: Callable[..., Child] = spawn,
    ) -> None:
        self._owner = owner
        self._clock = clock
        self._scoreboard = scoreboard
        self._ledger = ledger
        self._log = log
        self._spawn = spawn
        self._suspects: Counter[int] = Counter()
        self._leave_seconds = 0.0  # of the upgrade under way
        self._patience: asyncio.TimerHandle | None = None  # ... for its new workers
        self._settling = False  # ... they are ready, and not all is theirs yet
        self._adopting: set[str] = set()  # shards which were handed on and are not found yet
        self._refused: dict[str, str] = {}
        self.crash_limit = crash_limit
        self.slots: dict[int, Slot] = {}
        self.stopping = False
        self.deaths = 0  # of workers which were not told to end

    def start(self, dealt: list[list[str]]) -> None:
        """Start one worker for each list of shards."""
        for names in dealt:
            self._fill(self._new_slot(names))

    def resume(self, slots: Sequence[KeptSlot], suspects: Mapping[int, int]) -> None:
        """Go on with the workers of the program before us."""
        self._suspects.update(suspects)
        for kept in slots:
            self.slots[kept.number] = slot = Slot(
                kept.number,
                list(kept.shards),
                started=kept.started,
                young_deaths=kept.young_deaths,
            )
            slot.backoff.failures = kept.failures
            if kept.child is not None:
                slot.child = resumed(kept.child, self._owner.received, self._ended)
                self._owner.joined(slot.child)
            else:
                self._refill(slot)

    def keep(self) -> list[KeptSlot]:
        """Return what another needs to go on; nothing is heard from here on."""
        return [
            KeptSlot(
                slot.number,
                slot.shards,
                slot.young_deaths,
                slot.backoff.failures,
                slot.started,
                slot.child.keep() if slot.child is not None else None,
            )
            for slot in self.slots.values()
        ]

    def go_on(self) -> None:
        """Hear again: nobody has taken our place."""
        for child in self.children:
            child.go_on()

    @property
    def suspects(self) -> Mapping[int, int]:
        """How many workers died over which message."""
        return self._suspects

    @property
    def children(self) -> list[Child]:
        return [slot.child for slot in self.slots.values() if slot.child is not None]

    @property
    def staying(self) -> list[Child]:
        """The workers which a reload concerns."""
        return [
            slot.child
            for slot in self.slots.values()
            if slot.child is not None and not slot.leaving
        ]

    @property
    def ready(self) -> bool:
        """Say whether every worker accepts connections."""
        return all(slot.child is not None and slot.child.ready for slot in self._kept())

    @property
    def upgrading(self) -> bool:
        """Say whether an upgrade is under way: then there are no columns for another one."""
        return any(slot.leaving or slot.joining for slot in self.slots.values())

    @property
    def settling(self) -> bool:
        """Say whether new workers have not found everything of the old ones yet."""
        return self._settling

    def send(self, message: link.Message) -> None:
        for child in self.children:
            child.send(message)

    def drain(self, seconds: float) -> None:
        """Tell every worker to leave; none is started again."""
        self.stopping = True
        self._settling = False
        self._decided()
        for slot in list(self.slots.values()):
            slot.joining, slot.leaving = False, True
            if slot.child is None:
                del self.slots[slot.number]
        self.send(link.Drain(seconds))
        if not self.children:
            self._owner.left()

    def kill(self) -> None:
        for child in self.children:
            child.kill()

    def released(self, shard: str) -> None:
        """A worker has emptied a shard and given it up."""
        for slot in self.slots.values():
            if shard in slot.shards:
                slot.shards.remove(shard)
        self.adopted(shard)

    def adopted(self, shard: str, refusal: str = "") -> None:
        """A worker has found everything in a shard, or cannot take it over."""
        if refusal:
            self._refused[shard] = refusal
        self._adopting.discard(shard)
        self._settle()

    def _settle(self) -> None:
        if self._settling and not self._adopting and not self.upgrading:
            self._settling = False
            self._owner.settled(self._refused)

    def quarantined(self, ident: int) -> None:
        """A message over which workers died is put aside for good."""
        self._suspects.pop(ident, None)

    # -- an upgrade -----------------------------------------------------------------------

    def replace(self, workers: int, seconds: float) -> None:
        """Start new workers, and let the old ones leave when those are ready.

        Args:
            workers: how many; there are columns in the ledger for only so many.
            seconds: an old one has to finish what is under way.
        """
        self._leave_seconds = seconds
        self._refused = {}
        for _ in range(min(workers, self._ledger.workers - len(self.slots))):
            try:
                slot = self._new_slot([self._unused()])
            except Error as error:
                self._stay(str(error))
                return
            slot.joining = True
            self._fill(slot)
        FAULTS.hit(BEGUN)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(
            READY_SECONDS, self._stay, f"no new worker was ready within {READY_SECONDS:g} s"
        )

    def is_ready(self) -> None:
        """A worker has become ready."""
        joining = self._joining()
        if not joining or not all(slot.child and slot.child.ready for slot in joining):
            return
        self._decided()
        for slot in joining:
            slot.joining = False
        FAULTS.hit(JOINED)
        old = [slot for slot in self._kept() if slot not in joining]
        for slot in old:
            slot.leaving = True
        self._settling = True
        self._owner.upgraded([slot.number for slot in old])
        for slot in old:
            self._dismiss(slot, self._leave_seconds)
        loop = asyncio.get_running_loop()
        loop.call_later(self._leave_seconds + CLOSE_SECONDS, self._kill, old)

    def _stay(self, reason: str) -> None:
        """Give the upgrade up."""
        self._decided()
        new = self._joining()
        for slot in new:
            slot.joining, slot.leaving = False, True
        self._owner.upgrade_failed(reason)
        for slot in new:
            self._dismiss(slot, 0.0)

    def _decided(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _dismiss(self, slot: Slot, seconds: float) -> None:
        slot.leaving = True
        if slot.child is not None:
            slot.child.leaving = True
            slot.child.send(link.Drain(seconds))
        else:
            self._left(slot)

    def _kill(self, leaving: Sequence[Slot]) -> None:
        for slot in leaving:
            if slot.child is not None:
                self._log.error("worker does not leave, and is killed", worker=slot.number)
                slot.child.kill()

    def _joining(self) -> list[Slot]:
        return [slot for slot in self.slots.values() if slot.joining]

    def _kept(self) -> list[Slot]:
        return [slot for slot in self.slots.values() if not slot.leaving]

    # -- slots and children ---------------------------------------------------------------

    def _new_slot(self, names: list[str]) -> Slot:
        number = next(n for n in range(self._ledger.workers) if n not in self.slots)
        self.slots[number] = slot = Slot(number, names)
        return slot

    def _unused(self) -> str:
        owned = {name for slot in self.slots.values() for name in slot.shards}
        return shards.unused(owned.union(self._owner.ownerless()))

    def _poison(self) -> list[int]:
        return [each for each, died in self._suspects.items() if died >= self.crash_limit]

    def _fill(self, slot: Slot) -> None:
        start, descriptors = self._owner.launch(slot, self._poison())
        slot.started = self._clock.monotonic()
        slot.child = self._spawn(
            WORKER, f"worker {slot.number}", start, descriptors, self._owner.received, self._ended
        )
        self._owner.joined(slot.child)

    def _ended(self, child: Child, status: int) -> None:
        slot = next(slot for slot in self.slots.values() if slot.child is child)
        slot.child = None
        self._owner.died(child)
        self._ledger.clear_worker(slot.number)
        suspect = self._scoreboard.bury(slot.number)
        if not slot.leaving or status != 0:
            self.deaths += 1
            self._log.error("worker died", worker=slot.number, status=status)
            if suspect:
                self._suspects[suspect] += 1
                self._log.error("worker died over a message", message=printed(suspect))
        if slot.joining:
            self._stay(f"worker {slot.number} died with status {status}")
        elif slot.leaving:
            self._left(slot)
        else:
            self._restart(slot)

    def _restart(self, slot: Slot) -> None:
        lived = self._clock.monotonic() - slot.started
        wait = slot.backoff.after(lived)
        slot.young_deaths = slot.young_deaths + 1 if lived < YOUNG_SECONDS else 1
        if slot.young_deaths >= DIED_YOUNG:
            self._hand_on(slot)
        self._log.info("worker is started again", worker=slot.number, after=wait)
        asyncio.get_running_loop().call_later(wait, self._refill, slot)

    def _refill(self, slot: Slot) -> None:
        if not self.stopping and self.slots.get(slot.number) is slot:
            self._fill(slot)

    def _left(self, slot: Slot) -> None:
        """A worker has gone for good: what it owned goes to those who stay."""
        del self.slots[slot.number]
        FAULTS.hit(HANDED)
        self._hand_on(slot)
        self._settle()
        self._owner.left()

    def _hand_on(self, slot: Slot) -> None:
        """Give the shards of a slot to another one, and an empty one to it."""
        others = [each for each in self._kept() if each is not slot]
        heirs = [each for each in others if not each.joining] or others
        if not heirs or not slot.shards or self.stopping:
            return
        try:
            empty = self._unused()
        except Error as error:
            self._log.error("shards stay with a worker which keeps dying", reason=str(error))
            return
        dealt: dict[int, list[str]] = {}
        for name in slot.shards:
            heir = min(heirs, key=lambda each: (each.child is None, len(each.shards)))
            heir.shards.append(name)
            dealt.setdefault(heir.number, []).append(name)
        for number, names in dealt.items():
            self._adopting.update(names)
            child = self.slots[number].child
            if child is not None:  # Else it is told when it is started.
                child.send(link.Adopt(names, self._poison()))
            self._log.warning("shards handed on", shards=names, to=number)
            self._owner.handed_on(names, number)
        slot.shards = [empty]
