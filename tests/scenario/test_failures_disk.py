"""The disk of the state directory goes away under load, read-only or with EIO: the kernel does it.

Nothing is injected here: a file system of its own, ext4 on a loop device, finds itself damaged, or
its device fails. The server says 451, stops delivering what it could not record, and alarms; when
the operator has mended the disk and started again, everyone who was told 250 has the mail. Who was
told to come again may have it too: a record whose sync failed may be on the disk, and where nothing
could be written any more nothing there says that it does not count.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from helpers.smalldisk import Device, device
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE: Final = "* A 127.0.0.1"
CONTENT: Final = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * 25
SPOOL: Final = """
spool_segment_size = 1M
spool_reserve = 1M
spool_space_low = 0
spool_inodes_low = 0
log_space_low = 0
log_inodes_low = 0
max_retry_interval = 1
"""
SINK: Final = "at rcpt first 40 reply 451 4.3.0 later"
FAILED: Final = "451 4.3.0 transaction failed"
FULL: Final = "452 4.3.1 insufficient system storage"
ALARMS: Final = ("no mail is taken in: ", "nothing is delivered, as it can't be recorded")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Device]:
    with device(tmp_path / "state", 64 << 20, 24 << 20) as made:
        yield made


def told(world: World, alarm: str) -> bool:
    return any(alarm in line for line in world.output)


class Load:
    """Four clients who send until they are told to come again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.promised: list[str] = []
        self.denied: Counter[str] = Counter()
        self.refused: set[str] = set()

    async def until_denied(self, client: int) -> None:
        async with self.world.call() as caller:
            for each in range(50_000):
                name = f"{client}.{each}@x.test"
                reply = await caller.deliver(CONTENT, name)
                if not reply.startswith("250 "):
                    self.denied[reply] += 1
                    self.refused.add(name)
                    return
                self.promised.append(name)


async def mended(world: World, disk: Device, load: Load) -> None:
    """Stop what cannot go on, mend, start: everything promised arrives, as `audit` says too."""
    world.kill()
    await world.ended()
    disk.mend()
    await world.start()

    def arrived() -> Counter[str]:
        return Counter(each for mail in world.sink.accepted for each in mail.recipients)

    await world.until(lambda: arrived().keys() >= set(load.promised), "all who were promised to")
    ends = await world.settled()
    assert ends["accepted"] >= len(load.promised)
    assert ends["accepted"] == ends["delivered"] == len(arrived())
    assert arrived().keys() - set(load.promised) <= load.refused
    # What was being delivered when the disk went may come twice.
    twice = [name for name, times in arrived().items() if times > 1]
    assert len(twice) <= 200, "more than was under way"


async def test_a_file_system_which_becomes_read_only_loses_nothing(
    tmp_path: Path, disk: Device
) -> None:
    async with World(tmp_path, SPOOL, ZONE, SINK, logs=tmp_path / "log") as world:
        load = Load(world)
        clients = asyncio.gather(*(load.until_denied(client) for client in range(4)))
        await world.until(lambda: len(load.promised) > 200, "some load")
        disk.abort()
        await clients
        assert load.denied.keys() == {FAILED}
        await world.until(lambda: all(told(world, alarm) for alarm in ALARMS), "both alarms")
        await mended(world, disk, load)


async def test_a_device_which_fails_loses_nothing(tmp_path: Path, disk: Device) -> None:
    async with World(tmp_path, SPOOL, ZONE, SINK, logs=tmp_path / "log") as world:
        load = Load(world)
        disk.below.fill(leave=2 << 20)
        await asyncio.gather(*(load.until_denied(client) for client in range(4)))
        assert load.promised
        assert load.denied.keys() <= {FAILED, FULL}
        disk.below.free()
        await mended(world, disk, load)
