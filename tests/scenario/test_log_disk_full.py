"""The disk of the logs fills up: mail goes on or waits, as the options say, and no line is missing.

The logs are on a small file system of their own; the state directory is elsewhere.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.smalldisk import SmallDisk, small_disk
from helpers.world import World

ZONE = "* A 127.0.0.1"
CONTENT = b"Subject: x\r\n\r\ntext\r\n"
# The spool's disk is of no interest here.
ANYWAY = "spool_space_low = 0\nspool_inodes_low = 0\nlog_space_low = 0\nlog_inodes_low = 0\n"
WATERMARK = "spool_space_low = 0\nspool_inodes_low = 0\nlog_space_low = 1M\nlog_inodes_low = 0\n"
INODES = "spool_space_low = 0\nspool_inodes_low = 0\nlog_space_low = 0\nlog_inodes_low = 100\n"
EXHAUSTED = "421 4.3.4 allocated resources exceeded"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "logs", 4 << 20) as made:
        yield made


async def greeted(world: World) -> bool:
    async with world.call(hello="") as caller:
        reply = await caller.reply()
        assert reply.startswith("220 ") or reply == EXHAUSTED
        return reply.startswith("220 ")


async def test_mail_goes_on_and_every_line_is_there_afterwards(
    tmp_path: Path, disk: SmallDisk
) -> None:
    async with World(tmp_path, ANYWAY, ZONE, logs=disk.path) as world:
        count = 200
        disk.fill(leave=4096)
        async with world.call() as caller:
            for number in range(count):
                reply = await caller.deliver(CONTENT, f"{number}@x.test")
                assert reply.startswith("250 ")
            await caller.say("MAIL FROM:nobody")
        await world.delivered(count)
        await world.until(lambda: any("cannot be written" in each for each in world.output), "it")
        disk.free()
        for kind in "RD":
            lines = await world.logged("mainlog", f"@{kind}@", count)
            assert len(lines) == len(set(lines)) == count
        assert len(await world.logged("rejectlog", "MAIL FROM syntax error")) == 1


@pytest.mark.effect("log_space_low")
async def test_below_the_watermark_mail_is_put_off_until_there_is_room(
    tmp_path: Path, disk: SmallDisk
) -> None:
    sink = "at rcpt first 5 reply 451 4.3.0 later"
    async with World(tmp_path, WATERMARK, ZONE, sink, logs=disk.path) as world:
        async with world.call() as caller:
            for number in range(5):
                assert (await caller.deliver(CONTENT, f"{number}@x.test")).startswith("250 ")
            disk.fill(leave=100_000)
            await world.eventually(lambda: refused(world), "a refusal")
            reply = await caller.say("MAIL FROM:<a@sender.test>")
            assert reply == "452 4.3.1 insufficient system storage"
        # What is queued goes out: what becomes of it can be recorded.
        for number in range(5):
            await world.arrived(f"{number}@x.test")
        disk.free()
        await world.eventually(lambda: greeted(world), "a greeting")
        assert (await world.send("a@sender.test", ["6@x.test"], CONTENT))[:4] == "250 "
        await world.logged("mainlog", "@D@", 6)


async def refused(world: World) -> bool:
    return not await greeted(world)


@pytest.mark.effect("log_inodes_low")
async def test_inodes_are_counted_too(tmp_path: Path, disk: SmallDisk) -> None:
    async with World(tmp_path, INODES, ZONE, logs=disk.path) as world:
        assert await greeted(world)
        disk.fill_inodes(leave=50)
        await world.eventually(lambda: refused(world), "a refusal")
        disk.free()
        await world.eventually(lambda: greeted(world), "a greeting")
