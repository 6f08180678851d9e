"""Processes die: what that costs, and what it does not."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from helpers.caller import calling
from helpers.pressure import pressure
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\nheld.test MX 10 mx.sink.test\n"
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, zone=ZONE, workers=3) as world:
        yield world


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2][1] != "Z"
    except OSError:
        return False


async def test_a_worker_that_dies_is_started_again_with_its_mail(tmp_path: Path) -> None:
    held = 'domain "held.test" { suspend_delivery = true }'
    async with World(tmp_path, held, ZONE, workers=2) as world:
        for n in range(6):
            assert (await world.send("a@b.test", [f"r{n}@held.test"], CONTENT)).startswith("250")
        for pid in world.worker_pids():
            os.kill(pid, signal.SIGKILL)
            await world.until(lambda pid=pid: not alive(pid), "the end of a worker")  # type: ignore[misc]
        assert (await world.send("a@b.test", ["new@sink.test"], CONTENT)).startswith("250")
        await world.arrived("new@sink.test")
        await world.reload("")
        for n in range(6):
            await world.arrived(f"r{n}@held.test")
        assert (await world.audit())["sound"]


async def test_no_connection_is_lost_while_workers_die(world: World) -> None:
    """A connection which waits in the queue of the socket is for those who live."""
    dead: list[int] = []
    turn = 0
    while len(dead) < 4:
        turn += 1
        async with calling(world.port) as caller:
            assert caller.banner.startswith("220")
            assert caller.greeting.startswith("250")
        pids = [pid for pid in world.worker_pids() if pid not in dead]
        if turn % 10 == 5 and len(pids) > 1:
            # Nobody has a session open; whoever wakes for the next connection must not be it.
            os.kill(pids[0], signal.SIGKILL)
            dead.append(pids[0])
        assert turn < 5000, "the workers do not come back"


async def test_orphaned_workers_are_gone_and_a_new_server_starts(
    world: World,
) -> None:
    async with pressure(world.port, connections=2) as load:
        await world.until(lambda: len(load.acknowledged) > 20, "some mail")
        workers = world.worker_pids()
        assert len(workers) == 3
        os.kill(workers[0], signal.SIGSTOP)  # stuck: it cannot notice that its supervisor is gone
        world.signal(signal.SIGKILL)
        await world.until(lambda: not any(map(alive, workers)), "the end of the orphans")
        await world.ended()
        await world.start()
    for recipient in load.acknowledged:
        await world.arrived(recipient)
    assert (await world.audit())["sound"]


async def test_a_server_started_at_once_waits_for_the_locks_of_the_last_one(world: World) -> None:
    for _ in range(3):
        world.kill()
        await world.ended()
        await world.start()
        assert len(world.worker_pids()) == 3
        assert not any("died" in line for line in world.output)


async def test_the_hose_dies_and_mail_goes_on(world: World) -> None:
    assert (await world.send("a@b.test", ["one@sink.test"], CONTENT)).startswith("250")
    await world.logged("mainlog", "@D@sink.test@")
    os.kill(world.hose_pid(), signal.SIGKILL)
    for n in range(5):
        assert (await world.send("a@b.test", [f"r{n}@sink.test"], CONTENT)).startswith("250")
        await world.arrived(f"r{n}@sink.test")
    assert len(await world.logged("mainlog", "@D@sink.test@", 6)) == 6
    assert len(await world.logged("mainlog", "@R@[a-z0-9]+@sink.test@", 6)) == 6


@pytest.mark.effect("crash_limit")
@pytest.mark.parametrize("limit", [2, 1])
async def test_a_message_over_which_workers_die_is_put_aside(tmp_path: Path, limit: int) -> None:
    """Its conversion crashes the process, as a fault in a native library would."""
    script = "without 8BITMIME\nwithout SMTPUTF8\n"
    config = f"crash_limit = {limit}\n"
    async with World(
        tmp_path, config, ZONE, sink=script, workers=2, fault="attempt.converting=kill"
    ) as world:
        said = await world.send(
            "a@b.test", ["bad@sink.test", "too@sink.test"], "Subject: x\r\n\r\n\u00e9\r\n".encode(),
            " BODY=8BITMIME",
        )  # fmt: skip
        assert said.startswith("250")
        await world.until(
            lambda: any("was put aside" in line for line in world.output), "the quarantine"
        )
        assert sum("died over a message" in line for line in world.output) == limit
        assert (await world.send("a@b.test", ["good@sink.test"], CONTENT)).startswith("250")
        await world.arrived("good@sink.test")
        found = await world.audit()
        assert found["sound"]
        assert found["sum"]["quarantined"] == 2
        assert len(world.worker_pids()) == 2
        assert any("was put aside" in line for line in world.log("paniclog"))


@pytest.mark.effect("shutdown_timeout")
async def test_a_stuck_worker_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    async with World(tmp_path, "shutdown_timeout = 0.1\n", ZONE, workers=2) as world:
        stuck, _ = world.worker_pids()
        os.kill(stuck, signal.SIGSTOP)
        assert await asyncio.wait_for(world.stop(), 90) == 0
        assert not alive(stuck)


async def test_a_shard_that_cannot_be_opened_keeps_nobody_from_mail(tmp_path: Path) -> None:
    """A file is in the way, say: it is left untouched, and its worker begins another one."""
    async with World(tmp_path, zone=ZONE, workers=2) as world:
        assert (await world.send("a@b.test", ["one@sink.test"], CONTENT)).startswith("250")
        await world.arrived("one@sink.test")
        assert await world.stop() == 0
        segment = next((world.state / "spool").glob("*/data/*.seg"), None)
        assert segment is not None
        octets = segment.read_bytes()
        shutil.rmtree(segment.parent.parent / "checkpoints")
        (segment.parent.parent / "checkpoints").write_bytes(b"")
        await world.start()
        assert (await world.send("a@b.test", ["two@sink.test"], CONTENT)).startswith("250")
        await world.arrived("two@sink.test")
        assert any("cannot be adopted" in line for line in world.log("paniclog"))
        assert segment.read_bytes() == octets
