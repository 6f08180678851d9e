"""Each place where a shard changes its disk fails, in each way: nothing is lost or made up.

The sites are found by a run without a fault, and compared with the table below: a new one fails
the test until it is said here. Then each fails once, or until the disk is healed, as its n-th
operation, while mail comes and goes; the process is stopped, killed, or the power is cut; and what
the next one finds is compared by recipient.
"""

import errno
from collections import Counter
from random import Random
from typing import Any, Final

import pytest

from angarium.core.errors import Error
from angarium.core.message import Message, Recipient
from angarium.events.schema import Delivery, Reception, decode
from angarium.events.stream import frames
from angarium.journal.reader import STUCK, Tail
from angarium.journal.segment import name_of
from angarium.queue.spool.audit import audit
from helpers.disk import MemoryDisk
from helpers.faultydisk import SHORT, Fault, FaultyDisk, Site
from helpers.rounds import Seeds
from helpers.spool import HOME, Life, delivery

pytestmark = pytest.mark.torture

LOGS = ("data", "state", "events", "rejections")
SITES: Final[set[Site]] = {
    *(("mkdir", name) for name in ("directory", "checkpoints", "large", *LOGS)),
    *(("syncdir", name) for name in ("checkpoints", "large", *LOGS)),
    *(("create", f"{name}/segment") for name in LOGS),
    *(("open", f"{name}/segment") for name in LOGS),
    *(("write", f"{name}/segment") for name in LOGS),
    *(("sync", f"{name}/segment") for name in LOGS),
    *(("allocate", f"{name}/segment") for name in ("data", "state", "events")),
    *(("truncate", f"{name}/segment") for name in ("data", "state", "events")),
    *((each, f"{name}/reserve") for each in ("create", "write", "sync") for name in LOGS[1:3]),
    *((each, "checkpoints/draft") for each in ("create", "write", "sync", "truncate", "rename")),
    ("unlink", "checkpoints/checkpoint"),
    *((each, "large/body") for each in ("create", "write", "sync", "unlink")),
    *(("rename", f"{name}/segment") for name in ("data", "state")),
    *(("rename", f"{name}/spare") for name in ("data", "state")),
    ("unlink", "data/segment"),
    *(("open", f"{name}/reserve") for name in LOGS[1:3]),
    *((each, "lock") for each in ("create", "open")),
    *((each, "seed.new") for each in ("create", "write", "sync", "rename")),
    ("syncdir", "directory"),
}
ERRORS: Final = (errno.EIO, errno.ENOSPC, errno.EROFS)
HEALED: Final = (
    15.0  # seconds until all is as before, at most: a rest of 1 s, a checkpoint's of 5 s
)


class Story:
    """Mail comes and goes in one shard; what was promised is noted."""

    def __init__(self, disk: FaultyDisk, chance: Random) -> None:
        self.disk = disk
        self.chance = chance
        self.waiting: list[tuple[Message, list[Recipient]]] = []
        self.promised: set[int] = set()
        self.denied: set[int] = set()
        self.ended: set[int] = set()
        self.names: dict[int, str] = {}  # of large bodies, by id() of the message
        self.refused_bodies: set[str] = set()
        self.life = Life(disk)
        self.told = False  # the operator
        self.life.spool.on_health(self._tell)

    def _tell(self) -> None:
        self.told = True  # run/parts says what has stopped

    def start(self) -> None:
        """Start a life; one whose disk fails tries again, as a worker does."""
        try:
            self.life.start()
        except (Error, OSError):
            assert self.disk.failed, "it refused to start for no reason"
            self.disk.plan = None
            self.life.kill()
            self.life = Life(self.disk).start()
            self.told = True  # the worker ends, and says why

    def step(self) -> None:
        """Do something a worker does, if the spool lets it."""
        life, chance = self.life, self.chance
        match chance.randrange(10):
            case 0 | 1 | 2 | 3:
                size = chance.randrange(3000)
                self.waiting.append(life.begin(body=b"x" * size))
            case 4 if life.spool.intake:
                writer = life.spool.large()
                for _ in range(chance.randrange(1, 4)):
                    writer.write(bytes(chance.randrange(1, 200_000)))
                self.waiting.append(life.begin(body=writer.finish()))
                self.names[id(self.waiting[-1][0])] = f"{writer.name:016x}"
            case 5 | 6 | 7 if life.spool.delivery and life.spool.live:
                for ident in chance.sample(sorted(life.spool.live), min(3, len(life.spool.live))):
                    life.deliver(ident)
                    self.ended.add(ident)
            case 8 if life.spool.delivery and life.spool.live:
                ident = chance.choice(sorted(life.spool.live))
                life.spool.defer(ident, 1, 1_700_001_000, None)
            case 9:
                life.spool.reject(delivery(1))
        life.pass_time(chance.choice((0.0, 0.0, 0.01, 0.2, 1.1)))
        self.learn()

    def learn(self) -> None:
        """See who was told what."""
        outcomes = self.life.outcomes
        for message, recipients in self.waiting:
            if id(message) in outcomes:
                refused = outcomes[id(message)] is not None
                told = self.denied if refused else self.promised
                told |= {each.id for each in recipients}
                if refused and id(message) in self.names:
                    self.refused_bodies.add(self.names[id(message)])
        self.waiting = [each for each in self.waiting if id(each[0]) not in outcomes]

    def well(self) -> None:
        """The disk is healed: within a time all is as before, by itself."""
        self.disk.plan = None
        self.life.pass_time(HEALED)
        self.learn()
        assert not self.waiting, "somebody was never answered"
        assert self.life.spool.intake
        assert self.life.spool.delivery
        self.promised |= set(self.life.put())
        self.life.keeper().checkpoint(self._checked)
        self.life.pass_time(1.5)
        assert set(self.life.spool.live) == self.promised - self.ended
        self.no_more_than_needed()

    def _checked(self, failure: object) -> None:
        assert failure is None

    def no_more_than_needed(self) -> None:
        """No file was forgotten on the disk, and none which is needed is gone."""
        shard = self.life.keeper().shard
        assert shard is not None
        for log in shard.logs:
            there = {each for each in self.disk.names(log.directory) if each.endswith(".seg")}
            known = {name_of(sequence) for sequence in log.segments}
            assert there <= known, f"forgotten in {log.directory}"
            spares = [each for each in self.disk.names(log.directory) if "spare" in each]
            assert len(spares) <= log.manner.spares
        # A body whose message was refused goes at the next start, if it could not be removed.
        bodies = {f"{name:016x}" for name in shard.table.files.values()}
        there = set(self.disk.names(f"{HOME}/large"))
        assert bodies <= there <= bodies | self.refused_bodies

    def end(self) -> MemoryDisk:
        """End this life in one of three ways; return the disk for the next one."""
        match self.chance.randrange(3):
            case 0:
                self.life.stop()
                self.disk.kill()
                return self.disk
            case 1:
                return self.life.kill()
        self.life.kill()
        return self.disk.power_cut(self.chance.randrange)

    def reckon(self, disk: MemoryDisk) -> None:
        """What the next life finds is what was promised, and not ended; the events say so too."""
        life = Life(disk).start()
        assert not life.alarms, life.alarms
        assert set(life.found) == self.promised - self.ended, (
            f"missing {self.promised - self.ended - set(life.found)}, "
            f"too many {set(life.found) - (self.promised - self.ended)}"
        )
        life.pass_time(1.5)
        told = events(disk)
        for ident in self.promised:
            assert told[Reception, ident], "a reception was not told"
        for ident in self.ended:
            assert told[Delivery, ident], "a delivery was not told"
        for ident in self.denied:
            assert not told[Reception, ident], "a reception was told which was refused"
        life.stop()
        disk.kill()
        account = audit(disk, HOME)
        assert account.sound
        assert account.ends["queued"] == len(self.promised - self.ended)
        assert account.accepted == len(self.promised)


def events(disk: MemoryDisk) -> Counter[Any]:
    """Count the events of the stream by kind and entry."""
    tail = Tail(disk, f"{HOME}/events", "events")
    found: Counter[Any] = Counter()
    at = idle = 0
    while idle <= STUCK + 1:  # a reader looks twice before it believes that a segment is over
        records = tail.read(at, 1000)
        idle = 0 if records else idle + 1
        at = records[-1][0] if records else at
        for _, payload in records:
            for _, _, octets in frames(payload):
                event = decode(octets)
                if isinstance(event, Reception | Delivery):
                    found[type(event), event.id] += 1
    tail.close()
    return found


def told(fault: Fault | None, seed: int, steps: int) -> FaultyDisk:
    """Tell a story with a fault in it; return its disk."""
    disk = FaultyDisk()
    disk.plan = fault
    story = Story(disk, Random(seed))
    story.start()
    for _ in range(steps):
        story.step()
    story.well()
    if fault is not None and fault.lasting and disk.failed and fault.error != SHORT:
        assert story.told or story.life.alarms, "nobody was told"
    story.reckon(story.end())
    return disk


def test_each_site_is_in_the_table() -> None:
    met: set[Site] = set()
    for seed in range(4):
        met |= told(None, seed, 300).met.keys()
    assert met == SITES


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "until it is healed"])
@pytest.mark.parametrize("site", sorted(SITES), ids=" ".join)
def test_a_fault_costs_nothing_that_was_promised(
    site: Site, *, lasting: bool, seeds: Seeds, tally: Counter[str]
) -> None:
    for seed in seeds(3, 300):
        chance = Random(seed)
        errors = (*ERRORS, SHORT) if site[0] == "write" else ERRORS
        fault = Fault(*site, chance.choice((1, 1, 2, 3, 7, 20)), chance.choice(errors), lasting)
        told(fault, seed, 60)
        tally["faults"] += 1
