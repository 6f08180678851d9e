"""SIGUSR2, and other numbers of workers: mail changes hands, nothing is lost."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from helpers.pressure import pressure
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\nheld.test MX 10 mx.sink.test\n"
HELD = 'domain "held.test" { suspend_delivery = true }\n'
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, "upgrade_timeout = 5\n", ZONE, workers=2) as world:
        yield world


async def upgraded(world: World) -> None:
    """Tell the server to replace its workers, and wait until the old ones are gone."""
    old = set(world.worker_pids())
    world.signal(signal.SIGUSR2)
    await world.until(
        lambda: (now := world.worker_pids()) and not old.intersection(now), "the upgrade"
    )


def shards(world: World) -> set[str]:
    return {path.name for path in (world.state / "spool").iterdir()}


async def test_an_upgrade_under_load_costs_no_message_and_no_connection(world: World) -> None:
    async with pressure(world.port, connections=4, per_connection=5) as load:
        await world.until(lambda: len(load.acknowledged) > 50, "mail")
        await upgraded(world)
        seen = len(load.acknowledged)
        await world.until(lambda: len(load.acknowledged) > seen + 50, "mail by the new workers")
    report = load.report
    assert (report.lost, report.unknown, report.not_connected) == (0, 0, 0)
    for recipient in load.acknowledged:
        await world.arrived(recipient)
    assert (await world.audit())["sound"]
    # Each once: in the sink, and in the log.
    got = [each for mail in world.sink.accepted for each in mail.recipients]
    assert sorted(got) == sorted(load.acknowledged)
    lines = await world.logged("mainlog", "@D@sink.test@", len(got))
    assert len(lines) == len(got)


async def test_old_workers_finish_what_is_under_way(world: World) -> None:
    async with world.call() as caller:
        await caller.envelope("a@b.test", "c@sink.test")
        assert (await caller.say("DATA")).startswith("354")
        old = set(world.worker_pids())
        world.signal(signal.SIGUSR2)
        await world.until(lambda: len(world.worker_pids()) < 4 and _new(world, old), "new workers")
        assert (await caller.finish(CONTENT + b".\r\n")).startswith("250")
        assert (await caller.say("MAIL FROM:<a@b.test>")).startswith("421")
    await world.until(lambda: not old.intersection(world.worker_pids()), "the upgrade")
    await world.arrived("c@sink.test")


def _new(world: World, old: set[int]) -> set[int]:
    return set(world.worker_pids()) - old


async def test_what_was_queued_is_adopted_and_empty_shards_go(world: World) -> None:
    await world.reload(HELD + "upgrade_timeout = 5\n")
    for n in range(6):
        assert (await world.send("a@b.test", [f"r{n}@held.test"], CONTENT)).startswith("250")
    assert shards(world) == {"000", "001"}
    await upgraded(world)
    await upgraded(world)
    assert (await world.audit())["sum"]["queued"] == 6
    await world.reload("")
    for n in range(6):
        await world.arrived(f"r{n}@held.test")
    await world.until(lambda: len(shards(world)) == 2, "empty shards to go")
    found = await world.audit()
    assert found["sound"]
    assert found["sum"]["queued"] == 0
    assert len(await world.logged("mainlog", "@D@held.test@", 6)) == 6
    # Their numbers can be had again.
    await upgraded(world)
    assert (await world.send("a@b.test", ["last@sink.test"], CONTENT)).startswith("250")
    await world.arrived("last@sink.test")
    await world.logged("mainlog", "@D@sink.test@")


async def test_an_upgrade_brings_another_number_of_workers(world: World) -> None:
    world.workers = 3
    await world.reload("upgrade_timeout = 5\n")
    assert any("concurrency" in line for line in world.output if "needs restart" in line)
    await upgraded(world)
    await world.until(lambda: len(world.worker_pids()) == 3, "three workers")


async def test_new_workers_which_cannot_start_leave_the_old_ones_in_place(world: World) -> None:
    """As after an installation that went wrong."""
    old = set(world.worker_pids())
    for name in ("002", "003"):
        (world.state / "spool" / name).write_text("in the way")
    world.signal(signal.SIGUSR2)
    await world.until(
        lambda: any("upgrade given up" in line for line in world.output), "the old ones to stay"
    )
    await world.until(lambda: set(world.worker_pids()) == old, "the new ones to go")
    assert (await world.send("a@b.test", ["c@sink.test"], CONTENT)).startswith("250")
    await world.arrived("c@sink.test")


async def test_one_upgrade_at_a_time(world: World) -> None:
    async with world.call() as caller:
        await caller.envelope("a@b.test", "c@sink.test")
        world.signal(signal.SIGUSR2)
        await world.until(lambda: len(world.worker_pids()) > 2, "new workers")
        world.signal(signal.SIGUSR2)
        await world.until(
            lambda: any("upgrade refused" in line for line in world.output), "the refusal"
        )


async def test_4_then_1_then_3_workers_with_10_000_queued(tmp_path: Path) -> None:
    async with World(tmp_path, HELD, ZONE, workers=4) as world:
        async with pressure(
            world.port, connections=8, count=200, recipients=50, to="held.test"
        ) as load:
            await load.finished()
        assert len(load.acknowledged) == 10_000
        assert await total(world) == {"queued": 10_000}
        for workers in (1, 3):
            assert await world.stop() == 0
            assert await total(world) == {"queued": 10_000}
            world.workers = workers
            world.configure(HELD)
            await world.start()
            assert len(world.worker_pids()) == workers
            assert await total(world) == {"queued": 10_000}
        await world.reload("")
        await world.until(lambda: world.sink.counts.recipients >= 10_000, "all mail")
        got = [each for mail in world.sink.accepted for each in mail.recipients]
        assert sorted(got) == sorted(load.acknowledged)
        await world.until(lambda: len(shards(world)) == 3, "the fourth shard to go")
        await world.logged("mainlog", "@D@held.test@", 10_000)
        assert len([line for line in world.log("mainlog") if "@D@" in line]) == 10_000


async def total(world: World) -> dict[str, Any]:
    """Return what an audit counts, without what is nought."""
    found = await world.audit()
    assert found["sound"], found
    del found["sum"]["accepted"]
    return {name: count for name, count in found["sum"].items() if count}


async def test_a_worker_that_dies_on_its_way_out_leaves_its_mail_to_the_new_ones(
    world: World,
) -> None:
    async with world.call() as caller:
        await caller.envelope("a@b.test", "c@sink.test")
        old = set(world.worker_pids())
        world.signal(signal.SIGUSR2)
        await world.until(lambda: len(_new(world, old)) == 2 and len(old) > len(
            old.intersection(world.worker_pids())), "one to have left")  # fmt: skip
        for pid in old.intersection(world.worker_pids()):
            os.kill(pid, signal.SIGKILL)
        await world.until(lambda: not old.intersection(world.worker_pids()), "the upgrade")
    assert len(world.worker_pids()) == 2
    assert (await world.send("a@b.test", ["d@sink.test"], CONTENT)).startswith("250")
    await world.arrived("d@sink.test")
