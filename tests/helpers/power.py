"""The story of a shard by seed: a worker works, dies at any change of the disk, and starts again.

    Story(seed).run()        raises AssertionError where something was lost, invented or refused

Every life ends at a random change of the disk (or in order): before a write, a sync, a new name,
also while it recovers. Where the power was cut the disk may be found in many ways; some are looked
at (`MemoryDisk.power_cut`), and the story goes on with one of them.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from angarium.core.message import Message, Recipient
from angarium.events.reader import Cursor, Stream, Window
from angarium.events.schema import Ended, Event, Reception
from angarium.journal.errors import SpoolError
from angarium.queue.spool.audit import IDLE, audit
from angarium.queue.spool.slot import unpack
from helpers.disk import MemoryDisk
from helpers.spool import HOME, SMALL, Life

KILLED_AFTER: Final = 0.05  # seconds after which an end is in the page cache: a trip is 2 ms away
LOST_AFTER: Final = 0.3  # ... and on the device: state_sync_interval is 0.1 s
IMAGES: Final = 3  # ways in which a disk is found after a power cut


class Cut(SystemExit):  # the one kind of exception a loop lets through
    """The process, or the machine, ends here."""


@dataclass
class Known:
    """What may be found of an entry, and what must be."""

    address: str
    content: bytes
    message: int
    acknowledged: bool = False
    refused: bool = False
    ended: float | None = None  # when, in the life in which it was
    gone: bool = False  # a recovery has found it so
    timings: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    bindings: list[str] = field(default_factory=lambda: ["default"])
    isolated: list[bool] = field(default_factory=lambda: [False])


class Story:
    """One story.

    Args:
        failing: writes and syncs fail now and then, and there is no room.

    Attributes:
        counts: what happened, for the tally.
    """

    def __init__(self, seed: int, *, failing: bool = True) -> None:
        self.chance = Random(seed)
        self.failing = failing
        self.disk = MemoryDisk()
        self.known: dict[int, Known] = {}
        self.waiting: dict[int, list[int]] = {}  # ids of messages which were not answered
        self.counts: Counter[str] = Counter()
        self.life: Life
        self.faulty = False  # a write or sync has failed in this life
        self.full = False  # there was no room
        self._left = 0  # changes of the disk until it ends
        self._messages = 0

    def run(self) -> None:
        for _ in range(self.chance.randrange(2, 6)):
            self.live()
        self.begin_life(self.disk)
        self.life.start()
        self.check(self.life, late=0.0)

    def prefix(self, changes: int) -> bool:
        """Live one life of so many changes, and look at every telling disk that may be found.

        Returns whether there are as many; the same seed does the same up to there.
        """
        self.begin_life(self.disk)
        self._left = changes
        self.disk.before = self._change
        try:
            self.life.start()
            for _ in range(60):
                self.act()
            self.end()
        except Cut:
            pass
        self.learn()
        now = self.life.loop.clock.monotonic()
        for image in self.life.kill().images():
            self.counts["disks found after them"] += 1
            self.found(image, now, LOST_AFTER, keep=False)
        self.counts["power cuts"] += 1
        return self._left <= 0

    # -- a life ---------------------------------------------------------------------------

    def begin_life(self, disk: MemoryDisk) -> None:
        self.disk, self.waiting = disk, {}
        self.faulty = self.full = False
        disk.repair()
        disk.capacity = 1 << 40
        disk.choose = self.chance.randrange
        self.life = Life(disk, SMALL, seed=self.chance.getrandbits(32))
        for known in self.known.values():
            if known.ended is not None:
                known.ended = float("inf")  # its clock began anew; it may be back until we know

    def live(self) -> None:
        """Live until a change of the disk that comes early, in recovery, or late; or to the end."""
        chance = self.chance
        self.begin_life(self.disk)
        self._left = chance.choice((chance.randrange(1, 40), chance.randrange(20, 400)))
        self.disk.before = self._change
        power = chance.random() < 0.75
        try:
            self.life.start()
            self.resolve(self.life)
            if keeper := self.life.keeper().shard:
                keeper.slices.steps = chance.choice((1, 3, 1 << 30))
            for _ in range(chance.randrange(10, 120)):
                self.act()
            if chance.random() < 0.5:
                self.end()
        except Cut:
            self.counts["deaths at a change of the disk"] += 1
        self.die(power=power)

    def _change(self, _what: str, _path: str) -> None:
        self._left -= 1
        if self._left <= 0:
            raise Cut

    def end(self) -> None:
        """Stop in order."""
        self.disk.repair()
        self.disk.capacity = 1 << 40
        self.life.pass_time(2.5)
        self.learn()
        try:
            self.life.stop()
        except SpoolError:
            assert self.faulty or self.full
        self.learn()

    def die(self, *, power: bool) -> None:
        self.learn()
        now = self.life.loop.clock.monotonic()
        self.disk = self.life.kill()
        if not power:
            self.counts["kills"] += 1
            self.found(self.disk, now, KILLED_AFTER, keep=True)
            return
        self.counts["power cuts"] += 1
        at = self.disk
        for number in range(IMAGES):
            self.counts["disks found after them"] += 1
            choose = (lambda n: 0) if number == 0 else self.chance.randrange
            self.found(at.power_cut(choose), now, LOST_AFTER, keep=number == IMAGES - 1)

    def found(self, disk: MemoryDisk, now: float, late: float, *, keep: bool) -> None:
        """Start on a copy of the disk and look; the story goes on with the disk if `keep`."""
        copy = disk.power_cut(lambda n: n - 1)  # with all that is in the page cache
        copy.capacity = 1 << 40
        life = Life(copy, SMALL).start()
        assert not life.alarms, life.alarms
        self.check(life, late=float("-inf") if self.faulty or self.full else now - late)
        life.kill()
        if keep:
            self.disk = disk

    # -- what a worker does ---------------------------------------------------------------

    def act(self) -> None:
        chance, life = self.chance, self.life
        match chance.randrange(20):
            case 0 | 1 | 2 | 3 | 4:
                self.put()
            case 5:
                self.put_large()
            case 6 | 7:
                for _ in range(chance.randrange(1, 30)):
                    life.pass_time(0.0)
            case 8 | 9 | 10:
                life.pass_time(chance.choice((0.002, 0.02, 0.2, 1.1, 2.5)))
            case 11 | 12:
                self.settle(1)
            case 13 if chance.random() < 0.3:
                self.settle(max(len(life.spool.live) - 2, 0))
                life.pass_time(1.1)
            case 14 | 15 | 16:
                self.alter()
            case 17:
                keeper = life.keeper()
                if keeper.shard is not None and not keeper.busy:
                    keeper.checkpoint(lambda failure: None)
            case 18 if self.failing and chance.random() < 0.3:
                self.break_down()
            case 19:
                life.disk.capacity = 1 << 40
        self.learn()

    def break_down(self) -> None:
        disk, chance = self.life.disk, self.chance
        if chance.random() < 0.5:
            self.faulty = True
            disk.fail_at(chance.randrange(1, 6), short=chance.random() < 0.3)
        else:
            self.full = True
            disk.capacity = disk.used + chance.randrange(20_000)

    def put(self) -> None:
        content = bytes([self.chance.randrange(256)]) * self.chance.choice((0, 10, 700, 3000))
        count = self.chance.choice((1, 1, 1, 2, 5))
        self._put(content, self._addresses(count), content)

    def put_large(self) -> None:
        if not self.life.spool.intake:
            return
        writer, content = self.life.spool.large(), b""
        for _ in range(self.chance.randrange(1, 4)):
            piece = bytes([self.chance.randrange(256)]) * self.chance.choice((10, 3000, 200_000))
            writer.write(piece)
            content += piece
        self._put(writer.finish(), self._addresses(self.chance.choice((1, 3))), content)

    def _addresses(self, count: int) -> list[str]:
        self._messages += 1
        return [f"m{self._messages}-{each}@example.org" for each in range(count)]

    def _put(self, body: object, addresses: list[str], content: bytes) -> None:
        known, number = self.known, self._messages

        def told(message: Message, recipients: list[Recipient]) -> None:
            for each in recipients:
                known[each.id] = Known(each.address, content, number)
            self.waiting[id(message)] = [each.id for each in recipients]

        message, recipients = self.life.begin(*addresses, body=body)  # type: ignore[arg-type]
        if recipients[0].id:
            told(message, recipients)

    def settle(self, count: int) -> None:
        live = sorted(self.life.spool.live)
        for ident in self.chance.sample(live, min(count, len(live))):
            end = self.life.bounce if self.chance.random() < 0.3 else self.life.deliver
            end(ident)
            self.known[ident].ended = self.life.loop.clock.monotonic()

    def alter(self) -> None:
        spool, chance = self.life.spool, self.chance
        aside = spool.isolated()
        if aside and chance.random() < 0.5:
            ident = chance.choice(aside)
            spool.found = lambda ident, slot: None
            spool.restore(ident)
            self.known[ident].isolated.append(False)
        if not spool.live:
            return
        ident = chance.choice(sorted(spool.live))
        known = self.known[ident]
        match chance.randrange(5):
            case 0 | 1 | 2:
                attempts, due = chance.randrange(1, 9), chance.randrange(1, 10**6)
                spool.defer(ident, attempts, due, None)
                known.timings.append((attempts, due))
            case 3:
                binding = chance.choice("abc")
                spool.rebind(ident, "default", binding, "example.net", None)
                known.bindings.append(binding)
            case 4:
                spool.isolate(ident)
                known.isolated.append(True)

    def learn(self) -> None:
        """Learn which messages were acknowledged: from now on they may not be lost."""
        for message, idents in list(self.waiting.items()):
            if message in self.life.outcomes:
                del self.waiting[message]
                error = self.life.outcomes[message]
                self.counts["messages refused" if error else "messages accepted"] += 1
                for ident in idents:
                    self.known[ident].acknowledged = error is None
                    self.known[ident].refused = error is not None and not self.faulty

    # -- what must hold -------------------------------------------------------------------

    def check(self, life: Life, *, late: float) -> None:
        """Compare what a recovery has found; ends before `late` may not be undone."""
        present = life.spool.live.keys() | set(life.spool.isolated())
        invented = present - self.known.keys()
        assert not invented, f"invented: {invented}"
        by_message: dict[int, set[bool]] = {}
        for ident, known in self.known.items():
            if ident not in present:
                assert known.ended is not None or known.gone or not known.acknowledged, (
                    f"an acknowledged entry is gone: {ident} {known.address}"
                )
                if known.ended is None and not known.gone:
                    by_message.setdefault(known.message, set()).add(False)
                continue
            by_message.setdefault(known.message, set()).add(True)
            self._compare(life, ident, known, late)
        torn = [number for number, seen in by_message.items() if len(seen) > 1]
        assert not torn, f"some recipients of a message are there and some are not: {torn}"
        self._account(life, present)

    def _compare(self, life: Life, ident: int, known: Known, late: float) -> None:
        assert not known.gone, f"an ended entry is back: {ident} {known.address}"
        assert not known.refused, f"a refused entry is there: {ident} {known.address}"
        assert known.ended is None or known.ended >= late, (
            f"an entry is back that ended {known.ended}, at {late} that was durable: {ident}"
        )
        message, recipient = life.spool.load(ident)
        assert (recipient.address, message.body.whole()) == (known.address, known.content)
        slot = life.spool.slot(ident)
        assert (slot.attempts, slot.due) in known.timings
        assert life.spool.routes.key(slot.route)[1] in known.bindings
        assert (ident in life.spool.isolated()) in known.isolated

    def _account(self, life: Life, present: set[int]) -> None:
        """The witness of the files agrees, and each event is told."""
        life.pass_time(0.05)
        counted = audit(life.disk, HOME, bodies=True)
        assert counted.sound, counted
        told = events(life.disk)
        received = {event.id for event in told if isinstance(event, Reception)}
        ended = {event.id for event in told if isinstance(event, Ended)}
        for ident, known in self.known.items():
            if ident in present or known.acknowledged:
                assert ident in received, f"never told as received: {ident}"
            if known.acknowledged and ident not in present:
                assert ident in ended, f"never told as ended: {ident}"
        self.counts["entries found again"] += len(present)

    def resolve(self, life: Life) -> None:
        """What this life has found when it started holds from now on."""
        present = life.spool.live.keys() | set(life.spool.isolated())
        for ident, known in list(self.known.items()):
            if ident not in present:
                if known.acknowledged or known.ended is not None:
                    known.gone = True
                else:
                    del self.known[ident]
                continue
            known.acknowledged, known.ended = True, None
            found = unpack(life.spool.live.get(ident) or self._aside(life, ident))
            known.timings = [(found.attempts, found.due)]
            known.bindings = [life.spool.routes.key(found.route)[1]]
            known.isolated = [ident in life.spool.isolated()]

    def _aside(self, life: Life, ident: int) -> bytes:
        shard = life.keeper().shard
        assert shard is not None
        return shard.table.isolated[ident]


def events(disk: MemoryDisk, directory: str = f"{HOME}/events") -> list[Event]:
    """All events of a shard, as the hose reads them: each once."""
    stream = Stream(disk, Path(directory), 0, Cursor())
    window, found, idle = Window(), [], 0
    while idle < IDLE:  # for it looks twice before it goes on to the next segment
        stream.fill(1000)
        taken = stream.take(None, window)
        found += [event for _, event in taken]
        idle = 0 if taken else idle + 1
    stream.close()
    return found
