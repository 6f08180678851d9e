"""An upgrade, and other numbers of workers: mail changes hands, nothing is lost."""

import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from helpers.operators import Operator, operator
from helpers.package import Package
from helpers.pressure import Pressure, pressure
from helpers.rounds import LONG, rounds
from helpers.upgrade import upgrade
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nheld.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\n"
HELD = 'domain "held.test" { suspend_delivery = true }\n'
SOON = "upgrade_timeout = 5\n"
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"
# The slowest 250 while workers come and go, on a machine which has other things to do.
SLOW_MS = 10_000
DONE = "everything is with the new workers"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, SOON, ZONE, workers=2) as world:
        yield world


async def upgraded(world: World) -> None:
    """Replace everything, and prove that it was."""
    old = {*world.worker_pids(), world.hose_pid()}
    code, said = await upgrade(world.state)
    assert (code, said[-1]) == (0, DONE), world.output
    assert not old.intersection({*world.worker_pids(), world.hose_pid()})


async def told(world: World, *words: str) -> None:
    """Wait until a line of the server has all these words."""
    await world.until(
        lambda: any(all(word in line for word in words) for line in world.output), " ".join(words)
    )


async def more(world: World, load: Pressure, count: int) -> None:
    """Wait until so many more messages were acknowledged."""
    wanted = len(load.acknowledged) + count
    await world.until(lambda: len(load.acknowledged) >= wanted, f"{count} more messages")


def shards(world: World) -> set[str]:
    return {path.name for path in (world.state / "spool").iterdir()}


def new(world: World, old: Iterable[int]) -> set[int]:
    return set(world.worker_pids()).difference(old)


async def test_upgrades_under_load_cost_no_message_and_no_connection(world: World) -> None:
    async with pressure(world.port, connections=4, per_connection=5, rate=100) as load:
        await more(world, load, 50)
        for _ in range(2):
            await upgraded(world)
            await more(world, load, 50)
    report = load.report
    assert (report.unknown, report.not_connected) == (0, 0)
    # An idle session of an old worker hears 421; who begins a message just then may find it gone.
    assert report.refused.keys() <= {"mail 421"}
    assert report.lost <= 8
    await world.until(lambda: len(world.sink.accepted) >= len(load.acknowledged), "all mail")
    assert (await world.audit())["sound"]
    # Each once: in the sink, and in the log.
    got = [each for mail in world.sink.accepted for each in mail.recipients]
    assert sorted(got) == sorted(load.acknowledged)
    lines = await world.logged("mainlog", "@D@sink.test@", len(got))
    assert len(lines) == len(got)


async def test_what_the_console_has_counted_goes_on_after_an_upgrade(world: World) -> None:
    async def counted(admin: Operator) -> dict[str, Any]:
        found, end = await admin.ask("summary", "json")
        assert not end.failed
        figures: dict[str, Any] = json.loads(found)
        bindings, _ = await admin.ask("binding summary default", "json")
        return figures | {"bindings": json.loads(bindings)["bindings"][0]}

    async with operator(world.state) as admin:
        await world.send("a@b.test", ["c@sink.test", "d@sink.test"], CONTENT)
        await world.settled()
        await figures_of(world, admin, 2)
        await admin.say("summary reset")
        await world.send("a@b.test", ["c@sink.test"], CONTENT)
        await world.settled()
        await figures_of(world, admin, 1)
        await admin.say("counter add /vendor/sample 7")
        said = await admin.say(f"trace smtp add * * {world.folder}/one.trace")
        assert said == "Registered smtp tracer #1"
        before = await counted(admin)
    await upgraded(world)
    async with operator(world.state) as admin:
        after = await counted(admin)
        assert after["successfully_delivered_messages"] == 1
        assert after["dns_mx_queries"] == before["dns_mx_queries"]
        assert after["uptime"] > before["uptime"]
        assert after["statistics_last_reset"] < after["uptime"]
        assert (after["bindings"]["received"], after["bindings"]["sent"]) == (2, 3)

        async def kept() -> bool:
            return "7 " in (await admin.say("counter list")).splitlines()[2]

        await world.eventually(kept, "the counter, of which new workers are told")
        said = await admin.say(f"trace smtp add * * {world.folder}/two.trace")
        assert said == "Registered smtp tracer #2"
        await world.send("a@b.test", ["c@sink.test"], CONTENT)
        await world.settled()
        await figures_of(world, admin, 2)


async def figures_of(world: World, admin: Operator, delivered: int) -> None:
    """Wait until workers have measured so many deliveries: they do it once a second."""

    async def measured() -> bool:
        said, _ = await admin.ask("summary", "json")
        return bool(json.loads(said)["successfully_delivered_messages"] == delivered)

    await world.eventually(measured, f"{delivered} deliveries in the summary")


async def test_old_workers_finish_what_is_under_way_and_deliver_it(world: World) -> None:
    async with world.call() as caller, world.call() as other:
        await caller.envelope("a@b.test", "c@sink.test")
        assert (await caller.say("DATA")).startswith("354")
        await other.say("MAIL FROM:<a@b.test>")
        old = set(world.worker_pids())
        world.signal(signal.SIGUSR2)
        await told(world, "upgraded")
        assert (await caller.finish(CONTENT + b".\r\n")).startswith("250")
        await world.arrived("c@sink.test")
        assert old.intersection(world.worker_pids())  # the other session keeps one there
        assert (await caller.say("MAIL FROM:<a@b.test>")).startswith("421")
        assert (await other.say("RSET")).startswith("421")
    await told(world, "upgrade done")
    assert not old.intersection(world.worker_pids())


@pytest.mark.effect("upgrade_timeout")
async def test_a_session_which_does_not_end_hears_so(tmp_path: Path) -> None:
    async with World(tmp_path, "upgrade_timeout = 1\n", ZONE) as world, world.call() as caller:
        await caller.envelope("a@b.test", "c@sink.test")
        world.signal(signal.SIGUSR2)
        assert (await caller.reply()).startswith("421")
        await told(world, "upgrade done")


async def test_what_was_queued_is_adopted_and_empty_shards_go(world: World) -> None:
    await world.reload(HELD + SOON)
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
    # What happened in them is kept, and their numbers can be had again.
    assert list((world.state / "history").glob("*/events/*.seg"))
    await upgraded(world)
    assert (await world.send("a@b.test", ["last@sink.test"], CONTENT)).startswith("250")
    await world.arrived("last@sink.test")
    await world.logged("mainlog", "@D@sink.test@")
    told_once = [line for line in world.log("mainlog") if not line.endswith("@M")]
    assert len(told_once) == 14


async def test_an_upgrade_brings_what_a_reload_cannot(world: World) -> None:
    world.workers = 3
    await world.reload(SOON + 'spool_segment_size = "2M"\nlog_hires_timestamp = true\n')
    waiting = [line for line in world.output if "needs restart" in line]
    assert len(waiting) == 3
    assert all("angarium upgrade" in line for line in waiting)
    await upgraded(world)
    assert len(world.worker_pids()) == 3
    assert len([line for line in world.output if "needs restart" in line]) == 3
    await world.send("a@b.test", ["c@sink.test"], CONTENT)
    [line] = await world.logged("mainlog", "@R@c@sink.test")
    [segment] = (world.state / "spool").glob("*/data/*.seg")
    assert segment.stat().st_size == 2 << 20
    assert len(line.partition("@")[0]) == 16  # with microseconds


async def test_new_workers_which_cannot_start_leave_the_old_ones_in_place(world: World) -> None:
    old = set(world.worker_pids())
    for name in ("002", "003"):
        (world.state / "spool" / name).write_text("in the way")
    code, said = await upgrade(world.state)
    assert code == 1
    assert said[-1].startswith("the old workers stay: worker ")
    await world.until(lambda: set(world.worker_pids()) == old, "the new ones to go")
    assert (await world.send("a@b.test", ["c@sink.test"], CONTENT)).startswith("250")
    await world.arrived("c@sink.test")


async def test_a_new_version_runs_everywhere_and_a_broken_one_nowhere(tmp_path: Path) -> None:
    package = Package(tmp_path)
    world = World(tmp_path, SOON, ZONE)
    world.environment = package.environment
    async with world:
        pids = [world.pid, world.hose_pid(), *world.worker_pids()]
        package.append("run/scribe.py", "\nthis is no Python\n")
        code, said = await upgrade(world.state)
        assert code == 1
        assert "SyntaxError" in said[-1]
        assert pids == [world.pid, world.hose_pid(), *world.worker_pids()]
        package.change("run/scribe.py", "\nthis is no Python\n", "")
        package.change("run/renewal.py", '"upgrade: supervisor replaced"', '"it is the new one"')
        package.change("run/assemble.py", 'PROGRAM: Final = "Angarium"', 'PROGRAM: Final = "New"')
        await upgraded(world)
        assert world.pid == pids[0]
        await told(world, "it is the new one")
        await world.send("a@b.test", ["c@sink.test"], CONTENT)
        assert b"(New" in ((await world.arrived("c@sink.test")).content or b"")


async def test_a_faulty_configuration_changes_nothing(world: World) -> None:
    world.configure("hostnam = a.test\n")
    pids = [world.hose_pid(), *world.worker_pids()]
    code, said = await upgrade(world.state)
    assert code == 1
    assert "there is no option hostnam" in said[-1]
    assert pids == [world.hose_pid(), *world.worker_pids()]


async def test_one_upgrade_at_a_time(world: World) -> None:
    async with world.call() as caller:
        await caller.envelope("a@b.test", "c@sink.test")
        world.signal(signal.SIGUSR2)
        await told(world, "upgraded")
        assert await upgrade(world.state) == (1, ["an upgrade is under way"])


async def test_nobody_is_upgraded_where_nobody_runs(world: World) -> None:
    await world.stop()
    code, said = await upgrade(world.state)
    assert code == 3
    assert "no server works on this state directory" in said[-1]


async def test_reload_and_upgrade_wait_for_each_other(world: World) -> None:
    world.configure(SOON + "crash_limit = 3\n")
    for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGHUP):
        world.signal(number)
    await told(world, "upgrade done")
    await told(world, "reloaded, generation")
    assert not any("refused" in line or "given up" in line for line in world.output)
    assert (await world.send("a@b.test", ["c@sink.test"], CONTENT)).startswith("250")
    await world.arrived("c@sink.test")


async def test_whoever_is_killed_in_an_upgrade_nothing_is_lost(world: World) -> None:
    """An old worker on its way out, a new one with what it adopts."""
    await world.reload(HELD + SOON)
    async with pressure(world.port, connections=2, count=50, recipients=20, to="held.test") as load:
        await load.finished()
    async with world.call() as caller:
        await caller.envelope("a@b.test", "c@sink.test")
        old = set(world.worker_pids())
        world.signal(signal.SIGUSR2)
        await told(world, "upgraded")
        for pid in (*old.intersection(world.worker_pids()), min(new(world, old))):
            os.kill(pid, signal.SIGKILL)
        await told(world, "upgrade done")
    assert not old.intersection(world.worker_pids())
    assert len(world.worker_pids()) == 2
    found = await total(world)
    assert found == {"queued": len(load.acknowledged)}
    await world.reload("")
    await world.until(lambda: world.sink.counts.recipients >= len(load.acknowledged), "all mail")
    got = [each for mail in world.sink.accepted for each in mail.recipients]
    assert sorted(got) == sorted(load.acknowledged)


@pytest.mark.torture
async def test_4_then_1_then_3_workers_with_a_deep_queue(
    tmp_path: Path, tally: Counter[str]
) -> None:
    """Twenty thousand queued, or a million: new mail is taken and delivered meanwhile as ever."""
    queued = rounds(20_000, 1_000_000)
    async with World(tmp_path, HELD + SOON, ZONE, workers=4) as world:
        async with pressure(
            world.port, connections=4, count=queued // 500, recipients=500, to="held.test"
        ) as load:
            await load.finished()
        assert len(load.acknowledged) == queued
        async with pressure(world.port, connections=2, rate=20, prefix="n") as fresh:
            for workers in (1, 3):
                world.workers = workers
                world.configure(HELD + SOON)
                await upgraded(world)
                assert len(world.worker_pids()) == workers
        report = fresh.report
        assert (report.unknown, report.not_connected) == (0, 0)
        assert report.lost <= 4
        slowest = report.service.summary()["max"]
        assert slowest < SLOW_MS
        tally["messages queued"] += queued
        tally["slowest 250 in ms"] = max(tally["slowest 250 in ms"], round(slowest))
        everyone = [*load.acknowledged, *fresh.acknowledged]
        await world.until(lambda: len(world.sink.accepted) >= len(fresh.acknowledged), "new mail")
        assert (await total(world))["queued"] == queued
        if LONG:
            return  # To deliver them takes minutes, and is the matter of others.
        await world.reload("")
        await world.until(lambda: world.sink.counts.recipients >= len(everyone), "all mail")
        got = [each for mail in world.sink.accepted for each in mail.recipients]
        assert sorted(got) == sorted(everyone)
        await world.until(lambda: len(shards(world)) == 3, "emptied shards to go")
        await world.logged("mainlog", "@D@held.test@", queued)
        assert len([line for line in world.log("mainlog") if "@D@held" in line]) == queued


async def total(world: World) -> dict[str, Any]:
    """Return what an audit counts, without what is nought."""
    found = await world.audit()
    assert found["sound"], found
    del found["sum"]["accepted"]
    return {name: count for name, count in found["sum"].items() if count}
