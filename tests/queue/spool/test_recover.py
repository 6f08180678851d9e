"""From logs to entries: kills at every moment, damage, and samples of every format."""

import base64
import json
from pathlib import Path
from zlib import compress, decompress

import pytest

from angarium.core.fault import FAULTS, POINTS
from angarium.events.reader import Cursor, Stream, Window
from angarium.events.schema import Delivery, Event, Reception
from angarium.queue.spool import slices
from angarium.queue.spool.slot import unpack
from helpers.disk import MemoryDisk
from helpers.spool import HOME, Life

SAMPLES = Path(__file__).parent / "samples"
FAULT_POINTS = sorted(name for name in POINTS if name.startswith(("spool.", "journal.")))


class KilledError(SystemExit):
    """The process ends here; the one kind of exception a loop lets through at once."""


def events(disk: MemoryDisk) -> list[Event]:
    """All events of the shard, as the hose reads them: each once."""
    stream = Stream(disk, Path(f"{HOME}/events"), 0, Cursor())
    window, found = Window(), []
    for _ in range(40):
        stream.fill(100)
        found += [event for _, event in stream.take(None, window)]
    return found


def work(life: Life, acknowledged: set[int], ended: set[int]) -> None:
    """A life with everything in it; what is sure is noted."""
    for number in range(20):
        writer = life.spool.large()
        writer.write(b"y" * 3000)
        kinds = {"body": writer.finish()} if number % 5 == 4 else {"body": b"x" * 700}
        idents = life.put(f"a{number}@example.org", f"b{number}@example.org", **kinds)
        acknowledged.update(idents)
        life.spool.defer(idents[0], 1, 1_800_000_000, None)
        if number % 6:
            ended.add(idents[1])
            life.deliver(idents[1])
            ended.add(idents[0])
            life.deliver(idents[0])
        if number == 7:
            life.keeper().checkpoint(lambda failure: None)
        life.pass_time(1.1)


@pytest.mark.parametrize("power", [False, True], ids=["kill", "power cut"])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("name", FAULT_POINTS)
def test_nothing_is_lost_wherever_the_process_dies(name: str, count: int, power: bool) -> None:
    disk = MemoryDisk()
    acknowledged: set[int] = set()
    ended: set[int] = set()

    def die() -> None:
        raise KilledError

    life = Life(disk)
    FAULTS.arm(name, die, count)
    try:
        life.start()
        work(life, acknowledged, ended)
        life.stop()
        died = False
    except KilledError:
        life.kill()
        died = True
    finally:
        FAULTS.disarm()
    if power:
        disk = disk.power_cut(lambda n: 0)
    else:
        disk.kill()
    assert died or count > 1, "the story does not come by there"
    again = Life(disk).start()
    assert acknowledged - ended <= again.spool.live.keys()
    assert not again.alarms
    for ident in again.spool.live:
        message, _ = again.spool.load(ident)
        assert message.body.size in (700, 3000)
        assert len(message.body.whole()) == message.body.size
    again.pass_time(0.1)
    told = events(disk)
    assert acknowledged <= {event.id for event in told if isinstance(event, Reception)}
    delivered = [event.id for event in told if isinstance(event, Delivery)]
    assert len(delivered) == len(set(delivered))
    assert ended - again.spool.live.keys() <= set(delivered)


def test_events_the_last_run_did_not_write_are_told_once() -> None:
    life = Life(MemoryDisk()).start()
    (ident,) = life.put()
    life.deliver(ident)
    life.pass_time(0.01)
    disk = life.kill()
    for name in list(disk.names_cached):
        if "/events/" in name:
            disk.unlink(name)  # as if none of it had reached the device
    life = Life(disk).start()
    life.pass_time(0.1)
    assert [type(event) for event in events(disk)] == [Reception, Delivery]
    life = Life(life.kill()).start()
    life.pass_time(0.1)
    assert len(events(disk)) == 2


def test_events_of_a_recovery_are_what_they_would_have_been() -> None:
    life = Life(MemoryDisk()).start()
    life.put("a@example.org", "b@example.org")
    life.pass_time(0.1)
    before = events(life.disk)
    disk = life.kill()
    for name in list(disk.names_cached):
        if "/events/" in name:
            disk.unlink(name)
    life = Life(disk).start()
    life.pass_time(0.1)
    assert events(disk) == before


def test_damage_in_the_data_log_costs_what_it_hit_and_is_kept_for_people() -> None:
    life = Life(MemoryDisk()).start()
    idents = [life.put()[0] for _ in range(5)]
    slot = unpack(life.spool.live[idents[2]])
    disk = life.kill()
    disk.damage(f"{HOME}/data/{slot.segment:010d}.seg", slot.offset + 2, b"\xff" * 9)
    life = Life(disk).start()
    assert sorted(life.found) == [ident for ident in idents if ident != idents[2]]
    assert any("put aside" in str(alarm) for alarm in life.alarms)
    (name,) = disk.names(f"{HOME}/quarantine")
    assert b"example.org" in disk.content(f"{HOME}/quarantine/{name}")


def test_a_damaged_checkpoint_loses_nothing() -> None:
    life = Life(MemoryDisk()).start()
    idents = [life.put()[0] for _ in range(20)]
    life.stop()
    life.disk.damage(f"{HOME}/checkpoints/0000000001.chk", 700, b"\xff" * 40)
    life = Life(life.disk).start()
    assert sorted(life.found) == idents
    assert any("checkpoint is damaged" in str(alarm) for alarm in life.alarms)
    life.stop()  # with a new checkpoint; the damaged one is kept for people
    assert life.disk.names(f"{HOME}/quarantine") == ["0000000001.chk"]
    assert "0000000001.chk" not in life.disk.names(f"{HOME}/checkpoints")


def test_a_checkpoint_that_can_not_be_read_at_all_loses_nothing() -> None:
    life = Life(MemoryDisk()).start()
    idents = [life.put()[0] for _ in range(20)]
    life.stop()
    life.disk.damage(f"{HOME}/checkpoints/0000000001.chk", 0, b"\xff" * 200)
    life = Life(life.disk).start()
    assert sorted(life.found) == idents
    assert life.alarms
    life.stop()
    assert life.disk.names(f"{HOME}/quarantine") == ["0000000001.chk"]


def test_entries_are_worked_on_while_others_are_still_to_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slices, "SLICE", -1.0)  # a step at a time
    life = Life(MemoryDisk()).start()
    idents = []
    for _ in range(20):
        idents += life.put(*(f"r{number}@example.org" for number in range(100)))
    life.stop()
    life = Life(life.disk)
    settled: list[int] = []
    life.run(life.spool.open(HOME))
    while not settled:
        life.pass_time(0.001)
        for ident in list(life.spool.live)[:10]:
            life.deliver(ident)
            settled.append(ident)
    assert len(life.spool.live) < len(idents) - len(settled)
    life.run(life.spool.recovered())
    assert sorted([*life.spool.live, *settled]) == idents
    life.pass_time(0.1)
    life = Life(life.kill()).start()
    assert sorted([*life.spool.live, *settled]) == idents


# -- formats


def sample(version: int) -> MemoryDisk:
    """Return the disk of a committed sample."""
    disk = MemoryDisk()
    files: dict[str, str] = json.loads((SAMPLES / f"version{version}.json").read_text())
    for path, octets in files.items():
        disk.make_dir(path.rpartition("/")[0])
        handle = disk.open(path, create=True)
        disk.write(handle, [decompress(base64.b85decode(octets))], 0)
        disk.sync(handle)
    disk.kill()
    return disk


@pytest.mark.parametrize("version", [1])
def test_a_spool_of_every_released_format_is_read(version: int) -> None:
    """Made by `make_sample`, by the program of that version; N reads N-1, and here all."""
    life = Life(sample(version)).start()
    assert not life.alarms
    loaded = {ident: life.spool.load(ident) for ident in life.spool.live}
    addresses = {recipient.address for _, recipient in loaded.values()}
    assert addresses == {"kept@example.org", "large@example.org", "moved@example.org"}
    by_address = {recipient.address: ident for ident, (_, recipient) in loaded.items()}
    message, recipient = loaded[by_address["kept@example.org"]]
    assert message.variables == {"tenant": "seven"}
    assert (message.body.whole(), message.header) == (b"kept\r\n", b"Received: x\r\n")
    assert recipient.domain == "example.org"
    slot = life.spool.slot(by_address["kept@example.org"])
    assert (slot.attempts, slot.due) == (3, 1_800_000_000)
    moved = life.spool.slot(by_address["moved@example.org"])
    assert life.spool.routes.key(moved.route) == ("group", "binding", "example.net")
    assert loaded[by_address["large@example.org"]][0].body.whole() == b"z" * 3000
    assert len(life.spool.isolated()) == 1
    assert life.spool.counts()["delivered"] == 2
    life.pass_time(0.1)
    assert [type(event) for event in events(life.disk)].count(Delivery) == 2


def make_sample() -> None:
    """Write the sample of the present format; only before one is released."""
    life = Life(MemoryDisk()).start()
    life.deliver(life.put("gone@example.org")[0])
    life.keeper().checkpoint(lambda failure: None)
    life.pass_time(0.1)
    (kept,) = life.put("kept@example.org", body=b"kept\r\n", variables={"tenant": "seven"})
    life.spool.defer(kept, 3, 1_800_000_000, None)
    moved, aside, gone = life.put("moved@example.org", "aside@example.org", "gone@example.org")
    life.spool.rebind(moved, "group", "binding", "example.net", None)
    life.spool.isolate(aside)
    life.deliver(gone)
    writer = life.spool.large()
    writer.write(b"z" * 3000)
    life.put("large@example.org", body=writer.finish())
    life.pass_time(0.1)
    files = {
        path: base64.b85encode(compress(file.cached, 9)).decode()
        for path, file in life.kill().names_cached.items()
        if not path.endswith(("lock", "reserve"))
    }
    SAMPLES.mkdir(exist_ok=True)
    (SAMPLES / "version1.json").write_text(json.dumps(files, indent=1) + "\n")


if __name__ == "__main__":
    make_sample()


def test_a_clock_set_back_between_two_lives_parks_nothing() -> None:
    life = Life(MemoryDisk()).start()
    start = life.loop.clock.time()
    soon, later, past = life.put("a@x.test", "b@x.test", "c@x.test")
    life.pass_time(600.0)  # a checkpoint's time, or a segment's, is what bears witness
    life.spool.defer(soon, 1, int(start) + 900, None)
    life.spool.defer(later, 1, int(start) + 7200, None)
    life.spool.defer(past, 3, int(start) + 30, None)
    life.stop()
    life.disk.kill()
    life = Life(life.disk, start=start - 3000).start()
    slots = {ident: unpack(slot) for ident, slot in life.found.items()}
    assert slots[soon].due == start - 3000 + 300
    assert slots[later].due == start - 3000 + 6600
    assert slots[past].due == start - 3000
    assert (slots[soon].attempts, slots[past].attempts) == (1, 3)
    assert {ident: unpack(slot) for ident, slot in life.spool.live.items()} == slots
