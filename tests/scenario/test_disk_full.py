"""A disk that fills up: mail is put off, nothing is lost, and it goes on by itself.

The state directory is on a small file system of its own; the logs are elsewhere.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.smalldisk import SmallDisk, small_disk
from helpers.world import World

ZONE = "* A 127.0.0.1"
CONTENT = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * 25
LARGE = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * 3_000
HUGE = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * 30_000
# All there is, in small.
SPOOL = """
spool_segment_size = 1M
spool_reserve = 1M
log_space_low = 0
log_inodes_low = 0
"""
WATERMARK = SPOOL + "spool_space_low = 4M\nspool_inodes_low = 0\n"
BRIM = SPOOL + "spool_space_low = 0\nspool_inodes_low = 0\n"
INODES = SPOOL + "spool_space_low = 0\nspool_inodes_low = 200\n"
FULL = "452 4.3.1 insufficient system storage"
EXHAUSTED = "421 4.3.4 allocated resources exceeded"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "state", 24 << 20) as made:
        yield made


def recipients(world: World) -> Counter[str]:
    return Counter(each for message in world.sink.accepted for each in message.recipients)


async def refused(world: World) -> bool:
    """Say whether new sessions are turned away."""
    async with world.call(hello="") as caller:
        return await caller.reply() == EXHAUSTED


async def taken_again(world: World, recipient: str) -> None:
    """Wait until mail is taken in, and this has arrived."""

    async def taken() -> bool:
        async with world.call(hello="") as caller:
            if not (await caller.reply()).startswith("220 "):
                return False
            await caller.say("EHLO peer.test")
            return (await caller.deliver(CONTENT, recipient)).startswith("250 ")

    await world.eventually(taken, "mail to be taken in")
    await world.arrived(recipient)


async def queued(world: World, count: int) -> list[str]:
    """Hand in so many messages over one connection; return their recipients."""
    names = [f"{number}@later.test" for number in range(count)]
    async with world.call() as caller:
        for name in names:
            assert (await caller.deliver(CONTENT, name)).startswith("250 ")
    return names


@pytest.mark.effect("spool_space_low")
async def test_below_the_watermark_mail_is_put_off_and_what_is_queued_goes_out(
    tmp_path: Path, disk: SmallDisk
) -> None:
    sink = "at rcpt to *@later.test first 20 reply 451 4.3.0 later"
    async with World(tmp_path, WATERMARK, ZONE, sink) as world, world.call() as caller:
        names = await queued(world, 10)
        disk.fill(leave=2 << 20)
        await world.eventually(lambda: refused(world), "a refusal")
        # An open session is told when it wants to send.
        assert await caller.say("MAIL FROM:<a@sender.test>") == FULL
        assert await caller.say("NOOP") == "250 2.0.0 OK"
        for name in names:
            await world.arrived(name)
        disk.free()
        await taken_again(world, "after@x.test")
        assert (await caller.deliver(CONTENT, "same@x.test")).startswith("250 ")
        await world.logged("mainlog", "@D@", 12)
        assert set(recipients(world).values()) == {1}


async def test_with_no_octet_free_deliveries_are_recorded_for_good(
    tmp_path: Path, disk: SmallDisk
) -> None:
    sink = "at rcpt to *@later.test first 20 reply 451 4.3.0 later"
    async with World(tmp_path, BRIM, ZONE, sink) as world:
        names = await queued(world, 10)
        disk.fill()
        for name in names:
            await world.arrived(name)
        # Stopped and started on a full disk, nothing goes out again: it is on record.
        assert await world.stop() == 0
        await world.start()
        disk.free()
        await taken_again(world, "after@x.test")
        assert recipients(world) == Counter(dict.fromkeys([*names, "after@x.test"], 1))
        lines = await world.logged("mainlog", "@D@", 11)
        assert len(lines) == 11


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
async def test_a_disk_which_fills_up_under_load_loses_nothing(
    tmp_path: Path, disk: SmallDisk, content: bytes
) -> None:
    sink = "at rcpt first 3 reply 451 4.3.0 later"
    async with World(tmp_path, BRIM, ZONE, sink) as world:
        promised: list[str] = []
        denied: set[str] = set()

        async def load(number: int) -> None:
            async with world.call() as caller:
                for each in range(20_000):
                    name = f"{number}.{each}@x.test"
                    reply = await caller.deliver(content, name)
                    if not reply.startswith("250 "):
                        denied.add(reply)
                        return
                    promised.append(name)

        disk.fill(leave=6 << 20)
        await asyncio.gather(*(load(number) for number in range(4)))
        assert promised
        assert denied == {FULL}
        disk.free()
        await taken_again(world, "after@x.test")
        await world.until(lambda: not set(promised) - set(recipients(world)), "all which was 250")
        ends = await world.settled()
        assert ends["accepted"] == ends["delivered"] == len(promised) + 1
        assert set(recipients(world)) == {*promised, "after@x.test"}
        assert set(recipients(world).values()) == {1}


async def test_a_message_for_which_there_is_no_room_leaves_none_behind(
    tmp_path: Path, disk: SmallDisk
) -> None:
    async with World(tmp_path, BRIM, ZONE) as world, world.call() as caller:
        assert (await caller.deliver(CONTENT, "first@x.test")).startswith("250 ")
        disk.fill(leave=1 << 20)
        assert await caller.deliver(HUGE, "never@x.test") == FULL
        bodies = world.state / "spool" / "000" / "large"
        await world.until(lambda: not list(bodies.iterdir()), "the removal of what was written")
        disk.free()
        await taken_again(world, "after@x.test")
        assert "never@x.test" not in recipients(world)


@pytest.mark.effect("spool_inodes_low")
async def test_without_inodes_mail_is_put_off_too(tmp_path: Path, disk: SmallDisk) -> None:
    async with World(tmp_path, INODES, ZONE) as world:
        assert (await world.send("a@sender.test", ["first@x.test"], CONTENT))[:4] == "250 "
        disk.fill_inodes(leave=100)
        await world.eventually(lambda: refused(world), "a refusal")
        disk.free()
        await taken_again(world, "after@x.test")
