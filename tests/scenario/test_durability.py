"""250 means: on the disk and synced. Proved by failing, and by killing, just before and just after.

The fault points are in the thread which writes (`journal/log`): "journal.written/data" is reached
when a message is in the page cache and not synced, "journal.synced/data" when it is.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from helpers.world import World

CONTENT = b"Subject: x\r\n\r\ntext\r\n"
LARGE = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * 5000
ZONE = "* A 127.0.0.1"
FAILED = "451 4.3.0 transaction failed"


def recipients(world: World) -> Counter[str]:
    return Counter(each for message in world.sink.accepted for each in message.recipients)


async def emptied(world: World) -> None:
    """Send one more message and wait until it has arrived: what is there has its turn."""
    reply = await world.send("a@sender.test", ["last@x.test"], CONTENT)
    assert reply.startswith("250 "), reply
    await world.arrived("last@x.test")


# What could not be synced.


@pytest.mark.parametrize(
    ("point", "content"),
    [
        ("journal.preparing/data", CONTENT),
        ("journal.written/data", CONTENT),
        ("journal.synced/data", CONTENT),
        ("spool.large", LARGE),
    ],
)
async def test_a_message_which_could_not_be_synced_does_not_exist(
    tmp_path: Path, point: str, content: bytes
) -> None:
    async with World(tmp_path, zone=ZONE, fault=f"{point}=error") as world:
        assert await world.send("a@sender.test", ["never@x.test"], content) == FAILED
        reply = await world.send("a@sender.test", ["next@x.test"], content)
        assert reply.startswith("250 "), reply
        await world.arrived("next@x.test")
        # Not even after a restart, which reads what the failed segment has.
        world.kill()
        await world.ended()
        world.fault = ""
        await world.start()
        await emptied(world)
        assert recipients(world) == Counter({"next@x.test": 1, "last@x.test": 1})
        ends = await world.settled()
        assert (ends["accepted"], ends["delivered"]) == (2, 2)


async def test_all_who_wait_for_a_sync_which_failed_are_told(tmp_path: Path) -> None:
    async with World(tmp_path, zone=ZONE, fault="journal.synced/data:2=error") as world:
        assert (await world.send("a@sender.test", ["0@x.test"], CONTENT))[:4] == "250 "
        replies = await asyncio.gather(
            *(world.send("a@sender.test", [f"{n}@x.test"], CONTENT) for n in range(1, 21))
        )
        assert FAILED in replies
        taken = {f"{n}@x.test" for n, reply in enumerate(replies, 1) if reply.startswith("250 ")}
        await emptied(world)
        assert set(recipients(world)) == taken | {"0@x.test", "last@x.test"}


@pytest.mark.effect("_unsafe_spool")
async def test_where_memory_is_trusted_a_peer_is_told_before_and_what_is_lost_is_told_to_us(
    tmp_path: Path,
) -> None:
    fault = "journal.written/data=error"
    async with World(tmp_path, "_unsafe_spool = true\n", ZONE, fault=fault) as world:
        [note] = [line for line in world.output if "_unsafe_spool" in line]
        assert "accepted mail can be lost when the server dies" in note
        reply = await world.send("a@sender.test", ["never@x.test"], CONTENT)
        assert reply.startswith("250 ")
        ident = reply.removeprefix("250 2.0.0 OK ")
        await world.logged("paniclog", f"message {ident} was accepted and is lost")
        await emptied(world)
        assert recipients(world) == Counter({"last@x.test": 1})
        await world.reload("")
        assert not [line for line in world.output[-1:] if "_unsafe_spool" in line]


# Killed.


async def unanswered(world: World, content: bytes) -> bytes:
    """Send a message to a server which dies of it; return what it still says."""
    async with world.call() as caller:
        await caller.envelope("a@sender.test", "b@x.test")
        await caller.say("DATA")
        await caller.put(content + b".\r\n")
        return await caller.rest()


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("point", "synced"),
    [
        ("journal.written/data", False),
        ("journal.synced/data", True),
        ("spool.durable", True),
    ],
)
async def test_the_250_comes_after_the_sync_and_what_is_synced_is_kept(
    tmp_path: Path, point: str, synced: bool, content: bytes
) -> None:
    async with World(tmp_path, zone=ZONE, fault=f"{point}=kill") as world:
        assert b"250" not in await unanswered(world, content)
        world.kill()
        await world.ended()
        world.fault = ""
        await world.start()
        if synced:
            await world.arrived("b@x.test")
        # Else the page cache of a machine which lives may keep it: it was not promised.
        await emptied(world)
        assert recipients(world)["b@x.test"] <= 1


async def test_a_delivery_which_was_not_recorded_is_made_again_and_no_other(
    tmp_path: Path,
) -> None:
    async with World(tmp_path, zone=ZONE, fault="settle.confirmed:3=kill") as world:
        for number in range(1, 4):
            reply = await world.send("a@sender.test", [f"{number}@x.test"], CONTENT)
            assert reply.startswith("250 ")
            await world.arrived(f"{number}@x.test")
        await world.until(lambda: any("died" in line for line in world.output), "a death")
        world.kill()
        await world.ended()
        world.fault = ""
        await world.start()
        await emptied(world)
        await world.until(lambda: recipients(world)["3@x.test"] == 2, "the second delivery")
        assert recipients(world)["1@x.test"] == recipients(world)["2@x.test"] == 1
        ends = await world.settled()
        assert (ends["accepted"], ends["delivered"]) == (4, 4)


# Killed in the middle of a load: of each 250 the message arrives.


async def load(world: World, acknowledged: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.run.programs.cli", "send"),
        *("--server", f"127.0.0.1:{world.port}", "--acknowledged", str(acknowledged)),
        *("--from", "a@sender.test", "--domains", "d{1..20}.test", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def promised(acknowledged: Path) -> list[str]:
    return acknowledged.read_text(encoding="utf-8").split() if acknowledged.exists() else []


def reached(acknowledged: Path, goal: int) -> bool:
    return len(promised(acknowledged)) > goal


SIZES = ("--sizes", "1k:60,10k:35,200k:5")


@pytest.mark.slow
async def test_each_250_arrives_though_everything_is_killed_in_the_middle_of_a_load(
    tmp_path: Path,
) -> None:
    acknowledged = tmp_path / "acknowledged"
    async with World(tmp_path, zone=ZONE, workers=2) as world:
        injector = await load(
            world, acknowledged, "--rate", "300", "--duration", "3s", "--connections", "8", *SIZES
        )
        for goal in (150, 400):
            await world.until(partial(reached, acknowledged, goal), f"{goal} 250s")
            world.kill()
            await world.ended()
            await world.start()
        output, _ = await injector.communicate()
        expected = promised(acknowledged)
        assert len(expected) > 400, output
        await world.until(lambda: not set(expected) - set(recipients(world)), "all which was 250")
        ends = await world.settled()
        assert len(expected) <= ends["accepted"] == ends["delivered"]


@pytest.mark.slow
async def test_each_250_arrives_though_workers_are_killed_one_after_the_other(
    tmp_path: Path,
) -> None:
    acknowledged = tmp_path / "acknowledged"
    async with World(tmp_path, zone=ZONE, workers=2) as world:
        injector = await load(
            world, acknowledged, "--rate", "300", "--duration", "3s", "--connections", "8", *SIZES
        )
        for goal in (100, 250, 400):
            await world.until(partial(reached, acknowledged, goal), f"{goal} 250s")
            pids = world.worker_pids()
            os.kill(pids[0], signal.SIGKILL)
        output, _ = await injector.communicate()
        expected = promised(acknowledged)
        assert len(expected) > 400, output
        await world.until(lambda: not set(expected) - set(recipients(world)), "all which was 250")
        ends = await world.settled()
        assert len(expected) <= ends["accepted"] == ends["delivered"]
