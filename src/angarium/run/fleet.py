"""The workers: which one owns which shard, what happens when one dies, how they are replaced.

A worker is a slot with a number (its column in the ledger, its row of the
scoreboard) and a child that fills it.
When the child dies its shards stay with the slot and a new child adopts them; if children of a
slot keep dying young, its shards go to another worker, so that no mail waits for a fault which
belongs to one process.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from angarium.core.clock import Clock
from angarium.core.ident import printed
from angarium.run import link, shards
from angarium.run.child import Backoff, Child
from angarium.run.scoreboard import Scoreboard

WORKER = "angarium.run.worker"
DIED_YOUNG = 3  # so many times in a row, and the shards go to another worker


@dataclass(slots=True)
class Slot:
    """A place for a worker."""

    number: int
    shards: list[str]
    child: Child | None = None
    backoff: Backoff = field(default_factory=Backoff)
    started: float = 0.0
    young_deaths: int = 0
    leaving: bool = False  # draining on purpose: not started again when it exits


class Columns(Protocol):
    """What the fleet needs of the ledger."""

    def clear_worker(self, worker: int) -> None: ...


class Owner(Protocol):
    """Whom the workers work for."""

    def launch(self, slot: Slot, poison: list[int]) -> tuple[link.Start, dict[str, int]]:
        """Return what a worker is started with: its first message and its descriptors."""
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


class Fleet:
    """All workers of this node.

    Args:
        crash_limit: crashes of a worker over one message which put it aside.
        spawn: starts a child; another one in the tests.
    """

    def __init__(
        self,
        owner: Owner,
        clock: Clock,
        scoreboard: Scoreboard,
        ledger: Columns,
        crash_limit: int,
        log: Any,
        spawn: Callable[..., Child] = Child,
    ) -> None:
        self._owner = owner
        self._clock = clock
        self._scoreboard = scoreboard
        self._ledger = ledger
        self._crash_limit = crash_limit
        self._log = log
        self._spawn = spawn
        self._suspects: Counter[int] = Counter()
        self.slots: dict[int, Slot] = {}
        self.stopping = False

    def start(self, dealt: list[list[str]]) -> None:
        """Start one worker for each list of shards."""
        for names in dealt:
            self._fill(self._new_slot(names))

    @property
    def children(self) -> list[Child]:
        return [slot.child for slot in self.slots.values() if slot.child is not None]

    @property
    def ready(self) -> bool:
        staying = [slot for slot in self.slots.values() if not slot.leaving]
        return all(slot.child is not None and slot.child.ready for slot in staying)

    @property
    def leaving(self) -> bool:
        """Say whether a worker that was told to leave is still there."""
        return any(slot.leaving for slot in self.slots.values())

    def send(self, message: link.Message) -> None:
        for child in self.children:
            child.send(message)

    def drain(self, seconds: float) -> None:
        """Tell every worker to leave; none is started again."""
        self.stopping = True
        for slot in self.slots.values():
            slot.leaving = True
        self.send(link.Drain(seconds))
        if not self.children:
            self._owner.left()

    def kill(self) -> None:
        for child in self.children:
            child.kill()

    def replace(self, seconds: float) -> None:
        """Start a new worker beside each, which takes over when the old one has drained."""
        old = [slot for slot in self.slots.values() if not slot.leaving]
        taken = {name for slot in self.slots.values() for name in slot.shards}
        for slot in old:
            slot.leaving = True
            name = shards.unused(taken)
            taken.add(name)
            self._fill(self._new_slot([name]))
            if slot.child is not None:
                slot.child.send(link.Drain(seconds))

    def released(self, shard: str) -> None:
        """A worker has emptied a shard and given it up."""
        for slot in self.slots.values():
            if shard in slot.shards:
                slot.shards.remove(shard)

    def _new_slot(self, names: list[str]) -> Slot:
        number = next(number for number in range(256) if number not in self.slots)
        self.slots[number] = slot = Slot(number, names)
        return slot

    def _fill(self, slot: Slot) -> None:
        poison = [each for each, died in self._suspects.items() if died >= self._crash_limit]
        start, descriptors = self._owner.launch(slot, poison)
        slot.started = self._clock.monotonic()
        slot.child = self._spawn(
            WORKER, f"worker {slot.number}", start, descriptors, self._owner.received, self._ended
        )

    def _ended(self, child: Child, status: int) -> None:
        slot = next(slot for slot in self.slots.values() if slot.child is child)
        slot.child = None
        self._owner.died(child)
        self._ledger.clear_worker(slot.number)
        ident = self._scoreboard.bury(slot.number)
        if slot.leaving and status == 0:
            self._left(slot)
            return
        lived = self._clock.monotonic() - slot.started
        wait = slot.backoff.after(lived)
        self._log.error("worker died", worker=slot.number, status=status, restart_in=wait)
        if ident:
            self._suspects[ident] += 1
            self._log.error("worker died over a message", message=printed(ident))
        if self.stopping:
            self._left(slot)
            return
        slot.leaving = False
        slot.young_deaths = slot.young_deaths + 1 if lived < 10 else 1
        if slot.young_deaths >= DIED_YOUNG:
            self._hand_on(slot)
        asyncio.get_running_loop().call_later(wait, self._refill, slot)

    def _refill(self, slot: Slot) -> None:
        if not self.stopping and self.slots.get(slot.number) is slot:
            self._fill(slot)

    def _left(self, slot: Slot) -> None:
        """A worker has drained: what it owned goes to those who stay."""
        del self.slots[slot.number]
        self._hand_on(slot)
        self._owner.left()

    def _hand_on(self, slot: Slot) -> None:
        heirs = [
            heir
            for heir in self.slots.values()
            if heir is not slot and heir.child is not None and not heir.leaving
        ]
        if not heirs or self.stopping:
            return
        heir = min(heirs, key=lambda each: len(each.shards))
        assert heir.child is not None
        heir.shards += slot.shards
        heir.child.send(link.Adopt(slot.shards))
        self._log.warning("shards handed on", shards=slot.shards, to=heir.number)
        taken = {name for each in self.slots.values() for name in each.shards}
        slot.shards = [shards.unused(taken)]
