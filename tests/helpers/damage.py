"""A state directory on which everything may rot, and what must hold whatever did.

    spool = history(stop=True)           a shard with all there can be in it, and what is true of it
    fault = one_fault(disk, random)      does it, and says what it was
    check(spool, disk, faults)           recovers, and raises AssertionError where a rule is broken

What must hold:

    the shard opens, and its recovery ends
    nobody is there who was not accepted; who ended comes back only where a record of ends is hurt
    who was not hurt is there, with every octet
    whoever is there and can't be read says so
    the damage was told, unless nothing that counts was hit
    a second start finds what the first one left, and mail goes on
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from angarium.core.errors import Error
from angarium.journal.errors import DamageError
from angarium.journal.scan import Found, Scan, complete
from angarium.journal.segment import CUT, HEADER_SIZE, name_of, survey
from angarium.queue.spool.checkpoint import Reader
from angarium.queue.spool.inventory import LOGS
from angarium.queue.spool.slot import place_of
from helpers.disk import File, MemoryDisk
from helpers.spool import HOME, Life

BLOCK: Final = 4096
HEADER_USED: Final = 68  # octets of a segment's header: the rest is zeros that nobody reads
LATER: Final = 100_000.0  # seconds until somebody starts it again


@dataclass(slots=True)
class Spool:
    """A shard as it was left, and what is true of it."""

    disk: MemoryDisk
    time: float
    accepted: dict[int, tuple[str, bytes]] = field(default_factory=dict)  # address, octets
    live: dict[int, tuple[str, int, int]] = field(default_factory=dict)  # path and extent of each
    large: dict[int, str] = field(default_factory=dict)  # path of its body
    matter: list[tuple[str, int, int]] = field(default_factory=list)  # what a start has to miss
    last: set[str] = field(default_factory=set)  # paths of segments whose end may be torn

    @property
    def named(self) -> bool:
        """Say whether there is a checkpoint."""
        return any(path.endswith(".chk") for path in self.disk.names_cached)

    def files(self) -> list[str]:
        return sorted(self.disk.names_cached)


def copy(disk: MemoryDisk) -> MemoryDisk:
    """Return another disk with the same content, all of it durable."""
    other = MemoryDisk()
    other.directories = set(disk.directories)
    for path, file in disk.names_cached.items():
        other.names_cached[path] = other.names_durable[path] = twin = File()
        twin.cached = bytearray(file.cached)
        twin.durable = bytes(file.cached)
    return other


class History:
    """Lives of a worker in which everything happens."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.life = Life(MemoryDisk(), seed=seed).start()
        self.accepted: dict[int, tuple[str, bytes]] = {}

    def put(self) -> list[int]:
        chance, number = self.random, len(self.accepted)
        names = [f"r{number}.{n}@d{number % 5}.test" for n in range(chance.choice((1, 1, 1, 3)))]
        octets = chance.randbytes(chance.randrange(10, 900))
        if chance.random() < 0.12:
            writer = self.life.spool.large()
            octets = chance.randbytes(3000)
            writer.write(octets)
            idents = self.life.put(*names, body=writer.finish())
        else:
            idents = self.life.put(*names, body=octets)
        for ident, name in zip(idents, names, strict=True):
            self.accepted[ident] = name, b"Received: x\r\n" + octets
        return idents

    def work(self, messages: int, keep: float) -> None:
        chance, spool = self.random, self.life.spool
        for _ in range(messages):
            for ident in self.put():
                fate = chance.random()
                if fate < 0.2:
                    spool.defer(ident, 1, 1_800_000_000, None)
                elif fate < 0.25:
                    spool.rebind(ident, "default", "other", "x.test", None)
                if chance.random() > keep:
                    self.life.deliver(ident)
                elif fate > 0.96:
                    spool.isolate(ident)
            if chance.random() < 0.2:
                self.life.pass_time(1.1)
        self.life.pass_time(3.0)

    def checkpoint(self) -> None:
        before = self.life.keeper().checkpoints
        self.life.keeper().checkpoint(lambda failure: None)
        while self.life.keeper().checkpoints == before:
            self.life.pass_time(0.01)

    def again(self) -> None:
        """Kill it and begin the next life."""
        time = self.life.loop.clock.time()
        self.life = Life(self.life.kill(), seed=self.random.randrange(1 << 30), start=time).start()


def torn_copy(seed: int) -> Spool:
    """Return a copy made file by file while the server worked, as cp and rsync make it."""
    made = History(seed)
    images = []
    for turn in range(8):
        made.work(4, keep=0.4)
        if turn % 3 == 2:
            made.checkpoint()
        images.append(copy(made.life.disk))
    truth = Spool(MemoryDisk(), made.life.loop.clock.time() + LATER, made.accepted)
    made.life.kill()
    paths = sorted({path for image in images for path in image.names_cached})
    made.random.shuffle(paths)
    # What is copied later is newer. A file that comes while it is copied may be missed.
    truth.disk.directories = set(images[-1].directories)
    for number, path in enumerate(paths):
        image = images[number * len(images) // len(paths)]
        if (file := image.names_cached.get(path)) is not None:
            truth.disk.names_cached[path] = truth.disk.names_durable[path] = file
    return truth


def history(*, stop: bool, checkpoint: bool = True, seed: int = 1) -> Spool:
    """Return a shard that was stopped in order, or whose machine was switched off while idle."""
    made = History(seed)
    made.work(30, keep=0.3)
    if checkpoint:
        made.checkpoint()
        made.work(12, keep=0.5)
        made.again()
    made.work(12, keep=0.6)
    life = made.life
    truth = Spool(life.disk, life.loop.clock.time() + LATER, made.accepted)
    table = life.keeper().shard.table  # type: ignore[union-attr]
    slots = {**table.live, **table.isolated}
    for ident, slot in slots.items():
        segment, offset = place_of(slot)
        truth.live[ident] = f"{HOME}/data/{segment:010d}.seg", offset, 0
        if name := table.files.get(segment << 32 | offset):
            truth.large[ident] = f"{HOME}/large/{name:016x}"
    if stop:
        life.stop()
    life.kill()
    truth.disk = copy(life.disk)
    _measure(truth)
    return truth


def _measure(truth: Spool) -> None:
    """Find where each record lies, and which octets a start has to miss."""
    extents: dict[tuple[str, int], int] = {}
    disk = truth.disk
    newest = max(path for path in truth.files() if path.endswith(".chk")) if truth.named else ""
    meta = Reader(disk, newest).meta if newest else None
    if newest:
        truth.matter.append((newest, 0, HEADER_USED))
        truth.matter.append((newest, HEADER_SIZE, len(disk.content(newest))))
    least = {
        "data": meta.position + 1 if meta else 1,
        "state": meta.state_number if meta else 1,
        "events": meta.stream if meta else 1,
        "rejects": 1 << 64,
    }
    for name, kind in LOGS:
        directory = f"{HOME}/{name}"
        segments = survey(disk, directory, kind).segments
        for segment in segments:
            path = f"{directory}/{name_of(segment.sequence)}"
            truth.matter.append((path, 0, HEADER_USED))
            records: list[Found] = []
            handle = disk.open(path, readonly=True)
            outcome = complete(Scan(disk, handle, segment, records.append).run())
            for found in records:
                end = found.run_offset + found.run
                extents[path, found.offset] = end
                if least[kind] <= found.number <= outcome.synced:
                    truth.matter.append((path, found.offset, found.run_offset))
        for segment, later in zip(segments, [*segments[1:], None], strict=False):
            if later is None or later.flags & CUT:
                truth.last.add(f"{directory}/{name_of(segment.sequence)}")
    for ident, (path, offset, _) in truth.live.items():
        truth.live[ident] = path, offset, extents[path, offset]


# -- misfortunes


def flip(disk: MemoryDisk, path: str, random: Random) -> str:
    content = disk.content(path)
    at = random.randrange(len(content))
    if random.random() < 0.5:  # half of them where something is written
        at = random.randrange(max(len(content.rstrip(b"\0")), 1))
    disk.damage(path, at, bytes([content[at] ^ 1 << random.randrange(8)]))
    return f"a bit at {at} of {path}"


def scribble(disk: MemoryDisk, path: str, random: Random) -> str:
    content = disk.content(path)
    at = random.randrange(len(content))
    octets = random.randbytes(min(random.choice((8, 60, 600)), len(content) - at))
    disk.damage(path, at, octets)
    return f"{len(octets)} octets at {at} of {path}"


def zero(disk: MemoryDisk, path: str, random: Random) -> str:
    """A block the device gave up."""
    at = random.randrange(len(disk.content(path))) // BLOCK * BLOCK
    disk.damage(path, at, bytes(min(BLOCK, len(disk.content(path)) - at)))
    return f"zeros at {at} of {path}"


def truncate(disk: MemoryDisk, path: str, random: Random) -> str:
    size = random.randrange(len(disk.content(path)))
    file = disk.names_cached[path]
    del file.cached[size:]
    file.durable = bytes(file.cached)
    return f"{path} ends at {size}"


def delete(disk: MemoryDisk, path: str, random: Random) -> str:
    for names in (disk.names_cached, disk.names_durable):
        del names[path]
    return f"{path} is gone"


def double(disk: MemoryDisk, path: str, random: Random) -> str:
    """A copy under a name that comes later, as a hand or a bad restore makes one."""
    directory, _, name = path.rpartition("/")
    stem, dot, kind = name.partition(".")
    other = f"{int(stem) + random.randrange(1, 4):010d}" if stem.isdecimal() else f"{stem}2"
    to = f"{directory}/{other}{dot}{kind}"
    if to in disk.names_cached:
        return f"{path} is not doubled"
    disk.names_cached[to] = disk.names_durable[to] = file = File()
    file.cached = bytearray(disk.content(path))
    file.durable = bytes(file.cached)
    return f"{path} is also {to}"


Misfortune = Callable[[MemoryDisk, str, Random], str]
MISFORTUNES: Final[tuple[Misfortune, ...]] = (flip, scribble, zero, truncate, delete, double)


def one_fault(disk: MemoryDisk, random: Random) -> tuple[str, str]:
    """Let something happen to one file; return its path, and what it was."""
    paths = [path for path in sorted(disk.names_cached) if disk.content(path)]
    path = random.choice(paths)
    return path, random.choice(MISFORTUNES)(disk, path, random)


# -- the rules


@dataclass(slots=True)
class Result:
    """What a start after a misfortune has found."""

    found: set[int]
    unreadable: set[int]
    alarms: list[Error]


def check(truth: Spool, disk: MemoryDisk, paths: set[str], *, one: bool = True) -> Result:
    """Start on what is left, and see whether the rules hold.

    Args:
        paths: of the files to which something has happened.
        one: only one thing has. Where several have, what would prove a loss may be lost too, and
            what would find a message: then only the other rules are asked for.
    """
    hurt, missed = _hurt(truth, disk), _missed(truth, disk)
    life = _begun(disk, 7, truth.time)
    found = set(life.spool.live) | set(life.spool.isolated())
    invented = found - truth.accepted.keys()
    assert not invented, f"invented: {invented}"
    lost = truth.live.keys() - hurt - found
    assert not (one and lost), f"lost: {[truth.accepted[each][0] for each in lost]}"
    if not any("/state/" in path or "/checkpoints/" in path for path in paths):
        again = found - truth.live.keys()
        assert not again, f"back from the dead: {[truth.accepted[each][0] for each in again]}"
    unreadable = _read_all(life, truth, found, hurt if one else found)
    assert life.alarms or not (one and missed), f"not told: {missed}"
    assert life.keeper().shard is not None
    result = Result(found, unreadable, list(life.alarms))
    (fresh,) = life.put("new@example.org", body=b"new")
    life.pass_time(3.0)
    if truth.time % 2:
        life.stop()
    time = life.loop.clock.time()
    life = _begun(life.kill(), 8, time + 10.0)
    second = set(life.spool.live) | set(life.spool.isolated())
    assert second == found | {fresh}, (
        f"the second start differs: {second ^ found ^ {fresh}} {life.alarms}"
    )
    _read_all(life, truth, found, hurt if one else found)
    assert life.spool.load(fresh)[0].body.whole() == b"new"
    life.stop()
    return result


def _begun(disk: MemoryDisk, seed: int, time: float) -> Life:
    """Begin a life in which a failure of anything in the loop ends the test."""
    life = Life(disk, seed=seed, start=time)
    failures: list[object] = []

    def failed(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        failures.append(context.get("exception") or context)
        loop.stop()

    life.loop.set_exception_handler(failed)
    try:
        return life.start()
    except RuntimeError as error:
        raise AssertionError(f"recovery failed: {failures!r}") from error


def _missed(truth: Spool, disk: MemoryDisk) -> list[tuple[str, int, int]]:
    """Return what is not there and has to be told.

    A file that is gone, or all zeros, may never have been begun; and the end of the last segment of
    a log looks as a power cut leaves it. What of it can be known otherwise has tests of its own.
    """
    missed: list[tuple[str, int, int]] = []
    seen: dict[str, int] = {}  # the last record that is whole
    for path, start, end in truth.matter:
        file, before = disk.names_cached.get(path), truth.disk.content(path)
        if file is None or not any(file.cached):
            continue
        if file.cached[start:end] != before[start:end]:
            missed.append((path, start, end))
        elif start:
            seen[path] = start
    return [each for each in missed if each[0] not in truth.last or each[1] < seen.get(each[0], 1)]


def _hurt(truth: Spool, disk: MemoryDisk) -> set[int]:
    """Return the entries of which an octet is not what it was."""
    hurt = set()
    for ident, (path, start, end) in truth.live.items():
        file = disk.names_cached.get(path)
        if (
            file is None
            or file.cached[start:end] != truth.disk.names_cached[path].cached[start:end]
        ):
            hurt.add(ident)
        elif body := truth.large.get(ident):
            file = disk.names_cached.get(body)
            if file is None or file.cached != truth.disk.names_cached[body].cached:
                hurt.add(ident)
    return hurt


def _read_all(life: Life, truth: Spool, found: set[int], hurt: set[int]) -> set[int]:
    unreadable = set()
    for ident in found:
        shard = life.keeper().shard
        assert shard is not None
        slot = shard.table.live.get(ident) or shard.table.isolated[ident]
        try:
            message, recipient = shard.contents.load(ident, slot)
            octets = message.header + message.body.whole()
        except (DamageError, FileNotFoundError):
            assert ident not in truth.live or ident in hurt, (
                f"unhurt and unreadable: {truth.accepted[ident]}"
            )
            unreadable.add(ident)
            continue
        assert (recipient.address, octets) == truth.accepted[ident]
    return unreadable
